package crawler_test

import (
	"context"
	"crypto/sha256"
	"maps"
	"sync"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
)

// collection is a frontier and a keeper in memory that a test can look into,
// with what crawler.Memory has not: pictures that were deleted, and failure.
type collection struct {
	*crawler.Memory
	standing map[string]crawler.Standing // of addresses, beside what was kept
	banned   map[palate.ImageID]bool     // deleted with a reason
	failed   error                       // returned by FinishTask if set

	mu       sync.Mutex
	images   map[palate.ImageID]*kept
	outcomes map[string]crawler.Outcome // of pictures, by address
}

type kept struct{ find crawler.Find }

func newCollection() *collection {
	return &collection{
		Memory: crawler.NewMemory(), standing: map[string]crawler.Standing{}, banned: map[palate.ImageID]bool{},
		images: map[palate.ImageID]*kept{}, outcomes: map[string]crawler.Outcome{},
	}
}

func (c *collection) Standing(ctx context.Context, addresses []string) ([]crawler.Standing, error) {
	out, err := c.Memory.Standing(ctx, addresses)
	for i, address := range addresses {
		if s, there := c.standing[address]; there {
			out[i] = s
		}
	}
	return out, err
}

func (c *collection) FinishTask(ctx context.Context, name string, task crawler.Task, o crawler.Outcome, found []crawler.Task) (int, error) {
	if c.failed != nil {
		return 0, c.failed
	}
	added, err := c.Memory.FinishTask(ctx, name, task, o, found)
	if err != nil {
		return added, err
	}
	c.remember(task, o)
	return added, ctx.Err()
}

func (c *collection) Keep(ctx context.Context, name string, task crawler.Task, find crawler.Find) (crawler.Keeping, palate.ImageID, error) {
	id := palate.NewImageID(sha256.Sum256(find.Content))
	if c.banned[id] {
		o := crawler.Outcome{State: crawler.Lost, Reason: string(crawler.KeptDeleted)}
		_, err := c.Memory.FinishTask(ctx, name, task, o, nil)
		c.remember(task, o)
		return crawler.KeptDeleted, id, err
	}
	keeping, id, err := c.Memory.Keep(ctx, name, task, find)
	switch {
	case err != nil:
	case keeping == crawler.KeptNew:
		c.mu.Lock()
		c.images[id] = &kept{find: find}
		c.mu.Unlock()
		c.remember(task, crawler.Outcome{State: crawler.Kept})
	case keeping == crawler.KeptKnown:
		c.remember(task, crawler.Outcome{State: crawler.Known})
	default:
		c.remember(task, crawler.Outcome{State: crawler.Lost, Reason: string(keeping)})
	}
	return keeping, id, err
}

func (c *collection) remember(task crawler.Task, o crawler.Outcome) {
	if task.Kind != crawler.Image {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outcomes[task.URL] = o
}

func (c *collection) all() map[palate.ImageID]*kept {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.images)
}

// outcome is how the last round dealt with a picture's address.
func (c *collection) outcome(address string) crawler.Outcome {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.outcomes[address]
}

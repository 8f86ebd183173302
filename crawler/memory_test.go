package crawler_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
)

// collection is a frontier and a keeper in memory, as the contract says. A
// "process" that dies is a run whose context ends; BeginCrawl then forgets
// its claims.
type collection struct {
	mu      sync.Mutex
	round   int
	nextID  int64
	tasks   []*entry
	claimed map[int64]bool
	seen    map[string]*entry

	images  map[palate.ImageID]*kept
	address map[string]crawler.Standing
	banned  map[palate.ImageID]bool

	// onKeep, if set, is called after each commit of a picture.
	onKeep func(total int)
	failed error // returned by FinishTask if set
}

type entry struct {
	task    crawler.Task
	outcome crawler.Outcome
	seen    crawler.Seen // what it carries; its state is the outcome's
}

type kept struct {
	round int
	find  crawler.Find
	more  []palate.Source
}

func newCollection() *collection {
	return &collection{
		claimed: map[int64]bool{}, seen: map[string]*entry{}, images: map[palate.ImageID]*kept{},
		address: map[string]crawler.Standing{}, banned: map[palate.ImageID]bool{},
	}
}

func (c *collection) add(tasks []crawler.Task) (added int) {
	for _, t := range tasks {
		key := string(t.Kind) + " " + t.Key()
		if e := c.seen[key]; e != nil {
			added += c.again(e, t)
			continue
		}
		c.nextID++
		t.ID = c.nextID
		e := &entry{task: t, outcome: crawler.Outcome{State: crawler.Pending}, seen: crawler.Seen{Leads: t.Leads, For: t.For}}
		c.tasks, c.seen[key] = append(c.tasks, e), e
		added++
	}
	return added
}

func (c *collection) again(e *entry, found crawler.Task) (added int) {
	if len(found.Leads) == 0 && found.For == nil {
		return 0
	}
	e.seen.State, e.seen.Reason, e.seen.Shown = e.outcome.State, e.outcome.Reason, firstNonEmpty(e.seen.Shown, e.outcome.Shown)
	now, further := crawler.FoundAgain(e.seen, found)
	e.seen, e.task.Leads = now, now.Leads
	return c.add(further)
}

func firstNonEmpty(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

func (c *collection) BeginCrawl(_ context.Context, _ string, seeds []crawler.Task) (crawler.Progress, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.claimed)
	p := c.progress()
	if p.Pending > 0 {
		p.Resumed = true
		return p, nil
	}
	c.round++
	c.tasks = nil
	clear(c.seen)
	c.add(seeds)
	return c.progress(), nil
}

func (c *collection) progress() crawler.Progress {
	p := crawler.Progress{Round: c.round, Lost: map[string]int{}, Added: len(c.images)}
	for _, e := range c.tasks {
		switch e.outcome.State {
		case crawler.Pending:
			p.Pending++
		case crawler.Visited:
			p.Pages++
		case crawler.Kept:
			p.Kept++
		case crawler.Known:
			p.Known++
		case crawler.Lost:
			p.Lost[e.outcome.Reason]++
		}
	}
	return p
}

func (c *collection) CrawlProgress(context.Context, string) (crawler.Progress, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.progress(), nil
}

func (c *collection) Retrace(_ context.Context, _ string, visit func(crawler.Step) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.tasks {
		if e.task.Kind == crawler.Image || e.task.Refused != "" {
			continue
		}
		if err := visit(crawler.Step{URL: e.task.URL, Referer: e.task.Referer, State: e.outcome.State, Gave: e.outcome.Gave}); err != nil {
			return err
		}
	}
	return nil
}

func (c *collection) NextTasks(_ context.Context, _ string, limit int) (tasks []crawler.Task, wait time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, pictures := range []bool{true, false} {
		for _, e := range c.tasks {
			if e.outcome.State != crawler.Pending || c.claimed[e.task.ID] || len(tasks) == limit || (e.task.Kind == crawler.Image) != pictures {
				continue
			}
			if until := time.Until(e.task.NotBefore); until > 0 {
				if wait == 0 || until < wait {
					wait = until
				}
				continue
			}
			c.claimed[e.task.ID] = true
			tasks = append(tasks, e.task)
		}
	}
	return tasks, wait, nil
}

func (c *collection) open(task crawler.Task) (*entry, error) {
	i := slices.IndexFunc(c.tasks, func(e *entry) bool { return e.task.ID == task.ID })
	if i < 0 || c.tasks[i].outcome.State != crawler.Pending {
		return nil, fmt.Errorf("task %d is not open: %w", task.ID, palate.ErrConflict)
	}
	delete(c.claimed, task.ID)
	return c.tasks[i], nil
}

func (c *collection) FinishTask(ctx context.Context, _ string, task crawler.Task, o crawler.Outcome, found []crawler.Task) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed != nil {
		return 0, c.failed
	}
	e, err := c.open(task)
	if err != nil {
		return 0, err
	}
	if o.State == crawler.Lost && o.Reason == "" {
		return 0, fmt.Errorf("a loss without a reason: %w", palate.ErrInvalid)
	}
	late := e.task
	late.Leads = late.Leads[len(task.Leads):]
	e.outcome, e.task.Leads, e.seen.Leads = o, nil, nil
	added := c.add(found) // first: a late lead may mean one of these
	return added + c.again(e, late), ctx.Err()
}

func (c *collection) PostponeTask(_ context.Context, _ string, task crawler.Task, notBefore time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, err := c.open(task)
	if err != nil {
		return err
	}
	e.task.Attempts, e.task.NotBefore = task.Attempts, notBefore
	return nil
}

func (c *collection) Standing(_ context.Context, addresses []string) ([]crawler.Standing, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]crawler.Standing, len(addresses))
	for i, a := range addresses {
		out[i] = c.address[a]
	}
	return out, nil
}

func (c *collection) Keep(_ context.Context, _ string, task crawler.Task, find crawler.Find) (crawler.Keeping, palate.ImageID, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := palate.NewImageID(sha256.Sum256(find.Content))
	e, err := c.open(task)
	if err != nil {
		return "", id, err
	}
	if c.banned[id] {
		e.outcome = crawler.Outcome{State: crawler.Lost, Reason: "deleted"}
		return crawler.KeptDeleted, id, nil
	}
	if c.images[id] == nil && find.Most > 0 && len(c.images) >= find.Most {
		e.outcome = crawler.Outcome{State: crawler.Lost, Reason: string(crawler.KeptTooMany)}
		return crawler.KeptTooMany, id, nil
	}
	c.address[find.Source.Address] = crawler.StandingKept
	if have := c.images[id]; have != nil {
		have.more = append(have.more, find.Source)
		if have.round == c.round {
			e.outcome = crawler.Outcome{State: crawler.Lost, Reason: "duplicate"}
			return crawler.KeptDuplicate, id, nil
		}
		e.outcome = crawler.Outcome{State: crawler.Known}
		return crawler.KeptKnown, id, nil
	}
	c.images[id] = &kept{round: c.round, find: find}
	e.outcome = crawler.Outcome{State: crawler.Kept}
	if c.onKeep != nil {
		c.onKeep(len(c.images))
	}
	return crawler.KeptNew, id, nil
}

func (c *collection) all() map[palate.ImageID]*kept {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.images)
}

// outcome is how the round dealt with a picture's address.
func (c *collection) outcome(address string) crawler.Outcome {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.tasks {
		if e.task.Kind == crawler.Image && e.task.URL == address {
			return e.outcome
		}
	}
	return crawler.Outcome{}
}

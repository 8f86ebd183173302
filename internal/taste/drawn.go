package taste

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/active"
	"github.com/palate-art/palate/probe"
)

const (
	// drawnUses is how many queues are chosen among the same pictures, which
	// are read and scored once for all of them.
	drawnUses = 10
	// topSeeds is around how many likes the best are looked for, and topAround
	// how many neighbours of each are: another draw of likes every time.
	topSeeds  = 12
	topAround = 12
)

// drawn is what the queues of a profile are chosen among while one version
// serves.
type drawn struct {
	version int // of the probe, 0 without one
	uses    int
	size    int // of the pool when it was drawn
	tops    int
	pool    []active.Picture
	top     []active.Picture
}

// drawnBefore gives a copy of what was drawn for a version, nil if there is
// nothing that may be used once more. Without a probe there never is: nothing
// is scored then, and what is best changes with every rating.
func (t *Tastes) drawnBefore(p palate.Profile, version int) *drawn {
	t.mu.Lock()
	defer t.mu.Unlock()
	d := t.drawn[p]
	if d == nil || version == 0 || d.version != version || d.uses >= drawnUses {
		delete(t.drawn, p)
		return nil
	}
	d.uses++
	used := *d
	return &used
}

// keepDrawn keeps what was drawn for the next queue.
func (t *Tastes) keepDrawn(p palate.Profile, d *drawn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	makeRoom(t.drawn, p)
	kept := *d
	kept.uses = 1
	t.drawn[p] = &kept
}

// narrow leaves out what was judged, skipped or asked about meanwhile.
func (d *drawn) narrow(ctx context.Context, t *Tastes, p palate.Profile, asked []palate.ImageID) (err error) {
	if d.pool, err = t.unsaid(ctx, p, asked, slices.Clone(d.pool)); err != nil {
		return err
	}
	d.top, err = t.unsaid(ctx, p, asked, slices.Clone(d.top))
	return err
}

// enough reports whether most of what was drawn is left.
func (d *drawn) enough() bool { return 2*len(d.pool) > d.size && 2*len(d.top) >= d.tops }

// draw reads pictures to choose among, and scores them.
func (t *Tastes) draw(ctx context.Context, p palate.Profile, asked []palate.ImageID, learned *probe.Probe, random *rand.Rand) (*drawn, error) {
	pool, err := t.pool(ctx, p, asked, random)
	if err != nil {
		return nil, err
	}
	top, err := t.top(ctx, p, asked, learned, random)
	if err != nil {
		return nil, err
	}
	if learned != nil {
		scorePictures(learned, pool)
		scorePictures(learned, top)
	}
	return &drawn{size: len(pool), tops: len(top), pool: pool, top: top}, nil
}

func scorePictures(learned *probe.Probe, pictures []active.Picture) {
	ids, embeddings := make([]palate.ImageID, len(pictures)), make([]palate.Embedding, len(pictures))
	for i, picture := range pictures {
		ids[i], embeddings[i] = picture.ID, picture.Embedding
	}
	for i, score := range learned.ScoresOf(ids, embeddings) {
		pictures[i].Score = score
	}
}

// top gives good unjudged pictures, the best first: by the probe or, where
// there is none, by nearness to what is liked. None where nothing is.
func (t *Tastes) top(ctx context.Context, p palate.Profile, asked []palate.ImageID, learned *probe.Probe, random *rand.Rand) ([]active.Picture, error) {
	if learned == nil {
		order, err := t.Provisional(ctx, p, 0)
		if errors.Is(err, palate.ErrNotFound) || err == nil && order.Likes == 0 {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return t.topNear(ctx, p, asked, order, random)
	}
	if learned.Linear() {
		return t.best(ctx, p, asked, index.Query{Vector: learned.Query()})
	}
	return t.topNear(ctx, p, asked, newVersionOrder(Version{Learned: learned}), random)
}

// topNear is top of an order that goes by neighbours. A ranking proves that it
// has the best; here a few likes are looked around, so that it costs a few
// searches whatever the number of ratings.
func (t *Tastes) topNear(ctx context.Context, p palate.Profile, asked []palate.ImageID, order neighbourly, random *rand.Rand) ([]active.Picture, error) {
	seeds := slices.Clone(order.seeds())
	random.Shuffle(len(seeds), func(i, j int) { seeds[i], seeds[j] = seeds[j], seeds[i] })
	f := &found{order: order, products: make(map[palate.ImageID][]toSeed)}
	filter := index.Filter{NotJudgedBy: p, NotIDs: asked}
	if err := f.search(ctx, t, seeds[:min(len(seeds), topSeeds)], filter, topAround); err != nil {
		return nil, err
	}
	scores, err := t.scoreAll(ctx, order, slices.Collect(maps.Keys(f.products)))
	if err != nil {
		return nil, err
	}
	ids := make([]palate.ImageID, min(len(scores), topSize))
	for i := range ids {
		ids[i] = scores[i].Image
	}
	return t.unsaidOf(ctx, p, asked, ids)
}

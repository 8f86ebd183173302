package taste

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/active"
	"github.com/palate-art/palate/internal/catalog"
)

const (
	// poolSize is how many pictures a queue is chosen among, drawn evenly in
	// so many stretches of the order of IDs, which are hashes.
	poolSize      = 300
	poolStretches = 4
	// poolRounds bounds the drawing where nearly everything is judged.
	poolRounds = 4
	// topSize is how many of the best are looked through.
	topSize = 100
	// recentSize is how many pictures back nothing alike is shown again.
	recentSize = 30
	// MaxQueue is the longest queue.
	MaxQueue = 100
)

// Queue is what to ask about next.
type Queue struct {
	Choices []active.Choice
	Version int // of the probe that chose, 0 without one
}

// Queue gives up to n pictures to judge next, in the order to ask: see package
// teach. It is quick whatever the size of the collection. Pictures that were
// judged or skipped, or that a queue of this process gave shortly before, do
// not come, nor do near-duplicates of them; an empty queue says that nothing
// else is left.
func (t *Tastes) Queue(ctx context.Context, p palate.Profile, n int) (Queue, error) {
	if n < 1 || n > MaxQueue {
		return Queue{}, fmt.Errorf("queue of %s: %d pictures, want 1 to %d: %w", p, n, MaxQueue, palate.ErrInvalid)
	}
	for again := false; ; again = true {
		q, err := t.queue(ctx, p, n, again)
		if err != nil {
			return Queue{}, fmt.Errorf("queue of %s: %w", p, err)
		}
		// What was drawn before may have been deleted since.
		ids := make([]palate.ImageID, len(q.Choices))
		for i, c := range q.Choices {
			ids[i] = c.ID
		}
		points, err := t.index.Get(ctx, ids)
		if err != nil {
			return Queue{}, fmt.Errorf("queue of %s: %w", p, err)
		}
		if again || len(points) == len(ids) {
			t.remember(p, q.Choices)
			return q, nil
		}
	}
}

// queue chooses; anew is among pictures that are drawn now.
func (t *Tastes) queue(ctx context.Context, p palate.Profile, n int, anew bool) (q Queue, err error) {
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	request := active.Request{Random: random}
	switch version, err := t.Current(ctx, p); {
	case err == nil:
		request.Probe, q.Version = version.Learned, version.Version
	case !errors.Is(err, palate.ErrNotFound):
		return Queue{}, err
	}
	asked := t.recentlyAsked(p)
	if err := t.said(ctx, p, asked, &request); err != nil {
		return Queue{}, err
	}
	d := t.drawnBefore(p, q.Version)
	if d != nil && !anew {
		if err := d.narrow(ctx, t, p, asked); err != nil {
			return Queue{}, err
		}
	}
	if d == nil || anew || !d.enough() {
		if d, err = t.draw(ctx, p, asked, request.Probe, random); err != nil {
			return Queue{}, err
		}
		d.version = q.Version
		t.keepDrawn(p, d)
	}
	request.Pool, request.Top = slices.Clone(d.pool), d.top
	random.Shuffle(len(request.Pool), func(i, j int) { request.Pool[i], request.Pool[j] = request.Pool[j], request.Pool[i] })
	q.Choices = active.Choose(request, n, t.config.Active)
	return q, nil
}

func (t *Tastes) recentlyAsked(p palate.Profile) []palate.ImageID {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.asked[p])
}

func (t *Tastes) remember(p palate.Profile, choices []active.Choice) {
	t.mu.Lock()
	defer t.mu.Unlock()
	asked := t.asked[p]
	for _, c := range choices {
		asked = append(asked, c.ID)
	}
	t.asked[p] = slices.Clone(asked[max(0, len(asked)-recentSize):])
}

// said reads the newest ratings: what was judged, and what was shown.
func (t *Tastes) said(ctx context.Context, p palate.Profile, asked []palate.ImageID, r *active.Request) error {
	ratings, err := t.catalog.StandingRatings(ctx, p, catalog.RatingQuery{Limit: t.config.Active.Judged + recentSize})
	if err != nil {
		return err
	}
	ids := slices.Clone(asked)
	for _, rating := range ratings {
		ids = append(ids, rating.Image)
	}
	points, err := t.index.Get(ctx, ids)
	if err != nil {
		return err
	}
	embeddings := make(map[palate.ImageID]palate.Embedding, len(points))
	for _, point := range points {
		embeddings[point.ID] = point.Embedding
	}
	for i, rating := range ratings {
		e, there := embeddings[rating.Image]
		if !there {
			continue
		}
		if i < recentSize {
			r.Recent = append(r.Recent, e)
		}
		if rating.Verdict != palate.Skip {
			r.Judged = append(r.Judged, active.Judged{Embedding: e, Liked: rating.Verdict == palate.Like})
		}
	}
	for _, id := range asked {
		if e, there := embeddings[id]; there {
			r.Recent = append(r.Recent, e)
		}
	}
	return nil
}

// pool draws pictures evenly from those that were not judged, skipped or just
// asked about.
func (t *Tastes) pool(ctx context.Context, p palate.Profile, asked []palate.ImageID, random *rand.Rand) ([]active.Picture, error) {
	seen := make(map[palate.ImageID]bool)
	var pool []active.Picture
	for range poolRounds {
		for range poolStretches {
			drawn, err := t.stretch(ctx, random)
			if err != nil {
				return nil, err
			}
			free, err := t.unsaid(ctx, p, asked, drawn)
			if err != nil {
				return nil, err
			}
			for _, picture := range free {
				if !seen[picture.ID] {
					seen[picture.ID] = true
					pool = append(pool, picture)
				}
			}
		}
		if len(pool) >= poolSize/2 {
			break
		}
	}
	if len(pool) < poolSize/8 {
		// Nearly everything is judged: ask for the rest by what it is not.
		rest, err := t.best(ctx, p, asked, index.Query{Vector: direction(random, t.index.Dim())})
		if err != nil {
			return nil, err
		}
		for _, picture := range rest {
			if !seen[picture.ID] {
				pool = append(pool, picture)
			}
		}
	}
	return pool, nil
}

// stretch reads pictures from a random place in the order of IDs on.
func (t *Tastes) stretch(ctx context.Context, random *rand.Rand) ([]active.Picture, error) {
	var from palate.ImageID
	for i := range from {
		from[i] = byte(random.UintN(256))
	}
	const limit = poolSize / poolStretches
	drawn, err := t.catalog.ListEmbeddings(ctx, t.model, from, limit)
	if err != nil {
		return nil, err
	}
	if len(drawn) < limit { // the end: go on from the beginning
		rest, err := t.catalog.ListEmbeddings(ctx, t.model, palate.ImageID{}, limit-len(drawn))
		if err != nil {
			return nil, err
		}
		drawn = append(drawn, rest...)
	}
	pictures := make([]active.Picture, len(drawn))
	for i, e := range drawn {
		pictures[i] = active.Picture{ID: e.ID, Embedding: e.Embedding}
	}
	return pictures, nil
}

// unsaid leaves out what was judged, skipped or just asked about.
func (t *Tastes) unsaid(ctx context.Context, p palate.Profile, asked []palate.ImageID, pictures []active.Picture) ([]active.Picture, error) {
	ids := make([]palate.ImageID, len(pictures))
	for i, picture := range pictures {
		ids[i] = picture.ID
	}
	verdicts, err := t.catalog.StandingVerdicts(ctx, p, ids)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(pictures, func(picture active.Picture) bool {
		_, said := verdicts[picture.ID]
		return said || slices.Contains(asked, picture.ID)
	}), nil
}

// best gives the first unjudged pictures of a search.
func (t *Tastes) best(ctx context.Context, p palate.Profile, asked []palate.ImageID, q index.Query) ([]active.Picture, error) {
	q.Filter, q.Limit = index.Filter{NotJudgedBy: p, NotIDs: asked}, topSize
	hits, err := t.index.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	ids := make([]palate.ImageID, len(hits))
	for i, hit := range hits {
		ids[i] = hit.ID
	}
	return t.unsaidOf(ctx, p, asked, ids)
}

// unsaidOf gives the pictures of the named that were not judged meanwhile.
func (t *Tastes) unsaidOf(ctx context.Context, p palate.Profile, asked, ids []palate.ImageID) ([]active.Picture, error) {
	points, err := t.index.Get(ctx, ids)
	if err != nil {
		return nil, err
	}
	pictures := make([]active.Picture, len(points))
	for i, point := range points {
		pictures[i] = active.Picture{ID: point.ID, Embedding: point.Embedding}
	}
	return t.unsaid(ctx, p, asked, pictures)
}

func direction(random *rand.Rand, dim int) []float32 {
	out := make([]float32, dim)
	for i := range out {
		out[i] = float32(random.NormFloat64())
	}
	return out
}

package taste

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

const (
	// maxSearched bounds how many likes are searched around for one ranking;
	// all of them count in the scores.
	maxSearched = 256
	// firstDepth is how many neighbours of each like are looked at beyond
	// what was asked for, before it is known whether that is enough.
	firstDepth = 64
	// enoughDepth is the depth that is taken for enough where nothing proves
	// it.
	enoughDepth = 256
	// deepest is how many neighbours of one like are looked at at most.
	deepest = index.MaxOffset + index.MaxLimit
	// wholeImages is up to how many images are all scored.
	wholeImages = 2000
	// fullyScored is how many of the found images, the most promising ones,
	// are scored at least; beyond that it is fullyScoredOf for each one asked
	// for.
	fullyScored   = 4000
	fullyScoredOf = 4
	// scoredTogether is how many images are read and scored at a time.
	scoredTogether = 250
)

// neighbourly is an order of images by their neighbours.
type neighbourly interface {
	// seeds are the likes, near which the best images lie.
	seeds() []palate.Embedding
	// likesAlone reports whether the likes near an image are all that its score
	// depends on.
	likesAlone() bool
	// bound is then the highest score of an image whose product with each seed
	// is at most that of least.
	bound(least []float64) float64
	// linear is a direction along which good images are found too; nil is none.
	linear() palate.Embedding
	// weightsAt is the linear function that the score is at an image and
	// around it.
	weightsAt(point index.Point) palate.Embedding
	// scores are those of stored images, in their order.
	scores(points []index.Point) ([]Score, error)
}

// rankNear gives a page of an order. Where likes alone count, those near any
// like are found by the index, united, and the most promising of them scored in
// full; a page is exact: what was not found can't score higher than the least of
// what was, else more is looked at. Where more counts see uphill. Few images are
// all scored.
func (t *Tastes) rankNear(ctx context.Context, order neighbourly, q RankQuery) ([]Score, error) {
	wanted := q.Offset + q.Limit
	for depth := min(wanted+firstDepth, deepest); ; depth = min(4*depth, deepest) {
		scores, beyond, err := t.neighbours(ctx, order, q.Filter, depth, wanted)
		if err != nil {
			return nil, err
		}
		all := false // that pass the least chance
		if q.MinProbability != nil {
			if n := slices.IndexFunc(scores, func(s Score) bool { return s.Probability <= *q.MinProbability }); n >= 0 {
				all = scores[n].Logit >= beyond
				scores = scores[:n]
			}
		}
		kept, err := t.collapse(ctx, scores, q.Collapse, wanted)
		if err != nil {
			return nil, err
		}
		proven := all || len(kept) >= wanted && kept[wanted-1].Logit >= beyond || math.IsInf(beyond, -1)
		if !proven && depth < deepest {
			continue
		}
		from := min(q.Offset, len(kept))
		if q.After != nil {
			from, _ = slices.BinarySearchFunc(kept, Score{Image: q.After.ID, Product: q.After.Score}, func(a, b Score) int {
				if compareScores(a, b) <= 0 {
					return -1
				}
				return 1
			})
		}
		return kept[from:min(from+q.Limit, len(kept))], nil
	}
}

// neighbours gives what lies near the likes, scored, the best first, and a
// score that nothing else exceeds: -Inf if there is nothing else.
func (t *Tastes) neighbours(ctx context.Context, order neighbourly, filter index.Filter, depth, wanted int) ([]Score, float64, error) {
	seeds := order.seeds()
	count, err := t.index.Count(ctx, filter)
	if err != nil {
		return nil, 0, err
	}
	if count <= t.wholeUpTo {
		all, err := t.whole(ctx, order, filter)
		return all, math.Inf(-1), err
	}
	if !order.likesAlone() {
		return t.uphill(ctx, order, filter, depth, wanted)
	}
	f := &found{order: order, products: make(map[palate.ImageID][]toSeed)}
	if err := f.search(ctx, t, spread(seeds, maxSearched), filter, depth); err != nil {
		return nil, 0, err
	}
	promising, most, err := f.promising(ctx, t, max(t.fullyScored, fullyScoredOf*wanted))
	if err != nil {
		return nil, 0, err
	}
	scores, err := t.scoreAll(ctx, order, promising)
	if err != nil || f.all {
		return scores, math.Inf(-1), err
	}
	if len(f.least) == len(seeds) {
		return scores, max(order.bound(f.least), most), nil
	}
	// Nothing proves that a page is whole: what it needs is looked for deeply
	// enough, and taken for all.
	if depth >= enoughDepth {
		return scores, math.Inf(-1), nil
	}
	return scores, math.Inf(1), nil
}

// whole scores all images that pass a filter, which are few.
func (t *Tastes) whole(ctx context.Context, order neighbourly, filter index.Filter) ([]Score, error) {
	vector := make(palate.Embedding, t.index.Dim())
	vector[0] = 1 // any direction gives all
	hits, err := t.nearestAll(ctx, []palate.Embedding{vector}, filter, deepest)
	if err != nil {
		return nil, err
	}
	ids := make([]palate.ImageID, len(hits[0]))
	for i, hit := range hits[0] {
		ids[i] = hit.ID
	}
	return t.scoreAll(ctx, order, ids)
}

// found is what the searches of one ranking gave.
type found struct {
	order    neighbourly
	products map[palate.ImageID][]toSeed // with the seeds near which it was found
	least    []float64                   // of each seed, the least product that was found
	all      bool                        // nothing else passes the filter
}

// toSeed is the inner product of an image with a seed; along the linear
// direction it has none.
type toSeed struct {
	seed  int
	value float64
}

// search looks around each seed, and along the linear direction.
func (f *found) search(ctx context.Context, t *Tastes, seeds []palate.Embedding, filter index.Filter, depth int) error {
	vectors := slices.Clone(seeds)
	if linear := f.order.linear(); isDirection(linear) {
		vectors = append(vectors, linear)
	}
	hits, err := t.nearestAll(ctx, vectors, filter, depth)
	if err != nil {
		return err
	}
	for i, near := range hits {
		for _, hit := range near {
			if i < len(seeds) {
				f.products[hit.ID] = append(f.products[hit.ID], toSeed{i, float64(hit.Score)})
			} else if f.products[hit.ID] == nil {
				f.products[hit.ID] = []toSeed{}
			}
		}
		if len(near) < depth {
			f.all = true // the filter passes no more than these
		} else if i < len(seeds) {
			f.least = append(f.least, float64(near[len(near)-1].Score))
		}
	}
	return nil
}

// promising gives the images of which most can be expected, and the most that
// can be expected of another one.
func (f *found) promising(ctx context.Context, t *Tastes, enough int) ([]palate.ImageID, float64, error) {
	ids := slices.SortedFunc(maps.Keys(f.products), func(a, b palate.ImageID) int { return bytes.Compare(a[:], b[:]) })
	if len(ids) <= enough || f.all {
		return ids, math.Inf(-1), nil
	}
	expected := make(map[palate.ImageID]float64, len(ids))
	near := make([]float64, len(f.least))
	for _, id := range ids {
		copy(near, f.least)
		for _, p := range f.products[id] {
			near[p.seed] = p.value
		}
		expected[id] = f.order.bound(near)
	}
	slices.SortFunc(ids, func(a, b palate.ImageID) int {
		return cmp.Or(cmp.Compare(expected[b], expected[a]), bytes.Compare(a[:], b[:]))
	})
	return ids[:enough], expected[ids[enough]], nil
}

// addMean adds the mean of rows times a factor.
func addMean(to palate.Embedding, rows []palate.Embedding, factor float64) {
	for _, row := range rows {
		for j, x := range row {
			to[j] += float32(factor * float64(x) / float64(len(rows)))
		}
	}
}

// spread takes at most n of the rows, evenly over their order, which is by
// IDs and so by chance.
func spread(rows []palate.Embedding, n int) []palate.Embedding {
	if len(rows) <= n {
		return rows
	}
	out := make([]palate.Embedding, n)
	for i := range out {
		out[i] = rows[i*len(rows)/n]
	}
	return out
}

// isDirection reports whether anything can be searched along a vector.
func isDirection(vector palate.Embedding) bool {
	return slices.ContainsFunc(vector, func(x float32) bool { return x != 0 })
}

// nearestAll gives the best images along each vector, in one batch for each page
// that the depth takes.
func (t *Tastes) nearestAll(ctx context.Context, vectors []palate.Embedding, filter index.Filter, depth int) ([][]index.Hit, error) {
	hits := make([][]index.Hit, len(vectors))
	open := make([]int, len(vectors)) // along which there is more
	for i := range open {
		open[i] = i
	}
	for from := 0; from < depth && len(open) > 0; from += index.MaxLimit {
		limit := min(depth-from, index.MaxLimit)
		queries := make([]index.Query, len(open))
		for n, i := range open {
			queries[n] = index.Query{Vector: vectors[i], Filter: filter, Limit: limit, Offset: from}
		}
		pages, err := t.index.SearchBatch(ctx, queries)
		if err != nil {
			return nil, err
		}
		more := open[:0]
		for n, i := range open {
			hits[i] = append(hits[i], pages[n]...)
			if len(pages[n]) == limit {
				more = append(more, i)
			}
		}
		open = more
	}
	return hits, nil
}

// scoreAll scores images of the index, the best first.
func (t *Tastes) scoreAll(ctx context.Context, order neighbourly, ids []palate.ImageID) ([]Score, error) {
	chunks := slices.Collect(slices.Chunk(ids, scoredTogether))
	scored := make([][]Score, len(chunks))
	group, scoring := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, chunk := range chunks {
		group.Go(func() error {
			points, err := t.index.Get(scoring, chunk)
			if err != nil {
				return err
			}
			if scored[i], err = order.scores(points); err != nil {
				return err
			}
			return scoring.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	scores := slices.Concat(scored...)
	slices.SortFunc(scores, compareScores)
	return scores, nil
}

// compareScores orders as an index does: the best first, then by ID.
func compareScores(a, b Score) int {
	return cmp.Or(cmp.Compare(b.Product, a.Product), bytes.Compare(a.Image[:], b.Image[:]))
}

package taste

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"math"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

const (
	// climbedTogether is from how many images, and so by how many searches,
	// better ones are looked for at a time.
	climbedTogether = 16
	// climbs is how often that is done at most.
	climbs = 12
	// startsApart is up to which cosine two directions are both searched at first.
	startsApart = .9
)

// uphill finds the best images where dislikes count too, and gives them scored,
// the best first. All around an image its neighbours are the same, and the
// score is an inner product, whose best images the index gives: what scores best
// around each like, and along the linear direction, is found by one search each,
// and scored in full as far as it promises most. From the best ones it goes on
// in the same way, until nothing better comes. What it gives beside them is -Inf
// where there is nothing else, and else less than any score: that nothing else
// is better is not proven.
func (t *Tastes) uphill(ctx context.Context, order neighbourly, filter index.Filter, depth, wanted int) ([]Score, float64, error) {
	c := &climb{tastes: t, order: order, filter: filter, depth: depth, from: make(map[palate.ImageID]bool), known: make(map[palate.ImageID]bool)}
	found, err := c.search(ctx, c.starts())
	if err != nil {
		return nil, 0, err
	}
	if enough := max(t.fullyScored, fullyScoredOf*wanted); len(found) > enough && !c.all {
		for _, id := range found[enough:] {
			delete(c.known, id)
		}
		found = found[:enough]
	}
	scores, err := t.scoreAll(ctx, order, found)
	if err != nil {
		return nil, 0, err
	}
	for n := 0; n < climbs && !c.all; n++ {
		ways, err := c.ways(ctx, scores[:min(len(scores), wanted)])
		if err != nil {
			return nil, 0, err
		}
		if len(ways) == 0 {
			break
		}
		if found, err = c.search(ctx, ways); err != nil {
			return nil, 0, err
		}
		more, err := t.scoreAll(ctx, order, found)
		if err != nil {
			return nil, 0, err
		}
		scores = append(scores, more...)
		slices.SortFunc(scores, compareScores)
	}
	if c.all {
		return scores, math.Inf(-1), nil
	}
	return scores, -math.MaxFloat64, nil
}

// starts are the directions that are searched first: the linear one, and those at
// the likes that lie apart in what they have beside it. Likes of one island have
// nearly the same neighbours and so nearly the same direction, whose best images are
// the same; where they are not, the way uphill leads to them.
func (c *climb) starts() []palate.Embedding {
	linear := c.order.linear()
	var from, beside []palate.Embedding
	for _, like := range spread(c.order.seeds(), maxSearched) {
		way := c.order.weightsAt(index.Point{Embedding: like})
		from = append(from, way)
		own := slices.Clone(way)
		for j, x := range linear {
			own[j] -= x
		}
		beside = append(beside, own)
	}
	var starts []palate.Embedding
	if isDirection(linear) {
		starts = c.add(starts, linear)
	}
	for _, i := range farApart(beside, startsApart) {
		if isDirection(from[i]) {
			starts = c.add(starts, from[i])
		}
	}
	return starts
}

// farApart gives the places of vectors that are apart from each other: of the
// first, and then always of the one that is farthest from all that were taken, until
// the cosine of each with one of these is at least so much (the greedy k-centre of
// Gonzalez, 1985). One that is zero is taken alone for itself.
func farApart(of []palate.Embedding, cosine float64) (taken []int) {
	norms, nearest := make([]float64, len(of)), make([]float64, len(of))
	for i, v := range of {
		norms[i], nearest[i] = math.Sqrt(float64(product(v, v))), math.Inf(-1)
	}
	for next := 0; next < len(of) && nearest[next] < cosine; {
		taken = append(taken, next)
		from := next
		nearest[from] = math.Inf(1)
		for i, v := range of {
			if norms[i]*norms[from] > 0 {
				nearest[i] = max(nearest[i], float64(product(of[from], v))/(norms[from]*norms[i]))
			}
			if nearest[i] < nearest[next] {
				next = i
			}
		}
	}
	return taken
}

// climb is one way uphill.
type climb struct {
	tastes *Tastes
	order  neighbourly
	filter index.Filter
	depth  int // of a search

	from     map[palate.ImageID]bool // images whose directions were searched
	known    map[palate.ImageID]bool // images that were found
	searched []palate.Embedding
	all      bool // the filter passes no more than what was found
}

// add puts a direction to others, unless it was searched before.
func (c *climb) add(ways []palate.Embedding, way palate.Embedding) []palate.Embedding {
	if slices.ContainsFunc(c.searched, func(e palate.Embedding) bool { return slices.Equal(e, way) }) {
		return ways
	}
	c.searched = append(c.searched, way)
	return append(ways, way)
}

// search gives what is found along the directions and was not known, the most
// promising first: the product with a direction is the score as far as the
// neighbours are the same.
func (c *climb) search(ctx context.Context, ways []palate.Embedding) ([]palate.ImageID, error) {
	hits, err := c.tastes.nearestAll(ctx, ways, c.filter, c.depth)
	if err != nil {
		return nil, err
	}
	promise := make(map[palate.ImageID]float32)
	for _, along := range hits {
		c.all = c.all || len(along) < c.depth
		for _, hit := range along {
			if p, there := promise[hit.ID]; !c.known[hit.ID] && (!there || hit.Score > p) {
				promise[hit.ID] = hit.Score
			}
		}
	}
	found := slices.SortedFunc(maps.Keys(promise), func(a, b palate.ImageID) int {
		return cmp.Or(cmp.Compare(promise[b], promise[a]), bytes.Compare(a[:], b[:]))
	})
	for _, id := range found {
		c.known[id] = true
	}
	return found, nil
}

// ways are the directions in which the score rises at the best images that were
// not climbed from yet, as many as are searched at a time.
func (c *climb) ways(ctx context.Context, best []Score) (out []palate.Embedding, err error) {
	var ids []palate.ImageID
	for _, s := range best {
		if !c.from[s.Image] {
			ids = append(ids, s.Image)
		}
	}
	for some := range slices.Chunk(ids, climbedTogether) {
		points, err := c.tastes.index.Get(ctx, some)
		if err != nil {
			return nil, err
		}
		for _, point := range points {
			c.from[point.ID] = true
			out = c.add(out, c.order.weightsAt(point))
		}
		if len(out) >= climbedTogether {
			break
		}
	}
	return out, nil
}

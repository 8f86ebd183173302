package taste

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/probe"
)

// Provisional orders a collection while no probe serves the profile: by
// nearness to what is liked, less nearness to what is disliked, as far as
// there is any (probe.Neighbourhood). Nothing is trained, and no chance of a
// like can be told.
type Provisional struct {
	Likes, Dislikes int
	LastEntry       int64 // the newest rating that it goes by

	neighbourhood *probe.Neighbourhood
	likes         []palate.Embedding
	dislikes      []palate.Embedding
	like, dislike map[palate.ImageID]int // places in the two
	minPerClass   int
}

const (
	// provisionalSearches is how many searches of one ranking run side by
	// side: the embedded index answers those that wait in one pass.
	provisionalSearches = 16
	// maxSearched bounds how many likes, and how many dislikes, are searched
	// around for one ranking; all of them count in the scores.
	maxSearched = 256
	// firstDepth is how many neighbours of each example are looked at beyond
	// what was asked for, before it is known whether that is enough.
	firstDepth = 64
	// deepest is how many neighbours of one example are looked at at most.
	deepest = index.MaxOffset + index.MaxLimit
)

// ErrNoChance says that a chance of a like was asked for where only a
// provisional order is known.
var ErrNoChance = errors.New("no chance of a like can be told yet")

// Provisional gives the order of a profile that no probe serves, by its
// standing ratings up to an entry of the log, 0 for all. palate.ErrNotFound if
// none of them is a like or a dislike of an embedded image.
func (t *Tastes) Provisional(ctx context.Context, p palate.Profile, upTo int64) (*Provisional, error) {
	ratings, err := t.judgements(ctx, p)
	if err != nil {
		return nil, err
	}
	order := &Provisional{minPerClass: t.config.Probe.MinPerClass, like: make(map[palate.ImageID]int), dislike: make(map[palate.ImageID]int)}
	for id, rating := range ratings {
		if upTo != 0 && rating.Entry > upTo {
			delete(ratings, id)
			continue
		}
		order.LastEntry = max(order.LastEntry, rating.Entry)
	}
	ids := slices.SortedFunc(maps.Keys(ratings), func(a, b palate.ImageID) int { return bytes.Compare(a[:], b[:]) })
	embeddings, err := t.catalog.EmbeddingsOf(ctx, t.model, ids)
	if err != nil {
		return nil, err
	}
	for _, e := range embeddings {
		if ratings[e.ID].Verdict == palate.Like {
			order.like[e.ID] = len(order.likes)
			order.likes = append(order.likes, e.Embedding)
		} else {
			order.dislike[e.ID] = len(order.dislikes)
			order.dislikes = append(order.dislikes, e.Embedding)
		}
	}
	order.Likes, order.Dislikes = len(order.likes), len(order.dislikes)
	if order.Likes+order.Dislikes == 0 {
		return nil, fmt.Errorf("%s has judged no embedded image: %w", p, palate.ErrNotFound)
	}
	order.neighbourhood, err = probe.NewNeighbourhood(order.likes, order.dislikes)
	return order, err
}

// Note says in a sentence what the order goes by and what would give a taste.
func (o *Provisional) Note() string {
	said := count(o.Likes, "like") + " alone"
	switch {
	case o.Likes == 0:
		said = count(o.Dislikes, "dislike") + " alone"
	case o.neighbourhood.CountsDislikes():
		said = count(o.Likes, "like") + " and " + count(o.Dislikes, "dislike")
	}
	note := "A provisional order, by nearness to " + said + ": no chance can be told from that."
	var missing []string
	if n := o.minPerClass - o.Likes; n > 0 {
		missing = append(missing, count(n, "more like"))
	}
	if n := o.minPerClass - o.Dislikes; n > 0 {
		missing = append(missing, count(n, "more dislike"))
	}
	switch len(missing) {
	case 1:
		note += " With " + missing[0] + " a taste can be learned."
	case 2:
		note += " With " + missing[0] + " and " + missing[1] + " a taste can be learned."
	default:
		note += " There are enough of both to learn a taste."
	}
	return note
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// ScoreEmbedding scores an image that need not be in the collection.
func (o *Provisional) ScoreEmbedding(e palate.Embedding) (Score, error) {
	return o.score(palate.ImageID{}, e)
}

func (o *Provisional) score(id palate.ImageID, e palate.Embedding) (Score, error) {
	if err := e.Validate(o.dim()); err != nil {
		return Score{}, err
	}
	place := func(in map[palate.ImageID]int) int {
		if i, there := in[id]; there {
			return i
		}
		return -1
	}
	score := o.neighbourhood.Score(e, place(o.like), place(o.dislike))
	return Score{Image: id, Product: float32(score), Logit: score, Provisional: true}, nil
}

func (o *Provisional) dim() int {
	if len(o.likes) > 0 {
		return len(o.likes[0])
	}
	return len(o.dislikes[0])
}

// rankProvisionally ranks the collection by the neighbours of the examples:
// those near any like are found by the index, united and scored in full. A
// page is exact where likes stand alone: what was not found can't score higher
// than the least of what was, else more is looked at.
func (t *Tastes) rankProvisionally(ctx context.Context, order *Provisional, q RankQuery) (Ranking, error) {
	if q.MinProbability != nil {
		return Ranking{}, fmt.Errorf("%w: %s: %w", ErrNoChance, order.Note(), palate.ErrConflict)
	}
	wanted := q.Offset + q.Limit
	for depth := min(wanted+firstDepth, deepest); ; depth = min(4*depth, deepest) {
		scores, beyond, err := t.neighbours(ctx, order, q.Filter, depth)
		if err != nil {
			return Ranking{}, err
		}
		kept, err := t.collapse(ctx, scores, q.Collapse, wanted)
		if err != nil {
			return Ranking{}, err
		}
		proven := len(kept) >= wanted && kept[wanted-1].Logit >= beyond || math.IsInf(beyond, -1)
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
		return Ranking{Provisional: order, Scores: kept[from:min(from+q.Limit, len(kept))]}, nil
	}
}

// neighbours gives what lies near the examples, scored, the best first, and a
// score that nothing else exceeds: -Inf if there is nothing else.
func (t *Tastes) neighbours(ctx context.Context, order *Provisional, filter index.Filter, depth int) ([]Score, float64, error) {
	var vectors []palate.Embedding
	searched := spread(order.likes, maxSearched)
	vectors = append(vectors, searched...)
	linear := order.linear()
	if linear != nil {
		vectors = append(vectors, linear)
	}
	found := make([][]index.Hit, len(vectors))
	group, searching := errgroup.WithContext(ctx)
	group.SetLimit(provisionalSearches)
	for i, vector := range vectors {
		group.Go(func() (err error) {
			found[i], err = t.nearest(searching, vector, filter, depth)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, 0, err
	}
	united := make(map[palate.ImageID]bool)
	least := make([]float64, 0, len(searched))
	all := false
	for i, hits := range found {
		for _, hit := range hits {
			united[hit.ID] = true
		}
		if len(hits) < depth {
			all = true // the filter passes no more than these
		} else if i < len(searched) {
			least = append(least, float64(hits[len(hits)-1].Score))
		}
	}
	scores, err := t.scoreAll(ctx, order, united)
	switch {
	case err != nil:
		return nil, 0, err
	case all:
		return scores, math.Inf(-1), nil
	case !order.neighbourhood.CountsDislikes() && len(searched) == order.Likes:
		return scores, order.neighbourhood.Bound(least), nil
	default:
		// No bound is known: what a page needs is looked for deeply enough,
		// and taken for all.
		if depth >= firstDepth*4 {
			return scores, math.Inf(-1), nil
		}
		return scores, math.Inf(1), nil
	}
}

// linear is the direction from the dislikes to the likes; nil where dislikes do
// not count and the likes' own neighbours are enough.
func (o *Provisional) linear() palate.Embedding {
	if !o.neighbourhood.CountsDislikes() {
		return nil
	}
	out := make(palate.Embedding, o.dim())
	add := func(rows []palate.Embedding, sign float32) {
		for _, row := range rows {
			for j, x := range row {
				out[j] += sign * x / float32(len(rows))
			}
		}
	}
	add(o.likes, 1)
	add(o.dislikes, -1)
	if !slices.ContainsFunc(out, func(x float32) bool { return x != 0 }) {
		return nil
	}
	return out
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

// nearest is one search, in as many pages as its depth takes.
func (t *Tastes) nearest(ctx context.Context, vector palate.Embedding, filter index.Filter, depth int) ([]index.Hit, error) {
	var out []index.Hit
	for len(out) < depth {
		limit := min(depth-len(out), index.MaxLimit)
		hits, err := t.index.Search(ctx, index.Query{Vector: vector, Filter: filter, Limit: limit, Offset: len(out)})
		if err != nil {
			return nil, err
		}
		out = append(out, hits...)
		if len(hits) < limit {
			break
		}
	}
	return out, nil
}

// scoreAll scores images of the index, the best first.
func (t *Tastes) scoreAll(ctx context.Context, order *Provisional, ids map[palate.ImageID]bool) ([]Score, error) {
	sorted := slices.SortedFunc(maps.Keys(ids), func(a, b palate.ImageID) int { return bytes.Compare(a[:], b[:]) })
	scores := make([]Score, 0, len(sorted))
	for chunk := range slices.Chunk(sorted, index.MaxLimit) {
		points, err := t.index.Get(ctx, chunk)
		if err != nil {
			return nil, err
		}
		for _, point := range points {
			score, err := order.score(point.ID, point.Embedding)
			if err != nil {
				return nil, err
			}
			scores = append(scores, score)
		}
	}
	slices.SortFunc(scores, compareScores)
	return scores, nil
}

// compareScores orders as an index does: the best first, then by ID.
func compareScores(a, b Score) int {
	return cmp.Or(cmp.Compare(b.Product, a.Product), bytes.Compare(a.Image[:], b.Image[:]))
}

// collapse keeps one of every group of near duplicates, as an index does, until
// enough are kept.
func (t *Tastes) collapse(ctx context.Context, scores []Score, least float32, enough int) ([]Score, error) {
	if least == 0 {
		return scores, nil
	}
	var kept []Score
	var embeddings []palate.Embedding
	for chunk := range slices.Chunk(scores, index.MaxLimit) {
		ids := make([]palate.ImageID, len(chunk))
		for i, score := range chunk {
			ids[i] = score.Image
		}
		points, err := t.index.Get(ctx, ids)
		if err != nil {
			return nil, err
		}
		of := make(map[palate.ImageID]palate.Embedding, len(points))
		for _, point := range points {
			of[point.ID] = point.Embedding
		}
		for _, score := range chunk {
			e := of[score.Image]
			if e == nil || slices.ContainsFunc(embeddings, func(other palate.Embedding) bool { return product(e, other) >= least }) {
				continue
			}
			kept, embeddings = append(kept, score), append(embeddings, e)
			if len(kept) >= enough {
				return kept, nil
			}
		}
	}
	return kept, nil
}

func product(a, b palate.Embedding) float32 {
	var sum float64
	for i, x := range a {
		sum += float64(x) * float64(b[i])
	}
	return float32(sum)
}

package taste

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

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
	like, dislike := o.places(id)
	return provisionalScore(id, o.neighbourhood.Score(e, like, dislike)), nil
}

// places are those of an image among the likes and the dislikes, -1 for none.
func (o *Provisional) places(id palate.ImageID) (like, dislike int) {
	place := func(in map[palate.ImageID]int) int {
		if i, there := in[id]; there {
			return i
		}
		return -1
	}
	return place(o.like), place(o.dislike)
}

func provisionalScore(id palate.ImageID, score float64) Score {
	return Score{Image: id, Product: float32(score), Logit: score, Provisional: true}
}

func (o *Provisional) scores(points []index.Point) ([]Score, error) {
	embeddings := make([]palate.Embedding, len(points))
	like, dislike := make([]int, len(points)), make([]int, len(points))
	for i, point := range points {
		if err := point.Embedding.Validate(o.dim()); err != nil {
			return nil, err
		}
		embeddings[i] = point.Embedding
		like[i], dislike[i] = o.places(point.ID)
	}
	out := make([]Score, len(points))
	for i, score := range o.neighbourhood.Scores(embeddings, like, dislike) {
		out[i] = provisionalScore(points[i].ID, score)
	}
	return out, nil
}

func (o *Provisional) weightsAt(point index.Point) palate.Embedding {
	return o.neighbourhood.WeightsAt(point.Embedding)
}

func (o *Provisional) dim() int {
	if len(o.likes) > 0 {
		return len(o.likes[0])
	}
	return len(o.dislikes[0])
}

// rankProvisionally ranks the collection by the neighbours of the examples.
func (t *Tastes) rankProvisionally(ctx context.Context, order *Provisional, q RankQuery) (Ranking, error) {
	if q.MinProbability != nil {
		return Ranking{}, fmt.Errorf("%w: %s: %w", ErrNoChance, order.Note(), palate.ErrConflict)
	}
	scores, err := t.rankNear(ctx, order, q)
	return Ranking{Provisional: order, Scores: scores}, err
}

func (o *Provisional) seeds() []palate.Embedding { return o.likes }

func (o *Provisional) likesAlone() bool { return !o.neighbourhood.CountsDislikes() }

func (o *Provisional) bound(least []float64) float64 { return o.neighbourhood.Bound(least) }

// linear is the direction from the dislikes to the likes; nil where dislikes do
// not count and the likes' own neighbours are enough.
func (o *Provisional) linear() palate.Embedding {
	if !o.neighbourhood.CountsDislikes() {
		return nil
	}
	out := make(palate.Embedding, o.dim())
	addMean(out, o.likes, 1)
	addMean(out, o.dislikes, -1)
	return out
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

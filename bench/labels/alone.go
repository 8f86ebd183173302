package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

// alone is the mean held-out AUC of a way to order by likes alone, and of the
// probe that also knows three dislikes for each like.
type alone struct {
	Way   string  `json:"way"`
	Likes int     `json:"likes"`
	AUC   float64 `json:"auc"`
	Error float64 `json:"standard_error"`
}

type likesAlone struct {
	World    string  `json:"world"`
	Pictures int     `json:"pictures"`
	Dim      int     `json:"dim"`
	Seeds    int     `json:"seeds"`
	Results  []alone `json:"results"`
}

// sides are what a way may know: pictures by their number.
type sides struct {
	likes, dislikes, rest []int
}

// ways to order; each gives a score to a picture.
var ways = []struct {
	name   string
	scorer func(context.Context, []palate.Embedding, sides) (func(palate.Embedding) float64, error)
}{
	{"nearest likes, one of eight", func(_ context.Context, rows []palate.Embedding, s sides) (func(palate.Embedding) float64, error) {
		return neighbourhood(pick(rows, s.likes), nil)
	}},
	{"nearest likes less nearest dislikes, 3 dislikes a like", func(_ context.Context, rows []palate.Embedding, s sides) (func(palate.Embedding) float64, error) {
		return neighbourhood(pick(rows, s.likes), pick(rows, s.dislikes))
	}},
	{"nearest like", func(_ context.Context, rows []palate.Embedding, s sides) (func(palate.Embedding) float64, error) {
		likes := pick(rows, s.likes)
		return func(e palate.Embedding) float64 {
			best := math.Inf(-1)
			for _, like := range likes {
				best = max(best, inner(e, like))
			}
			return best
		}, nil
	}},
	{"mean like", func(_ context.Context, rows []palate.Embedding, s sides) (func(palate.Embedding) float64, error) {
		mean := make(palate.Embedding, len(rows[0]))
		for _, like := range pick(rows, s.likes) {
			for j, x := range like {
				mean[j] += x
			}
		}
		return func(e palate.Embedding) float64 { return inner(e, mean) }, nil
	}},
	{"logistic against the unrated", func(ctx context.Context, rows []palate.Embedding, s sides) (func(palate.Embedding) float64, error) {
		return logistic(ctx, pick(rows, s.likes), pick(rows, s.rest))
	}},
	{"logistic, 3 dislikes a like", func(ctx context.Context, rows []palate.Embedding, s sides) (func(palate.Embedding) float64, error) {
		return logistic(ctx, pick(rows, s.likes), pick(rows, s.dislikes))
	}},
}

// compareAlone draws favourites from a world's truth and judges each way on
// every picture that was not drawn.
func compareAlone(ctx context.Context, w world, seeds int) (likesAlone, error) {
	rows := w.embeddings()
	out := likesAlone{World: w.name(), Pictures: len(rows), Dim: len(rows[0]), Seeds: seeds}
	for _, n := range []int{10, 20, 40, 80} {
		sums := make([]struct{ sum, squares, n float64 }, len(ways))
		for seed := range seeds {
			truth, _ := w.person(int64(seed))
			random := rand.New(rand.NewPCG(uint64(seed), uint64(n)))
			var s sides
			for _, i := range random.Perm(len(rows)) {
				switch {
				case truth[i] && len(s.likes) < n:
					s.likes = append(s.likes, i)
				case !truth[i] && len(s.dislikes) < 3*n:
					s.dislikes = append(s.dislikes, i)
				default:
					s.rest = append(s.rest, i)
				}
			}
			if len(s.likes) < n || len(s.dislikes) < 3*n {
				continue
			}
			for at, way := range ways {
				score, err := way.scorer(ctx, rows, s)
				if err != nil {
					return out, fmt.Errorf("%s, %d likes: %w", way.name, n, err)
				}
				scores, liked := make([]float64, len(s.rest)), make([]bool, len(s.rest))
				for k, i := range s.rest {
					scores[k], liked[k] = score(rows[i]), truth[i]
				}
				auc, err := judge.AUC(scores, liked)
				if err != nil {
					continue // nothing liked is left
				}
				sums[at].sum, sums[at].squares, sums[at].n = sums[at].sum+auc, sums[at].squares+auc*auc, sums[at].n+1
			}
		}
		for at, way := range ways {
			if s := sums[at]; s.n > 1 {
				mean := s.sum / s.n
				out.Results = append(out.Results, alone{way.name, n, mean, math.Sqrt(max(0, s.squares/s.n-mean*mean) / (s.n - 1))})
			}
		}
	}
	return out, nil
}

func neighbourhood(likes, dislikes []palate.Embedding) (func(palate.Embedding) float64, error) {
	n, err := probe.NewNeighbourhood(likes, dislikes)
	if err != nil {
		return nil, err
	}
	return func(e palate.Embedding) float64 { return n.Score(e, -1, -1) }, nil
}

func logistic(ctx context.Context, likes, others []palate.Embedding) (func(palate.Embedding) float64, error) {
	samples := probe.Samples{}
	for _, side := range []struct {
		rows  []palate.Embedding
		liked bool
	}{{likes, true}, {others, false}} {
		for _, row := range side.rows {
			samples.Rows = append(samples.Rows, row)
			samples.Liked = append(samples.Liked, side.liked)
			samples.Weights = append(samples.Weights, float64(len(likes)+len(others))/float64(2*len(side.rows)))
		}
	}
	fitted, err := probe.Fit(ctx, samples, probe.FitOptions{C: 10, Tolerance: 1e-4, MaxIterations: 300})
	if err != nil {
		return nil, err
	}
	return func(e palate.Embedding) float64 { return fitted.Logit(e) }, nil
}

func pick(rows []palate.Embedding, numbers []int) []palate.Embedding {
	out := make([]palate.Embedding, len(numbers))
	for i, number := range numbers {
		out[i] = rows[number]
	}
	return out
}

func inner(a, b palate.Embedding) float64 {
	var sum float64
	for j, x := range a {
		sum += float64(x) * float64(b[j])
	}
	return sum
}

package probe

import (
	"context"
	"math"

	"github.com/palate-art/palate/probe/judge"
)

// knn is the kind that scores by nearness to what was liked, less nearness to
// what was disliked: a Neighbourhood, scaled to a logit. It has nothing to
// choose but the scale.
type knn struct{}

func (knn) Name() string                              { return "knn" }
func (knn) Linear() bool                              { return false }
func (knn) Serves() bool                              { return true }
func (knn) features(e []Example) ([][]float32, error) { return embeddings(e) }

func (knn) learn(ctx context.Context, l *learner, numbers, part []int, parts int) (*learned, []float64, error) {
	near, err := l.nearnesses(ctx, numbers, part, parts)
	if err != nil {
		return nil, nil, err
	}
	scale, bias := l.scaled(near, numbers)
	lists, err := l.collection.nearest(ctx, l.config.Parallelism)
	if err != nil {
		return nil, nil, err
	}
	all := lists.among(numbers)
	return &learned{
		score:   func(number int) float64 { return scale*all.score(number) + bias },
		weights: make([]float64, len(l.rows[0])), bias: bias, near: scale, from: numbers, converged: true,
	}, linearly(near, scale, bias), nil
}

// blend is the kind that adds logistic regression and knn, each measured by
// how much it varies on what it had not seen.
type blend struct{}

func (blend) Name() string                              { return "blend" }
func (blend) Linear() bool                              { return false }
func (blend) Serves() bool                              { return true }
func (blend) features(e []Example) ([][]float32, error) { return embeddings(e) }

func (blend) learn(ctx context.Context, l *learner, numbers, part []int, parts int) (*learned, []float64, error) {
	fitted, logits, err := Logistic.learn(ctx, l, numbers, part, parts)
	if err != nil {
		return nil, nil, err
	}
	return l.blend(ctx, fitted, logits, evenly, numbers, part, parts)
}

// evenly is the share of logistic regression in Blend.
const evenly = .5

// blend adds the neighbours to what logistic regression has learned, which
// keeps a share of the sum.
func (l *learner) blend(ctx context.Context, fitted *learned, logits []float64, share float64, numbers, part []int, parts int) (*learned, []float64, error) {
	near, err := l.nearnesses(ctx, numbers, part, parts)
	if err != nil {
		return nil, nil, err
	}
	lists, err := l.collection.nearest(ctx, l.config.Parallelism)
	if err != nil {
		return nil, nil, err
	}
	line, neighbours := share/deviation(logits), (1-share)/deviation(near)
	sum := make([]float64, len(numbers))
	for i := range sum {
		sum[i] = line*logits[i] + neighbours*near[i]
	}
	scale, bias := l.scaled(sum, numbers)
	out, all := *fitted, lists.among(numbers)
	out.near, out.from = scale*neighbours, numbers
	out.weights, out.bias = make([]float64, len(fitted.weights)), scale*line*fitted.bias+bias
	for j, w := range fitted.weights {
		out.weights[j] = scale * line * w
	}
	out.score = func(number int) float64 { return scale*(line*fitted.score(number)+neighbours*all.score(number)) + bias }
	return &out, linearly(sum, scale, bias), nil
}

// nearnesses gives each named example what the neighbours in the other parts
// say of it.
func (l *learner) nearnesses(ctx context.Context, numbers, part []int, parts int) ([]float64, error) {
	lists, err := l.collection.nearest(ctx, l.config.Parallelism)
	if err != nil {
		return nil, err
	}
	return l.outOfFold(ctx, numbers, part, parts, func(_ context.Context, fold int) (func(int) float64, error) {
		return lists.among(side(numbers, part, fold, false)).score, nil
	})
}

// scaled makes logits of scores of the named examples, which had no part in
// them: by Platt's calibration, moved so that 0 is where the class-weighted
// verdicts are level, as in logistic regression.
func (l *learner) scaled(scores []float64, numbers []int) (scale, bias float64) {
	unit := 1 / deviation(scores)
	var logits []float64
	var liked []bool
	likes := 0.
	works := l.collection.Works(numbers)
	for _, w := range works {
		logits, liked = append(logits, unit*w.Mean(scores)), append(liked, w.Liked)
		if w.Liked {
			likes++
		}
	}
	platt := judge.Platt(logits, liked)
	class := l.collection.resolve(numbers, l.config.ClassWeights)
	return platt.A * unit, platt.B + math.Log(class.Like/class.Dislike)
}

// deviation is the standard deviation; 1 of what does not vary.
func deviation(values []float64) float64 {
	var mean, square float64
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		square += (v - mean) * (v - mean) / float64(len(values))
	}
	if !(square > 1e-24) {
		return 1
	}
	return math.Sqrt(square)
}

func linearly(values []float64, scale, bias float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = scale*v + bias
	}
	return out
}

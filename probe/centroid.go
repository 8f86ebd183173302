package probe

import (
	"context"
	"math"
)

// centroid is the kind that compares an image with the mean like and the mean
// dislike. It has nothing to choose.
type centroid struct{}

func (centroid) Name() string                              { return "centroid" }
func (centroid) Linear() bool                              { return true }
func (centroid) Serves() bool                              { return true }
func (centroid) features(e []Example) ([][]float32, error) { return embeddings(e) }

func (centroid) learn(ctx context.Context, l *learner, numbers, part []int, parts int) (*learned, []float64, error) {
	logits, err := l.outOfFold(ctx, numbers, part, parts, func(_ context.Context, fold int) (func(int) float64, error) {
		train, _, _ := l.lessons(numbers, part, fold)
		weights, bias := centroids(train)
		return l.scoreLinear(weights, bias), nil
	})
	if err != nil {
		return nil, nil, err
	}
	all, class := l.lesson(numbers)
	weights, bias := centroids(all)
	return &learned{score: l.scoreLinear(weights, bias), weights: weights, bias: bias, class: class, converged: true}, logits, nil
}

// centroids gives the direction from the mean dislike to the mean like, of
// norm 1, and the bias that puts score 0 half way between them.
func centroids(s Samples) (weights []float64, bias float64) {
	likes, dislikes := s.totals()
	weights, middle := make([]float64, len(s.Rows[0])), make([]float64, len(s.Rows[0]))
	for i, row := range s.Rows {
		share := -s.weight(i) / dislikes
		if s.Liked[i] {
			share = s.weight(i) / likes
		}
		for j, x := range row {
			weights[j] += share * float64(x)
			middle[j] += math.Abs(share) * float64(x) / 2
		}
	}
	var square float64
	for _, w := range weights {
		square += w * w
	}
	norm := math.Sqrt(square)
	if norm == 0 { // likes and dislikes have the same mean: nothing is known
		norm = 1
	}
	for j := range weights {
		weights[j] /= norm
		bias -= weights[j] * middle[j]
	}
	return weights, bias
}

package atlas

import (
	"context"
	"math"
	"math/rand/v2"
)

const (
	// sampled is of how many points the directions are found.
	sampled = 5000
	// powerRounds is how often they are made better.
	powerRounds = 30
)

// Principal gives each point's first two principal components, by the power
// method on a sample; what a map has to be better than.
func Principal(ctx context.Context, x []float32, dim int, seed uint64) ([]Place, error) {
	n := len(x) / dim
	random := rand.New(rand.NewPCG(seed, 4))
	sample := random.Perm(n)[:min(n, sampled)]
	mean := make([]float64, dim)
	for _, i := range sample {
		for j, v := range x[i*dim : (i+1)*dim] {
			mean[j] += float64(v) / float64(len(sample))
		}
	}
	var axes [2][]float64
	for a := range axes {
		axes[a] = make([]float64, dim)
		for j := range axes[a] {
			axes[a][j] = random.NormFloat64()
		}
	}
	for range powerRounds {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var next [2][]float64
		for a := range next {
			next[a] = make([]float64, dim)
		}
		for _, i := range sample {
			row := x[i*dim : (i+1)*dim]
			for a := range axes {
				along := project(row, mean, axes[a])
				for j, v := range row {
					next[a][j] += along * (float64(v) - mean[j])
				}
			}
		}
		axes = next
		orthonormal(axes[0], nil)
		orthonormal(axes[1], axes[0])
	}
	places := make([]Place, n)
	err := inChunks(ctx, n, func(from, to int) error {
		for i := from; i < to; i++ {
			row := x[i*dim : (i+1)*dim]
			places[i] = Place{float32(project(row, mean, axes[0])), float32(project(row, mean, axes[1]))}
		}
		return nil
	})
	return places, err
}

func project(row []float32, mean, axis []float64) (sum float64) {
	for j, v := range row {
		sum += (float64(v) - mean[j]) * axis[j]
	}
	return sum
}

// orthonormal takes out of v what lies along other, and gives it norm 1; nothing
// stays nothing.
func orthonormal(v, other []float64) {
	var along, square float64
	for j := range other {
		along += v[j] * other[j]
	}
	for j := range other {
		v[j] -= along * other[j]
	}
	for _, a := range v {
		square += a * a
	}
	if square < 1e-24 {
		clear(v)
		return
	}
	for j := range v {
		v[j] /= math.Sqrt(square)
	}
}

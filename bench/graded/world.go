package main

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/palate-art/palate/internal/features"
)

// pictures are the rows of a file about their mean and of length 1, or drawn.
func pictures(file string) (rows [][]float32, err error) {
	if file == "" {
		r := rand.New(rand.NewPCG(7, 7))
		for range 1000 {
			row := make([]float32, 256)
			for j := range row {
				row[j] = float32(r.NormFloat64())
				if j < 20 {
					row[j] *= 3
				}
			}
			rows = append(rows, row)
		}
	} else if rows, err = features.LoadRows(file); err != nil {
		return nil, err
	}
	mean := make([]float64, len(rows[0]))
	for _, row := range rows {
		for j, v := range row {
			mean[j] += float64(v) / float64(len(rows))
		}
	}
	for _, row := range rows {
		var square float64
		for j := range row {
			row[j] -= float32(mean[j])
			square += float64(row[j]) * float64(row[j])
		}
		for j := range row {
			row[j] /= float32(math.Sqrt(square))
		}
	}
	return rows, nil
}

// taste gives every picture how much it is liked, on any scale.
type taste struct {
	name  string
	draw  func(r *rand.Rand, rows [][]float32) []float64
	noise float64 // deviation beside one of 1
}

var tastes = []taste{
	{"direction", direction, 0}, {"direction, noisy", direction, 1},
	{"islands", islands, 0}, {"islands, noisy", islands, 1},
}

// direction is from the mean of some pictures to the mean of others.
func direction(r *rand.Rand, rows [][]float32) []float64 {
	order := r.Perm(len(rows))
	to := make([]float32, len(rows[0]))
	for i, n := range order[:40] {
		for j, v := range rows[n] {
			to[j] += v * float32(1-2*(i%2))
		}
	}
	out := make([]float64, len(rows))
	for i, row := range rows {
		out[i] = inner(to, row)
	}
	return out
}

// islands are the pictures near any of five.
func islands(r *rand.Rand, rows [][]float32) []float64 {
	order := r.Perm(len(rows))
	out := make([]float64, len(rows))
	for i, row := range rows {
		out[i] = math.Inf(-1)
		for _, n := range order[:5] {
			if n != i {
				out[i] = max(out[i], inner(rows[n], row))
			}
		}
	}
	return out
}

func inner(a, b []float32) (sum float64) {
	for i, v := range a {
		sum += float64(v) * float64(b[i])
	}
	return sum
}

// stars are the grades of all pictures.
func (t taste) stars(r *rand.Rand, rows [][]float32) []int {
	liking := t.draw(r, rows)
	mean, deviation := meanError(liking)
	deviation *= math.Sqrt(float64(len(liking)))
	for i := range liking {
		liking[i] = (liking[i]-mean)/deviation + t.noise*r.NormFloat64()
	}
	sorted := slices.Sorted(slices.Values(liking))
	out := make([]int, len(rows))
	for i, v := range liking {
		out[i] = 1
		for _, share := range []float64{.1, .3, .6, .85} {
			if v >= sorted[int(share*float64(len(sorted)))] {
				out[i]++
			}
		}
	}
	return out
}

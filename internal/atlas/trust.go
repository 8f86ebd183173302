package atlas

import (
	"context"
	"math/rand/v2"

	"github.com/palate-art/palate/internal/simd"
)

// maxTrust is the most neighbours that are looked at.
const maxTrust = 100

// Trustworthiness says how many of the k nearest on the map are near in truth:
// 1 where all are, less for each that is farther off than the k nearest, by how
// much farther (Venna and Kaski 2001). It is of so many points, drawn by the seed,
// held against all; of all points if there are no more. k is at most 100 and below
// half of the points.
func Trustworthiness(ctx context.Context, x []float32, dim int, places []Place, k, of int, seed uint64) (float64, error) {
	n := len(places)
	k = min(k, (n-1)/2, maxTrust)
	if k < 1 {
		return 1, nil
	}
	p := &points{dim: dim, x: x, kernel: simd.Best()}
	drawn := rand.New(rand.NewPCG(seed, 5)).Perm(n)[:min(of, n)]
	wrong := make([]float64, len(drawn))
	all := make([]int32, n)
	for i := range all {
		all[i] = int32(i)
	}
	err := inChunks(ctx, len(drawn), func(from, to int) error {
		products, near := make([]float64, n), make([]neighbour, 0, k+1)
		for at := from; at < to; at++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			wrong[at] = p.wrongly(int32(drawn[at]), all, places, products, near, k)
		}
		return nil
	})
	sum := 0.0
	for _, w := range wrong {
		sum += w
	}
	return 1 - sum*2/float64(len(drawn)*k)/float64(2*n-3*k-1), err
}

// wrongly adds up by how much the ranks of the k nearest on the map are above k.
func (p *points) wrongly(i int32, all []int32, places []Place, products []float64, near []neighbour, k int) float64 {
	p.kernel.Dots(p.x, p.dim, all, simd.NewQuery(p.row(i)), products)
	for j, q := range places {
		if int32(j) == i {
			continue
		}
		dx, dy := q.X-places[i].X, q.Y-places[i].Y
		near = among(near, neighbour{int32(j), dx*dx + dy*dy}, k)
	}
	// A rank is how many are nearer in truth, and one.
	var nearer [maxTrust]int
	for j, product := range products {
		if int32(j) == i {
			continue
		}
		for at, one := range near {
			if product > products[one.point] {
				nearer[at]++
			}
		}
	}
	sum := 0.0
	for at := range near {
		sum += max(float64(nearer[at]+1-k), 0)
	}
	return sum
}

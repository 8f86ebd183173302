package atlas

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"

	"github.com/palate-art/palate/internal/simd"
)

// Trustworthiness says how many of the k nearest on the map are near in truth:
// 1 where all are, less for each that is farther off than the k nearest, by how
// much farther (Venna and Kaski 2001). It is of so many points, drawn by the seed,
// held against all; of all points if there are no more. k is below half of the
// points.
func Trustworthiness(ctx context.Context, x []float32, dim int, places []Place, k, of int, seed uint64) (float64, error) {
	n := len(places)
	k = min(k, (n-1)/2)
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
		products, order := make([]float64, n), make([]neighbour, n)
		for at := from; at < to; at++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			wrong[at] = p.wrongly(int32(drawn[at]), all, places, k, products, order)
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
func (p *points) wrongly(i int32, all []int32, places []Place, k int, products []float64, order []neighbour) float64 {
	p.kernel.Dots(p.x, p.dim, all, simd.NewQuery(p.row(i)), products)
	for j, q := range places {
		dx, dy := q.X-places[i].X, q.Y-places[i].Y
		order[j] = neighbour{int32(j), dx*dx + dy*dy}
	}
	order[i].distance = -1 // itself, before all others
	slices.SortFunc(order, compare)
	sorted := slices.Clone(products)
	slices.SortFunc(sorted, func(a, b float64) int { return cmp.Compare(b, a) })
	sum := 0.0
	for _, near := range order[1 : k+1] {
		at, _ := slices.BinarySearchFunc(sorted, products[near.point], func(a, b float64) int { return cmp.Compare(b, a) })
		sum += max(float64(at-k), 0) // the first is the point itself
	}
	return sum
}

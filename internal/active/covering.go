package active

import (
	"math"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/simd"
)

// covering knows how near each candidate is to what was judged or chosen, and
// gives the candidate that brings the others nearest: the greedy way to k
// medoids, which is within 1 - 1/e of the best choice, for what is gained is
// submodular (Nemhauser, Wolsey and Fisher, 1978). Weighted by doubt it is
// filtered active submodular selection without the filter (Wei, Iyer and
// Bilmes, Submodularity in data subset selection and active learning, ICML
// 2015); weighted by the chance of a like it finds likes. Products are rounded to 8 bits: which of two pictures that cover
// nearly the same comes is of no account.
type covering struct {
	pictures []Picture
	kernel   simd.Kernel
	rows     simd.Rows
	found    *simd.Found
	products [][]float32 // of the pictures with each other
	query    simd.Query  // of the last that was measured
	near     []float32   // of each, the largest with what was judged or chosen
	counts   []float32   // what each counts for
}

// newCovering measures candidates against each other and what was judged.
func newCovering(pictures []Picture, judged []Judged, counts []float32) *covering {
	c := &covering{pictures: pictures, kernel: simd.Best(), found: simd.MakeFound(len(pictures)), near: make([]float32, len(pictures)), counts: counts}
	if len(pictures) == 0 {
		return c
	}
	dim := len(pictures[0].Embedding)
	values := make([]float32, 0, len(pictures)*dim)
	for i, p := range pictures {
		c.near[i] = -1
		values = append(values, p.Embedding...)
	}
	c.rows = simd.MakeRows(len(pictures), dim)
	c.kernel.Quantise(values, dim, c.rows)
	for _, p := range pictures {
		c.products = append(c.products, slices.Clone(c.measure(p.Embedding)))
	}
	for _, j := range judged {
		c.cover(c.measure(j.Embedding))
	}
	return c
}

// measure gives the products of an embedding with the candidates, valid until
// it is called again.
func (c *covering) measure(e palate.Embedding) []float32 {
	if len(c.pictures) == 0 {
		return nil
	}
	c.query.Set(e)
	c.kernel.Scan(c.rows, nil, &c.query, float32(math.Inf(-1)), c.found)
	return c.found.Estimates
}

// cover takes account of a picture by its products with the candidates.
func (c *covering) cover(products []float32) {
	for i, product := range products {
		c.near[i] = max(c.near[i], product)
	}
}

// gain is by how much candidate x would bring all nearer.
func (c *covering) gain(x int) (sum float32) {
	for i, product := range c.products[x] {
		if nearer := product - c.near[i]; nearer > 0 {
			sum += c.counts[i] * nearer
		}
	}
	return sum
}

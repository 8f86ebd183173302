package operators

import (
	"fmt"

	"github.com/palate-art/palate"
)

// Terms are how many of a product's terms are computed.
type Terms int

const (
	// Bfloat16 rounds every number to 8 binary digits.
	Bfloat16 Terms = 1
	// Bfloat16x3 keeps 16 digits: errors are some 1e-5 of a single product, and
	// far less of a sum of many.
	Bfloat16x3 Terms = 3
)

// Product is the shape of c = op(a)·op(b) + bias, for each item of a batch.
type Product struct {
	Batch                int
	Rows, Columns, Depth int  // c is [batch, rows, columns], a [batch, rows, depth], b [batch, depth, columns]
	TurnA, TurnB         bool // a is [batch, depth, rows], b [batch, columns, depth]
	Terms                Terms
}

func (p Product) check(a, b, bias, c []float32) error {
	if p.Batch < 0 || p.Rows < 0 || p.Columns < 0 || p.Depth < 0 || len(a) != p.Batch*p.Rows*p.Depth || len(b) != p.Batch*p.Depth*p.Columns ||
		len(c) != p.Batch*p.Rows*p.Columns || bias != nil && len(bias) != p.Columns || p.Terms != Bfloat16 && p.Terms != Bfloat16x3 {
		return fmt.Errorf("product %+v of %d and %d numbers, bias of %d, into %d: %w", p, len(a), len(b), len(bias), len(c), palate.ErrInvalid)
	}
	return nil
}

// Plain is what a product is, in float64.
func (p Product) Plain(a, b, bias, c []float32) {
	step := func(turned bool, outer, inner int) (int, int) {
		if turned {
			return 1, outer
		}
		return inner, 1
	}
	aRow, aDeep := step(p.TurnA, p.Rows, p.Depth)
	bDeep, bColumn := step(p.TurnB, p.Depth, p.Columns)
	for item := range p.Batch {
		a, b, c := a[item*p.Rows*p.Depth:], b[item*p.Depth*p.Columns:], c[item*p.Rows*p.Columns:]
		for i := range p.Rows {
			for j := range p.Columns {
				var sum float64
				if bias != nil {
					sum = float64(bias[j])
				}
				for k := range p.Depth {
					sum += float64(a[i*aRow+k*aDeep]) * float64(b[k*bDeep+j*bColumn])
				}
				c[i*p.Columns+j] = float32(sum)
			}
		}
	}
}

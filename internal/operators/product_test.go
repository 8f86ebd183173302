//go:build cgo && !purego

package operators

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/palate-art/palate"
)

// shapes are whole blocks, parts of them in every direction, and what needs
// several ways through the depth.
var shapes = []Product{
	{Batch: 1, Rows: 32, Columns: 32, Depth: 32},
	{Batch: 1, Rows: 1, Columns: 1, Depth: 1},
	{Batch: 1, Rows: 257, Columns: 96, Depth: 384},
	{Batch: 1, Rows: 37, Columns: 45, Depth: 71},
	{Batch: 1, Rows: 130, Columns: 17, Depth: 1601},
	{Batch: 1, Rows: 16, Columns: 48, Depth: 3100},
	{Batch: 5, Rows: 50, Columns: 50, Depth: 64},
	{Batch: 3, Rows: 33, Columns: 70, Depth: 2000},
	{Batch: 2, Rows: 0, Columns: 4, Depth: 4},
	{Batch: 2, Rows: 3, Columns: 4, Depth: 0},
}

func random(r *rand.Rand, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(r.NormFloat64())
	}
	return out
}

func TestAProductIsWhatItIsByDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, shape := range shapes {
		for turns := range 4 {
			for _, terms := range []Terms{Bfloat16, Bfloat16x3} {
				p := shape
				p.TurnA, p.TurnB, p.Terms = turns&1 != 0, turns&2 != 0, terms
				t.Run(fmt.Sprintf("%+v", p), func(t *testing.T) {
					a, b, bias := random(r, p.Batch*p.Rows*p.Depth), random(r, p.Batch*p.Depth*p.Columns), random(r, p.Columns)
					if turns == 3 {
						bias = nil
					}
					got, want := make([]float32, p.Batch*p.Rows*p.Columns), make([]float32, p.Batch*p.Rows*p.Columns)
					for i := range got {
						got[i] = float32(math.NaN()) // what is not written is seen
					}
					if err := p.Multiply(a, b, bias, got); err != nil {
						t.Fatal(err)
					}
					p.Plain(a, b, bias, want)
					// Errors of single products are independent: of a sum of
					// d they grow with its root.
					bound := 4e-5 * (1 + math.Sqrt(float64(p.Depth)))
					if terms == Bfloat16 {
						bound *= 800
					}
					for i := range want {
						if !(math.Abs(float64(got[i]-want[i])) <= bound) {
							t.Fatalf("number %d is %v, want %v ± %.1g", i, got[i], want[i], bound)
						}
					}
				})
			}
		}
	}
}

func TestSumsOfRowsComeWithAProduct(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 2))
	for _, p := range shapes {
		if p.Batch != 1 {
			continue
		}
		for _, p.TurnA = range []bool{false, true} {
			p.Terms = Bfloat16 // sums are whole all the same
			a, b, c, sums := random(r, p.Rows*p.Depth), random(r, p.Depth*p.Columns), make([]float32, p.Rows*p.Columns), make([]float32, p.Rows)
			if err := p.MultiplyAndSum(a, b, nil, c, sums); err != nil {
				t.Fatal(err)
			}
			near(t, fmt.Sprintf("%+v", p), sums, func(i int) (sum float64) {
				for k := range p.Depth {
					if p.TurnA {
						sum += float64(a[k*p.Rows+i])
					} else {
						sum += float64(a[i*p.Depth+k])
					}
				}
				return sum
			}, 1e-4)
		}
	}
	p := Product{Batch: 2, Rows: 2, Columns: 2, Depth: 2, Terms: Bfloat16}
	if err := p.MultiplyAndSum(make([]float32, 8), make([]float32, 8), nil, make([]float32, 8), make([]float32, 4)); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("of a batch: %v", err)
	}
}

func TestAProductOfOtherShapesIsRefused(t *testing.T) {
	p := Product{Batch: 1, Rows: 2, Columns: 3, Depth: 4, Terms: Bfloat16x3}
	a, b, c := make([]float32, 8), make([]float32, 12), make([]float32, 6)
	if err := p.Multiply(a, b, nil, c); err != nil {
		t.Fatal(err)
	}
	other := p
	other.Terms = 2
	for _, err := range []error{
		p.Multiply(a[1:], b, nil, c), p.Multiply(a, b[1:], nil, c), p.Multiply(a, b, nil, c[1:]), p.Multiply(a, b, c[:2], c), other.Multiply(a, b, nil, c),
	} {
		if !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("got %v", err)
		}
	}
}

// What is no number, or too large for one, must not come out as one.
func TestAProductOfWhatIsNotFiniteIsNotFinite(t *testing.T) {
	p := Product{Batch: 1, Rows: 40, Columns: 40, Depth: 40, Terms: Bfloat16x3}
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		a, b, c := make([]float32, 1600), make([]float32, 1600), make([]float32, 1600)
		for i := range b {
			a[i], b[i] = 1, 1
		}
		a[17*40+33] = float32(bad)
		if err := p.Multiply(a, b, nil, c); err != nil {
			t.Fatal(err)
		}
		for i, v := range c {
			if finite := !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0); finite != (i/40 != 17) {
				t.Fatalf("with %v in row 17, row %d has %v", bad, i/40, v)
			}
		}
	}
}

func TestProductsAreTheSameEveryTime(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	p := Product{Batch: 1, Rows: 300, Columns: 100, Depth: 1700, TurnB: true, Terms: Bfloat16x3}
	a, b := random(r, p.Rows*p.Depth), random(r, p.Depth*p.Columns)
	var first []float32
	for range 3 {
		c := make([]float32, p.Rows*p.Columns)
		if err := p.Multiply(a, b, nil, c); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = c
		}
		if !slices.Equal(c, first) {
			t.Fatal("another product of the same matrices")
		}
	}
}

// The maps of ViT-S and ViT-B, forward, back and of their weights.
func BenchmarkProduct(b *testing.B) {
	for _, p := range []Product{
		{Rows: 2056, Columns: 1536, Depth: 384, TurnB: true}, {Rows: 2056, Columns: 384, Depth: 1536, TurnB: true}, {Rows: 2056, Columns: 1536, Depth: 384},
		{Rows: 384, Columns: 1536, Depth: 2056, TurnA: true}, {Rows: 1536, Columns: 384, Depth: 2056, TurnA: true},
		{Rows: 514, Columns: 3072, Depth: 768, TurnB: true}, {Rows: 514, Columns: 768, Depth: 3072}, {Rows: 768, Columns: 3072, Depth: 514, TurnA: true},
		{Batch: 48, Rows: 257, Columns: 257, Depth: 64, TurnB: true}, {Batch: 48, Rows: 257, Columns: 64, Depth: 257}, {Batch: 48, Rows: 257, Columns: 64, Depth: 257, TurnA: true},
	} {
		p.Batch, p.Terms = max(1, p.Batch), Bfloat16x3
		b.Run(fmt.Sprintf("%dx%dx%dx%d turned %v %v", p.Batch, p.Rows, p.Columns, p.Depth, p.TurnA, p.TurnB), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			x, y, c := random(r, p.Batch*p.Rows*p.Depth), random(r, p.Batch*p.Depth*p.Columns), make([]float32, p.Batch*p.Rows*p.Columns)
			for b.Loop() {
				if err := p.Multiply(x, y, nil, c); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(2*float64(p.Batch*p.Rows)*float64(p.Columns*p.Depth)/float64(b.Elapsed().Nanoseconds())*float64(b.N), "GFLOPS")
		})
	}
}

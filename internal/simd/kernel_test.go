package simd_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/palate-art/palate/internal/simd"
)

var dims = []int{1, 2, 15, 16, 17, 63, 64, 65, 100, 384, 500, 768, 4096}

func unit(v []float32) []float32 {
	var squares float64
	for _, x := range v {
		squares += float64(x) * float64(x)
	}
	for i := range v {
		v[i] = float32(float64(v[i]) / math.Sqrt(squares))
	}
	return v
}

// shapes draw values as embeddings have them, and as they had better not.
var shapes = map[string]func(r *rand.Rand, i int) float64{
	"normal":      func(r *rand.Rand, _ int) float64 { return r.NormFloat64() },
	"heavy tails": func(r *rand.Rand, _ int) float64 { return math.Pow(r.NormFloat64(), 5) },
	"one spike": func(r *rand.Rand, i int) float64 {
		if i == 0 {
			return 1e3
		}
		return r.NormFloat64()
	},
	"all alike": func(*rand.Rand, int) float64 { return 1 },
	"two signs": func(r *rand.Rand, _ int) float64 { return float64(2*r.IntN(2) - 1) },
	"sparse":    func(r *rand.Rand, i int) float64 { return float64((i+1)%17/16) * r.NormFloat64() },
	"tiny":      func(r *rand.Rand, _ int) float64 { return 1e-30 * r.NormFloat64() },
}

func draw(r *rand.Rand, dim int, shape func(*rand.Rand, int) float64) []float32 {
	v := make([]float32, dim)
	for i := range v {
		v[i] = float32(shape(r, i))
	}
	if !slices.ContainsFunc(v, func(x float32) bool { return x != 0 }) {
		v[dim-1] = 1
	}
	return v
}

func dot(a, b []float32) (sum float64) {
	for i, x := range a {
		sum += float64(x) * float64(b[i])
	}
	return sum
}

// TestMargin holds every estimate against the exact score: it must not be
// off by more than the margin.
func TestMargin(t *testing.T) {
	const n = 12
	for _, k := range simd.All() {
		for _, dim := range dims {
			for shape, values := range shapes {
				r := rand.New(rand.NewPCG(uint64(dim), 7))
				var x []float32
				for range n {
					x = append(x, unit(draw(r, dim, values))...)
				}
				rows := simd.MakeRows(n, dim)
				k.Quantise(x, dim, rows)
				for name, scale := range map[string]float32{"1": 1, "1e-20": 1e-20, "1e20": 1e20, "3": 3} {
					vector := draw(r, dim, values)
					if r.IntN(2) == 0 {
						vector = slices.Clone(x[:dim])
					}
					for i := range vector {
						vector[i] *= scale
					}
					if !slices.ContainsFunc(vector, func(v float32) bool { return v != 0 }) {
						continue
					}
					q := simd.NewQuery(vector)
					found := simd.MakeFound(n)
					k.Scan(rows, nil, q, float32(math.Inf(-1)), found)
					if len(found.Rows) != n {
						t.Fatalf("%s, %d %s values × %s: %d rows found, want all %d", k.Name(), dim, shape, name, len(found.Rows), n)
					}
					for i, row := range found.Rows {
						want := dot(vector, x[int(row)*dim:(int(row)+1)*dim]) / q.Norm
						margin := float64(q.Margin(rows.Residual[row]))
						if off := math.Abs(float64(found.Estimates[i]) - want); !(off <= margin) {
							t.Fatalf("%s, %d %s values × %s: row %d is estimated %v, is %v: off by %v, margin %v", k.Name(), dim, shape, name, row, found.Estimates[i], want, off, margin)
						}
						if margin > .3 {
							t.Fatalf("%s, %d %s values × %s: a margin of %v says nothing", k.Name(), dim, shape, name, margin)
						}
					}
				}
			}
		}
	}
}

// TestScanFinds holds what a scan finds against estimates and margins, with
// and without a list, at every length.
func TestScanFinds(t *testing.T) {
	const dim = 100
	r := rand.New(rand.NewPCG(1, 1))
	for _, k := range simd.All() {
		for _, n := range []int{0, 1, 2, 127, 128, 129, 300} {
			var x []float32
			for range n {
				x = append(x, unit(draw(r, dim, shapes["normal"]))...)
			}
			rows := simd.MakeRows(n, dim)
			k.Quantise(x, dim, rows)
			q := simd.NewQuery(draw(r, dim, shapes["normal"]))
			var list []int32
			for i := range n {
				if r.IntN(3) == 0 {
					list = append(list, int32(i))
				}
			}
			for _, least := range []float64{-2, -.1, 0, .1, .2, 2} {
				all, some := simd.MakeFound(n), simd.MakeFound(n)
				k.Scan(rows, nil, q, q.Least(least*q.Norm), all)
				for _, row := range all.Rows {
					if !slices.IsSorted(all.Rows) {
						t.Fatalf("%s: rows out of order: %v", k.Name(), row)
					}
				}
				for i := range n {
					score := dot32(q.Vector, x[i*dim:(i+1)*dim])
					if score >= least*q.Norm && !slices.Contains(all.Rows, int32(i)) {
						t.Fatalf("%s: row %d of %d scores %v, above %v, and is not found", k.Name(), i, n, score, least)
					}
				}
				if list == nil {
					continue
				}
				k.Scan(rows, list, q, q.Least(least*q.Norm), some)
				var want []int32
				for _, row := range all.Rows {
					if slices.Contains(list, row) {
						want = append(want, row)
					}
				}
				if !slices.Equal(some.Rows, want) {
					t.Fatalf("%s: a list of %d rows finds %v, want %v", k.Name(), len(list), some.Rows, want)
				}
			}
		}
	}
}

func dot32(q []float64, x []float32) (sum float64) {
	for i, v := range x {
		sum += float64(v) * q[i]
	}
	return sum
}

// TestSlice scans a part and lists rows relative to it.
func TestSlice(t *testing.T) {
	const dim, n = 32, 90
	r := rand.New(rand.NewPCG(2, 2))
	k := simd.Best()
	var x []float32
	for range n {
		x = append(x, unit(draw(r, dim, shapes["normal"]))...)
	}
	rows := simd.MakeRows(n, dim)
	for from := 0; from < n; from += 30 { // in parts, as they come
		k.Quantise(x[from*dim:(from+30)*dim], dim, rows.Slice(from, from+30))
	}
	q := simd.NewQuery(x[50*dim : 51*dim])
	found := simd.MakeFound(n)
	k.Scan(rows.Slice(45, 60), nil, q, q.Least(.9), found)
	if !slices.Contains(found.Rows, 5) {
		t.Errorf("row 50 is not found as row 5 of the part: %v", found.Rows)
	}
}

// TestDotsAreTheSameBits compares kernels with each other bit by bit, and
// with a plain sum.
func TestDotsAreTheSameBits(t *testing.T) {
	const n = 9
	for _, dim := range dims {
		r := rand.New(rand.NewPCG(uint64(dim), 3))
		x := draw(r, n*dim, shapes["heavy tails"])
		q := simd.NewQuery(draw(r, dim, shapes["normal"]))
		list := []int32{8, 0, 3, 3, 7}
		want := make([]float64, len(list))
		simd.Go().Dots(x, dim, list, q, want)
		for i, row := range list {
			plain := dot32(q.Vector, x[int(row)*dim:(int(row)+1)*dim])
			if math.Abs(plain-want[i]) > 1e-9*(1+math.Abs(plain)) {
				t.Errorf("%d values: product %v, want %v", dim, want[i], plain)
			}
		}
		for _, k := range simd.All() {
			got := make([]float64, len(list))
			k.Dots(x, dim, list, q, got)
			if !slices.Equal(got, want) {
				t.Errorf("%s, %d values: %v, want the bits of %v", k.Name(), dim, got, want)
			}
		}
	}
}

func TestRead(t *testing.T) {
	memory := make([]byte, 4096)
	memory[1000] = 1
	if got := simd.Read(memory); got != 1 {
		t.Errorf("Read = %d, want 1", got)
	}
}

func BenchmarkScan(b *testing.B) {
	const n, dim = 512, 384
	r := rand.New(rand.NewPCG(4, 4))
	x := unit(draw(r, dim, shapes["normal"]))
	for _, k := range simd.All() {
		rows := simd.MakeRows(n, dim)
		for i := range n {
			k.Quantise(x, dim, rows.Slice(i, i+1))
		}
		q, found := simd.NewQuery(x), simd.MakeFound(n)
		b.Run(fmt.Sprint("kernel=", k.Name()), func(b *testing.B) {
			b.SetBytes(n * dim)
			for b.Loop() {
				k.Scan(rows, nil, q, 2, found)
			}
		})
	}
}

package simd_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/palate-art/palate/internal/simd"
)

var adamW = simd.AdamW{Moment: .9, Gradient: .07, Square: .999, Share: .1, Keep: .99995, Rate: 3e-4, Epsilon: 1e-8}

// TestStepsAreTheSameBits compares kernels with each other bit by bit, in one
// piece and in two, and with AdamW in float64.
func TestStepsAreTheSameBits(t *testing.T) {
	for _, n := range dims {
		for name, shape := range shapes {
			r := rand.New(rand.NewPCG(uint64(n), 5))
			begin := [][]float32{draw(r, n, shape), draw(r, n, shape), draw(r, n, shape), draw(r, n, shape)}
			for i, s := range begin[3] {
				begin[3][i] = float32(math.Abs(float64(s))) // sums of squares
			}
			stepped := func(k simd.Kernel, cut int) [4][]float32 {
				var x [4][]float32
				for i, b := range begin {
					x[i] = slices.Clone(b)
				}
				for range 3 {
					k.AdamW(adamW, x[0][:cut], x[1][:cut], x[2][:cut], x[3][:cut])
					k.AdamW(adamW, x[0][cut:], x[1][cut:], x[2][cut:], x[3][cut:])
				}
				return x
			}
			want := stepped(simd.Go(), n)
			for i := range n {
				v, g, m, s := float64(begin[0][i]), float64(begin[1][i])*.07, float64(begin[2][i]), float64(begin[3][i])
				for range 3 {
					m, s = .9*m+g, .999*s+.1*g*g
					v = .99995*v - 3e-4*m/(math.Sqrt(s)+1e-8)
				}
				if got := float64(want[0][i]); math.Abs(got-v) > 1e-5*(math.Abs(v)+3e-4) && math.Abs(got-v) > 1e-30 {
					t.Fatalf("%d %s values: value %d is %v after three steps, want %v", n, name, i, got, v)
				}
			}
			for _, k := range simd.All() {
				for _, cut := range []int{n, n / 2, n / 3} {
					for i, got := range stepped(k, cut) {
						if !slices.Equal(got, want[i]) {
							t.Errorf("%s, %d %s values cut at %d: tensor %d is %v, want the bits of %v", k.Name(), n, name, cut, i, got, want[i])
						}
					}
				}
			}
		}
	}
}

func TestSumsAreTheSameBits(t *testing.T) {
	for _, n := range append([]int{0}, dims...) {
		r := rand.New(rand.NewPCG(uint64(n), 6))
		x, y := make([]float32, n), make([]float32, n)
		for i := range x {
			x[i], y[i] = float32(math.Pow(r.NormFloat64(), 5)), float32(r.NormFloat64())
		}
		plain, want := dot(x, x), simd.Go().Squares(x)
		if math.Abs(plain-want) > 1e-12*plain {
			t.Errorf("the squares of %d values are %v, want %v", n, want, plain)
		}
		for _, k := range simd.All() {
			if got := k.Squares(x); got != want {
				t.Errorf("%s: the squares of %d values are %v, want the bits of %v", k.Name(), n, got, want)
			}
			sum := slices.Clone(x)
			k.Add(sum, y)
			for i := range sum {
				if sum[i] != x[i]+y[i] {
					t.Fatalf("%s, %d values: %v and %v are %v", k.Name(), n, x[i], y[i], sum[i])
				}
			}
		}
	}
	bad := []float32{1, float32(math.NaN()), 2}
	for _, k := range simd.All() {
		if got := k.Squares(bad); !math.IsNaN(got) {
			t.Errorf("%s: the squares of what is no number are %v", k.Name(), got)
		}
	}
}

// BenchmarkAdamW makes steps of more numbers than caches hold, which reads 16
// bytes and writes 12 for each, beside copies that read and write 28 together.
func BenchmarkAdamW(b *testing.B) {
	const n = 1 << 24
	var x [4][]float32
	for i := range x {
		x[i] = draw(rand.New(rand.NewPCG(7, uint64(i))), n, shapes["normal"])
	}
	for i, s := range x[3] {
		x[3][i] = s * s
	}
	for _, k := range simd.All() {
		b.Run(fmt.Sprint("step/kernel=", k.Name()), func(b *testing.B) {
			b.SetBytes(28 * n)
			for b.Loop() {
				k.AdamW(adamW, x[0], x[1], x[2], x[3])
			}
		})
		b.Run(fmt.Sprint("squares/kernel=", k.Name()), func(b *testing.B) {
			b.SetBytes(4 * n)
			for b.Loop() {
				k.Squares(x[1])
			}
		})
	}
	b.Run("copy", func(b *testing.B) {
		b.SetBytes(28 * n)
		for b.Loop() {
			for i := range 3 {
				copy(x[i], x[i+1])
			}
			copy(x[3][:n/2], x[0])
		}
	})
}

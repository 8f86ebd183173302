package probe_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/palate-art/palate/probe"
)

func TestFastKernelsAreThePlainOnes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	k := probe.Kernels
	for n := range 70 {
		w, g := make([]float64, n), make([]float64, n)
		var rows [4][]float32
		for i := range rows {
			// One value more before and after, that nobody may read into a sum.
			row := make([]float32, n+2)
			for j := range row {
				row[j] = float32(random.NormFloat64())
			}
			row[0], row[n+1] = float32(math.NaN()), float32(math.NaN())
			rows[i] = row[1 : n+1]
		}
		for j := range w {
			w[j], g[j] = random.NormFloat64(), random.NormFloat64()
		}
		var got, want [4]float64
		got[0], got[1], got[2], got[3] = k.Dot4(w, rows[0], rows[1], rows[2], rows[3])
		want[0], want[1], want[2], want[3] = k.Dot4Plain(w, rows[0], rows[1], rows[2], rows[3])
		for i := range want {
			if !(math.Abs(got[i]-want[i]) <= 1e-12*float64(n+1)) {
				t.Errorf("n=%d: product %d is %v, want %v", n, i, got[i], want[i])
			}
		}
		plain := append([]float64(nil), g...)
		k.Add4(g, 1, -2, 3, .5, rows[0], rows[1], rows[2], rows[3])
		k.Add4Plain(plain, 1, -2, 3, .5, rows[0], rows[1], rows[2], rows[3])
		for j := range g {
			if !(math.Abs(g[j]-plain[j]) <= 1e-12*(1+math.Abs(plain[j]))) {
				t.Errorf("n=%d: sum %d is %v, want %v", n, j, g[j], plain[j])
			}
		}
		var fast, slow, turned [8]float32
		other := rows[3]
		k.Products8(rows[0], rows[1], rows[2], other, rows[0], rows[1], &fast)
		k.Products8Plain(rows[0], rows[1], rows[2], other, rows[0], rows[1], &slow)
		k.Products8(rows[2], other, rows[1], rows[0], rows[1], rows[0], &turned)
		for i := range slow {
			if !(math.Abs(float64(fast[i]-slow[i])) <= 1e-5*float64(n+1)) {
				t.Errorf("n=%d: product %d of eight is %v, want %v", n, i, fast[i], slow[i])
			}
		}
		if fast[0] != turned[1] || fast[1] != turned[5] || fast[4] != turned[0] || fast[5] != turned[4] {
			t.Errorf("n=%d: %v, the other way round %v: the same rows have other products", n, fast, turned)
		}
	}
}

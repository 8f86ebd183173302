package probe

import "golang.org/x/sys/cpu"

//go:noescape
func dot4AVX2(w *float64, n int, a, b, c, d *float32, out *[4]float64)

//go:noescape
func add4AVX2(sum *float64, n int, r *[4]float64, a, b, c, d *float32)

//go:noescape
func products8AVX2(n int, a, b, w, x, y, z *float32, out *[8]float32)

// wide says that the processor has the instructions of the kernels.
var wide = cpu.X86.HasAVX2 && cpu.X86.HasFMA

// dot4 gives the inner products of four rows with w.
func dot4(w []float64, a, b, c, d []float32) (s0, s1, s2, s3 float64) {
	n := len(w) &^ 7
	if !wide || n == 0 {
		return dot4Plain(w, a, b, c, d)
	}
	_, _, _, _ = a[len(w)-1], b[len(w)-1], c[len(w)-1], d[len(w)-1]
	var out [4]float64
	dot4AVX2(&w[0], n, &a[0], &b[0], &c[0], &d[0], &out)
	s0, s1, s2, s3 = dot4Plain(w[n:], a[n:], b[n:], c[n:], d[n:])
	return out[0] + s0, out[1] + s1, out[2] + s2, out[3] + s3
}

// add4 adds r0·a + r1·b + r2·c + r3·d to g.
func add4(g []float64, r0, r1, r2, r3 float64, a, b, c, d []float32) {
	n := len(g) &^ 7
	if !wide || n == 0 {
		add4Plain(g, r0, r1, r2, r3, a, b, c, d)
		return
	}
	_, _, _, _ = a[len(g)-1], b[len(g)-1], c[len(g)-1], d[len(g)-1]
	r := [4]float64{r0, r1, r2, r3}
	add4AVX2(&g[0], n, &r, &a[0], &b[0], &c[0], &d[0])
	add4Plain(g[n:], r0, r1, r2, r3, a[n:], b[n:], c[n:], d[n:])
}

// products8 gives the inner products of a with four rows, then those of b, in
// float32. Which of two rows comes first, and what stands beside them, has no
// influence on the last bit of their product.
func products8(a, b, w, x, y, z []float32, out *[8]float32) {
	n := len(a) &^ 7
	if !wide || n == 0 {
		products8Plain(a, b, w, x, y, z, out)
		return
	}
	_, _, _, _, _ = b[len(a)-1], w[len(a)-1], x[len(a)-1], y[len(a)-1], z[len(a)-1]
	products8AVX2(n, &a[0], &b[0], &w[0], &x[0], &y[0], &z[0], out)
	if n < len(a) {
		var rest [8]float32
		products8Plain(a[n:], b[n:], w[n:], x[n:], y[n:], z[n:], &rest)
		for i, v := range rest {
			out[i] += v
		}
	}
}

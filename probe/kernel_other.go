//go:build !amd64

package probe

// dot4 gives the inner products of four rows with w.
func dot4(w []float64, a, b, c, d []float32) (s0, s1, s2, s3 float64) {
	return dot4Plain(w, a, b, c, d)
}

// add4 adds r0·a + r1·b + r2·c + r3·d to g.
func add4(g []float64, r0, r1, r2, r3 float64, a, b, c, d []float32) {
	add4Plain(g, r0, r1, r2, r3, a, b, c, d)
}

// products8 gives the inner products of a with four rows, then those of b, in
// float32.
func products8(a, b, w, x, y, z []float32, out *[8]float32) { products8Plain(a, b, w, x, y, z, out) }

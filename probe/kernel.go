package probe

// The kernels: whatever is done once for each value of each row. They read
// float32 and add up in float64, but for products8, which only compares. dot4,
// add4 and products8 have a faster form where the processor allows it
// (kernel_amd64.s).

// dot is the inner product in float64.
func dot(w []float64, x []float32) float64 {
	x = x[:len(w)]
	var s0, s1, s2, s3 float64
	j := 0
	for ; j+4 <= len(w); j += 4 {
		s0 += w[j] * float64(x[j])
		s1 += w[j+1] * float64(x[j+1])
		s2 += w[j+2] * float64(x[j+2])
		s3 += w[j+3] * float64(x[j+3])
	}
	for ; j < len(w); j++ {
		s0 += w[j] * float64(x[j])
	}
	return s0 + s1 + (s2 + s3)
}

func dot4Plain(w []float64, a, b, c, d []float32) (s0, s1, s2, s3 float64) {
	n := len(w)
	a, b, c, d = a[:n], b[:n], c[:n], d[:n]
	for j, v := range w {
		s0 += v * float64(a[j])
		s1 += v * float64(b[j])
		s2 += v * float64(c[j])
		s3 += v * float64(d[j])
	}
	return s0, s1, s2, s3
}

func add4Plain(g []float64, r0, r1, r2, r3 float64, a, b, c, d []float32) {
	n := len(g)
	a, b, c, d = a[:n], b[:n], c[:n], d[:n]
	for j := range g {
		g[j] += r0*float64(a[j]) + r1*float64(b[j]) + (r2*float64(c[j]) + r3*float64(d[j]))
	}
}

func products8Plain(a, b, w, x, y, z []float32, out *[8]float32) {
	n := len(a)
	b, w, x, y, z = b[:n], w[:n], x[:n], y[:n], z[:n]
	*out = [8]float32{}
	for j, v := range a {
		u := b[j]
		out[0] += float32(v * w[j])
		out[1] += float32(v * x[j])
		out[2] += float32(v * y[j])
		out[3] += float32(v * z[j])
		out[4] += float32(u * w[j])
		out[5] += float32(u * x[j])
		out[6] += float32(u * y[j])
		out[7] += float32(u * z[j])
	}
}

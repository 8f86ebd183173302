package icc

import "math"

// byteGrid has sRGB at the nodes of a grid, with eight fractional bits, so
// that a pixel costs one interpolation.
type byteGrid struct {
	points int
	nodes  []uint16
	index  [256]uint16 // node of a level
	part   [256]uint16 // and its distance from that, in 256ths
}

// resample evaluates a transform at 33 nodes in each of three directions, or
// 17 in each of four, as many as Little CMS takes.
func resample(channels int, f func(...float64) [3]float64) *byteGrid {
	g := &byteGrid{points: 33}
	if channels == 4 {
		g.points = 17
	}
	for v := range 256 {
		place := float64(v) / 255 * float64(g.points-1)
		i := min(int(place), g.points-2)
		g.index[v], g.part[v] = uint16(i), uint16(math.Round((place-float64(i))*256))
	}
	n := power(g.points, channels)
	g.nodes = make([]uint16, 3*n)
	for i := range n {
		v := make([]float64, channels)
		for c, rest := channels-1, i; c >= 0; c-- {
			v[c] = float64(rest%g.points) / float64(g.points-1)
			rest /= g.points
		}
		for c, level := range f(v...) {
			g.nodes[3*i+c] = uint16(math.Round(255 * 256 * level))
		}
	}
	return g
}

func (g *byteGrid) rgb(p []byte) {
	n := g.points
	base := 3 * ((int(g.index[p[0]])*n+int(g.index[p[1]]))*n + int(g.index[p[2]]))
	sums := g.simplex(base, [3]int{int(g.part[p[0]]), int(g.part[p[1]]), int(g.part[p[2]])})
	for i, s := range sums {
		p[i] = byte((s + 1<<15) >> 16)
	}
}

func (g *byteGrid) cmyk(dst, ink []byte) {
	n := g.points
	base := 3 * (((int(g.index[ink[0]])*n+int(g.index[ink[1]]))*n+int(g.index[ink[2]]))*n + int(g.index[ink[3]]))
	part := [3]int{int(g.part[ink[1]]), int(g.part[ink[2]]), int(g.part[ink[3]])}
	near, far := g.simplex(base, part), g.simplex(base+3*n*n*n, part)
	first := int(g.part[ink[0]])
	for i, s := range near {
		dst[i] = byte((s + (far[i]-s)>>8*first + 1<<15) >> 16)
	}
}

// simplex interpolates by tetrahedra, with 16 fractional bits.
func (g *byteGrid) simplex(base int, part [3]int) (sums [3]int) {
	step := [3]int{3 * g.points * g.points, 3 * g.points, 3}
	a, b, c := 0, 1, 2
	if part[b] > part[a] {
		a, b = b, a
	}
	if part[c] > part[b] {
		b, c = c, b
	}
	if part[b] > part[a] {
		a, b = b, a
	}
	n0 := g.nodes[base : base+3 : base+3]
	base += step[a]
	n1 := g.nodes[base : base+3 : base+3]
	base += step[b]
	n2 := g.nodes[base : base+3 : base+3]
	base += step[c]
	n3 := g.nodes[base : base+3 : base+3]
	for i := range sums {
		v0, v1, v2, v3 := int(n0[i]), int(n1[i]), int(n2[i]), int(n3[i])
		sums[i] = v0<<8 + (v1-v0)*part[a] + (v2-v1)*part[b] + (v3-v2)*part[c]
	}
	return sums
}

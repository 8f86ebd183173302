package icc

import (
	"encoding/binary"
	"fmt"
	"math"
)

// curve maps 0 … 1 to 0 … 1.
type curve func(v float64) float64

func (p *Profile) curve(tag string) (curve, error) {
	data := p.tags[tag]
	if data == nil {
		return nil, fmt.Errorf("icc: the profile has no %s", tag)
	}
	c, _, err := readCurve(data)
	return c, err
}

// readCurve reads a curve of either type, and says how long it is.
func readCurve(data []byte) (curve, int, error) {
	if len(data) < 12 {
		return nil, 0, errCut
	}
	switch string(data[:4]) {
	case "curv":
		return sampledCurve(data)
	case "para":
		return parametricCurve(data)
	}
	return nil, 0, fmt.Errorf("icc: a curve of the type %q", data[:4])
}

func sampledCurve(data []byte) (curve, int, error) {
	n := int(min(binary.BigEndian.Uint32(data[8:]), 1<<20))
	if len(data) < 12+2*n {
		return nil, 0, errCut
	}
	switch n {
	case 0:
		return func(v float64) float64 { return hold(v) }, 12, nil
	case 1:
		gamma := float64(binary.BigEndian.Uint16(data[12:])) / 256
		return func(v float64) float64 { return math.Pow(hold(v), gamma) }, 14, nil
	}
	table := make([]float32, n)
	for i := range table {
		table[i] = float32(binary.BigEndian.Uint16(data[12+2*i:])) / 65535
	}
	return interpolated(table), 12 + 2*n, nil
}

// interpolated is a curve through points at equal distances, of which there
// are at least two.
func interpolated(table []float32) curve {
	last := len(table) - 1
	return func(v float64) float64 {
		at := hold(v) * float64(last)
		i := min(int(at), last-1)
		return float64(table[i]) + float64(table[i+1]-table[i])*(at-float64(i))
	}
}

// parametricCurve reads the functions of ISO 15076-1, 10.18.
func parametricCurve(data []byte) (curve, int, error) {
	kind := int(binary.BigEndian.Uint16(data[8:]))
	counts := []int{1, 3, 4, 5, 7}
	if kind >= len(counts) {
		return nil, 0, fmt.Errorf("icc: a parametric curve of the kind %d", kind)
	}
	n := counts[kind]
	if len(data) < 12+4*n {
		return nil, 0, errCut
	}
	var g [7]float64 // g a b c d e f
	for i := range n {
		g[i] = fixed(data[12+4*i:])
	}
	gamma, a, b, c, d, e, f := g[0], g[1], g[2], g[3], g[4], g[5], g[6]
	switch kind {
	case 0:
		a, b, c, d = 1, 0, 0, math.Inf(-1)
	case 1, 2:
		e, f, c = c, c, 0 // what is added is called c there
		if kind == 1 {
			e, f = 0, 0
		}
		d = math.Inf(1)
		if a != 0 {
			d = -b / a
		}
	}
	return func(v float64) float64 {
		v = hold(v)
		if v >= d {
			return hold(math.Pow(max(a*v+b, 0), gamma) + e)
		}
		return hold(c*v + f)
	}, 12 + 4*n, nil
}

// hold keeps a number within 0 … 1; what is none becomes 0.
func hold(v float64) float64 {
	if !(v > 0) {
		return 0
	}
	return min(v, 1)
}

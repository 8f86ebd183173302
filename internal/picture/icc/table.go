package icc

import (
	"encoding/binary"
	"fmt"
)

// table reads a tag of the types mft1, mft2 or mAB (ISO 15076-1, 10.10 to
// 10.12), from the device to XYZ.
func (p *Profile) table(tag []byte) ([]stage, error) {
	if len(tag) < 32 {
		return nil, errCut
	}
	in, out := int(tag[8]), int(tag[9])
	if in != p.space.channels() || out != 3 {
		return nil, fmt.Errorf("icc: a table from %d to %d numbers", in, out)
	}
	var stages []stage
	var err error
	scale := 1.0
	switch kind := string(tag[:4]); kind {
	case "mft1", "mft2":
		stages, err = oldTable(tag, in, kind == "mft2")
		if kind == "mft2" {
			scale = 65535. / 65280 // of Lab as version 2 wrote it
		}
	case "mAB ":
		stages, err = newTable(tag, in)
	default:
		err = fmt.Errorf("icc: a table of the type %q", kind)
	}
	if err != nil {
		return nil, err
	}
	if p.lab {
		return append(stages, func(v []float64) []float64 {
			v[0], v[1], v[2] = 100*v[0]*scale, 255*v[1]*scale-128, 255*v[2]*scale-128
			return v
		}, labToXYZ), nil
	}
	return append(stages, func(v []float64) []float64 {
		for i := range v {
			v[i] *= 1 + 32767./32768
		}
		return v
	}), nil
}

// labToXYZ is CIE 15, 8.2.1.
func labToXYZ(v []float64) []float64 {
	y := (v[0] + 16) / 116
	f := [3]float64{y + v[1]/500, y, y - v[2]/200}
	for i, t := range f {
		if t > 24./116 {
			v[i] = whiteD50[i] * t * t * t
		} else {
			v[i] = whiteD50[i] * 108 / 841 * (t - 16./116)
		}
	}
	return v
}

// oldTable reads curves, a table and curves, of 8 or 16 bits.
func oldTable(tag []byte, in int, wide bool) ([]stage, error) {
	if len(tag) < 52 {
		return nil, errCut
	}
	points, inEntries, outEntries, at, size := int(tag[10]), 256, 256, 48, 1
	if wide {
		inEntries, outEntries = int(binary.BigEndian.Uint16(tag[48:])), int(binary.BigEndian.Uint16(tag[50:]))
		at, size = 52, 2
	}
	if points < 2 || inEntries < 2 || outEntries < 2 {
		return nil, fmt.Errorf("icc: a table of %d points", points)
	}
	nodes := 3 * power(points, in)
	if need := size * (in*inEntries + nodes + 3*outEntries); nodes > maxNodes || len(tag)-at < need {
		return nil, errCut
	}
	numbers := func(n int) []float32 {
		out := make([]float32, n)
		for i := range out {
			out[i] = float32(number(tag[at:], i, size))
		}
		at += n * size
		return out
	}
	first := make([]curve, in)
	for i := range first {
		first[i] = interpolated(numbers(inEntries))
	}
	grid := &grid{nodes: numbers(nodes)}
	for range in {
		grid.points = append(grid.points, points)
	}
	last := make([]curve, 3)
	for i := range last {
		last[i] = interpolated(numbers(outEntries))
	}
	return []stage{curves(first), grid.at, curves(last)}, nil
}

// maxNodes bounds what a table may hold: 33 points in each of four directions.
const maxNodes = 3 * 33 * 33 * 33 * 33

func power(n, exponent int) int {
	v := 1
	for range exponent {
		v *= n
	}
	return v
}

func number(data []byte, i, size int) float64 {
	if size == 1 {
		return float64(data[i]) / 255
	}
	return float64(binary.BigEndian.Uint16(data[2*i:])) / 65535
}

func curves(cs []curve) stage {
	return func(v []float64) []float64 {
		for i, c := range cs {
			v[i] = c(v[i])
		}
		return v
	}
}

// newTable reads the parts of version 4: curves A, a table, curves M, a
// matrix and curves B, of which some may be missing.
func newTable(tag []byte, in int) ([]stage, error) {
	offset := func(at int) []byte {
		o := binary.BigEndian.Uint32(tag[at:])
		if o == 0 || uint64(o) >= uint64(len(tag)) {
			return nil
		}
		return tag[o:]
	}
	var stages []stage
	several := func(data []byte, n int) error {
		if data == nil {
			return nil
		}
		cs := make([]curve, n)
		for i := range cs {
			c, length, err := readCurve(data)
			if err != nil {
				return err
			}
			cs[i] = c
			data = data[min((length+3)&^3, len(data)):]
		}
		stages = append(stages, curves(cs))
		return nil
	}
	table := offset(24)
	if table == nil && in != 3 {
		return nil, fmt.Errorf("icc: no table from %d numbers", in)
	}
	if err := several(offset(28), in); err != nil {
		return nil, err
	}
	if table != nil {
		g, err := newGrid(table, in)
		if err != nil {
			return nil, err
		}
		stages = append(stages, g.at)
	}
	if err := several(offset(20), 3); err != nil {
		return nil, err
	}
	if data := offset(16); data != nil {
		if len(data) < 48 {
			return nil, errCut
		}
		var m [3][3]float64
		var add [3]float64
		for i := range 9 {
			m[i/3][i%3] = fixed(data[4*i:])
		}
		for i := range add {
			add[i] = fixed(data[36+4*i:])
		}
		stages = append(stages, func(v []float64) []float64 {
			v = multiply(&m, v)
			for i := range v {
				v[i] += add[i]
			}
			return v
		})
	}
	return stages, several(offset(12), 3)
}

func newGrid(data []byte, in int) (*grid, error) {
	if len(data) < 20 {
		return nil, errCut
	}
	g := &grid{}
	nodes, size := 3, int(data[16])
	for i := range in {
		n := int(data[i])
		if n < 2 || nodes > maxNodes/n {
			return nil, fmt.Errorf("icc: a table of %d points", n)
		}
		nodes *= n
		g.points = append(g.points, n)
	}
	if size != 1 && size != 2 || len(data)-20 < nodes*size {
		return nil, errCut
	}
	g.nodes = make([]float32, nodes)
	for i := range g.nodes {
		g.nodes[i] = float32(number(data[20:], i, size))
	}
	return g, nil
}

// grid is a table with three numbers at each node, the last direction nearest.
type grid struct {
	points []int
	nodes  []float32
}

// at interpolates between the nodes around a place: in three directions by
// tetrahedra, in a fourth, the first, linearly.
func (g *grid) at(v []float64) []float64 {
	var index, step [4]int
	var part [4]float64
	base, stride := 0, 3
	n := len(g.points)
	for i := n - 1; i >= 0; i-- {
		last := g.points[i] - 1
		place := hold(v[i]) * float64(last)
		index[i] = min(int(place), last-1)
		part[i] = place - float64(index[i])
		step[i] = stride
		base += index[i] * stride
		stride *= g.points[i]
	}
	switch n {
	case 1:
		return g.simplex(base, part[:1], step[:1])
	case 3:
		return g.simplex(base, part[:3], step[:3])
	}
	near, far := g.simplex(base, part[1:4], step[1:4]), g.simplex(base+step[0], part[1:4], step[1:4])
	for i := range near {
		near[i] += (far[i] - near[i]) * part[0]
	}
	return near
}

// simplex goes from a node along the directions, the one with the largest
// part first.
func (g *grid) simplex(base int, part []float64, step []int) []float64 {
	var order [3]int
	for i := range part {
		order[i] = i
		for j := i; j > 0 && part[order[j]] > part[order[j-1]]; j-- {
			order[j], order[j-1] = order[j-1], order[j]
		}
	}
	out := []float64{float64(g.nodes[base]), float64(g.nodes[base+1]), float64(g.nodes[base+2])}
	for _, i := range order[:len(part)] {
		next := base + step[i]
		for c := range out {
			out[c] += float64(g.nodes[next+c]-g.nodes[base+c]) * part[i]
		}
		base = next
	}
	return out
}

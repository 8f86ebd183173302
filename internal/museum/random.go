package museum

import (
	"math"
	"math/rand/v2"
)

// The streams that one picture draws from. What is drawn from one does not
// depend on how much is drawn from another, so that a change of style
// leaves titles and palettes as they are.
const (
	streamPlan = iota + 1
	streamPalette
	streamPaint
	streamRecord
	streamShuffle
)

// source is a seeded generator with the draws that painters need.
type source struct{ *rand.Rand }

func newSource(seed int64, index, stream int) source {
	return source{rand.New(rand.NewPCG(uint64(seed), uint64(index)<<8|uint64(stream)))}
}

// between is uniform in [a, b).
func (s source) between(a, b float64) float64 { return a + (b-a)*s.Float64() }

// count is uniform in a … b, both included.
func (s source) count(a, b int) int { return a + s.IntN(b-a+1) }

func (s source) chance(p float64) bool { return s.Float64() < p }

func pick[T any](s source, from []T) T { return from[s.IntN(len(from))] }

// noise is smooth random ground in [-1, 1], about 1 per unit of distance
// (value noise on a lattice, blended by the cubic 3t²-2t³).
type noise struct {
	lattice [256]float64
	order   [256]uint8
}

func newNoise(s source) *noise {
	n := new(noise)
	for i := range n.lattice {
		n.lattice[i] = s.between(-1, 1)
		n.order[i] = uint8(i)
	}
	s.Shuffle(256, func(i, j int) { n.order[i], n.order[j] = n.order[j], n.order[i] })
	return n
}

func (n *noise) corner(x, y int) float64 {
	return n.lattice[n.order[(int(n.order[x&255])+y)&255]]
}

func (n *noise) at(x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	ix, iy := int(fx), int(fy)
	tx, ty := x-fx, y-fy
	tx, ty = tx*tx*(3-2*tx), ty*ty*(3-2*ty)
	top := n.corner(ix, iy) + (n.corner(ix+1, iy)-n.corner(ix, iy))*tx
	bottom := n.corner(ix, iy+1) + (n.corner(ix+1, iy+1)-n.corner(ix, iy+1))*tx
	return top + (bottom-top)*ty
}

// fractal adds octaves of half the strength and twice the frequency.
func (n *noise) fractal(x, y float64, octaves int) float64 {
	var sum float64
	for strength := .5; octaves > 0; octaves-- {
		sum += strength * n.at(x, y)
		x, y, strength = 2*x+17, 2*y+31, strength/2
	}
	return sum
}

// smooth goes from 0 at a to 1 at b by the cubic 3t²-2t³.
func smooth(a, b, x float64) float64 {
	t := (x - a) / (b - a)
	if t <= 0 {
		return 0
	}
	if t >= 1 {
		return 1
	}
	return t * t * (3 - 2*t)
}

// sines is one turn, for styles that need a sine for every pixel.
var sines = func() (t [4096]float64) {
	for i := range t {
		t[i] = math.Sin(2 * math.Pi * float64(i) / float64(len(t)))
	}
	return t
}()

// sine is math.Sin to 8e-4.
func sine(x float64) float64 {
	return sines[int(math.Floor(x*(4096/(2*math.Pi))+.5))&4095]
}

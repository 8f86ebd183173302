package sketch

import "slices"

const (
	// looking, coarse and fine are the cells along each side that areas are
	// compared by: whole pictures, windows, and the best of them.
	looking, coarse, fine = 6, 6, 20
	// maxCells bounds the columns and rows of a grid.
	maxCells = fine
	// refined is how many of the coarse windows are looked at closely.
	refined = 3
	// worthRefining is how alike a coarse window must be to be looked at
	// closely.
	worthRefining = .68
	// leastWindow is the least share of the sides of a window.
	leastWindow = .4
)

// Copied is how alike in brightness a picture and a window of another must be to
// show one thing.
const Copied = .85

// Picture is a sketch that is ready to be compared. It is not safe for
// concurrent use.
type Picture struct {
	sketch  *Sketch
	plane   *plane
	chroma  [2]*plane // of Cb and Cr, when they are first asked for
	inner   area
	pattern [2][]float32 // coarse, as it is and mirrored
	exact   [2][]float32 // fine
	windows []float32    // one after another, each of coarseValues
}

const coarseValues = 2 * coarse * (coarse - 1)

// NewPicture takes a sketch, which must not change while the picture is used.
func NewPicture(s *Sketch) *Picture {
	p := &Picture{sketch: s, plane: s.brightness(), inner: s.inner()}
	for i, mirror := range []bool{false, true} {
		p.pattern[i] = p.plane.gradients(p.inner, coarse, mirror, nil)
	}
	return p
}

// Same reports whether one of two pictures, either way round, shows what the
// other or a window of it shows, in colours that agree.
func Same(a, b *Picture) bool { return a.copies(b) || b.copies(a) }

// copies reports whether a picture shows what another or a window of it shows.
func (p *Picture) copies(other *Picture) (same bool) {
	p.lay(other, func(mirrored bool, window area, alike float64) (stop bool) {
		same = alike >= Copied && agree(p.colours(p.inner, mirrored), other.colours(window, false))
		return same
	})
	return same
}

// Within says how alike in brightness a picture, either way round, and the best window of
// another are: 1 is the same; 0 stands for whatever is not worth a close look.
func (p *Picture) Within(other *Picture) float64 {
	most := 0.
	p.lay(other, func(_ bool, _ area, alike float64) bool {
		most = max(most, alike)
		return most >= Copied
	})
	return most
}

// lay tells of the places in another where a picture, either way round, is most
// like what is there, until it is told to stop.
func (p *Picture) lay(other *Picture, told func(mirrored bool, a area, alike float64) (stop bool)) {
	for i, pattern := range p.pattern {
		if pattern == nil {
			continue
		}
		for _, b := range other.best(pattern) {
			if b.alike < worthRefining {
				break
			}
			if p.exact[i] == nil {
				p.exact[i] = p.plane.gradients(p.inner, fine, i == 1, nil)
			}
			if a, alike := other.plane.climb(p.exact[i], other.window(b.window)); told(i == 1, a, alike) {
				return
			}
		}
	}
}

type candidate struct {
	window int
	alike  float32
}

// best gives the windows that are most like a pattern, the best first.
func (p *Picture) best(pattern []float32) (best [refined]candidate) {
	if p.windows == nil {
		p.windows = make([]float32, len(starts)*coarseValues)
		for i := range starts {
			if g := p.plane.gradients(p.window(i), coarse, false, p.windows[i*coarseValues:i*coarseValues]); g == nil {
				clear(p.windows[i*coarseValues : (i+1)*coarseValues])
			}
		}
	}
	for i := range starts {
		alike := product(pattern, p.windows[i*coarseValues:(i+1)*coarseValues])
		for at := range best {
			if alike > best[at].alike {
				copy(best[at+1:], best[at:])
				best[at] = candidate{i, alike}
				break
			}
		}
	}
	return best
}

// window is where one of the starts lies.
func (p *Picture) window(i int) area {
	s := starts[i]
	return area{
		p.inner.left + s.left*p.inner.width, p.inner.top + s.top*p.inner.height,
		s.width * p.inner.width, s.height * p.inner.height,
	}
}

// climb moves the edges of an area to where it is most like the pattern, and says
// how alike it is there.
func (p *plane) climb(pattern []float32, a area) (area, float64) {
	var buffer [2 * fine * (fine - 1)]float32
	alike := func(a area) float32 { return product(pattern, p.gradients(a, fine, false, buffer[:0])) }
	most := alike(a)
	for step := Side / 16.; step > .2; step /= 2 {
		for better := true; better; {
			better = false
			for _, m := range moves {
				b := area{a.left + step*m.left, a.top + step*m.top, a.width + step*m.width, a.height + step*m.height}
				if b.left < 0 || b.top < 0 || b.left+b.width > Side || b.top+b.height > Side || min(b.width, b.height) < leastWindow*Side {
					continue
				}
				if v := alike(b); v > most+1e-4 {
					a, most, better = b, v, true
				}
			}
			if most >= Copied+.1 {
				return a, float64(most) // nothing else is so alike
			}
		}
	}
	return a, float64(most)
}

// moves are what climbing tries: each way, each edge, larger and smaller.
var moves = []area{
	{left: 1}, {left: -1}, {top: 1}, {top: -1},
	{width: 1}, {width: -1}, {height: 1}, {height: -1},
	{left: 1, width: -1}, {left: -1, width: 1}, {top: 1, height: -1}, {top: -1, height: 1},
	{left: -.5, top: -.5, width: 1, height: 1}, {left: .5, top: .5, width: -1, height: -1},
}

// starts are the windows, in shares of an area, that are tried: of six sizes
// along each side, of shapes not far from the picture's, a quarter of their
// own length apart.
var starts = func() (out []area) {
	shares := []float64{1, .9, .8, .7, .6, .5}
	for _, w := range shares {
		for _, h := range shares {
			if max(w/h, h/w) > 1.3 {
				continue
			}
			for _, x := range places(w) {
				for _, y := range places(h) {
					out = append(out, area{x, y, w, h})
				}
			}
		}
	}
	return out
}()

// places are the offsets of windows of a share.
func places(share float64) []float64 {
	out := []float64{0}
	if n := int((1-share)/(share*.25) + .999); n > 0 {
		out = out[:0]
		for i := range n + 1 {
			out = append(out, (1-share)*float64(i)/float64(n))
		}
	}
	return out
}

// product is the inner product, 0 without one of the two.
func product(a, b []float32) float32 {
	if len(a) == 0 || len(a) != len(b) {
		return 0
	}
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + (s2 + s3)
}

// mirror turns the rows of a grid round.
func mirror(cells []float32, n int) {
	for row := range n {
		slices.Reverse(cells[row*n : (row+1)*n])
	}
}

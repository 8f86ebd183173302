package sketch

import "math"

const (
	// toned is the cells along each side that colours are compared by.
	toned = 6
	tones = toned * toned

	// Chroma counts in steps of 255, as the root of the mean square over cells.

	// grey is the most chroma of a picture that has no colours.
	grey = 5
	// A picture in one tint has little chroma, which follows its brightness:
	// its most chroma, by how much it may vary, and how much of that brightness
	// does not explain.
	tintChroma, tintVaries, tintRest = 30, 15, 2

	// balance is the most by which the light of one picture may have more of red,
	// green or blue than that of the other.
	balance = 2
	// together is the least correlation of colours that agree, and channelTogether
	// that of red, of green and of blue, as far as they vary by channelVaries.
	together, channelTogether, channelVaries = .5, .4, 6
	// differ is by how much colours that agree differ at most, once the stronger ones
	// are as strong as the weaker, and differUntinted that without what follows
	// brightness.
	differ, differUntinted = 8, 7
)

// colours are red, green and blue over the cells of an area.
type colours [3][tones]float32

// colours gives those of an area.
func (p *Picture) colours(a area, mirrored bool) (c colours) {
	if p.chroma[0] == nil {
		p.chroma = p.sketch.chroma()
	}
	var cells [3][tones]float32 // brightness, Cb, Cr
	for i, from := range []*plane{p.plane, p.chroma[0], p.chroma[1]} {
		from.cells(a, toned, toned, cells[i][:0])
		if mirrored {
			mirror(cells[i][:], toned)
		}
	}
	for i := range tones {
		y, cb, cr := cells[0][i], cells[1][i], cells[2][i]
		c[0][i], c[1][i], c[2][i] = y+1.402*cr, y-.344136*cb-.714136*cr, y+1.772*cb
	}
	return c
}

// balanced brings two pictures to one light: each channel has the same mean in
// both, as far as balance allows.
func balanced(a, b colours) (colours, colours) {
	for k := range a {
		factor := min(max((mean(a[k][:])+1)/(mean(b[k][:])+1), 1./balance), balance)
		half := float32(math.Sqrt(float64(factor)))
		for i := range tones {
			a[k][i] /= half
			b[k][i] *= half
		}
	}
	return a, b
}

// chroma gives Cb and Cr, one after the other, each around its mean; the same
// without what follows brightness; and the strength of both with their means.
func (c *colours) chroma() (around, untinted []float32, strength float64) {
	var brightness [tones]float32
	var chroma [2][tones]float32
	for i := range tones {
		y := .299*c[0][i] + .587*c[1][i] + .114*c[2][i]
		brightness[i], chroma[0][i], chroma[1][i] = y, (c[2][i]-y)/1.772, (c[0][i]-y)/1.402
	}
	centre(brightness[:])
	square := product(brightness[:], brightness[:])
	for k := range chroma {
		strength += float64(product(chroma[k][:], chroma[k][:]))
		centre(chroma[k][:])
		around = append(around, chroma[k][:]...)
		follows := float32(0)
		if square > 0 {
			follows = product(chroma[k][:], brightness[:]) / square
		}
		for i, v := range chroma[k] {
			untinted = append(untinted, v-follows*brightness[i])
		}
	}
	return around, untinted, math.Sqrt(strength / tones)
}

// colourless reports whether there are no colours, or one tint.
func (c *colours) colourless() bool {
	around, untinted, strength := c.chroma()
	return strength <= grey || strength <= tintChroma && varies(around) <= tintVaries && varies(untinted) <= tintRest
}

// agree reports whether two pictures can be of one thing by their colours, in
// whatever light. With a picture that has none, all agree.
func agree(a, b colours) bool {
	if a.colourless() || b.colourless() {
		return true
	}
	a, b = balanced(a, b)
	aroundA, untintedA, _ := a.chroma()
	aroundB, untintedB, _ := b.chroma()
	if !near(aroundA, aroundB, differ) && !near(untintedA, untintedB, differUntinted) {
		return false
	}
	for k := range a {
		x, y := a[k][:], b[k][:]
		centre(x)
		centre(y)
		if min(varies(x), varies(y)) > channelVaries && correlation(x, y) < channelTogether {
			return false
		}
	}
	return true
}

// near reports whether two chromas rise and fall together, and differ by no more
// than so much.
func near(a, b []float32, differ float64) bool {
	c := correlation(a, b)
	return c >= together && min(varies(a), varies(b))*math.Sqrt(max(0, 1-c*c)) <= differ
}

func mean(v []float32) (mean float32) {
	for _, x := range v {
		mean += x / float32(len(v))
	}
	return mean
}

// centre takes the mean away.
func centre(v []float32) {
	m := mean(v)
	for i := range v {
		v[i] -= m
	}
}

// varies is the root of the mean square over cells, of both chromas together,
// of what is around its mean.
func varies(around []float32) float64 {
	return math.Sqrt(float64(product(around, around)) / tones)
}

// correlation is that of values around their means.
func correlation(a, b []float32) float64 {
	square := float64(product(a, a)) * float64(product(b, b))
	if square == 0 {
		return 0
	}
	return float64(product(a, b)) / math.Sqrt(square)
}

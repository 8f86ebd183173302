// Package picturetest makes picture files for tests: drawn from a seed, in
// kinds that the standard library does not write.
package picturetest

import (
	"bytes"
	"image"
	"image/color"
	"math"
	"math/bits"
)

// JPEG says how a picture is written as JPEG.
type JPEG struct {
	// Across and Down are how many pixels share one pair of chroma: 1 and 1 is
	// 4:4:4, 2 and 1 is 4:2:2, 2 and 2 is 4:2:0.
	Across, Down int
	// Progressive writes the coefficients in scans: those of the means in two,
	// by bits, and the others in two a component, by frequency.
	Progressive bool
}

// Encode writes m. The codes are of one length, so that files are larger than
// others write them.
func (j JPEG) Encode(m image.Image) []byte {
	w := &jpegWriter{}
	b := m.Bounds()
	planes := j.planes(m)
	process := byte(0xc0)
	if j.Progressive {
		process = 0xc2
	}
	w.out = append(w.out, 0xff, 0xd8)
	table := []byte{0}
	for k := range 64 {
		table = append(table, quantiser(k))
	}
	w.segment(0xdb, table)
	w.segment(process, []byte{
		8, byte(b.Dy() >> 8), byte(b.Dy()), byte(b.Dx() >> 8), byte(b.Dx()), 3,
		1, byte(j.Across<<4 | j.Down), 0, 2, 0x11, 0, 3, 0x11, 0,
	})
	w.segment(0xc4, fixedCodes(0x00, 4, meanSymbols))
	w.segment(0xc4, fixedCodes(0x10, 8, waveSymbols))
	if !j.Progressive {
		w.scan(planes, 0, 63, 0, 0)
	} else {
		w.scan(planes, 0, 0, 0, 1)
		for i := range planes {
			w.scan(planes[i:i+1], 1, 5, 0, 0)
		}
		w.scan(planes, 0, 0, 1, 0)
		for i := range planes {
			w.scan(planes[i:i+1], 6, 63, 0, 0)
		}
	}
	return append(w.out, 0xff, 0xd9)
}

// quantiser is fine enough for a photograph of high quality.
func quantiser(k int) byte { return byte(2 + k/4) }

// plane holds the coefficients of one component, in zigzag order.
type plane struct {
	id         byte
	h, v       int // sampling factors
	across     int // blocks in a row of blocks, filled up to whole units
	usedAcross int // without the filling, as usedDown
	usedDown   int
	blocks     [][64]int   // row by row
	units      image.Point // how many units the picture has each way
}

func (j JPEG) planes(m image.Image) []plane {
	b := m.Bounds()
	units := image.Pt(ceilDiv(b.Dx(), 8*j.Across), ceilDiv(b.Dy(), 8*j.Down))
	samples := [3][]float64{}
	width, height := units.X*8*j.Across, units.Y*8*j.Down
	for c := range samples {
		samples[c] = make([]float64, width*height)
	}
	for y := range height {
		for x := range width {
			r, g, bl, _ := m.At(b.Min.X+min(x, b.Dx()-1), b.Min.Y+min(y, b.Dy()-1)).RGBA()
			yy, cb, cr := color.RGBToYCbCr(uint8(r>>8), uint8(g>>8), uint8(bl>>8))
			for c, s := range [3]uint8{yy, cb, cr} {
				samples[c][y*width+x] = float64(s)
			}
		}
	}
	planes := make([]plane, 3)
	for c := range planes {
		p := plane{id: byte(c + 1), h: 1, v: 1, units: units}
		in, w, h := samples[c], width, height
		if c == 0 {
			p.h, p.v = j.Across, j.Down
		} else {
			in, w, h = average(in, width, height, j.Across, j.Down)
		}
		p.across = w / 8
		p.usedAcross, p.usedDown = ceilDiv(ceilDiv(b.Dx()*p.h, j.Across), 8), ceilDiv(ceilDiv(b.Dy()*p.v, j.Down), 8)
		for by := range h / 8 {
			for bx := range w / 8 {
				p.blocks = append(p.blocks, transform(in[by*8*w+bx*8:], w))
			}
		}
		planes[c] = p
	}
	return planes
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// average makes one sample of each across × down.
func average(in []float64, width, height, across, down int) (out []float64, w, h int) {
	w, h = width/across, height/down
	out = make([]float64, w*h)
	for y := range height {
		for x := range width {
			out[y/down*w+x/across] += in[y*width+x] / float64(across*down)
		}
	}
	return out, w, h
}

var cosines = func() (c [8][8]float64) {
	for u := range c {
		for x := range c[u] {
			c[u][x] = math.Cos(float64(2*x+1)*float64(u)*math.Pi/16) / 2
			if u == 0 {
				c[u][x] /= math.Sqrt2
			}
		}
	}
	return c
}()

// transform is the cosine transform of a block whose rows are stride apart,
// quantised, in zigzag order.
func transform(in []float64, stride int) (out [64]int) {
	var rows [8][8]float64
	for y := range 8 {
		for u := range 8 {
			for x := range 8 {
				rows[y][u] += (in[y*stride+x] - 128) * cosines[u][x]
			}
		}
	}
	for k, at := range zigzag {
		sum := 0.
		for y := range 8 {
			sum += rows[y][at%8] * cosines[at/8][y]
		}
		out[k] = int(math.Round(sum / float64(quantiser(k))))
	}
	return out
}

// zigzag gives the place of every coefficient, diagonal by diagonal.
var zigzag = func() (order [64]int) {
	k := 0
	for d := range 15 {
		for i := range d + 1 {
			x, y := i, d-i
			if d%2 == 1 {
				x, y = y, x
			}
			if x < 8 && y < 8 {
				order[k] = 8*y + x
				k++
			}
		}
	}
	return order
}()

// meanSymbols and waveSymbols are all that may be coded; the place of one is
// its code.
var meanSymbols, waveSymbols = []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, func() []byte {
	symbols := []byte{0x00, 0xf0} // no more of this block, 16 zeros
	for run := range 16 {
		for size := 1; size <= 10; size++ {
			symbols = append(symbols, byte(run<<4|size))
		}
	}
	return symbols
}()

// fixedCodes is a table of codes that all have so many bits.
func fixedCodes(id byte, length int, symbols []byte) []byte {
	out := make([]byte, 17, 17+len(symbols))
	out[0], out[length] = id, byte(len(symbols))
	return append(out, symbols...)
}

type jpegWriter struct {
	out  []byte
	held uint64
	n    int
}

func (w *jpegWriter) segment(marker byte, content []byte) {
	n := len(content) + 2
	w.out = append(append(w.out, 0xff, marker, byte(n>>8), byte(n)), content...)
}

func (w *jpegWriter) bits(v, n int) {
	w.held, w.n = w.held<<n|uint64(v)&(1<<n-1), w.n+n
	for w.n >= 8 {
		b := byte(w.held >> (w.n - 8))
		if w.out = append(w.out, b); b == 0xff {
			w.out = append(w.out, 0)
		}
		w.n -= 8
	}
}

// scan writes the coefficients from the first to the last; high is the bit
// above the last that an earlier scan wrote, low the first that this one does.
func (w *jpegWriter) scan(planes []plane, first, last, high, low int) {
	head := []byte{byte(len(planes))}
	for _, p := range planes {
		head = append(head, p.id, 0)
	}
	w.segment(0xda, append(head, byte(first), byte(last), byte(high<<4|low)))
	means := make([]int, len(planes))
	block := func(i, at int) {
		c := planes[i].blocks[at]
		if first == 0 && high > 0 {
			w.bits(c[0]>>low, 1)
			return
		}
		if first == 0 {
			w.value(c[0]>>low-means[i], 0, meanSymbols, 4)
			means[i] = c[0] >> low
		}
		w.waves(c, max(first, 1), last)
	}
	if len(planes) == 1 { // without what fills up the units
		p := planes[0]
		for y := range p.usedDown {
			for x := range p.usedAcross {
				block(0, y*p.across+x)
			}
		}
	} else {
		units := planes[0].units
		for u := range units.X * units.Y {
			for i, p := range planes {
				for k := range p.h * p.v {
					block(i, (u/units.X*p.v+k/p.h)*p.across+u%units.X*p.h+k%p.h)
				}
			}
		}
	}
	if w.n > 0 {
		w.bits(0x7f, 8-w.n)
	}
}

func (w *jpegWriter) waves(c [64]int, first, last int) {
	run := 0
	for k := first; k <= last; k++ {
		if c[k] == 0 {
			run++
			continue
		}
		for ; run > 15; run -= 16 {
			w.bits(1, 8)
		}
		w.value(c[k], run, waveSymbols, 8)
		run = 0
	}
	if run > 0 {
		w.bits(0, 8)
	}
}

// value writes the symbol of a run of zeros and of the length of v, then v.
func (w *jpegWriter) value(v, run int, symbols []byte, length int) {
	size := bits.Len(uint(max(v, -v)))
	w.bits(bytes.IndexByte(symbols, byte(run<<4|size)), length)
	if v < 0 {
		v--
	}
	w.bits(v, size)
}

package picture

import (
	"math"

	"github.com/palate-art/palate/internal/picture/heif"
)

// planesBack finds back the planes of an AVIF picture whose colours were stored
// at half the size and which libavif repeated, for them to be interpolated as
// those of every other format. Two or four pixels have one colour difference:
// it is the mean of theirs, of full range in 8 bits. Where pixels share none,
// because what the file says of its colours is not so, the pixels are returned
// as they are; also transparent pictures, whose colours were multiplied.
func (f *heifFile) planesBack(p heif.Pixels) heif.Pixels {
	if p.Layout != heif.RGBA && p.Layout != heif.RGBA64 || f.Alpha || f.Colour.Matrix == 0 || f.Colour.Matrix == 8 {
		return p
	}
	out := heif.Pixels{Layout: heif.Planes422, Width: p.Width, Height: p.Height, Stride: p.Width, ChromaStride: ceilDiv(p.Width, 2)}
	rows := 1
	if f.HalvedY {
		out.Layout, rows = heif.Planes420, 2
	}
	chroma := out.ChromaStride * ceilDiv(p.Height, rows)
	out.Pix = make([]byte, p.Width*p.Height+2*chroma)
	luma, cb, cr := out.Pix[:p.Width*p.Height], out.Pix[p.Width*p.Height:][:chroma], out.Pix[p.Width*p.Height+chroma:]
	b := newSharing(f.Colour)
	for y := 0; y < p.Height; y += rows {
		for x := 0; x < p.Width; x += 2 {
			b.take(p, x, y, rows)
			at := y/rows*out.ChromaStride + x/2
			cb[at], cr[at] = level(b.cb+128), level(b.cr+128)
			for i := range b.n {
				luma[(y+b.dy[i])*p.Width+x+b.dx[i]] = level(b.luma(i))
			}
		}
	}
	if b.strange > b.seen/100 {
		return p
	}
	return out
}

func level(v float64) byte { return byte(min(max(math.Round(v), 0), 255)) }

// sharing is the pixels that share a colour difference.
type sharing struct {
	kr, kg, kb float64
	n          int
	dx, dy     [4]int
	rgb        [4][3]float64 // 0 … 255
	clipped    [4]bool
	cb, cr     float64

	seen, strange int // pixels with a difference of their own, and those whose is another
}

func newSharing(c heif.Colour) *sharing {
	b := new(sharing)
	b.kr, b.kb = lumaWeights(c)
	b.kg = 1 - b.kr - b.kb
	return b
}

// take reads the block at (x, y) and finds its colour difference: of the
// pixels that are nowhere cut off at black or white if there are any.
func (b *sharing) take(p heif.Pixels, x, y, rows int) {
	b.n = 0
	whole, cb, cr := 0, 0.0, 0.0
	var own [4][2]float64
	for dy := range min(rows, p.Height-y) {
		row := p.Pix[(y+dy)*p.Stride:]
		for dx := range min(2, p.Width-x) {
			i := b.n
			b.n++
			b.dx[i], b.dy[i], b.clipped[i] = dx, dy, false
			for c := range 3 {
				v := 0.0
				if p.Layout == heif.RGBA64 {
					at := 8*(x+dx) + 2*c
					v = float64(uint32(row[at])|uint32(row[at+1])<<8) / 257
				} else {
					v = float64(row[4*(x+dx)+c])
				}
				b.rgb[i][c] = v
				b.clipped[i] = b.clipped[i] || v <= 0 || v >= 255
			}
			luma := b.weigh(i)
			own[i] = [2]float64{(b.rgb[i][2] - luma) / (2 * (1 - b.kb)), (b.rgb[i][0] - luma) / (2 * (1 - b.kr))}
			if !b.clipped[i] {
				whole, cb, cr = whole+1, cb+own[i][0], cr+own[i][1]
			}
		}
	}
	if whole == 0 {
		for i := range b.n {
			whole, cb, cr = whole+1, cb+own[i][0], cr+own[i][1]
		}
	}
	b.cb, b.cr = cb/float64(whole), cr/float64(whole)
	for i := range b.n {
		if !b.clipped[i] {
			b.seen++
			if math.Abs(own[i][0]-b.cb) > 2 || math.Abs(own[i][1]-b.cr) > 2 {
				b.strange++
			}
		}
	}
}

func (b *sharing) weigh(i int) float64 {
	return b.kr*b.rgb[i][0] + b.kg*b.rgb[i][1] + b.kb*b.rgb[i][2]
}

// luma is a pixel's brightness: of one that is cut off, by the channels that
// are not.
func (b *sharing) luma(i int) float64 {
	if !b.clipped[i] {
		return b.weigh(i)
	}
	added := [3]float64{2 * (1 - b.kr) * b.cr, -2 * b.kb * (1 - b.kb) / b.kg * b.cb, 2 * (1 - b.kb) * b.cb}
	added[1] -= 2 * b.kr * (1 - b.kr) / b.kg * b.cr
	sum, n := 0.0, 0.0
	for c, v := range b.rgb[i] {
		if v > 0 && v < 255 {
			sum, n = sum+v-added[c], n+1
		}
	}
	if n == 0 {
		return b.weigh(i)
	}
	return sum / n
}

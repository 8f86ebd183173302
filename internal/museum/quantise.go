package museum

import (
	"cmp"
	"image"
	"image/color"
	"math"
	"slices"
)

// bin is a cube of 16×16×16 colours and those of the picture that lie in it.
type bin struct {
	at, count int
	sum       [3]int
}

func (b bin) mean() color.RGBA {
	return color.RGBA{uint8(b.sum[0] / b.count), uint8(b.sum[1] / b.count), uint8(b.sum[2] / b.count), 255}
}

func binOf(pix []uint8) int {
	return int(pix[0])>>4<<8 | int(pix[1])>>4<<4 | int(pix[2])>>4
}

// quantise gives a picture of the 256 most frequent colours (the popularity
// algorithm: P. Heckbert, "Color image quantization for frame buffer
// display", 1982), without dithering, which would add a texture of its own.
func quantise(img *image.RGBA) *image.Paletted {
	bins := make([]bin, 1<<12)
	for i := 0; i < len(img.Pix); i += 4 {
		b := &bins[binOf(img.Pix[i:])]
		b.count++
		for k := range b.sum {
			b.sum[k] += int(img.Pix[i+k])
		}
	}
	var used []bin
	for i, b := range bins {
		if b.at = i; b.count > 0 {
			used = append(used, b)
		}
	}
	slices.SortFunc(used, func(a, b bin) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.at, b.at))
	})
	var colours color.Palette
	for _, b := range used[:min(len(used), 256)] {
		colours = append(colours, b.mean())
	}
	var nearest [1 << 12]uint8
	for _, b := range used {
		nearest[b.at] = closest(colours, b.mean())
	}
	out := image.NewPaletted(img.Rect, colours)
	for i := range out.Pix {
		out.Pix[i] = nearest[binOf(img.Pix[4*i:])]
	}
	return out
}

func closest(colours color.Palette, c color.RGBA) uint8 {
	best, least := 0, math.MaxInt
	for i, p := range colours {
		q := p.(color.RGBA)
		r, g, b := int(q.R)-int(c.R), int(q.G)-int(c.G), int(q.B)-int(c.B)
		if d := r*r + g*g + b*b; d < least {
			best, least = i, d
		}
	}
	return uint8(best)
}

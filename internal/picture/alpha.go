package picture

import (
	"image"
	"image/color"
)

// overWhite lays one channel of straight alpha a over white, rounded to the
// nearest level.
func overWhite(c, a byte) byte {
	t := uint32(c)*uint32(a) + 255*(255-uint32(a)) + 128
	return byte((t>>8 + t) >> 8)
}

// FromImage gives img as an opaque RGB picture, laid over white where it is
// transparent. Of 16-bit channels the high byte is taken. An *RGB is
// returned as it is, sharing memory; everything else is copied.
func FromImage(img image.Image) *RGB {
	if m, ok := img.(*RGB); ok {
		return m
	}
	b := img.Bounds()
	out := NewRGB(b.Dx(), b.Dy())
	fill := rowFiller(img)
	for y := range out.Height {
		fill(out.Row(y), b.Min.X, b.Min.Y+y)
	}
	return out
}

// rowFiller gives the function that writes one row of img, beginning at
// (x, y), over white.
func rowFiller(img image.Image) func(dst []byte, x, y int) {
	switch m := img.(type) {
	case *image.Gray:
		return func(dst []byte, x, y int) { greyRow(dst, m.Pix[m.PixOffset(x, y):], 1) }
	case *image.Gray16:
		return func(dst []byte, x, y int) { greyRow(dst, m.Pix[m.PixOffset(x, y):], 2) }
	case *image.RGBA:
		return func(dst []byte, x, y int) { premultipliedRow(dst, m.Pix[m.PixOffset(x, y):], 1) }
	case *image.RGBA64:
		return func(dst []byte, x, y int) { premultipliedRow(dst, m.Pix[m.PixOffset(x, y):], 2) }
	case *image.NRGBA:
		return func(dst []byte, x, y int) { straightRow(dst, m.Pix[m.PixOffset(x, y):], 1) }
	case *image.NRGBA64:
		return func(dst []byte, x, y int) { straightRow(dst, m.Pix[m.PixOffset(x, y):], 2) }
	case *image.Paletted:
		table := paletteOverWhite(m.Palette)
		return func(dst []byte, x, y int) { paletteRow(dst, m.Pix[m.PixOffset(x, y):], table) }
	default:
		return func(dst []byte, x, y int) {
			for i := 0; i < len(dst); i, x = i+3, x+1 {
				c := colourOverWhite(img.At(x, y))
				copy(dst[i:i+3], c[:])
			}
		}
	}
}

// greyRow spreads grey samples; size is the bytes of one sample, of which
// the first is the high one.
func greyRow(dst, src []byte, size int) {
	for i, j := 0, 0; i+2 < len(dst); i, j = i+3, j+size {
		v := src[j]
		dst[i], dst[i+1], dst[i+2] = v, v, v
	}
}

func straightRow(dst, src []byte, size int) {
	for i, j := 0, 0; i+2 < len(dst); i, j = i+3, j+4*size {
		r, g, b, a := src[j], src[j+size], src[j+2*size], src[j+3*size]
		if a != 255 {
			r, g, b = overWhite(r, a), overWhite(g, a), overWhite(b, a)
		}
		dst[i], dst[i+1], dst[i+2] = r, g, b
	}
}

func premultipliedRow(dst, src []byte, size int) {
	for i, j := 0, 0; i+2 < len(dst); i, j = i+3, j+4*size {
		white := 255 - int(src[j+3*size])
		// A file may break the rule that no channel exceeds alpha.
		dst[i] = byte(min(int(src[j])+white, 255))
		dst[i+1] = byte(min(int(src[j+size])+white, 255))
		dst[i+2] = byte(min(int(src[j+2*size])+white, 255))
	}
}

func paletteRow(dst, src []byte, table *[256][3]byte) {
	for i, j := 0, 0; i+2 < len(dst); i, j = i+3, j+1 {
		c := &table[src[j]]
		dst[i], dst[i+1], dst[i+2] = c[0], c[1], c[2]
	}
}

// paletteOverWhite has an entry for every index; those past the palette's
// end are transparent, as browsers show them.
func paletteOverWhite(p color.Palette) *[256][3]byte {
	table := new([256][3]byte)
	for i := range table {
		table[i] = [3]byte{255, 255, 255}
		if i < len(p) {
			table[i] = colourOverWhite(p[i])
		}
	}
	return table
}

func colourOverWhite(c color.Color) [3]byte {
	n, ok := c.(color.NRGBA)
	if !ok {
		n = color.NRGBAModel.Convert(c).(color.NRGBA)
	}
	return [3]byte{overWhite(n.R, n.A), overWhite(n.G, n.A), overWhite(n.B, n.A)}
}

package picture

import (
	"encoding/binary"

	"github.com/palate-art/palate/internal/picture/icc"
)

// The colour types of a PNG file.
const (
	pngGrey      = 0
	pngTrue      = 2
	pngPaletted  = 3
	pngGreyAlpha = 4
	pngTrueAlpha = 6
)

// pngFormat is how a PNG file writes its pixels (PNG, third edition, 11.2).
type pngFormat struct {
	depth, colour byte
	palette       *[256][3]byte // over white
	palettes      [256][3]byte  // as the file has it
	transparent   []byte        // the one colour that is, in the file's own form
	toSRGB        *icc.Transform
}

func (p *pngFormat) paletted() bool { return p.colour == pngPaletted }
func (p *pngFormat) grey() bool     { return p.colour == pngGrey }

func (p *pngFormat) readHeader(body []byte) error {
	if len(body) != 13 {
		return corrupt(formatPNG, "its header has %d bytes", len(body))
	}
	if body[10] != 0 || body[11] != 0 || body[12] > 1 {
		return &UnsupportedError{Kind: "PNG of another layout"}
	}
	p.depth, p.colour = body[8], body[9]
	ok := false
	switch p.colour {
	case pngGrey:
		ok = p.depth == 1 || p.depth == 2 || p.depth == 4 || p.depth == 8 || p.depth == 16
	case pngPaletted:
		ok = p.depth == 1 || p.depth == 2 || p.depth == 4 || p.depth == 8
	case pngTrue, pngGreyAlpha, pngTrueAlpha:
		ok = p.depth == 8 || p.depth == 16
	}
	if !ok {
		return &UnsupportedError{Kind: "PNG of another layout"}
	}
	return nil
}

// readPalette reads the colours of a paletted file; what indices are past its
// end show black, as libpng does it. Of others it is a suggestion.
func (p *pngFormat) readPalette(body []byte) error {
	n := len(body) / 3
	if len(body)%3 != 0 || n == 0 || n > 256 || p.paletted() && n > 1<<p.depth {
		return corrupt(formatPNG, "its palette has %d bytes", len(body))
	}
	if p.colour == pngGrey || p.colour == pngGreyAlpha {
		return corrupt(formatPNG, "it is grey and has a palette")
	}
	for i := range n {
		copy(p.palettes[i][:], body[3*i:])
		if p.toSRGB != nil {
			p.toSRGB.RGB(p.palettes[i][:])
		}
	}
	p.palette = &p.palettes
	return nil
}

func (p *pngFormat) readTransparency(body []byte) error {
	want := map[byte]int{pngGrey: 2, pngTrue: 6}[p.colour]
	switch {
	case p.paletted() && len(body) <= 256:
		for i, a := range body {
			for c, v := range p.palettes[i] {
				p.palettes[i][c] = overWhite(v, a)
			}
		}
		return nil
	case want > 0 && len(body) == want:
		p.transparent = body
		return nil
	}
	return corrupt(formatPNG, "its transparency has %d bytes", len(body))
}

// row gives a row of pixels as RGB over white.
func (p *pngFormat) row(dst, src []byte) {
	if p.toSRGB != nil && !p.paletted() {
		p.convertedRow(dst, src)
		return
	}
	p.plainRow(dst, src)
}

// convertedRow brings the colours to sRGB before they are laid over white.
func (p *pngFormat) convertedRow(dst, src []byte) {
	size := int(p.depth / 8)
	samples := 0
	switch p.colour {
	case pngGreyAlpha:
		samples = 2
	case pngTrueAlpha:
		samples = 4
	default:
		p.plainRow(dst, src)
		p.toSRGB.RGB(dst)
		if p.depth >= 8 {
			p.clear(dst, src, pngChannels(p.colour))
		}
		return
	}
	for i, j := 0, 0; i+2 < len(dst); i, j = i+3, j+samples*size {
		if samples == 2 {
			dst[i], dst[i+1], dst[i+2] = src[j], src[j], src[j]
		} else {
			dst[i], dst[i+1], dst[i+2] = src[j], src[j+size], src[j+2*size]
		}
	}
	p.toSRGB.RGB(dst)
	for i, j := 0, (samples-1)*size; i < len(dst); i++ {
		dst[i] = overWhite(dst[i], src[j])
		if i%3 == 2 {
			j += samples * size
		}
	}
}

func (p *pngFormat) plainRow(dst, src []byte) {
	switch {
	case p.depth < 8:
		p.packedRow(dst, src)
	case p.paletted():
		paletteRow(dst, src, p.palette)
	case p.colour == pngGreyAlpha:
		greyAlphaRow(dst, src, int(p.depth/8))
	case p.colour == pngTrueAlpha:
		straightRow(dst, src, int(p.depth/8))
	case p.colour == pngGrey:
		greyRow(dst, src, int(p.depth/8))
		p.clear(dst, src, 1)
	default:
		trueRow(dst, src, int(p.depth/8))
		p.clear(dst, src, 3)
	}
}

// packedRow spreads pixels of less than a byte: indices, or grey that is
// stretched to 0 … 255.
func (p *pngFormat) packedRow(dst, src []byte) {
	bits := int(p.depth)
	mask := byte(1<<bits - 1)
	step := 255 / mask
	clear := -1
	if p.transparent != nil {
		clear = int(p.transparent[1] * step)
	}
	for i, at := 0, 0; i+2 < len(dst); i, at = i+3, at+bits {
		v := src[at/8] >> (8 - bits - at%8) & mask
		if p.paletted() {
			copy(dst[i:i+3], p.palette[v][:])
			continue
		}
		v *= step
		if int(v) == clear {
			v = 255
		}
		dst[i], dst[i+1], dst[i+2] = v, v, v
	}
}

// clear makes white what has the one colour that is transparent. Of samples
// of eight bits the low byte counts.
func (p *pngFormat) clear(dst, src []byte, samples int) {
	if p.transparent == nil {
		return
	}
	size := int(p.depth / 8)
	for i, at := 0, 0; i+2 < len(dst); i, at = i+3, at+size*samples {
		is := true
		for s := range samples {
			if size == 2 {
				is = is && binary.BigEndian.Uint16(src[at+2*s:]) == binary.BigEndian.Uint16(p.transparent[2*s:])
			} else {
				is = is && src[at+s] == p.transparent[2*s+1]
			}
		}
		if is {
			dst[i], dst[i+1], dst[i+2] = 255, 255, 255
		}
	}
}

// greyAlphaRow lays grey with straight alpha over white; size is the bytes of
// one sample, of which the first is the high one.
func greyAlphaRow(dst, src []byte, size int) {
	for i, j := 0, 0; i+2 < len(dst); i, j = i+3, j+2*size {
		v := overWhite(src[j], src[j+size])
		dst[i], dst[i+1], dst[i+2] = v, v, v
	}
}

// trueRow takes the high byte of every sample.
func trueRow(dst, src []byte, size int) {
	if size == 1 {
		copy(dst, src)
		return
	}
	for i := range dst {
		dst[i] = src[size*i]
	}
}

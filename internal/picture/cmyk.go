package picture

import "image"

// fromInk shows four components on paper. JPEG files hold ink inverted, as
// Adobe writes them, whether or not they say so. m is what image/jpeg gives
// for plain CMYK: every stored value inverted once more, planes of half the
// size repeated.
func (f *jpegFile) fromInk(m *image.CMYK) *RGB {
	out := NewRGB(m.Rect.Dx(), m.Rect.Dy())
	width, ratio := out.Width, f.inkRatio
	channel := func(c int) plane {
		p := plane{width: (width + ratio - 1) / ratio, height: (out.Height + ratio - 1) / ratio}
		p.stride = p.width
		p.pix = make([]byte, p.width*p.height)
		for y := range p.height {
			row := m.Pix[y*ratio*m.Stride:]
			for x := range p.width {
				p.pix[y*p.stride+x] = 255 - row[4*x*ratio+c]
			}
		}
		return p
	}
	second := newUpsampler(channel(1), ratio, ratio)
	third := newUpsampler(channel(2), ratio, ratio)
	convert := interleaveRow
	if f.model() == modelYCCK {
		convert = inverseFullRangeRow
	}
	first := make([]byte, width)
	for y := range out.Height {
		stored := m.Pix[y*m.Stride:][:4*width]
		for x := range first {
			first[x] = 255 - stored[4*x]
		}
		row := out.Row(y)
		convert(row, first, second.row(y, width), third.row(y, width))
		printRow(row, stored)
	}
	return out
}

// printRow turns the inverted cyan, magenta and yellow in row into light,
// under the black that is the fourth value of each pixel in ink.
func printRow(row, ink []byte) {
	for i, j := 0, 3; i+2 < len(row); i, j = i+3, j+4 {
		light := 255 - int(ink[j])
		for c := range 3 {
			t := (255-int(row[i+c]))*light + 128
			row[i+c] = byte(max(light-(t>>8+t)>>8, 0))
		}
	}
}

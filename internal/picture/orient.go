package picture

// The values of EXIF tag 274 say where the stored rows and columns belong:
// 1 as stored, 2 mirrored, 3 turned by 180°, 4 upside down, 5 transposed,
// 6 to be turned clockwise, 7 transversed, 8 to be turned anticlockwise.
// (CIPA DC-008, "Orientation".)

// swapsSides reports whether the upright picture is as wide as the stored
// one is high.
func swapsSides(orientation int) bool { return orientation >= 5 && orientation <= 8 }

// upright gives the picture as it is meant to be seen. The picture given may
// be returned, or changed in place.
func upright(m *RGB, orientation int) *RGB {
	switch orientation {
	case 2:
		mirror(m)
	case 3:
		mirror(m)
		flip(m)
	case 4:
		flip(m)
	case 5:
		return transpose(m)
	case 6:
		m = transpose(m)
		mirror(m)
	case 7:
		m = transpose(m)
		mirror(m)
		flip(m)
	case 8:
		m = transpose(m)
		flip(m)
	}
	return m
}

func mirror(m *RGB) {
	for y := range m.Height {
		row := m.Row(y)
		for i, j := 0, len(row)-3; i < j; i, j = i+3, j-3 {
			row[i], row[j] = row[j], row[i]
			row[i+1], row[j+1] = row[j+1], row[i+1]
			row[i+2], row[j+2] = row[j+2], row[i+2]
		}
	}
}

func flip(m *RGB) {
	spare := make([]byte, 3*m.Width)
	for y := range m.Height / 2 {
		top, bottom := m.Row(y), m.Row(m.Height-1-y)
		copy(spare, top)
		copy(top, bottom)
		copy(bottom, spare)
	}
}

// transpose swaps rows and columns, in blocks that stay in the cache.
func transpose(m *RGB) *RGB {
	const block = 32
	out := NewRGB(m.Height, m.Width)
	for y0 := 0; y0 < m.Height; y0 += block {
		for x0 := 0; x0 < m.Width; x0 += block {
			for x := x0; x < min(x0+block, m.Width); x++ {
				d := 3 * (x*out.Width + y0)
				s := 3 * (y0*m.Width + x)
				for y := y0; y < min(y0+block, m.Height); y++ {
					copy(out.Pix[d:d+3], m.Pix[s:s+3])
					d += 3
					s += 3 * m.Width
				}
			}
		}
	}
	return out
}

package picture

// shrinking is a picture that is made smaller as its rows come: a pixel is
// the mean of scale × scale of them.
type shrinking struct {
	to            rowSink
	columns, rows int // of what is made
	width, height int // of the whole picture
	scale         int
	whole         bool     // rows come in any order, and pixels one by one
	sums          []uint16 // of one row of pixels, or of all: 64 × 255 at most
}

// newShrinking begins a picture of which 1/scale of the size is wanted, 1 to
// 8. Rows come from top to bottom unless whole is true; then they must be
// collected.
func newShrinking(width, height, scale int, whole bool, to rowSink) *shrinking {
	s := &shrinking{to: to, columns: ceilDiv(width, scale), rows: ceilDiv(height, scale), width: width, height: height, scale: scale, whole: whole}
	if scale > 1 {
		rows := 1
		if whole {
			rows = s.rows
		}
		s.sums = make([]uint16, 3*s.columns*rows)
	}
	return s
}

// add takes the pixels of row y from x on, every step-th of them.
func (s *shrinking) add(rgb []byte, x, y, step int) {
	if s.scale == 1 {
		row := s.to.row(y)
		if step == 1 {
			copy(row[3*x:], rgb)
			s.to.done(y)
			return
		}
		for i := 0; i+2 < len(rgb); i, x = i+3, x+step {
			copy(row[3*x:3*x+3], rgb[i:i+3])
		}
		return
	}
	sums := s.sums
	if s.whole {
		sums = sums[3*s.columns*(y/s.scale):][:3*s.columns]
	}
	for i := 0; i+2 < len(rgb); i, x = i+3, x+step {
		to := sums[3*(x/s.scale):][:3:3]
		to[0] += uint16(rgb[i])
		to[1] += uint16(rgb[i+1])
		to[2] += uint16(rgb[i+2])
	}
	if !s.whole && (y%s.scale == s.scale-1 || y == s.height-1) {
		s.mean(y/s.scale, sums)
		clear(sums)
	}
}

// mean writes a row from its sums.
func (s *shrinking) mean(y int, sums []uint16) {
	rows := min(s.scale, s.height-y*s.scale)
	row := s.to.row(y)
	for x := range s.columns {
		n := uint32(rows * min(s.scale, s.width-x*s.scale))
		for c := 3 * x; c < 3*x+3; c++ {
			row[c] = byte((uint32(sums[c]) + n/2) / n)
		}
	}
	s.to.done(y)
}

// finish ends it when all rows have come.
func (s *shrinking) finish() {
	if s.whole && s.scale > 1 {
		for y := range s.rows {
			s.mean(y, s.sums[3*s.columns*y:])
		}
	}
}

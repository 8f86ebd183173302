package picture

// decodeRuns reads run lengths: a count and an index, or a zero and a
// command: end of row (0), end of picture (1), a jump (2), or a count of
// indices that follow. What is jumped over shows the first colour.
func (f *bmpFile) decodeRuns() (*RGB, error) {
	m := NewRGB(f.width, f.height)
	for i := range m.Pix {
		m.Pix[i] = f.palette[0][i%3]
	}
	r := &byteReader{data: f.pixels}
	x, y := 0, 0
	put := func(index byte) {
		if x < f.width && y < f.height {
			copy(f.row(m, y)[3*x:], f.palette[index][:])
		}
		x++
	}
	for y < f.height {
		code := r.take(2)
		switch {
		case code == nil:
			return nil, errTruncated
		case code[0] > 0:
			for i := range int(code[0]) {
				put(f.index(code[1:], i, f.bits == 4))
			}
		case code[1] == 0:
			x, y = 0, y+1
		case code[1] == 1:
			return m, nil
		case code[1] == 2:
			jump := r.take(2)
			if jump == nil {
				return nil, errTruncated
			}
			x, y = x+int(jump[0]), y+int(jump[1])
		default:
			n := int(code[1])
			size := (n*f.bits + 7) / 8
			indices := r.take(size + size%2)
			if indices == nil {
				return nil, errTruncated
			}
			for i := range n {
				put(f.index(indices, i, false))
			}
		}
	}
	return m, nil
}

// index is the i-th index in packed; a run of four bits alternates between
// the two halves of one byte.
func (f *bmpFile) index(packed []byte, i int, alternate bool) byte {
	switch {
	case f.bits == 8 && len(packed) == 1:
		return packed[0]
	case f.bits == 8:
		return packed[i]
	case alternate:
		i %= 2
	}
	return packed[i/2] >> (4 - 4*(i%2)) & 15
}

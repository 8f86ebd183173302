package picture

import "context"

// A progressive file brings the coefficients in many scans: first their upper
// bits, some frequencies at a time, then bit by bit the rest (T.81, annex G).
// They are kept until all have come.

// partBlock is a block of which not all has come: its numbers in zigzag order,
// not yet times their quantisers, and the last that is not zero.
type partBlock struct {
	numbers [64]int16
	last    int16
}

const partBlockBytes = 2*64 + 2

// scan is what the header of one says.
type scan struct {
	components []*component
	// The frequencies from first to last, in zigzag order, of which the bits
	// above low come, or, if refining, bit low alone.
	first, last, low int
	refining         bool
	// endRun is how many blocks to come have nothing more in this scan.
	endRun int32

	// lenient goes on after what is no code, and counts it.
	lenient  bool
	badCodes int
}

// decodeProgressive reads all scans and writes the samples.
func (s *jpegDecoder) decodeProgressive(ctx context.Context) bool {
	for i := range s.components {
		c := &s.components[i]
		c.blocksX, c.blocksY = s.unitsX*c.h, s.unitsY*c.v
		c.blocks = make([]partBlock, c.blocksX*c.blocksY)
	}
	for {
		sc, ok := s.progressiveScan()
		if !ok || !s.decodeProgressiveScan(ctx, sc) {
			return false
		}
		marker := s.readSegments(s.reader.at)
		if marker == markerEOI {
			break
		}
		if marker != markerSOS {
			return false
		}
	}
	for i := range s.components {
		s.transformAll(ctx, &s.components[i])
	}
	return ctx.Err() == nil
}

// progressiveScan interprets the scan header that was read last.
func (s *jpegDecoder) progressiveScan() (*scan, bool) {
	body := s.scanHeader
	if len(body) < 1 || len(body) != 4+2*int(body[0]) {
		return nil, false
	}
	n := int(body[0])
	tail := body[1+2*n:]
	sc := &scan{first: int(tail[0]), last: int(tail[1]), low: int(tail[2] & 15), refining: tail[2]>>4 != 0}
	if sc.first > sc.last || sc.last > 63 || sc.low > 13 || sc.refining && int(tail[2]>>4) != sc.low+1 ||
		sc.first == 0 && sc.last != 0 || sc.first > 0 && n != 1 {
		return nil, false
	}
	for i := range n {
		id, tables := body[1+2*i], body[2+2*i]
		var c *component
		for j := range s.components {
			if s.file.components[j] == id {
				c = &s.components[j]
			}
		}
		if c == nil || tables>>4 > 3 || tables&15 > 3 {
			return nil, false
		}
		c.dc, c.ac = s.huffmans[0][tables>>4], s.huffmans[1][tables&15]
		if sc.first == 0 && !sc.refining && c.dc == nil || sc.first > 0 && c.ac == nil {
			return nil, false
		}
		sc.components = append(sc.components, c)
	}
	return sc, n == 1 || n == len(s.components)
}

// decodeProgressiveScan reads the blocks of one component as far as the
// picture goes, or whole units of all components.
func (s *jpegDecoder) decodeProgressiveScan(ctx context.Context, sc *scan) bool {
	unitsX, unitsY := s.unitsX, s.unitsY
	alone := len(sc.components) == 1
	if c := sc.components[0]; alone {
		first := s.components[0]
		unitsX = ceilDiv(ceilDiv(s.file.width*c.h, first.h), 8)
		unitsY = ceilDiv(ceilDiv(s.file.height*c.v, first.v), 8)
	}
	left, restarts := s.interval, 0
	for i := range s.components {
		s.components[i].predictor = 0
	}
	for y := range unitsY {
		for x := range unitsX {
			if s.interval > 0 {
				if left == 0 {
					if !s.reader.restart(restarts) {
						return false
					}
					left, sc.endRun = s.interval, 0
					restarts++
					for i := range s.components {
						s.components[i].predictor = 0
					}
				}
				left--
			}
			for _, c := range sc.components {
				h, v := c.h, c.v
				if alone {
					h, v = 1, 1
				}
				for dy := range v {
					for dx := range h {
						if !s.decodePart(sc, c, &c.blocks[(y*v+dy)*c.blocksX+x*h+dx]) {
							return false
						}
					}
				}
			}
		}
		if s.reader.overrun() || ctx.Err() != nil {
			return false
		}
	}
	return true
}

// decodePart reads what a scan brings of one block.
func (s *jpegDecoder) decodePart(sc *scan, c *component, b *partBlock) bool {
	r := &s.reader
	switch {
	case sc.first > 0 && sc.refining:
		return sc.refine(r, c.ac, b)
	case sc.first > 0:
		return sc.begin(r, c.ac, b)
	case sc.refining:
		r.fill()
		b.numbers[0] |= int16(r.take(1) << sc.low)
		return true
	}
	r.fill()
	size, ok := sc.code(r, c.dc)
	if !ok || size > 11 && !sc.lenient {
		return false
	}
	c.predictor += r.receive(int(size))
	b.numbers[0] = int16(c.predictor << sc.low)
	return true
}

// code reads one code, and fails at what is none unless the scan is lenient.
func (sc *scan) code(r *bitReader, table *huffman) (symbol byte, ok bool) {
	if sc.lenient {
		return sc.symbol(r, table), true
	}
	return r.symbol(table)
}

// begin reads the upper bits of a block's frequencies (T.81, G.1.2.2).
func (sc *scan) begin(r *bitReader, table *huffman, b *partBlock) bool {
	if sc.endRun > 0 {
		sc.endRun--
		return true
	}
	for k := sc.first; k <= sc.last; k++ {
		r.fill()
		var value int16
		if w := table.whole[r.bits>>((r.count-lookBits)&63)&(1<<lookBits-1)]; w.length > 0 {
			r.count -= int(w.length)
			k += int(w.run)
			value = w.value
		} else {
			symbol, ok := sc.code(r, table)
			if !ok {
				return false
			}
			run, size := int(symbol>>4), int(symbol&15)
			k += run
			if size == 0 {
				if run < 15 {
					sc.endRun = 1<<run - 1 + r.take(run)
					return true
				}
				continue
			}
			value = int16(r.receive(size))
		}
		if k > sc.last {
			if !sc.lenient {
				return false
			}
			sc.badCodes++
			k = min(k, 63)
		}
		b.numbers[k&63] = value << sc.low
		b.last = max(b.last, int16(k))
	}
	return true
}

// refine reads one more bit of the frequencies that are not zero so far, and
// those that become ±1 at this bit (T.81, G.1.2.3).
func (sc *scan) refine(r *bitReader, table *huffman, b *partBlock) bool {
	bit := int16(1) << sc.low
	k := sc.first
	for ; sc.endRun == 0 && k <= sc.last; k++ {
		r.fill()
		symbol, ok := sc.code(r, table)
		if !ok {
			return false
		}
		if symbol&15 > 1 && sc.lenient { // a new one has one bit
			sc.badCodes++
			symbol = symbol&0xf0 | 1
		}
		run, value := int(symbol>>4), int16(0)
		switch symbol & 15 {
		case 0:
			if run < 15 {
				sc.endRun = 1<<run + r.take(run)
			}
		case 1:
			if value = -bit; r.take(1) == 1 {
				value = bit
			}
		default:
			return false
		}
		if sc.endRun > 0 {
			break
		}
		k = b.refineUntil(r, k, sc.last, run, bit)
		if value != 0 {
			if k > sc.last {
				if !sc.lenient {
					return false
				}
				sc.badCodes++
				k = min(sc.last+1, 63)
			}
			b.numbers[k&63] = value
			b.last = max(b.last, int16(k))
		}
	}
	if sc.endRun > 0 {
		b.refineUntil(r, k, sc.last, 64, bit)
		sc.endRun--
	}
	return true
}

// refineUntil reads a bit for each number from k to last that is not zero, up
// to the zero that comes after so many zeros, whose place it gives.
func (b *partBlock) refineUntil(r *bitReader, k, last, zeros int, bit int16) int {
	for ; k <= min(last, int(b.last)); k++ {
		c := &b.numbers[k&63]
		if *c == 0 {
			if zeros == 0 {
				return k
			}
			zeros--
			continue
		}
		r.fill()
		if r.take(1) == 1 && *c&bit == 0 {
			if *c > 0 {
				*c += bit
			} else {
				*c -= bit
			}
		}
	}
	return k + zeros // there are only zeros left
}

// transformAll writes the samples of all blocks, unless ctx is done.
func (s *jpegDecoder) transformAll(ctx context.Context, c *component) {
	for y := range c.blocksY {
		if ctx.Err() != nil {
			return
		}
		for x := range c.blocksX {
			part := &c.blocks[y*c.blocksX+x]
			out := c.pix[y*c.size*c.stride+x*c.size:]
			dc := int32(part.numbers[0]) * c.quant[0]
			s.reach |= uint32(dc ^ dc>>31)
			if part.last == 0 {
				flat(dc, out, c.stride, c.size)
				continue
			}
			var b block
			var columns uint32
			b[0] = dc
			for k := 1; k <= int(part.last); k++ {
				if v := part.numbers[k&63]; v != 0 {
					at := zigzag[k&63]
					value := int32(v) * c.quant[k&63]
					s.reach |= uint32(value ^ value>>31)
					b[at&63] = value
					columns |= uint32(at>>3+7) >> 3 << (at & 7)
				}
			}
			b.transform(out, c.stride, c.size, columns)
		}
	}
}

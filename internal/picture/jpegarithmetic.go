package picture

// This file reads arithmetic-coded JPEG (T.81, annexes D, F.1.4 and G.1.3), as
// jpegtran and scanners' software write it to save a tenth.

// estimate is a state of the probability estimation (T.81, table D.3).
type estimate struct {
	qe       uint32 // how likely the less probable symbol is
	nextLess uint8  // the state after it
	nextMore uint8  // the state after the other
	exchange uint8  // 1 where the two change places
}

// estimates end with one that stays at one half, for what is not modelled
// (table F.5 and G.1.3.3 call it fixed).
var estimates = [114]estimate{
	{0x5a1d, 1, 1, 1}, {0x2586, 14, 2, 0}, {0x1114, 16, 3, 0}, {0x080b, 18, 4, 0}, {0x03d8, 20, 5, 0}, {0x01da, 23, 6, 0}, {0x00e5, 25, 7, 0},
	{0x006f, 28, 8, 0}, {0x0036, 30, 9, 0}, {0x001a, 33, 10, 0}, {0x000d, 35, 11, 0}, {0x0006, 9, 12, 0}, {0x0003, 10, 13, 0},
	{0x0001, 12, 13, 0}, {0x5a7f, 15, 15, 1}, {0x3f25, 36, 16, 0}, {0x2cf2, 38, 17, 0}, {0x207c, 39, 18, 0}, {0x17b9, 40, 19, 0},
	{0x1182, 42, 20, 0}, {0x0cef, 43, 21, 0}, {0x09a1, 45, 22, 0}, {0x072f, 46, 23, 0}, {0x055c, 48, 24, 0}, {0x0406, 49, 25, 0},
	{0x0303, 51, 26, 0}, {0x0240, 52, 27, 0}, {0x01b1, 54, 28, 0}, {0x0144, 56, 29, 0}, {0x00f5, 57, 30, 0}, {0x00b7, 59, 31, 0},
	{0x008a, 60, 32, 0}, {0x0068, 62, 33, 0}, {0x004e, 63, 34, 0}, {0x003b, 32, 35, 0}, {0x002c, 33, 9, 0}, {0x5ae1, 37, 37, 1},
	{0x484c, 64, 38, 0}, {0x3a0d, 65, 39, 0}, {0x2ef1, 67, 40, 0}, {0x261f, 68, 41, 0}, {0x1f33, 69, 42, 0}, {0x19a8, 70, 43, 0},
	{0x1518, 72, 44, 0}, {0x1177, 73, 45, 0}, {0x0e74, 74, 46, 0}, {0x0bfb, 75, 47, 0}, {0x09f8, 77, 48, 0}, {0x0861, 78, 49, 0},
	{0x0706, 79, 50, 0}, {0x05cd, 48, 51, 0}, {0x04de, 50, 52, 0}, {0x040f, 50, 53, 0}, {0x0363, 51, 54, 0}, {0x02d4, 52, 55, 0},
	{0x025c, 53, 56, 0}, {0x01f8, 54, 57, 0}, {0x01a4, 55, 58, 0}, {0x0160, 56, 59, 0}, {0x0125, 57, 60, 0}, {0x00f6, 58, 61, 0},
	{0x00cb, 59, 62, 0}, {0x00ab, 61, 63, 0}, {0x008f, 61, 32, 0}, {0x5b12, 65, 65, 1}, {0x4d04, 80, 66, 0}, {0x412c, 81, 67, 0},
	{0x37d8, 82, 68, 0}, {0x2fe8, 83, 69, 0}, {0x293c, 84, 70, 0}, {0x2379, 86, 71, 0}, {0x1edf, 87, 72, 0}, {0x1aa9, 87, 73, 0},
	{0x174e, 72, 74, 0}, {0x1424, 72, 75, 0}, {0x119c, 74, 76, 0}, {0x0f6b, 74, 77, 0}, {0x0d51, 75, 78, 0}, {0x0bb6, 77, 79, 0},
	{0x0a40, 77, 48, 0}, {0x5832, 80, 81, 1}, {0x4d1c, 88, 82, 0}, {0x438e, 89, 83, 0}, {0x3bdd, 90, 84, 0}, {0x34ee, 91, 85, 0},
	{0x2eae, 92, 86, 0}, {0x299a, 93, 87, 0}, {0x2516, 86, 71, 0}, {0x5570, 88, 89, 1}, {0x4ca9, 95, 90, 0}, {0x44d9, 96, 91, 0},
	{0x3e22, 97, 92, 0}, {0x3824, 99, 93, 0}, {0x32b4, 99, 94, 0}, {0x2e17, 93, 86, 0}, {0x56a8, 95, 96, 1}, {0x4f46, 101, 97, 0},
	{0x47e5, 102, 98, 0}, {0x41cf, 103, 99, 0}, {0x3c3d, 104, 100, 0}, {0x375e, 99, 93, 0}, {0x5231, 105, 102, 0}, {0x4c0f, 106, 103, 0},
	{0x4639, 107, 104, 0}, {0x415e, 103, 99, 0}, {0x5627, 105, 106, 1}, {0x50e7, 108, 107, 0}, {0x4b85, 109, 103, 0}, {0x5597, 110, 109, 0},
	{0x504f, 111, 107, 0}, {0x5a10, 110, 111, 1}, {0x5522, 112, 109, 0}, {0x59eb, 112, 111, 1}, {0x5a1d, 113, 113, 0},
}

const fixedEstimate = 113

// bin is a state, and in its highest bit which symbol is the more probable.
type bin uint8

// arithmeticSource reads arithmetic codes.
type arithmeticSource struct {
	decoder *jpegDecoder
	scan    *anyScan
	at      int
	zeros   int // bytes that were supplied past the end of a segment
	broken  bool

	a, c  uint32
	ct    int
	fixed bin

	dc       [4][64]bin
	ac       [4][256]bin
	contexts [4]int // of each component the DC's conditioning (table F.4)
}

// conditioning are the bounds that a DAC segment may set (T.81, B.2.4.3).
type conditioning struct{ low, high, k [4]int }

func defaultConditioning() conditioning {
	return conditioning{high: [4]int{1, 1, 1, 1}, k: [4]int{5, 5, 5, 5}}
}

func (s *jpegDecoder) readConditioning(body []byte) bool {
	for ; len(body) >= 2; body = body[2:] {
		class, number, value := body[0]>>4, body[0]&15, int(body[1])
		switch {
		case class > 1 || number > 3:
			return false
		case class == 1:
			s.conditioning.k[number] = value
		case value&15 > value>>4:
			return false
		default:
			s.conditioning.low[number], s.conditioning.high[number] = value&15, value>>4
		}
	}
	return len(body) == 0
}

// dryBytes is how many zeros an encoder may have left out at the end (T.81,
// D.1.8), with room for what is read ahead.
const dryBytes = 16

func (a *arithmeticSource) reset() {
	a.dc, a.ac, a.contexts = [4][64]bin{}, [4][256]bin{}, [4]int{}
	a.a, a.c, a.ct, a.fixed = 0, 0, -16, fixedEstimate
	a.at, a.zeros, a.broken = a.decoder.reader.at, 0, false
	for i := range a.decoder.components {
		a.decoder.components[i].predictor = 0
	}
}

func (a *arithmeticSource) overrun() bool {
	a.decoder.reader = bitReader{data: a.decoder.file.data, at: a.at}
	return a.dry()
}

func (a *arithmeticSource) dry() bool { return a.broken || a.zeros > dryBytes }

// finish: two bytes are read ahead.
func (a *arithmeticSource) finish() {
	cut := a.zeros > 2 && a.at >= len(a.decoder.file.data)
	a.scan.bad = a.scan.bad || cut || a.dry()
}

func (a *arithmeticSource) next() uint32 {
	data := a.decoder.file.data
	if a.at < len(data) && data[a.at] != 0xff {
		a.at++
		return uint32(data[a.at-1])
	}
	after := a.at
	for after < len(data) && data[after] == 0xff {
		after++
	}
	if after < len(data) && after > a.at && data[after] == 0 {
		a.at = after + 1
		return 0xff
	}
	a.zeros++
	return 0
}

// decode gives one binary decision (T.81, D.2).
func (a *arithmeticSource) decode(st *bin) int {
	for a.a < 0x8000 {
		if a.ct--; a.ct < 0 {
			a.c = a.c<<8 | a.next()
			if a.ct += 8; a.ct < 0 {
				if a.ct++; a.ct == 0 {
					a.a = 0x8000 // doubled below
				}
			}
		}
		a.a <<= 1
	}
	more := *st & 0x80
	e := estimates[*st&0x7f]
	a.a -= e.qe
	less := false
	if bound := a.a << a.ct; a.c >= bound {
		a.c -= bound
		less = a.a >= e.qe
		a.a = e.qe
	} else if a.a >= 0x8000 {
		return int(more >> 7)
	} else {
		less = a.a < e.qe
	}
	if !less {
		*st = more | bin(e.nextMore)
		return int(more >> 7)
	}
	*st = more ^ bin(e.nextLess|e.exchange<<7)
	return int(more>>7) ^ 1
}

func (a *arithmeticSource) block(c *component, b *partBlock) {
	if a.broken {
		return
	}
	sc := a.scan
	switch {
	case sc.refining && sc.first == 0:
		if a.decode(&a.fixed) == 1 {
			b.numbers[0] |= 1 << sc.low
		}
		return
	case sc.refining:
		a.refine(c, b)
		return
	case sc.first == 0:
		c.predictor = int32(int16(c.predictor + int32(a.difference(c))))
		b.numbers[0] = int16(c.predictor << sc.low)
	}
	if sc.last > 0 && !a.broken {
		a.frequencies(c, b)
	}
}

// difference reads a DC difference (T.81, F.1.4.1 and F.2.4.1).
func (a *arithmeticSource) difference(c *component) int {
	bins, context := &a.dc[c.dcNumber], &a.contexts[c.number]
	st := *context
	if a.decode(&bins[st]) == 0 {
		*context = 0
		return 0
	}
	sign := a.decode(&bins[st+1])
	st += 2 + sign
	m := a.decode(&bins[st])
	if m != 0 {
		if st, m = a.magnitude(bins[:], 20, m); a.broken {
			return 0
		}
	}
	switch bounds := &a.decoder.conditioning; {
	case m < 1<<bounds.low[c.dcNumber]>>1:
		*context = 0
	case m > 1<<bounds.high[c.dcNumber]>>1:
		*context = 12 + 4*sign
	default:
		*context = 4 + 4*sign
	}
	return a.value(&bins[st+14], m, sign)
}

// magnitude reads on how many bits a number has, from a bin on.
func (a *arithmeticSource) magnitude(bins []bin, st, m int) (int, int) {
	for a.decode(&bins[st]) == 1 {
		if m <<= 1; m == 0x8000 {
			a.broken = true
			break
		}
		st++
	}
	return st, m
}

// value reads the bits below the highest one of a number that is one less.
func (a *arithmeticSource) value(st *bin, m, sign int) int {
	v := m
	for m >>= 1; m > 0; m >>= 1 {
		if a.decode(st) == 1 {
			v |= m
		}
	}
	if sign == 1 {
		return -v - 1
	}
	return v + 1
}

// frequencies reads the coefficients of a scan after the first (F.1.4.2).
func (a *arithmeticSource) frequencies(c *component, b *partBlock) {
	bins, sc := &a.ac[c.acNumber], a.scan
	for k := max(1, sc.first); k <= sc.last; k++ {
		if a.decode(&bins[3*(k-1)]) == 1 {
			return // the rest is zero
		}
		for a.decode(&bins[3*(k-1)+1]) == 0 {
			if k++; k > sc.last {
				a.broken = true
				return
			}
		}
		sign := a.decode(&a.fixed)
		st := 3*(k-1) + 2
		m := a.decode(&bins[st])
		if m != 0 && a.decode(&bins[st]) == 1 {
			from := 217
			if k <= a.decoder.conditioning.k[c.acNumber] {
				from = 189
			}
			if st, m = a.magnitude(bins[:], from, 2); a.broken {
				return
			}
		}
		b.numbers[k] = int16(a.value(&bins[(st+14)&255], m, sign) << sc.low)
		b.last = max(b.last, int16(k))
	}
}

// refine reads one more bit (G.1.3.3).
func (a *arithmeticSource) refine(c *component, b *partBlock) {
	bins, sc := &a.ac[c.acNumber], a.scan
	bit := int16(1) << sc.low
	before := int(b.last)
	for k := sc.first; k <= sc.last; k++ {
		if k > before && a.decode(&bins[3*(k-1)]) == 1 {
			return
		}
		for {
			number := &b.numbers[k]
			if *number != 0 {
				if a.decode(&bins[3*(k-1)+2]) == 1 {
					if *number < 0 {
						*number -= bit
					} else {
						*number += bit
					}
				}
				break
			}
			if a.decode(&bins[3*(k-1)+1]) == 1 {
				if *number = bit; a.decode(&a.fixed) == 1 {
					*number = -bit
				}
				b.last = max(b.last, int16(k))
				break
			}
			if k++; k > sc.last {
				a.broken = true
				return
			}
		}
	}
}

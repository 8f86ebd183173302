package picture

import "encoding/binary"

// bitReader reads the entropy-coded bits of a JPEG scan (T.81, annex F.2.2.5):
// the highest first, a stuffed zero after every 0xff. It stops at a marker or
// the end of the data and gives zeros from there on; overrun then tells
// whether any of them were used.
type bitReader struct {
	data  []byte
	at    int
	bits  uint64 // the lowest count are waiting
	count int
	spare int // how many of those waiting are zeros past the end
}

// fill makes at least 32 bits wait: enough for one code and the value after it.
func (r *bitReader) fill() {
	if r.count > 32 {
		return
	}
	if r.at+4 <= len(r.data) && r.spare == 0 {
		four := binary.BigEndian.Uint32(r.data[r.at:])
		if inverse := ^four; (inverse-0x01010101)&^inverse&0x80808080 == 0 { // no byte is 0xff
			r.bits, r.count, r.at = r.bits<<32|uint64(four), r.count+32, r.at+4
			return
		}
	}
	r.fillSlowly()
}

func (r *bitReader) fillSlowly() {
	for r.count <= 56 {
		var b byte
		switch {
		case r.at >= len(r.data):
			r.spare += 8
		case r.data[r.at] != 0xff:
			b = r.data[r.at]
			r.at++
		case r.at+1 < len(r.data) && r.data[r.at+1] == 0:
			b = 0xff
			r.at += 2
		case r.at+1 < len(r.data) && r.data[r.at+1] == 0xff:
			r.at++ // any number of them may stand before the zero
			continue
		default: // a marker
			r.spare += 8
		}
		r.bits, r.count = r.bits<<8|uint64(b), r.count+8
	}
}

// overrun reports whether bits were used that were not there.
func (r *bitReader) overrun() bool { return r.count < r.spare }

// left reports whether a scan's data go on behind its last block, by more than
// the padding of an encoder: some of them were misread.
func (r *bitReader) left() bool {
	if r.overrun() {
		return false
	}
	_, next := nextMarker(r.data, r.at)
	for _, b := range r.data[min(r.at, len(r.data)):next] {
		if b != 0 && b != 0xff {
			return true
		}
	}
	return r.count-r.spare >= 16
}

// take gives the next n bits, of which fill has made enough wait.
func (r *bitReader) take(n int) int32 {
	r.count -= n
	return int32(r.bits>>(r.count&63)) & (1<<(n&31) - 1)
}

// receive is the value of a category (T.81, F.2.2.1): n bits, of which a
// leading zero means a negative number.
func (r *bitReader) receive(n int) int32 { return extend(r.take(n), n) }

func extend(v int32, n int) int32 {
	if n > 0 && v < 1<<(n-1) {
		v -= 1<<n - 1
	}
	return v
}

// restart passes over a restart marker and what stands before it.
func (r *bitReader) restart(number int) bool {
	// Whatever waits is at most the padding of the last byte.
	if r.overrun() || r.count-r.spare >= 8 {
		return false
	}
	for r.at+1 < len(r.data) && r.data[r.at] == 0xff && r.data[r.at+1] == 0xff {
		r.at++
	}
	if r.at+1 >= len(r.data) || r.data[r.at] != 0xff || r.data[r.at+1] != byte(0xd0+number%8) {
		return false
	}
	*r = bitReader{data: r.data, at: r.at + 2}
	return true
}

// lookBits is how many bits are looked up at once.
const lookBits = 10

// huffman is one table of codes (T.81, annex C).
type huffman struct {
	// short has, for each lookBits that begin with a code of at most that
	// many bits, the code's length and its symbol; 0 for longer codes.
	short [1 << lookBits]code
	// whole has, where the value that follows a code fits as well, the
	// number of zeros before it, the bits of both, and the value; it is not
	// filled for DC tables.
	whole [1 << lookBits]struct {
		run, length uint8
		value       int16
	}
	// limit[n] is one more than the last code of n bits, moved up to 16 bits.
	limit   [17]int32
	offset  [17]int32 // symbols[code+offset[n]] is what a code of n bits means
	symbols []byte
}

// newHuffman reads a table: 16 counts, then the symbols. It reports how many
// bytes it took, 0 for a table that makes no sense.
func newHuffman(segment []byte, ac bool) (*huffman, int) {
	if len(segment) < 16 {
		return nil, 0
	}
	counts, total := segment[:16], 0
	for _, c := range counts {
		total += int(c)
	}
	if total > 256 || len(segment) < 16+total {
		return nil, 0
	}
	h := &huffman{symbols: segment[16 : 16+total]}
	next, at := int32(0), int32(0)
	for n := 1; n <= 16; n++ {
		h.offset[n] = at - next
		for range counts[n-1] {
			if next >= 1<<n {
				return nil, 0
			}
			h.enter(next, n, h.symbols[at])
			next++
			at++
		}
		h.limit[n] = next << (16 - n)
		next <<= 1
	}
	if ac {
		h.enterValues()
	}
	return h, 16 + total
}

func (h *huffman) enter(bits int32, n int, symbol byte) {
	if n > lookBits {
		return
	}
	free := lookBits - n
	for i := range int32(1) << free {
		h.short[bits<<free|i] = code{uint8(n), symbol}
	}
}

// enterValues fills whole: the symbol of an AC code is the run of zeros and
// the number of bits of the value.
func (h *huffman) enterValues() {
	for bits, s := range h.short {
		size := int(s.symbol & 15)
		if s.length == 0 || size == 0 || int(s.length)+size > lookBits {
			continue
		}
		length := int(s.length) + size
		value := int32(bits>>(lookBits-length)) & (1<<size - 1)
		h.whole[bits].run, h.whole[bits].length = s.symbol>>4, uint8(length)
		h.whole[bits].value = int16(extend(value, size))
	}
}

// code is a code's length in bits and its symbol; the zero code is none.
type code struct{ length, symbol uint8 }

// long finds the code of more than lookBits with which 16 bits begin.
func (h *huffman) long(next uint32) code {
	for n := lookBits + 1; n <= 16; n++ {
		if int32(next) < h.limit[n] {
			return code{uint8(n), h.symbols[int32(next>>(16-n))+h.offset[n]]}
		}
	}
	return code{}
}

// symbol reads one code; ok is false if there is no such code.
func (r *bitReader) symbol(h *huffman) (symbol byte, ok bool) {
	c := h.short[r.bits>>((r.count-lookBits)&63)&(1<<lookBits-1)]
	if c.length == 0 {
		c = h.long(uint32(r.bits>>((r.count-16)&63)) & 0xffff)
	}
	r.count -= int(c.length)
	return c.symbol, c.length > 0
}

package picture

import "sync"

// entropySource gives the blocks of one scan.
type entropySource interface {
	// reset begins a scan, or what follows a restart.
	reset()
	// block reads what the scan brings of one block. What is no code counts as
	// some, and the scan as bad.
	block(c *component, b *partBlock)
	// overrun reports, after a unit, whether nothing is to be read up to the
	// next restart.
	overrun() bool
	// dry reports whether what is read is not what was written.
	dry() bool
	// finish ends the scan: the decoder's reader stands behind it.
	finish()
}

func (s *jpegDecoder) entropySource(sc *anyScan) entropySource {
	for _, c := range sc.components {
		if s.file.progressive {
			c.noteBits(sc, s.scans)
		}
	}
	sc.lenient = true
	if s.file.arithmetic {
		return &arithmeticSource{decoder: s, scan: sc}
	}
	return &huffmanSource{decoder: s, scan: sc}
}

// huffmanSource reads Huffman codes.
type huffmanSource struct {
	decoder *jpegDecoder
	scan    *anyScan
}

func (h *huffmanSource) reset() {
	for i := range h.decoder.components {
		h.decoder.components[i].predictor = 0
	}
}

func (h *huffmanSource) overrun() bool { return h.decoder.reader.overrun() }

func (h *huffmanSource) dry() bool { return h.decoder.reader.overrun() }

func (h *huffmanSource) finish() { h.scan.bad = h.scan.bad || h.scan.badCodes > 0 }

func (h *huffmanSource) block(c *component, b *partBlock) {
	if h.decoder.file.progressive {
		h.decoder.decodePart(&h.scan.scan, c, b)
		return
	}
	r := &h.decoder.reader
	r.fill()
	c.predictor += r.receive(int(h.scan.symbol(r, c.dc)))
	b.numbers[0] = int16(c.predictor)
	for k := 1; k < 64; k++ {
		r.fill()
		symbol := h.scan.symbol(r, c.ac)
		size := int(symbol & 15)
		if size == 0 {
			if symbol != 0xf0 {
				return
			}
			k += 15
			continue
		}
		k += int(symbol >> 4)
		at := min(k, 63) // what is behind the last counts as the last
		b.numbers[at] = int16(r.receive(size))
		b.last = max(b.last, int16(at))
	}
}

// symbol reads one code; what is none takes 17 bits and counts as 0, as in
// libjpeg.
func (sc *scan) symbol(r *bitReader, h *huffman) byte {
	symbol, ok := r.symbol(h)
	if !ok {
		r.count -= 17
		sc.badCodes++
	}
	return symbol
}

// forDC reports whether a table's symbols can be numbers of bits.
func (h *huffman) forDC() bool {
	for _, s := range h.symbols {
		if s > 15 {
			return false
		}
	}
	return true
}

// standardTables are those of T.81, K.3, for brightness and for colour: DC,
// then AC.
var standardTables = sync.OnceValue(func() (tables [2][2]*huffman) {
	for class, two := range standardCodes {
		for i, codes := range two {
			tables[class][i], _ = newHuffman([]byte(codes), class == 1)
		}
	}
	return tables
})

var standardCodes = [2][2]string{
	{
		"\x00\x01\x05\x01\x01\x01\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00" + "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b",
		"\x00\x03\x01\x01\x01\x01\x01\x01\x01\x01\x01\x00\x00\x00\x00\x00" + "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b",
	},
	{
		"\x00\x02\x01\x03\x03\x02\x04\x03\x05\x05\x04\x04\x00\x00\x01\x7d" +
			"\x01\x02\x03\x00\x04\x11\x05\x12\x21\x31\x41\x06\x13\x51\x61\x07\x22\x71\x14\x32\x81\x91\xa1\x08\x23\x42\xb1\xc1\x15\x52\xd1\xf0" +
			"\x24\x33\x62\x72\x82\x09\x0a\x16\x17\x18\x19\x1a\x25\x26\x27\x28\x29\x2a\x34\x35\x36\x37\x38\x39\x3a\x43\x44\x45\x46\x47\x48\x49" +
			"\x4a\x53\x54\x55\x56\x57\x58\x59\x5a\x63\x64\x65\x66\x67\x68\x69\x6a\x73\x74\x75\x76\x77\x78\x79\x7a\x83\x84\x85\x86\x87\x88\x89" +
			"\x8a\x92\x93\x94\x95\x96\x97\x98\x99\x9a\xa2\xa3\xa4\xa5\xa6\xa7\xa8\xa9\xaa\xb2\xb3\xb4\xb5\xb6\xb7\xb8\xb9\xba\xc2\xc3\xc4\xc5" +
			"\xc6\xc7\xc8\xc9\xca\xd2\xd3\xd4\xd5\xd6\xd7\xd8\xd9\xda\xe1\xe2\xe3\xe4\xe5\xe6\xe7\xe8\xe9\xea\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8" +
			"\xf9\xfa",
		"\x00\x02\x01\x02\x04\x04\x03\x04\x07\x05\x04\x04\x00\x01\x02\x77" +
			"\x00\x01\x02\x03\x11\x04\x05\x21\x31\x06\x12\x41\x51\x07\x61\x71\x13\x22\x32\x81\x08\x14\x42\x91\xa1\xb1\xc1\x09\x23\x33\x52\xf0" +
			"\x15\x62\x72\xd1\x0a\x16\x24\x34\xe1\x25\xf1\x17\x18\x19\x1a\x26\x27\x28\x29\x2a\x35\x36\x37\x38\x39\x3a\x43\x44\x45\x46\x47\x48" +
			"\x49\x4a\x53\x54\x55\x56\x57\x58\x59\x5a\x63\x64\x65\x66\x67\x68\x69\x6a\x73\x74\x75\x76\x77\x78\x79\x7a\x82\x83\x84\x85\x86\x87" +
			"\x88\x89\x8a\x92\x93\x94\x95\x96\x97\x98\x99\x9a\xa2\xa3\xa4\xa5\xa6\xa7\xa8\xa9\xaa\xb2\xb3\xb4\xb5\xb6\xb7\xb8\xb9\xba\xc2\xc3" +
			"\xc4\xc5\xc6\xc7\xc8\xc9\xca\xd2\xd3\xd4\xd5\xd6\xd7\xd8\xd9\xda\xe2\xe3\xe4\xe5\xe6\xe7\xe8\xe9\xea\xf2\xf3\xf4\xf5\xf6\xf7\xf8" +
			"\xf9\xfa",
	},
}

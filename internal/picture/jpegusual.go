package picture

import (
	"context"
	"encoding/binary"
	"image"

	"github.com/palate-art/palate/internal/picture/icc"
)

// This file decodes the usual JPEG: Huffman-coded, grey or of three
// components, sequential in one scan or (jpegprogressive.go) progressive.
// Everything else, and every file in which anything is odd, is left to
// image/jpeg, whose answer then counts.

// component is one plane of a file.
type component struct {
	h, v      int // sampling factors
	quant     *[64]int32
	dc, ac    *huffman
	predictor int32

	size   int // side of a block's samples: 8, or less if scaled
	pix    []byte
	stride int

	// Of a progressive file.
	blocksX, blocksY int
	blocks           []partBlock

	// Of a file that is decoded by jpegany.go.
	number             int // among the components
	quantNumber        byte
	dcNumber, acNumber byte
	came               int       // blocks of which there is anything
	known              uint64    // coefficients of a progressive file that came to the last bit
	bits, bitsBefore   knownBits // after and before the last scan
}

// jpegDecoder is the decoding of one file.
type jpegDecoder struct {
	file       *jpegFile
	components []component
	quants     [4]*[64]int32 // in zigzag order
	huffmans   [2][4]*huffman
	interval   int // blocks between restarts, 0 for none
	unitsX     int // units (MCUs) of a row
	unitsY     int
	scanHeader []byte
	reach      uint32    // has the bits of all coefficients
	reader     bitReader // at the scan's data

	// Of a file that is decoded by jpegany.go.
	maxH, maxV int  // the largest sampling factors
	begun      bool // there was a scan
	single     bool // it has one scan, whose blocks are written at once
	scans      int
	lastUnitY  int // of the picture's rows of units, the last that the last scan reached

	conditioning conditioning // of arithmetic coding
}

// zigzag gives the place in a block of a coefficient's number (T.81, figure
// A.6).
var zigzag = func() (order [64]uint8) {
	x, y := 0, 0
	for i := range 64 {
		order[i] = uint8(8*y + x)
		switch up := (x+y)%2 == 0; {
		case up && x == 7, !up && y == 7 && x < 7:
			if up {
				y++
			} else {
				x++
			}
		case up && y == 0:
			x++
		case !up && x == 0:
			y++
		case up:
			x, y = x+1, y-1
		default:
			x, y = x-1, y+1
		}
	}
	return order
}()

// maxReach is how many bits the coefficients of an intact file have at most,
// with room for rounding. What is beyond may overflow the transform, which
// wraps here and not in libjpeg-turbo.
const maxReach = 12

// decodeUsual decodes at 1/scale of the size, 1, 2, 4 or 8. It is not ok
// for a file that is not of the usual kind, and by JPEGExact also for one
// that shows signs of damage.
func (f *jpegFile) decodeUsual(ctx context.Context, scale int, rules Rules) (m *RGB, ok bool) {
	model := f.model()
	if f.progressive && !f.ended || model != modelGrey && model != modelYCbCr && model != modelRGB {
		return nil, false
	}
	s := &jpegDecoder{file: f}
	if s.readSegments(2) != markerSOS || !s.allocate(8/scale) {
		return nil, false
	}
	if f.progressive {
		ok = s.decodeProgressive(ctx)
	} else {
		ok = s.readScanHeader(s.scanHeader) && s.decodeScan(ctx)
	}
	if !ok || rules.Has(JPEGExact) && (s.reach>>maxReach > 0 || s.reader.left()) {
		return nil, false
	}
	width, height := ceilDiv(f.width, scale), ceilDiv(f.height, scale)
	if model == modelGrey {
		c := s.components[0]
		m := FromImage(&image.Gray{Pix: c.pix, Stride: c.stride, Rect: image.Rect(0, 0, width, height)})
		if t := f.toSRGB(rules, icc.Grey); t != nil {
			t.RGB(m.Pix)
		}
		return m, true
	}
	return s.colours(width, height, model, f.toSRGB(rules, icc.RGB)), true
}

// readSegments reads all segments from a place up to a scan's data, or to the
// end of the picture, and gives the last one's marker; 0 if anything is wrong.
func (s *jpegDecoder) readSegments(at int) byte {
	for {
		marker, body, next := nextSegment(s.file.data, at)
		ok := body != nil
		switch {
		case marker == markerEOI:
			return marker
		case marker == 0xdb:
			ok = ok && s.readQuantisers(body)
		case marker == 0xc4:
			ok = ok && s.readHuffmans(body)
		case marker == markerDRI:
			ok = ok && len(body) == 2
			if ok {
				s.interval = int(binary.BigEndian.Uint16(body))
			}
		case isFrameHeader(marker):
			ok = ok && marker <= 0xc2 && s.readComponents(body)
		case marker == markerSOS && ok && s.components != nil:
			s.scanHeader, s.reader = body, bitReader{data: s.file.data, at: next}
			return marker
		case marker == markerSOS:
			ok = false
		}
		if !ok {
			return 0
		}
		at = next
	}
}

func (s *jpegDecoder) readQuantisers(body []byte) bool {
	for len(body) > 0 {
		wide, number := int(body[0]>>4), body[0]&15
		if wide > 1 || number > 3 || len(body) < 1+64<<wide {
			return false
		}
		table := new([64]int32)
		for i := range table {
			if wide == 1 {
				table[i] = int32(binary.BigEndian.Uint16(body[1+2*i:]))
			} else {
				table[i] = int32(body[1+i])
			}
		}
		s.quants[number] = table
		body = body[1+64<<wide:]
	}
	return true
}

func (s *jpegDecoder) readHuffmans(body []byte) bool {
	for len(body) > 0 {
		class, number := body[0]>>4, body[0]&15
		if class > 1 || number > 3 {
			return false
		}
		table, n := newHuffman(body[1:], class == 1)
		if n == 0 {
			return false
		}
		s.huffmans[class][number] = table
		body = body[1+n:]
	}
	return true
}

func (s *jpegDecoder) readComponents(body []byte) bool {
	if len(body) < 6 || len(body) < 6+3*int(body[5]) || s.components != nil {
		return false
	}
	s.components = make([]component, body[5])
	for i := range s.components {
		at := body[6+3*i:]
		c := &s.components[i]
		c.h, c.v = int(at[1]>>4), int(at[1]&15)
		if at[2] > 3 || s.quants[at[2]] == nil {
			return false
		}
		c.quant = s.quants[at[2]]
	}
	first := &s.components[0]
	if len(s.components) == 1 {
		first.h, first.v = 1, 1 // alone it comes block by block (T.81, A.2.2)
		return true
	}
	if len(s.components) != 3 || first.h < 1 || first.h > 2 || first.v < 1 || first.v > 2 {
		return false
	}
	for _, c := range s.components[1:] {
		if c.h != 1 || c.v != 1 {
			return false
		}
	}
	return true
}

func (s *jpegDecoder) readScanHeader(body []byte) bool {
	n := len(s.components)
	if n == 0 || len(body) != 4+2*n || int(body[0]) != n || body[1+2*n] != 0 || body[2+2*n] != 63 || body[3+2*n] != 0 {
		return false
	}
	for i := range s.components {
		id, tables := body[1+2*i], body[2+2*i]
		dc, ac := tables>>4, tables&15
		if id != s.file.components[i] || dc > 3 || ac > 3 {
			return false
		}
		c := &s.components[i]
		c.dc, c.ac = s.huffmans[0][dc], s.huffmans[1][ac]
		if c.dc == nil || c.ac == nil {
			return false
		}
	}
	return true
}

// allocate makes room for the planes, whole units of them. A plane of half
// the size is decoded at twice the scale, where that saves interpolating it.
func (s *jpegDecoder) allocate(size int) bool {
	first := s.components[0]
	s.unitsX = (s.file.width + 8*first.h - 1) / (8 * first.h)
	s.unitsY = (s.file.height + 8*first.v - 1) / (8 * first.v)
	// Of a block in one scan two bits come at least, of one in many a bit with
	// the first of them.
	blocks := int64(s.unitsX) * int64(s.unitsY) * int64(first.h*first.v+len(s.components)-1)
	if blocks > 8*int64(len(s.file.data)) {
		return false
	}
	for i := range s.components {
		c := &s.components[i]
		c.size = size
		if i > 0 && first.h == 2 && first.v == 2 && size < 8 {
			c.size = 2 * size
		}
		c.stride = s.unitsX * c.h * c.size
		c.pix = make([]byte, c.stride*s.unitsY*c.v*c.size)
	}
	return true
}

func (s *jpegDecoder) decodeScan(ctx context.Context) bool {
	left, restarts := s.interval, 0
	for y := range s.unitsY {
		for x := range s.unitsX {
			if s.interval > 0 {
				if left == 0 {
					if !s.reader.restart(restarts) {
						return false
					}
					left = s.interval
					restarts++
					for i := range s.components {
						s.components[i].predictor = 0
					}
				}
				left--
			}
			for i := range s.components {
				c := &s.components[i]
				for v := range c.v {
					for h := range c.h {
						out := c.pix[(y*c.v+v)*c.size*c.stride+(x*c.h+h)*c.size:]
						if !s.decodeBlock(c, out) {
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

// decodeBlock reads one block (T.81, F.2.2) and writes its samples.
func (s *jpegDecoder) decodeBlock(c *component, out []byte) bool {
	r := &s.reader
	r.fill()
	size, ok := r.symbol(c.dc)
	if !ok || size > 11 {
		return false
	}
	c.predictor += r.receive(int(size))
	dc := c.predictor * c.quant[0]
	s.reach |= uint32(dc ^ dc>>31)

	var b block
	b[0] = dc
	k, columns := s.decodeFrequencies(c, &b)
	if k == 0 {
		return false
	}
	if k == 1 {
		flat(dc, out, c.stride, c.size)
		return true
	}
	b.transform(out, c.stride, c.size, columns)
	return true
}

// decodeFrequencies reads the coefficients after the first. It gives the
// number where it ended, 1 if there are none and 0 if they are broken, and a
// bit for each column that holds one below the first row.
func (s *jpegDecoder) decodeFrequencies(c *component, b *block) (k int, columns uint32) {
	r, table, quant := &s.reader, c.ac, c.quant
	bits, count, reach := r.bits, r.count, uint32(0) // in registers
	defer func() { r.bits, r.count, s.reach = bits, count, s.reach|reach }()
	for k = 1; k < 64; k++ {
		if count <= 32 {
			r.bits, r.count = bits, count
			r.fill()
			bits, count = r.bits, r.count
		}
		next := bits >> ((count - lookBits) & 63) & (1<<lookBits - 1)
		var value int32
		if w := table.whole[next]; w.length > 0 {
			count -= int(w.length)
			k += int(w.run)
			value = int32(w.value)
		} else {
			symbol := table.short[next]
			if symbol.length == 0 {
				symbol = table.long(uint32(bits>>((count-16)&63)) & 0xffff)
				if symbol.length == 0 {
					return 0, 0
				}
			}
			count -= int(symbol.length)
			size := int(symbol.symbol & 15)
			k += int(symbol.symbol >> 4)
			if size == 0 {
				if symbol.symbol == 0xf0 {
					continue // sixteen zeros
				}
				return k - int(symbol.symbol>>4), columns // the rest is zero
			}
			count -= size
			value = extend(int32(bits>>(count&63))&(1<<size-1), size)
		}
		if k > 63 {
			return 0, 0
		}
		at := zigzag[k]
		value *= quant[k]
		reach |= uint32(value ^ value>>31)
		b[at&63] = value
		columns |= uint32(at>>3+7) >> 3 << (at & 7)
	}
	return k, columns
}

// colours interpolates what is smaller and makes RGB of the planes.
func (s *jpegDecoder) colours(width, height int, model colourModel, toSRGB *icc.Transform) *RGB {
	first := s.components[0]
	var rows [2]*upsampler
	for i := range rows {
		c := s.components[1+i]
		h, v := first.h, first.v
		if c.size > first.size { // it was decoded at twice the scale
			h, v = 1, 1
		}
		rows[i] = newUpsampler(plane{c.pix, c.stride, (width + h - 1) / h, (height + v - 1) / v}, h, v)
	}
	convert := fullRangeRow
	if model == modelRGB {
		convert = interleaveRow
	}
	out := NewRGB(width, height)
	for y := range height {
		row := out.Row(y)
		convert(row, first.pix[y*first.stride:][:width], rows[0].row(y, width), rows[1].row(y, width))
		if toSRGB != nil {
			toSRGB.RGB(row)
		}
	}
	return out
}

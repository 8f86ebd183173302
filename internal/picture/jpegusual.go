package picture

import (
	"context"
	"encoding/binary"

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
	lines  int // that pix holds: all, or those of two rows of units in turn

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
// that shows signs of damage, which may be found when rows were given already.
func (f *jpegFile) decodeUsual(ctx context.Context, scale int, rules Rules, to rowSink) (ok bool) {
	model := f.model()
	if f.progressive && !f.ended || model != modelGrey && model != modelYCbCr && model != modelRGB {
		return false
	}
	s := &jpegDecoder{file: f}
	if s.readSegments(2) != markerSOS || !s.allocate(8/scale) {
		return false
	}
	colours := s.newColours(ceilDiv(f.width, scale), ceilDiv(f.height, scale), model, rules, to)
	if f.progressive {
		ok = s.decodeProgressive(ctx)
	} else {
		ok = s.readScanHeader(s.scanHeader) && s.decodeScan(ctx, colours)
	}
	if !ok || rules.Has(JPEGExact) && (s.reach>>maxReach > 0 || s.reader.left()) {
		return false
	}
	colours.upTo(colours.height)
	return true
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
		c.lines = s.unitsY * c.v * c.size
		if !s.file.progressive {
			c.lines = min(s.unitsY, 2) * c.v * c.size
		}
		c.pix = make([]byte, c.stride*c.lines)
	}
	return true
}

// decodeScan reads the one scan, and gives the rows that are whole after each row
// of units: all but the last, which may be mixed with the one below it.
func (s *jpegDecoder) decodeScan(ctx context.Context, colours *jpegColours) bool {
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
						out := c.pix[(y*c.v+v)*c.size%c.lines*c.stride+(x*c.h+h)*c.size:]
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
		first := &s.components[0]
		colours.upTo((y+1)*first.v*first.size - 1)
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

// jpegColours interpolates what is smaller and makes RGB of the planes, row by
// row.
type jpegColours struct {
	to            rowSink
	width, height int
	y             int // the row that is made next
	first         plane
	rows          [2]*upsampler // none of grey
	convert       func(row, y, cb, cr []byte)
	toSRGB        *icc.Transform
}

func (s *jpegDecoder) newColours(width, height int, model colourModel, rules Rules, to rowSink) *jpegColours {
	first := &s.components[0]
	c := &jpegColours{to: to, width: width, height: height, convert: fullRangeRow}
	c.first = plane{first.pix, first.stride, width, height, first.lines}
	if model == modelGrey {
		c.toSRGB = s.file.toSRGB(rules, icc.Grey)
		return c
	}
	c.toSRGB = s.file.toSRGB(rules, icc.RGB)
	if model == modelRGB {
		c.convert = interleaveRow
	}
	for i := range c.rows {
		other := s.components[1+i]
		h, v := first.h, first.v
		if other.size > first.size { // it was decoded at twice the scale
			h, v = 1, 1
		}
		c.rows[i] = newUpsampler(plane{other.pix, other.stride, (width + h - 1) / h, (height + v - 1) / v, other.lines}, h, v)
	}
	return c
}

// upTo gives the rows before y that were not yet given.
func (c *jpegColours) upTo(y int) {
	for ; c.y < min(y, c.height); c.y++ {
		row := c.to.row(c.y)
		if c.rows[0] == nil {
			greyRow(row, c.first.line(c.y), 1)
		} else {
			c.convert(row, c.first.line(c.y), c.rows[0].row(c.y, c.width), c.rows[1].row(c.y, c.width))
		}
		if c.toSRGB != nil {
			c.toSRGB.RGB(row)
		}
		c.to.done(c.y)
	}
}

package picture

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/palate-art/palate/internal/picture/icc"
)

// This file decodes the JPEG that jpegusual.go leaves, and shows of a damaged
// one what there is. What is done where data is missing or wrong is what
// libjpeg does, since that is what browsers and viewers show:
//
//   - At a marker in the middle of a picture the decoder is given zeros for the
//     block that it is at; what follows up to the next restart stays grey.
//   - A restart marker that is not the expected one is passed by, taken, or
//     kept for later, whichever is nearer (jpegrestart.go).
//   - Bits that are no code count as the symbol 0.
//
// A picture of which less than minShown came is broken.

// minShown is the share of its blocks that a damaged picture must have.
const minShown = .5

// maxUnitBlocks is how many blocks a unit (MCU) of a scan may have (T.81,
// B.2.3).
const maxUnitBlocks = 10

// anyScan is one scan of any kind.
type anyScan struct {
	scan
	alone          bool // of one component, whose blocks come row by row
	unitsX, unitsY int
	insufficient   bool // there is nothing more up to the next restart
	bad            bool // something in it was not as it should be
}

// decodeAny decodes the whole picture, and says what is damaged, or nothing.
func (f *jpegFile) decodeAny(ctx context.Context, rules Rules, to rowSink) (damage string, err error) {
	s, damage, err := f.decodePlanes(ctx)
	if err != nil {
		return "", err
	}
	s.anyColours(rules, to)
	return damage, nil
}

// decodePlanes decodes all components.
func (f *jpegFile) decodePlanes(ctx context.Context) (s *jpegDecoder, damage string, err error) {
	s = &jpegDecoder{file: f, conditioning: defaultConditioning()}
	marker, err := s.anySegments(2)
	if err != nil {
		return nil, "", err
	}
	if marker != markerSOS || s.components == nil {
		return nil, "", errTruncated
	}
	bad := false
	for ended := false; !ended && s.scans < maxScans; {
		sc, err := s.anyScanHeader()
		if err != nil {
			if s.begun {
				bad = true // show what came before
				break
			}
			return nil, "", err
		}
		if !s.begun {
			if err := s.allocateAny(sc); err != nil {
				return nil, "", err
			}
		}
		s.scans++
		if err := s.decodeAnyScan(ctx, sc); err != nil {
			return nil, "", err
		}
		bad = bad || sc.bad
		if s.single {
			break
		}
		marker, err := s.anySegments(s.reader.at)
		bad = bad || err != nil
		ended = marker != markerSOS
	}
	shown := s.shown()
	if shown < minShown {
		return nil, "", fmt.Errorf("only %.0f %% of its pixels are there, which is too little to show: %w", 100*shown, errTruncated)
	}
	if !s.single {
		smooth := s.maySmooth()
		for i := range s.components {
			s.transformAny(ctx, &s.components[i], smooth)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, "", err
	}
	return s, s.damage(shown, bad), nil
}

// damage says what is missing or wrong, of a picture of which a share is shown.
func (s *jpegDecoder) damage(shown float64, bad bool) string {
	percent := int(100 * shown) // rounded down: what is not whole is never called so
	switch {
	case shown < 1 && !s.file.ended:
		return fmt.Sprintf("its data end after %d %% of it; the rest is grey", percent)
	case shown < 1:
		return fmt.Sprintf("only %d %% of it can be read; the rest is grey", percent)
	case s.file.progressive && !s.file.ended && !s.complete():
		return "its data end before its finer detail; it is less sharp than it was"
	case bad:
		return "some of its data can't be read; some of its pixels may be wrong"
	}
	return s.file.unended()
}

// unended says that the end marker is missing, of a file whose pixels are all
// there.
func (f *jpegFile) unended() string {
	if f.ended {
		return ""
	}
	return endMissing
}

// endMissing is the damage of a file without its end marker that has all its
// pixels.
const endMissing = "the mark of its end is missing; all of its pixels are there"

// anySegments reads the segments from a place up to a scan's data, and gives
// the last one's marker, 0 at the end of the data.
func (s *jpegDecoder) anySegments(at int) (byte, error) {
	for {
		marker, body, next := nextSegment(s.file.data, at)
		switch {
		case marker == 0 || marker == markerEOI:
			return marker, nil
		case body == nil:
			return 0, errTruncated
		case marker == 0xdb && !s.readQuantisers(body):
			return 0, fmt.Errorf("its quantisers are broken")
		case marker == 0xc4 && !s.readHuffmans(body):
			return 0, fmt.Errorf("its tables of codes are broken")
		case marker == 0xcc && !s.readConditioning(body):
			return 0, fmt.Errorf("its tables for arithmetic coding are broken")
		case marker == markerDRI && len(body) == 2:
			s.interval = int(binary.BigEndian.Uint16(body))
		case isFrameHeader(marker):
			if err := s.readAnyComponents(body); err != nil {
				return 0, err
			}
		case marker == markerSOS:
			s.scanHeader, s.reader = body, bitReader{data: s.file.data, at: next}
			return marker, nil
		}
		at = next
	}
}

// readAnyComponents reads the frame's header, of one, three or four
// components.
func (s *jpegDecoder) readAnyComponents(body []byte) error {
	if s.components != nil {
		return fmt.Errorf("it has two headers")
	}
	s.components = make([]component, len(s.file.components))
	for i := range s.components {
		c := &s.components[i]
		c.h, c.v = int(s.file.sampling[i]>>4), int(s.file.sampling[i]&15)
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 {
			return fmt.Errorf("a component has the sampling factors %d×%d", c.h, c.v)
		}
		if len(s.components) == 1 {
			c.h, c.v = 1, 1 // alone it comes block by block (T.81, A.2.2)
		}
		c.number, c.quantNumber = i, body[8+3*i]
		c.bits = nothingKnown
		s.maxH, s.maxV = max(s.maxH, c.h), max(s.maxV, c.v)
	}
	for _, c := range s.components {
		if s.maxH%c.h != 0 || s.maxV%c.v != 0 {
			return &UnsupportedError{Kind: "JPEG with sampling that is no whole ratio"}
		}
	}
	return nil
}

// anyScanHeader interprets the scan header that was read last, by libjpeg's
// rules: of a sequential file the frequencies are not looked at.
func (s *jpegDecoder) anyScanHeader() (*anyScan, error) {
	body := s.scanHeader
	if len(body) < 1 || len(body) != 4+2*int(body[0]) || body[0] < 1 || body[0] > 4 {
		return nil, fmt.Errorf("the header of a scan is broken")
	}
	n := int(body[0])
	sc := &anyScan{scan: scan{last: 63}, alone: n == 1}
	if s.file.progressive {
		tail := body[1+2*n:]
		sc.first, sc.last, sc.low, sc.refining = int(tail[0]), int(tail[1]), int(tail[2]&15), tail[2]>>4 != 0
		if sc.first > sc.last || sc.last > 63 || sc.low > 13 || sc.refining && int(tail[2]>>4) != sc.low+1 ||
			sc.first == 0 && sc.last != 0 || sc.first > 0 && n != 1 {
			return nil, fmt.Errorf("a scan of the frequencies %d to %d makes no sense", tail[0], tail[1])
		}
	}
	blocks := 0
	for i := range n {
		c, err := s.scanComponent(sc, body[1+2*i], body[2+2*i])
		if err != nil {
			return nil, err
		}
		blocks += c.h * c.v
		sc.components = append(sc.components, c)
	}
	sc.unitsX, sc.unitsY = ceilDiv(s.file.width, 8*s.maxH), ceilDiv(s.file.height, 8*s.maxV)
	if c := sc.components[0]; sc.alone {
		sc.unitsX = ceilDiv(ceilDiv(s.file.width*c.h, s.maxH), 8)
		sc.unitsY = ceilDiv(ceilDiv(s.file.height*c.v, s.maxV), 8)
	} else if blocks > maxUnitBlocks {
		return nil, fmt.Errorf("a scan has %d blocks in a unit, at most %d are allowed", blocks, maxUnitBlocks)
	}
	return sc, nil
}

// scanComponent finds a component of a scan and its tables.
func (s *jpegDecoder) scanComponent(sc *anyScan, id, tables byte) (*component, error) {
	for i := range s.components {
		c := &s.components[i]
		if s.file.components[i] != id {
			continue
		}
		for _, other := range sc.components {
			if other == c {
				c = nil // of several with one name, the next
				break
			}
		}
		if c == nil {
			continue
		}
		if c.quant == nil { // as it is at the first scan
			if c.quantNumber > 3 || s.quants[c.quantNumber] == nil {
				return nil, fmt.Errorf("its quantisers are missing")
			}
			c.quant = s.quants[c.quantNumber]
		}
		if tables>>4 > 3 || tables&15 > 3 {
			return nil, fmt.Errorf("a scan uses a table that can't be")
		}
		c.dcNumber, c.acNumber = tables>>4, tables&15
		if s.file.arithmetic {
			return c, nil
		}
		needsDC, needsAC := sc.first == 0 && !sc.refining, sc.first > 0 || !s.file.progressive
		c.dc, c.ac = s.huffmans[0][c.dcNumber], s.huffmans[1][c.acNumber]
		if !s.file.progressive {
			// A frame of Motion JPEG leaves the usual tables out.
			if c.dc == nil && c.dcNumber < 2 {
				c.dc = standardTables()[0][c.dcNumber]
			}
			if c.ac == nil && c.acNumber < 2 {
				c.ac = standardTables()[1][c.acNumber]
			}
		}
		if needsDC && (c.dc == nil || !c.dc.forDC()) || needsAC && c.ac == nil {
			return nil, fmt.Errorf("a table of codes is missing or broken")
		}
		return c, nil
	}
	return nil, fmt.Errorf("a scan is of a component that is not in the picture")
}

// allocateAny makes room for the planes, and for the coefficients of a
// picture in several scans.
func (s *jpegDecoder) allocateAny(first *anyScan) error {
	s.begun = true
	s.single = !s.file.progressive && len(first.components) == len(s.components)
	s.unitsX, s.unitsY = ceilDiv(s.file.width, 8*s.maxH), ceilDiv(s.file.height, 8*s.maxV)
	// The share that is enough takes a bit a block at least; arithmetic coding
	// takes less, and no less than a byte for each row of units.
	blocks := int64(s.unitsX) * int64(s.unitsY)
	if bits := 8 * int64(len(s.file.data)); blocks > 2*bits && !s.file.arithmetic || blocks > 512*bits {
		return errTruncated
	}
	for i := range s.components {
		c := &s.components[i]
		c.size = 8
		c.blocksX, c.blocksY = s.unitsX*c.h, s.unitsY*c.v
		c.stride = 8 * c.blocksX
		c.pix = make([]byte, c.stride*8*c.blocksY)
		if s.single {
			for j := range c.pix {
				c.pix[j] = 128
			}
		} else {
			c.blocks = make([]partBlock, c.blocksX*c.blocksY)
		}
	}
	return nil
}

// decodeAnyScan reads a scan as far as there is anything.
func (s *jpegDecoder) decodeAnyScan(ctx context.Context, sc *anyScan) error {
	source := s.entropySource(sc)
	left, restarts := s.interval, 0
	source.reset()
	for y := range sc.unitsY {
		if err := ctx.Err(); err != nil {
			return err
		}
		for x := range sc.unitsX {
			if s.interval > 0 {
				if left == 0 {
					s.resync(sc, restarts)
					source.reset()
					left, sc.endRun = s.interval, 0
					restarts++
				}
				left--
			}
			if !sc.insufficient {
				s.lastUnitY = y
				if sc.alone {
					s.lastUnitY = y / sc.components[0].v
				}
			}
			if sc.insufficient && !(sc.refining && sc.first == 0) {
				sc.bad = true
				continue
			}
			for _, c := range sc.components {
				s.decodeUnit(sc, c, source, x, y)
			}
			sc.insufficient = sc.insufficient || source.overrun()
		}
	}
	source.finish()
	sc.bad = sc.bad || s.reader.left()
	return nil
}

// decodeUnit reads the blocks of one component in a unit.
func (s *jpegDecoder) decodeUnit(sc *anyScan, c *component, source entropySource, x, y int) {
	h, v := c.h, c.v
	if sc.alone {
		h, v = 1, 1
	}
	for dy := range v {
		for dx := range h {
			bx, by := x*h+dx, y*v+dy
			if sc.first == 0 && !sc.refining && !source.dry() {
				c.came++
			}
			if !s.single {
				source.block(c, &c.blocks[by*c.blocksX+bx])
				continue
			}
			var b partBlock
			source.block(c, &b)
			b.transform(c.quant, c.pix[8*(by*c.stride+bx):], c.stride)
		}
	}
}

// shown is the share of the blocks of which there is anything, of the component
// of which least is: a picture without its colours is not shown in grey.
func (s *jpegDecoder) shown() float64 {
	share := 1.
	for i := range s.components {
		c := &s.components[i]
		blocks := ceilDiv(ceilDiv(s.file.width*c.h, s.maxH), 8) * ceilDiv(ceilDiv(s.file.height*c.v, s.maxV), 8)
		share = min(share, float64(c.came)/float64(blocks))
	}
	return share
}

// complete reports whether every coefficient has come to its last bit.
func (s *jpegDecoder) complete() bool {
	for i := range s.components {
		c := &s.components[i]
		if !s.file.progressive && c.came == 0 || s.file.progressive && c.known != (1<<64-1) {
			return false
		}
	}
	return true
}

// transformAny writes the samples of all blocks, unless ctx is done.
func (s *jpegDecoder) transformAny(ctx context.Context, c *component, smooth bool) {
	quant := c.quant
	if quant == nil {
		quant = new([64]int32) // it never came: grey
	}
	columns, inPicture := ceilDiv(ceilDiv(s.file.width*c.h, s.maxH), 8), ceilDiv(ceilDiv(s.file.height*c.v, s.maxV), 8)
	for y := range c.blocksY {
		if ctx.Err() != nil {
			return
		}
		bits := &c.bits
		if y/c.v > s.lastUnitY {
			bits = &c.bitsBefore
		}
		rows := c.blocksY // in the last unit alone libjpeg does not look past the picture
		if y/c.v == s.unitsY-1 {
			rows = inPicture
		}
		for x := range c.blocksX {
			b := c.blocks[y*c.blocksX+x]
			if smooth && x < columns {
				means := c.around(x, y, columns, rows)
				b.estimate(bits, quant, &means)
			}
			b.transform(quant, c.pix[8*(y*c.stride+x):], c.stride)
		}
	}
}

// upsamplers give the rows of all components in the picture's size.
func (s *jpegDecoder) upsamplers() []*upsampler {
	rows := make([]*upsampler, len(s.components))
	for i := range s.components {
		c := &s.components[i]
		h, v := s.maxH/c.h, s.maxV/c.v
		rows[i] = newUpsampler(plane{c.pix, c.stride, ceilDiv(s.file.width, h), ceilDiv(s.file.height, v), 0}, h, v)
	}
	return rows
}

// decodeSamples gives a function for the rows of each component as they are
// stored, of whatever colours, good until its next call.
func (f *jpegFile) decodeSamples(ctx context.Context) (func(y int) [4][]byte, error) {
	s, _, err := f.decodePlanes(ctx)
	if err != nil {
		return nil, err
	}
	rows := s.upsamplers()
	return func(y int) (lines [4][]byte) {
		for i, r := range rows {
			lines[i] = r.row(y, f.width)
		}
		return lines
	}, nil
}

// anyColours interpolates what is smaller and makes RGB of the planes, row by row.
func (s *jpegDecoder) anyColours(rules Rules, to rowSink) {
	width, height := s.file.width, s.file.height
	if len(s.components) == 1 {
		first, toSRGB := &s.components[0], s.file.toSRGB(rules, icc.Grey)
		for y := range height {
			row := to.row(y)
			greyRow(row, first.pix[y*first.stride:], 1)
			if toSRGB != nil {
				toSRGB.RGB(row)
			}
			to.done(y)
		}
		return
	}
	space := icc.RGB
	if len(s.components) == 4 {
		space = icc.CMYK
	}
	toSRGB := s.file.toSRGB(rules, space)
	rows := s.upsamplers()
	convert := fullRangeRow
	switch s.file.model() {
	case modelRGB, modelCMYK:
		convert = interleaveRow
	case modelYCCK:
		convert = inverseFullRangeRow
	}
	ink := make([]byte, 4*width)
	for y := range height {
		row := to.row(y)
		convert(row, rows[0].row(y, width), rows[1].row(y, width), rows[2].row(y, width))
		switch {
		case toSRGB != nil && len(rows) == 4:
			for x, black := range rows[3].row(y, width) {
				p := ink[4*x : 4*x+4 : 4*x+4]
				p[0], p[1], p[2], p[3] = 255-row[3*x], 255-row[3*x+1], 255-row[3*x+2], 255-black
			}
			toSRGB.CMYK(row, ink)
		case toSRGB != nil:
			toSRGB.RGB(row)
		case len(rows) == 4:
			for x, black := range rows[3].row(y, width) {
				ink[4*x+3] = 255 - black
			}
			printRow(row, ink)
		}
		to.done(y)
	}
}

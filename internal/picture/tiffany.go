package picture

import (
	"context"
	"encoding/binary"
	"math"

	"github.com/palate-art/palate/internal/picture/icc"
)

// This file and tiffpieces.go decode the TIFF that x/image does not: BigTIFF,
// JPEG inside, ink, samples of 2, 4 and 12 bits, YCbCr, grey with alpha, and
// planes of any of them. Strips and tiles are decoded one after the other and
// written into the picture as they come.

// Tags beside those of tiff.go.
const (
	tagFillOrder    = 266
	tagPredictor    = 317
	tagColourMap    = 320
	tagJPEGTables   = 347
	tagSubsampling  = 530
	tagOldJPEG      = 513
	photometricInk  = 5
	photometricYCC  = 6
	compressionJPEG = 7

	compressionPackBits = 32773
)

// maxTIFFSamples is how many numbers a pixel may have; what is beyond colour
// and transparency is passed by.
const maxTIFFSamples = 8

type anyTIFF struct {
	metadata
	data          []byte
	order         binary.ByteOrder
	tags          map[uint16]tiffTag
	width, height int
	bits, samples int
	photometric   uint64
	compression   uint64
	planar        bool
	pieceW        int // size of a strip or tile
	pieceH        int
	offsets       []uint64
	counts        []uint64
	palette       []uint64
}

// openAnyTIFF reads the first directory of a file. The kind is what is named
// where it can't be decoded here either.
func openAnyTIFF(data []byte, kind string) (file, error) {
	f := &anyTIFF{data: data}
	if !f.readTags() {
		return nil, truncated(formatTIFF)
	}
	f.width, f.height = f.small(tagWidth, 0), f.small(tagHeight, 0)
	f.photometric, f.compression = f.one(tagPhotometric, 0), f.one(tagCompression, 1)
	bits := f.values(tagBitsPerSample)
	f.samples = f.small(tagSamplesPerPixel, max(1, len(bits)))
	f.bits = 1
	if len(bits) > 0 {
		f.bits = int(min(bits[0], 64))
	}
	for _, b := range bits {
		if int(b) != f.bits {
			return nil, &UnsupportedError{Kind: kind}
		}
	}
	f.planar = f.one(tagPlanar, 1) == 2 && f.samples > 1
	f.oriented = f.tags[tagOrientation].kind != 0
	f.icc, f.xmp = f.bytes(tagProfile), f.bytes(tagXMP)
	if f.width == 0 || f.height == 0 {
		return nil, corrupt(formatTIFF, "it gives no width or height")
	}
	if !f.readable() {
		return nil, &UnsupportedError{Kind: kind}
	}
	return f, f.readPieces()
}

// readable reports whether the file is of a kind that is decoded here.
func (f *anyTIFF) readable() bool {
	switch f.compression {
	case 1, 5, 8, compressionPackBits, 32946:
		switch f.bits {
		case 1, 2, 4, 8, 12, 16:
		default:
			return false
		}
	case compressionJPEG:
		if f.bits != 8 {
			return false
		}
	default:
		return false
	}
	for _, format := range f.values(tagSampleFormat) {
		if format != 1 && format != 4 {
			return false
		}
	}
	if f.samples < 1 || f.samples > maxTIFFSamples || f.tags[tagDNGVersion].kind != 0 {
		return false
	}
	switch f.photometric {
	case 0, photometricBlackIsZero:
		return true
	case photometricRGB:
		return f.samples >= 3
	case photometricPalette:
		f.palette = f.values(tagColourMap)
		return f.bits <= 8 && f.compression != compressionJPEG && len(f.palette) >= 3<<f.bits
	case photometricInk:
		return f.samples >= 4 && f.one(332, 1) == 1 // the four usual inks
	case photometricYCC:
		return f.bits == 8 && f.samples == 3 && (f.compression == compressionJPEG || !f.planar)
	}
	return false
}

// readPieces reads where strips or tiles are.
func (f *anyTIFF) readPieces() error {
	offsets, counts := uint16(tagStripOffsets), uint16(tagStripByteCounts)
	f.pieceW, f.pieceH = f.width, min(f.small(tagRowsPerStrip, f.height), f.height)
	if f.tags[tagTileWidth].kind != 0 {
		if f.tags[tagTileOffsets].kind != 0 { // old files have those of strips
			offsets, counts = tagTileOffsets, tagTileByteCounts
		}
		f.pieceW, f.pieceH = f.small(tagTileWidth, 0), f.small(tagTileHeight, 0)
	}
	// A tile may be larger than the picture, though not by much.
	if f.pieceW < 1 || f.pieceH < 1 || int64(f.pieceW)*int64(f.pieceH) > 4*int64(f.width)*int64(f.height)+1<<20 {
		return corrupt(formatTIFF, "its pieces are %d×%d", f.pieceW, f.pieceH)
	}
	f.offsets, f.counts = f.values(offsets), f.values(counts)
	if len(f.counts) == 0 && len(f.offsets) == 1 { // some writers leave it out
		f.counts = []uint64{uint64(len(f.data))}
	}
	if want := f.across() * f.down() * f.planes(); len(f.offsets) < want || len(f.counts) < want {
		return truncated(formatTIFF)
	}
	return nil
}

func (f *anyTIFF) across() int { return ceilDiv(f.width, f.pieceW) }
func (f *anyTIFF) down() int   { return ceilDiv(f.height, f.pieceH) }

func (f *anyTIFF) planes() int {
	if f.planar {
		return f.samples
	}
	return 1
}

func (f *anyTIFF) stored() (width, height, orientation int) {
	if o := f.small(tagOrientation, 1); o >= 1 && o <= 8 {
		return f.width, f.height, o
	}
	return f.width, f.height, 1
}

// ways count a row of pieces with all samples, and a piece as it is unpacked,
// twice; of strips that are unpacked line by line two lines; a JPEG inside takes
// its own planes.
func (f *anyTIFF) ways(rules Rules, _ int) []way {
	piece := int64(f.pieceW) * int64(f.pieceH)
	bytes := piece*int64(f.samples)*int64(2+2*max(1, f.bits/8)) + 1<<20
	switch {
	case f.byLines():
		bytes = 8*int64(f.width)*int64(f.samples) + 1<<20
		if f.one(tagFillOrder, 1) == 2 {
			bytes += int64(len(f.data))
		}
	case f.across() > 1:
		bytes += 3 * int64(f.width) * int64(f.pieceH)
	}
	if f.compression == compressionJPEG {
		bytes += piece * int64(f.samples) * (2 + partBlockBytes/64)
	}
	return []way{{bytes: bytes, scale: 1, rows: func(ctx context.Context, to rowSink) (string, error) {
		return "", f.decode(ctx, rules, to)
	}}}
}

func (f *anyTIFF) decode(ctx context.Context, rules Rules, to rowSink) error {
	// Nothing shrinks to less than a 2000th, so a small file that claims a
	// large picture fails before memory is taken.
	if int64(f.width)*int64(f.height)/8*int64(f.bits*f.samples)/2000 > int64(len(f.data)) {
		return errTruncated
	}
	toSRGB := f.toSRGB(rules, f.space())
	if f.byLines() {
		return f.decodeLines(ctx, toSRGB, to)
	}
	samples := make([]byte, f.pieceW*f.pieceH*f.samples)
	var band *RGB // a row of tiles
	if f.across() > 1 {
		band = NewRGB(f.width, f.pieceH)
	}
	for py := range f.down() {
		top := py * f.pieceH
		rows := min(f.pieceH, f.height-top)
		row := func(y int) []byte { return to.row(top + y) }
		if band != nil {
			row = band.Row
			clear(band.Pix)
		}
		for px := range f.across() {
			if err := ctx.Err(); err != nil {
				return err
			}
			for p := range f.planes() {
				if err := f.readPiece(ctx, samples, (p*f.down()+py)*f.across()+px, p, rows); err != nil {
					return err
				}
			}
			left := px * f.pieceW
			right := min(left+f.pieceW, f.width)
			for y := range rows {
				f.place(row(y)[3*left:3*right], samples[y*f.pieceW*f.samples:], toSRGB)
				if band == nil {
					to.done(top + y)
				}
			}
		}
		if band == nil {
			continue
		}
		for y := range rows {
			copy(to.row(top+y), band.Row(y))
			to.done(top + y)
		}
	}
	return nil
}

func (f *anyTIFF) space() icc.Space {
	switch f.photometric {
	case 0, photometricBlackIsZero:
		return icc.Grey
	case photometricInk:
		return icc.CMYK
	}
	return icc.RGB
}

// place makes colours of a row of samples, over white.
func (f *anyTIFF) place(row, in []byte, toSRGB *icc.Transform) {
	width := len(row) / 3
	switch f.photometric {
	case photometricInk:
		ink := make([]byte, 4*width)
		for x := range width {
			copy(ink[4*x:4*x+4], in[x*f.samples:])
		}
		if toSRGB != nil {
			toSRGB.CMYK(row, ink)
			return
		}
		for x := range width {
			for c := range 3 {
				row[3*x+c] = 255 - ink[4*x+c]
			}
		}
		printRow(row, ink)
		return
	case photometricRGB, photometricYCC:
		for x := range width {
			copy(row[3*x:3*x+3], in[x*f.samples:])
		}
	case photometricPalette:
		for x := range width {
			at, n := int(in[x*f.samples]), len(f.palette)/3
			if at < n {
				row[3*x], row[3*x+1], row[3*x+2] = byte(f.palette[at]>>8), byte(f.palette[n+at]>>8), byte(f.palette[2*n+at]>>8)
			} else {
				row[3*x], row[3*x+1], row[3*x+2] = 0, 0, 0
			}
		}
	default:
		for x := range width {
			v := in[x*f.samples]
			if f.photometric == 0 {
				v = 255 - v
			}
			row[3*x], row[3*x+1], row[3*x+2] = v, v, v
		}
	}
	colours := 3
	if f.space() == icc.Grey {
		colours = 1
	}
	f.overWhite(row, in, colours, toSRGB)
}

// overWhite brings a row to sRGB and lays it over white where the sample after
// its colours is transparency.
func (f *anyTIFF) overWhite(row, in []byte, colours int, toSRGB *icc.Transform) {
	kind, transparent := f.transparency(colours)
	if toSRGB != nil {
		toSRGB.RGB(row)
	}
	if !transparent {
		return
	}
	for i := range row {
		a := in[i/3*f.samples+colours]
		if kind == alphaMultiplied {
			row[i] = byte(min(int(row[i])+255-int(a), 255))
		} else {
			row[i] = overWhite(row[i], a)
		}
	}
}

// transparency says whether the sample after the colours is one, and its kind.
func (f *anyTIFF) transparency(colours int) (kind uint64, transparent bool) {
	kind = f.one(tagExtraSamples, 0)
	if f.photometric == photometricRGB && f.samples == 4 && f.tags[tagExtraSamples].kind == 0 {
		kind = alphaStraight // nothing says what the fourth is
	}
	return kind, f.samples > colours && (kind == alphaMultiplied || kind == alphaStraight) && f.photometric != photometricPalette
}

// tiffTag is an entry of a directory: its type and where its values are.
type tiffTag struct {
	kind  uint16
	count uint64
	at    uint64
}

var tiffSizes = map[uint16]uint64{1: 1, 3: 2, 4: 4, 7: 1, 13: 4, 16: 8}

// readTags reads the first directory of a classic or a big file.
func (f *anyTIFF) readTags() bool {
	d := f.data
	if len(d) < 16 {
		return false
	}
	f.order = binary.LittleEndian
	if d[0] == 'M' {
		f.order = binary.BigEndian
	}
	big := f.order.Uint16(d[2:]) == 43
	at, entry, head := uint64(f.order.Uint32(d[4:])), uint64(12), uint64(2)
	if big {
		at, entry, head = f.order.Uint64(d[8:]), 20, 8
	}
	n := uint64(len(d))
	if at > n || n-at < head {
		return false
	}
	count := uint64(f.order.Uint16(d[at:]))
	if big {
		count = f.order.Uint64(d[at:])
	}
	f.tags = make(map[uint16]tiffTag)
	for i := range min(count, 1000) {
		e := at + head + i*entry
		if e+entry > n {
			break
		}
		t := tiffTag{kind: f.order.Uint16(d[e+2:])}
		inline := e + 8
		room := uint64(4)
		if big {
			t.count, inline, room = f.order.Uint64(d[e+4:]), e+12, 8
		} else {
			t.count = uint64(f.order.Uint32(d[e+4:]))
		}
		size := tiffSizes[t.kind]
		if size == 0 || t.count > n {
			continue
		}
		if t.at = inline; size*t.count > room {
			if t.at = uint64(f.order.Uint32(d[inline:])); big {
				t.at = f.order.Uint64(d[inline:])
			}
		}
		if t.at > n || n-t.at < size*t.count {
			continue
		}
		f.tags[f.order.Uint16(d[e:])] = t
	}
	return true
}

// values are all numbers of a tag.
func (f *anyTIFF) values(tag uint16) []uint64 {
	t := f.tags[tag]
	out := make([]uint64, 0, t.count)
	for i := range t.count {
		switch tiffSizes[t.kind] {
		case 1:
			out = append(out, uint64(f.data[t.at+i]))
		case 2:
			out = append(out, uint64(f.order.Uint16(f.data[t.at+2*i:])))
		case 4:
			out = append(out, uint64(f.order.Uint32(f.data[t.at+4*i:])))
		case 8:
			out = append(out, f.order.Uint64(f.data[t.at+8*i:]))
		}
	}
	return out
}

func (f *anyTIFF) one(tag uint16, otherwise uint64) uint64 {
	t := f.tags[tag]
	if t.count == 0 {
		return otherwise
	}
	t.count = 1
	f2 := anyTIFF{data: f.data, order: f.order, tags: map[uint16]tiffTag{tag: t}}
	return f2.values(tag)[0]
}

func (f *anyTIFF) small(tag uint16, otherwise int) int {
	return int(min(f.one(tag, uint64(otherwise)), math.MaxInt32))
}

// bytes are those of a tag, nil where there is none.
func (f *anyTIFF) bytes(tag uint16) []byte {
	t := f.tags[tag]
	if tiffSizes[t.kind] != 1 || t.count == 0 {
		return nil
	}
	return f.data[t.at : t.at+t.count]
}

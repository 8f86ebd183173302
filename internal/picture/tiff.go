package picture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"

	"golang.org/x/image/tiff"

	"github.com/palate-art/palate/internal/picture/icc"
)

// Tags and values of TIFF 6.0 that decide whether a file can be read.
const (
	tagWidth           = 256
	tagHeight          = 257
	tagBitsPerSample   = 258
	tagCompression     = 259
	tagPhotometric     = 262
	tagSamplesPerPixel = 277
	tagRowsPerStrip    = 278
	tagPlanar          = 284
	tagFaxOptions      = 292
	tagTileWidth       = 322
	tagTileHeight      = 323
	tagExtraSamples    = 338
	tagSampleFormat    = 339
	tagXMP             = 700
	tagProfile         = 34675
	tagDNGVersion      = 50706

	compressionGroup3 = 3
	compressionGroup4 = 4

	photometricBlackIsZero = 1
	photometricRGB         = 2
	photometricPalette     = 3
	photometricMask        = 4

	alphaMultiplied = 1
	alphaStraight   = 2
)

type tiffFile struct {
	metadata
	data []byte
	dir  directory
	// other is the same file for the decoder of tiffany.go, nil if it is not
	// of its kind.
	other file
}

// openTIFF reads the first directory and names what can't be read.
func openTIFF(data []byte) (file, error) {
	if len(data) > 3 && (data[2] == '+' || data[3] == '+') {
		return openAnyTIFF(data, "BigTIFF")
	}
	order, ok := tiffByteOrder(data)
	if !ok {
		return nil, truncated(formatTIFF)
	}
	dir, err := readDirectory(data, order)
	if err != nil {
		return nil, &CorruptError{Format: formatTIFF, Err: err}
	}
	if dir[tagWidth] == nil || dir[tagHeight] == nil {
		return nil, corrupt(formatTIFF, "it gives no width or height")
	}
	if kind := tiffLoss(dir); kind != "" {
		return openAnyTIFF(data, kind)
	}
	f := &tiffFile{data: data, dir: dir}
	if other, err := openAnyTIFF(data, "TIFF of another layout"); err == nil {
		f.other = other
	}
	f.oriented = dir[tagOrientation] != nil
	f.icc, f.xmp = tagBytes(data, order, tagProfile), tagBytes(data, order, tagXMP)
	return f, nil
}

// tiffLoss names the kind of TIFF that x/image does not decode, "" for the rest.
func tiffLoss(dir directory) string {
	if dir[tagDNGVersion] != nil {
		return "camera raw"
	}
	switch c := dir.first(tagCompression, 1); c {
	case 1, compressionGroup4, 5, 8, 32773, 32946:
	case compressionGroup3:
		if dir.first(tagFaxOptions, 0)&1 != 0 {
			return "two-dimensional fax TIFF"
		}
	case 2:
		return "fax TIFF of modified Huffman codes"
	case 6, 7:
		return "JPEG in TIFF"
	case 33003, 33004, 33005, 34712:
		return "JPEG 2000 in TIFF"
	case 34925:
		return "LZMA in TIFF"
	case 50000, 34926:
		return "Zstandard in TIFF"
	case 50001, 34927:
		return "WebP in TIFF"
	case 50002, 52546:
		return "JPEG XL in TIFF"
	default:
		return "TIFF of another compression"
	}
	switch dir.first(tagPhotometric, 0) {
	case 0, photometricBlackIsZero, photometricRGB, photometricPalette:
	case photometricMask:
		return "mask TIFF"
	case 5:
		return "CMYK TIFF"
	case 6:
		return "YCbCr TIFF"
	case 8, 9, 10:
		return "Lab TIFF"
	case 32803, 34892:
		return "camera raw"
	default:
		return "TIFF of another colour space"
	}
	return tiffSampleLoss(dir)
}

func tiffSampleLoss(dir directory) string {
	samples := dir.samples()
	if f := dir.first(tagSampleFormat, 1); f == 3 {
		return "floating-point TIFF"
	} else if f == 2 || f > 4 {
		return "signed TIFF"
	}
	bits := dir.first(tagBitsPerSample, 1)
	switch bits {
	case 1, 8, 16:
	default:
		return fmt.Sprintf("%d-bit TIFF", min(bits, 64))
	}
	rgb := dir.first(tagPhotometric, 0) == photometricRGB
	alpha := dir.first(tagExtraSamples, 0)
	if !rgb && samples != 1 || rgb && samples > 4 || rgb && samples == 4 && alpha != alphaMultiplied && alpha != alphaStraight {
		return "TIFF with extra channels"
	}
	if dir.planar() && (samples < 3 || bits == 1) {
		return "planar TIFF"
	}
	return ""
}

// samples is how many numbers a pixel has.
func (d directory) samples() int {
	if n := len(d[tagBitsPerSample]); n > 0 {
		return n
	}
	return int(min(d.first(tagSamplesPerPixel, 1), maxTagValues))
}

// planar reports a file that has each pixel's numbers in planes of their own.
func (d directory) planar() bool { return d.first(tagPlanar, 1) == 2 && d.samples() > 1 }

func (f *tiffFile) stored() (width, height, orientation int) {
	return int(min(f.dir.first(tagWidth, 0), 1<<31-1)), int(min(f.dir.first(tagHeight, 0), 1<<31-1)), f.dir.orientation()
}

// ways count the picture twice, as it comes and as RGB, and a piece of the
// file before that: a strip or a tile, which may be all of it, in a buffer
// that doubles as it fills. What is reduced as it comes is decoded by
// tiffany.go, and in the other ways where anything is odd.
func (f *tiffFile) ways(rules Rules, _ int) []way {
	width, height, _ := f.stored()
	bits := int64(f.dir.first(tagBitsPerSample, 1))
	samples := int64(f.dir.samples())
	perPixel := max(1, bits/8) * samples
	if samples == 3 {
		perPixel += max(1, bits/8) // red, green and blue come with an alpha
	}
	pixels := int64(width) * int64(height)
	piece := 2 * f.pieceBytes(bits*samples)
	bytes := (perPixel+3)*pixels + piece
	if f.dir.planar() {
		bytes = (3+perPixel/samples+1)*pixels + piece + 2*int64(len(f.data))
	}
	here := way{bytes: bytes, scale: 1, decode: whole(func(ctx context.Context) (*RGB, error) { return f.decode(ctx, rules) })}
	if f.other == nil {
		return []way{here}
	}
	others := f.other.ways(rules, 1)
	if f.reversed() {
		if rules.Has(TIFFExact) {
			return others
		}
		return append([]way{here}, others...)
	}
	ways := append([]way{here}, others...)
	if other := f.other.(*anyTIFF); other.sameAs(f, rules) {
		reduced := others[0]
		rows := reduced.rows
		reduced.onlyReduced = true
		reduced.rows = func(ctx context.Context, to rowSink) (string, error) {
			damage, err := rows(ctx, to)
			if err != nil && ctx.Err() == nil {
				return "", errOtherWay
			}
			return damage, err
		}
		ways = append([]way{reduced}, ways...)
	}
	return ways
}

// sameAs reports whether a file has the same pixels here as by x/image: a
// profile is applied there to what was laid over white before.
func (f *anyTIFF) sameAs(t *tiffFile, rules Rules) bool {
	colours := 3
	if f.space() == icc.Grey {
		colours = 1
	}
	_, transparent := f.transparency(colours)
	return !transparent || t.toSRGB(rules, f.space()) == nil
}

// reversed reports samples whose bits are in the order that x/image heeds in a
// fax alone.
func (f *tiffFile) reversed() bool {
	c := f.dir.first(tagCompression, 1)
	return f.dir.first(tagFillOrder, 1) == 2 && c != compressionGroup3 && c != compressionGroup4
}

// pieceBytes is the size of a strip or tile that is not stored as it is.
func (f *tiffFile) pieceBytes(bits int64) int64 {
	width, height, _ := f.stored()
	if f.dir.first(tagCompression, 1) == 1 {
		return 0
	}
	w, h := int64(width), min(int64(height), int64(f.dir.first(tagRowsPerStrip, uint32(height))))
	if f.dir[tagTileWidth] != nil {
		w, h = int64(min(f.dir.first(tagTileWidth, 0), 1<<31-1)), int64(min(f.dir.first(tagTileHeight, 0), 1<<31-1))
	}
	if h > 0 && w > math.MaxInt64/128/h {
		return math.MaxInt64 / 128
	}
	return w * h * bits / 8
}

func (f *tiffFile) decode(ctx context.Context, rules Rules) (*RGB, error) {
	decode, space := f.decodeChunky, icc.RGB
	if f.dir.planar() {
		decode = f.decodePlanar
	}
	if p := f.dir.first(tagPhotometric, 0); p <= photometricBlackIsZero {
		space = icc.Grey
	}
	m, err := decode(ctx)
	if err != nil {
		return nil, err
	}
	if t := f.toSRGB(rules, space); t != nil {
		t.RGB(m.Pix)
	}
	return m, nil
}

// ctxFile is a file in memory that can't be read any more once ctx is done.
type ctxFile struct {
	ctx context.Context // of one call, which made it
	*bytes.Reader
}

func (f ctxFile) Read(p []byte) (int, error) { return ctxReader{f.ctx, f.Reader}.Read(p) }

func (f ctxFile) ReadAt(p []byte, at int64) (int, error) {
	if err := f.ctx.Err(); err != nil {
		return 0, err
	}
	return f.Reader.ReadAt(p, at)
}

// decodeChunky decodes a file that has a pixel's numbers side by side.
func (f *tiffFile) decodeChunky(ctx context.Context) (*RGB, error) {
	m, err := tiff.Decode(ctxFile{ctx, bytes.NewReader(f.data)})
	if err != nil {
		var unsupported tiff.UnsupportedError
		var format tiff.FormatError
		switch {
		case f.other != nil && (errors.As(err, &unsupported) || errors.As(err, &format)):
			return nil, errOtherWay // libtiff is not so strict about directories
		case errors.As(err, &unsupported):
			return nil, &UnsupportedError{Kind: "TIFF of another layout"}
		}
		return nil, err
	}
	out := FromImage(m)
	compression := f.dir.first(tagCompression, 1)
	fax := compression == compressionGroup3 || compression == compressionGroup4
	if fax && f.dir.first(tagPhotometric, 0) == photometricBlackIsZero {
		// A fax's white runs are zeros, which this file says are black;
		// x/image makes them white whatever the file says.
		for i := range out.Pix {
			out.Pix[i] = 255 - out.Pix[i]
		}
	}
	return out, nil
}

package picture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"slices"
)

// ways are up to three: the usual kind of file is decoded by jpegusual.go, at a
// fraction of its size if that is wanted, and all others by jpegany.go. By the
// former rules the planes of others are taken from image/jpeg, where it reads
// them, and the upsampling and the colours are done here.
func (f *jpegFile) ways(rules Rules, scale int) []way {
	usual := way{bytes: f.usualBytes(scale), scale: scale, rows: func(ctx context.Context, to rowSink) (string, error) {
		if !f.plausible() || rules.Has(JPEGExact) && !f.refined() || !f.decodeUsual(ctx, scale, rules, to) {
			return "", errOtherWay
		}
		return f.unended(), nil
	}}
	// The planes, or for ink all in one; 4 bytes a coefficient; the picture.
	pixels := int64(f.width) * int64(f.height)
	samples := max(1, int64(len(f.components)))
	other := way{bytes: (samples+3)*pixels + 1<<20, scale: 1, decode: whole(f.otherwise)}
	if samples == 4 {
		other.bytes += 3 * pixels // the upsampled middle two, and what is inverted
	}
	if f.progressive {
		other.bytes += 4 * samples * pixels
	}
	every := way{bytes: f.anyBytes(), scale: 1, rows: func(ctx context.Context, to rowSink) (string, error) {
		return f.decodeAny(ctx, rules, to)
	}}
	if rules.Has(JPEGExact) || rules.Has(ColourProfiles) || f.arithmetic {
		return []way{usual, every}
	}
	return []way{usual, other, every}
}

// usualBytes is what decodeUsual takes: of a progressive file planes at 1/scale
// and all coefficients, of another the planes of two rows of units.
func (f *jpegFile) usualBytes(scale int) int64 {
	// A plane of half the size may be decoded at twice the scale.
	width, height := int64(f.width+15), int64(f.height+15)
	if !f.progressive {
		height = min(height, 32)
	}
	samples := int64(0)
	for i, s := range f.sampling {
		share := int64(1)
		if i > 0 && len(f.sampling) > 1 && scale == 1 {
			share = f.shareOf(s)
		}
		samples += width * height / share
	}
	bytes := samples/int64(scale*scale) + 32*width + 1<<20
	if f.progressive {
		coefficients := int64(0)
		for i, s := range f.sampling {
			share := int64(1)
			if i > 0 && len(f.sampling) > 1 {
				share = f.shareOf(s)
			}
			coefficients += width * height / share
		}
		bytes += coefficients * partBlockBytes / 64
	}
	return bytes
}

// shareOf is how many times fewer samples a component of that sampling has than
// the first.
func (f *jpegFile) shareOf(sampling byte) int64 {
	return max(1, int64(f.sampling[0]>>4)*int64(f.sampling[0]&15)/max(1, int64(sampling>>4)*int64(sampling&15)))
}

// anyBytes is what decodeAny takes: planes, and of what is not in one
// scan of all components the coefficients.
func (f *jpegFile) anyBytes() int64 {
	maxH, maxV := int64(1), int64(1)
	if len(f.sampling) > 1 {
		for _, s := range f.sampling {
			maxH, maxV = max(maxH, int64(s>>4)), max(maxV, int64(s&15))
		}
	}
	samples := int64(0) // in whole units
	units := (int64(f.width)/(8*maxH) + 1) * (int64(f.height)/(8*maxV) + 1)
	for _, s := range f.sampling {
		if len(f.sampling) == 1 {
			s = 0x11
		}
		samples += 64 * units * int64(s>>4) * int64(s&15)
	}
	bytes := samples + 32*int64(f.width) + 1<<20
	if f.progressive || !f.oneScan {
		bytes += samples / 64 * partBlockBytes
	}
	return bytes
}

// plausible is false for a file that can't hold the picture that it claims.
func (f *jpegFile) plausible() bool {
	// A small file that claims a large picture fails before memory is taken.
	// Of a file without some component image/jpeg would show the others alone.
	return !f.tooSmall() && !slices.Contains(f.scanned, false)
}

// otherwise decodes with image/jpeg what it reads.
func (f *jpegFile) otherwise(ctx context.Context) (*RGB, error) {
	if !f.plausible() {
		return nil, errOtherWay
	}
	m, err := f.decodeOther(ctx)
	if err != nil && ctx.Err() == nil {
		return nil, errOtherWay
	}
	return m, err
}

// decodeOther decodes with image/jpeg.
func (f *jpegFile) decodeOther(ctx context.Context) (*RGB, error) {
	if f.partRestarts {
		// It counts a restart interval in the frame's units here too, where the
		// standard (T.81, A.2.2) counts blocks, and would show a garbled picture.
		return nil, &UnsupportedError{Kind: "JPEG with restarts in partial scans"}
	}
	img, err := jpeg.Decode(ctxReader{ctx, f.planesReader()})
	if err != nil {
		var unsupported jpeg.UnsupportedError
		if errors.As(err, &unsupported) {
			return nil, &UnsupportedError{Kind: "JPEG of another layout"}
		}
		return nil, err
	}
	switch m := img.(type) {
	case *image.Gray:
		return FromImage(m), nil
	case *image.YCbCr:
		return f.fromPlanes(m), nil
	case *image.CMYK:
		return f.fromInk(m), nil
	}
	return nil, fmt.Errorf("image/jpeg gave %T", img)
}

// planesReader gives the file with one segment more or one byte changed, so
// that image/jpeg leaves the colours alone: it then returns RGB planes as if
// they were YCbCr, and four planes as if they were CMYK.
func (f *jpegFile) planesReader() io.Reader {
	const (
		jfif  = "\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
		adobe = "\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"
	)
	parts := [][]byte{f.data}
	model := f.model()
	switch {
	case model == modelRGB:
		parts = [][]byte{f.data[:2], []byte(jfif), f.data[2:]}
	case (model == modelCMYK || model == modelYCCK) && f.adobe == 0:
		parts = [][]byte{f.data[:2], []byte(adobe), f.data[2:]}
	case model == modelCMYK || model == modelYCCK:
		parts = [][]byte{f.data[:f.adobe], {0}, f.data[f.adobe+1:]}
	}
	if !f.ended && !f.progressive {
		// Browsers show a picture whose end marker alone is missing. One with
		// pixels missing still fails; a progressive one might not.
		parts = append(parts, []byte{0xff, markerEOI})
	}
	readers := make([]io.Reader, len(parts))
	for i, p := range parts {
		readers[i] = bytes.NewReader(p)
	}
	return io.MultiReader(readers...)
}

// fromPlanes upsamples and converts row by row.
func (f *jpegFile) fromPlanes(m *image.YCbCr) *RGB {
	out := NewRGB(m.Rect.Dx(), m.Rect.Dy())
	h, v := chromaRatio(m.SubsampleRatio)
	cb := newUpsampler(plane{m.Cb, m.CStride, (out.Width + h - 1) / h, (out.Height + v - 1) / v, 0}, h, v)
	cr := newUpsampler(plane{m.Cr, m.CStride, (out.Width + h - 1) / h, (out.Height + v - 1) / v, 0}, h, v)
	convert := fullRangeRow
	if f.model() == modelRGB {
		convert = interleaveRow
	}
	for y := range out.Height {
		luma := m.Y[y*m.YStride:][:out.Width]
		convert(out.Row(y), luma, cb.row(y, out.Width), cr.row(y, out.Width))
	}
	return out
}

func chromaRatio(r image.YCbCrSubsampleRatio) (h, v int) {
	switch r {
	case image.YCbCrSubsampleRatio422:
		return 2, 1
	case image.YCbCrSubsampleRatio420:
		return 2, 2
	case image.YCbCrSubsampleRatio440:
		return 1, 2
	case image.YCbCrSubsampleRatio411:
		return 4, 1
	case image.YCbCrSubsampleRatio410:
		return 4, 2
	}
	return 1, 1
}

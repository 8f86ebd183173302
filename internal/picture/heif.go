package picture

import (
	"context"
	"errors"
	"time"

	"github.com/palate-art/palate/internal/picture/heif"
	"github.com/palate-art/palate/internal/picture/icc"
)

// heifFile is a HEIC or AVIF picture. What its decoder must do is done in
// another process (decoder.go).
type heifFile struct {
	metadata
	data []byte
	*heif.File
}

func openHEIF(data []byte) (file, error) {
	parsed, err := heif.Parse(data)
	if err != nil {
		format := formatHEIC
		if isoMediaKind(data) == "AVIF" {
			format = formatAVIF
		}
		return nil, heifError(format, err)
	}
	f := &heifFile{data: data, File: parsed}
	// What EXIF and XMP say of the orientation does not count in this
	// container (ISO/IEC 23008-12, A.2.1): most files that have been turned
	// say it twice.
	f.oriented = true
	if f.icc = parsed.Profile; f.icc == nil {
		f.icc = parsed.Colour.Profile()
	}
	return f, nil
}

// heifError gives what heif found the shape of this package's errors.
func heifError(format string, err error) error {
	var unsupported *heif.UnsupportedError
	if errors.As(err, &unsupported) {
		kinds := map[string]string{
			"jpeg": "JPEG in HEIF", "unci": "uncompressed HEIF", "j2k1": "JPEG 2000 in HEIF", "avc1": "AVC in HEIF",
			"vvc1": "VVC in HEIF", "mini": "low-overhead HEIF", "hevc": "HEIC sequence", "iovl": "overlaid HEIF",
		}
		if kind := kinds[unsupported.Coding]; kind != "" {
			return &UnsupportedError{Kind: kind}
		}
		return &UnsupportedError{Kind: "HEIF of another coding"}
	}
	return &CorruptError{Format: format, Err: err}
}

// format is told by what the pixels are coded in: brands may name both.
func (f *heifFile) format() string {
	if f.Codec == heif.AV1 {
		return formatAVIF
	}
	return formatHEIC
}

// stored is the size before the turn.
func (f *heifFile) stored() (width, height, orientation int) {
	if f.Crop.Width > 0 {
		return f.Crop.Width, f.Crop.Height, f.Turn
	}
	return f.Width, f.Height, f.Turn
}

func (f *heifFile) completeness() (Completeness, error) {
	if !f.Whole {
		return Cut, nil
	}
	return Whole, nil
}

// decoderBytes is what a decoder may take: planes of the picture and of what
// is made of it, measured at 8 to 14 bytes a pixel for HEIC and 22 to 39 for
// AVIF, and what it needs for itself.
func (f *heifFile) decoderBytes() int64 {
	perPixel := map[bool]int64{false: 14, true: 22}[max(f.Depth, f.AlphaDepth) > 8]
	if f.Codec == heif.AV1 {
		perPixel = map[bool]int64{false: 24, true: 40}[max(f.Depth, f.AlphaDepth) > 8]
	}
	return perPixel*int64(f.Width)*int64(f.Height) + decoderOwnBytes + 2*int64(len(f.data))
}

var decoderOwnBytes int64 = 40 << 20 // less in a test

// decoderTime is how long a decoder may take, on a machine that has much else
// to do: one megapixel takes half a second on one that has not.
func (f *heifFile) decoderTime() time.Duration {
	megapixels := time.Duration(int64(f.Width) * int64(f.Height) / 1_000_000)
	return min(leastDecoderTime+megapixels*4*time.Second, 10*time.Minute)
}

var leastDecoderTime = time.Minute // shorter in a test

// ways count the decoder's memory, and the picture here and there.
func (f *heifFile) ways(rules Rules, _ int) []way {
	width, height, _ := f.stored()
	bytes := f.decoderBytes() + 2*rgbBytes(width, height, 1)
	if f.Alpha || f.HalvedX {
		bytes += 2 * int64(f.Width) * int64(f.Height)
	}
	return []way{{bytes: bytes, scale: 1, decode: whole(func(ctx context.Context) (*RGB, error) {
		limited, cancel := context.WithTimeout(ctx, f.decoderTime())
		defer cancel()
		m, err := decodeApart(limited, f, rules)
		if ctx.Err() == nil && limited.Err() != nil {
			return nil, &LimitError{What: timeLimit, Got: int64(f.decoderTime() / time.Second), Limit: int64(f.decoderTime() / time.Second)}
		}
		return m, err
	})}}
}

// decodeIn decodes in a sandbox within so many bytes.
func (f *heifFile) decodeIn(ctx context.Context, box *heif.Sandbox, memory int64, rules Rules) (m *RGB, err error) {
	if !f.Whole {
		return nil, truncated(f.format())
	}
	var alpha *heif.Pixels
	if f.Alpha && f.Codec == heif.HEVC {
		err := box.DecodeAlpha(ctx, f.File, memory, func(p heif.Pixels) error {
			if p.Layout < heif.RGBA {
				kept := make([]byte, p.Stride*p.Height)
				copy(kept, p.Pix)
				p.Pix = kept
				alpha = &p
				toBytes(alpha)
			}
			return nil
		})
		if err != nil {
			return nil, f.decodingError(err, memory)
		}
	}
	err = box.Decode(ctx, f.File, f.data, memory, func(p heif.Pixels) error {
		m = f.compose(p, alpha, rules)
		return nil
	})
	if err != nil {
		return nil, f.decodingError(err, memory)
	}
	return m, nil
}

func (f *heifFile) decodingError(err error, memory int64) error {
	switch {
	case errors.Is(err, heif.ErrMemory):
		return &LimitError{What: memoryLimit, Got: memory + 1<<20, Limit: memory}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return corrupt(f.format(), "%w", err)
}

// compose makes the picture of what a decoder gave.
func (f *heifFile) compose(p heif.Pixels, alpha *heif.Pixels, rules Rules) *RGB {
	part := heif.Crop{Width: f.Width, Height: f.Height} // blocks may go beyond
	if f.Crop.Width > 0 {
		part = f.Crop
	}
	if p.Width < f.Width || p.Height < f.Height {
		return NewRGB(p.Width, p.Height) // which is held against what the file says
	}
	m := NewRGB(part.Width, part.Height)
	toBytes(&p)
	if f.Codec == heif.AV1 && f.HalvedX {
		p = f.planesBack(p)
	}
	rows := f.colourRows(p, rules)
	line := make([]byte, 4*p.Width)
	for y := range m.Height {
		rows(line, part.Top+y)
		if alpha != nil {
			at := alpha.Pix[min((part.Top+y)*f.AlphaHeight/f.Height, alpha.Height-1)*alpha.Stride:]
			for x := range f.Width {
				line[4*x+3] = at[min(x*f.AlphaWidth/f.Width, alpha.Width-1)]
			}
		}
		if p.Premultiplied || alpha != nil && f.Premultiplied {
			premultipliedRow(m.Row(y), line[4*part.Left:], 1)
		} else {
			straightRow(m.Row(y), line[4*part.Left:], 1)
		}
	}
	return m
}

// toBytes brings grey of more bits to 8, in place.
func toBytes(p *heif.Pixels) {
	if p.Depth <= 8 {
		return
	}
	most := uint32(1)<<p.Depth - 1
	for i := range len(p.Pix) / 2 {
		v := min(uint32(p.Pix[2*i])|uint32(p.Pix[2*i+1])<<8, most)
		p.Pix[i] = byte((v*255 + most/2) / most)
	}
	p.Stride, p.Depth = p.Stride/2, 8
}

// colourRows gives the function that writes row y as sRGB with alpha.
func (f *heifFile) colourRows(p heif.Pixels, rules Rules) func(line []byte, y int) {
	space := icc.RGB
	if p.Layout == heif.Grey {
		space = icc.Grey
	}
	toSRGB := f.toSRGB(rules, space)
	if toSRGB == nil && p.Layout >= heif.RGBA { // grey comes as three equal colours
		toSRGB = f.toSRGB(rules, icc.Grey)
	}
	switch p.Layout {
	case heif.RGBA, heif.RGBA64:
		return func(line []byte, y int) {
			row := p.Pix[y*p.Stride:][:p.Stride]
			if p.Layout == heif.RGBA64 {
				for i := range line {
					v := uint32(row[2*i]) | uint32(row[2*i+1])<<8
					line[i] = byte((v*255 + 32767) / 65535)
				}
			} else {
				copy(line, row)
			}
			if toSRGB != nil {
				convertRow(line, p.Premultiplied, toSRGB)
			}
		}
	}
	colour := f.Colour
	if f.Codec == heif.AV1 {
		colour.FullRange = true // see planesBack
	}
	planes := newPlaneRows(p, colour)
	rgb := make([]byte, 3*p.Width)
	return func(line []byte, y int) {
		planes.row(rgb, y)
		if toSRGB != nil {
			toSRGB.RGB(rgb)
		}
		for x := range p.Width {
			copy(line[4*x:4*x+3], rgb[3*x:])
			line[4*x+3] = 255
		}
	}
}

// convertRow brings a row with alpha to sRGB, which wants straight colours.
func convertRow(line []byte, premultiplied bool, t *icc.Transform) {
	if !premultiplied {
		convertStraight(line, t)
		return
	}
	for i := 0; i+3 < len(line); i += 4 {
		if a := uint32(line[i+3]); a != 255 && a != 0 {
			for c := i; c < i+3; c++ {
				line[c] = byte(min((uint32(line[c])*255+a/2)/a, 255))
			}
		}
	}
	convertStraight(line, t)
	for i := 0; i+3 < len(line); i += 4 {
		if a := uint32(line[i+3]); a != 255 {
			for c := i; c < i+3; c++ {
				line[c] = byte((uint32(line[c])*a + 127) / 255)
			}
		}
	}
}

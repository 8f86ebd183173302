package picture

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"io"

	"golang.org/x/image/vp8"
	"golang.org/x/image/vp8l"

	"github.com/palate-art/palate/internal/picture/icc"
)

// webpFile is the first frame of a WebP file (RFC 9649) and the canvas that
// it stands on. The container is read here because x/image/webp refuses
// animations.
type webpFile struct {
	metadata
	width, height int // of the canvas
	left, top     int // of the frame on it
	orientation   int
	frame         webpFrame
	cut           bool // the container says that there is more
}

// webpFrame is one still picture: a lossy or a lossless bitstream, and for a
// lossy one perhaps its transparency.
type webpFrame struct {
	width, height int
	lossy         []byte // VP8 bitstream
	lossless      []byte // VP8L bitstream
	alpha         []byte // ALPH chunk
}

func openWebP(data []byte) (file, error) {
	f := &webpFile{orientation: 1}
	size := uint64(binary.LittleEndian.Uint32(data[4:])) + 8
	f.cut = size > uint64(len(data))
	body := data[12:min(uint64(len(data)), max(size, 12))]
	extended, found := false, false
	err := eachChunk(body, func(kind string, chunk []byte, whole bool) error {
		switch {
		case kind == "EXIF" && whole:
			f.orientation = f.readEXIF(chunk)
		case kind == "XMP " && whole && f.xmp == nil:
			f.xmp = chunk
		case kind == "ICCP" && whole && f.icc == nil:
			f.icc = chunk
		case kind == "VP8X" && !extended && !found:
			if len(chunk) < 10 {
				return truncated(formatWebP)
			}
			extended = true
			f.width, f.height = int(uint24(chunk[4:]))+1, int(uint24(chunk[7:]))+1
		case kind == "ANMF" && extended && !found:
			found = true
			return f.readAnimationFrame(chunk)
		case !found:
			ready, err := f.frame.add(kind, chunk)
			found = ready
			return err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, truncated(formatWebP)
	}
	if !extended {
		f.width, f.height = f.frame.width, f.frame.height
	}
	if f.left+f.frame.width > f.width || f.top+f.frame.height > f.height {
		return nil, corrupt(formatWebP, "a frame of %d×%d does not fit its canvas of %d×%d", f.frame.width, f.frame.height, f.width, f.height)
	}
	return f, nil
}

// eachChunk walks over RIFF chunks. The last one may be cut short, which is
// told, for decoding to find out whether it matters.
func eachChunk(data []byte, visit func(kind string, chunk []byte, whole bool) error) error {
	for len(data) >= 8 {
		kind := string(data[:4])
		size := uint64(binary.LittleEndian.Uint32(data[4:]))
		whole := size <= uint64(len(data)-8)
		chunk := data[8:min(8+size, uint64(len(data)))]
		if err := visit(kind, chunk, whole); err != nil {
			return err
		}
		data = data[min(8+size+size%2, uint64(len(data))):]
	}
	return nil
}

func uint24(b []byte) uint32 { return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 }

func (f *webpFile) readAnimationFrame(chunk []byte) error {
	const header = 16
	if len(chunk) < header {
		return truncated(formatWebP)
	}
	f.left, f.top = 2*int(uint24(chunk)), 2*int(uint24(chunk[3:]))
	width, height := int(uint24(chunk[6:]))+1, int(uint24(chunk[9:]))+1
	ready := false
	err := eachChunk(chunk[header:], func(kind string, sub []byte, _ bool) (err error) {
		if !ready {
			ready, err = f.frame.add(kind, sub)
		}
		return err
	})
	if err != nil {
		return err
	}
	if !ready {
		return truncated(formatWebP)
	}
	if f.frame.width != width || f.frame.height != height {
		return corrupt(formatWebP, "its first frame is %d×%d and says %d×%d", f.frame.width, f.frame.height, width, height)
	}
	return nil
}

// add takes a chunk, and reports whether the frame's bitstream is there.
func (f *webpFrame) add(kind string, chunk []byte) (ready bool, err error) {
	switch kind {
	case "ALPH":
		f.alpha = chunk
	case "VP8 ":
		// Frame tag, start code, then 14 bits each (RFC 6386, 9.1).
		if len(chunk) < 10 {
			return false, truncated(formatWebP)
		}
		if chunk[0]&1 != 0 || string(chunk[3:6]) != "\x9d\x01\x2a" {
			return false, corrupt(formatWebP, "its bitstream does not begin with a key frame")
		}
		f.lossy = chunk
		f.width = int(binary.LittleEndian.Uint16(chunk[6:]) & 0x3fff)
		f.height = int(binary.LittleEndian.Uint16(chunk[8:]) & 0x3fff)
		return true, nil
	case "VP8L":
		if len(chunk) < 5 {
			return false, truncated(formatWebP)
		}
		if chunk[0] != 0x2f {
			return false, corrupt(formatWebP, "its lossless bitstream has no signature")
		}
		f.lossless = chunk
		bits := binary.LittleEndian.Uint32(chunk[1:])
		f.width, f.height = int(bits&0x3fff)+1, int(bits>>14&0x3fff)+1
		return true, nil
	}
	return false, nil
}

func (f *webpFile) stored() (width, height, orientation int) {
	return f.width, f.height, f.orientation
}

// ways count the planes and their interpolation, or four bytes a pixel twice,
// and the picture.
func (f *webpFile) ways(rules Rules, _ int) []way {
	pixels, perPixel := int64(f.frame.width)*int64(f.frame.height), int64(2+3)
	if f.frame.lossless != nil {
		perPixel = 4 + 4 + 3
	} else if f.frame.alpha != nil {
		perPixel += 4 + 4 + 1
	}
	bytes := perPixel*pixels + 1<<20
	if f.frame.width != f.width || f.frame.height != f.height {
		bytes += rgbBytes(f.width, f.height, 1)
	}
	return []way{{bytes: bytes, scale: 1, decode: func(ctx context.Context) (*RGB, string, error) {
		m, err := f.decode(ctx, f.toSRGB(rules, icc.RGB))
		if f.cut {
			return m, webpCut, err
		}
		return m, "", err
	}}}
}

// webpCut is the damage of a file that is shorter than it says, of which the
// pixels are all there.
const webpCut = "its file is shorter than it says; all of its pixels are there"

// decode lays the frame on a transparent, and so white, canvas.
func (f *webpFile) decode(ctx context.Context, toSRGB *icc.Transform) (*RGB, error) {
	decode := f.frame.decodeLossy
	if f.frame.lossless != nil {
		decode = f.frame.decodeLossless
	}
	m, err := decode(ctx, toSRGB)
	if err != nil {
		return nil, err
	}
	if m.Width == f.width && m.Height == f.height {
		return m, nil
	}
	canvas := NewRGB(f.width, f.height)
	for i := range canvas.Pix {
		canvas.Pix[i] = 255
	}
	for y := range m.Height {
		copy(canvas.Row(f.top + y)[3*f.left:], m.Row(y))
	}
	return canvas, nil
}

func (f *webpFrame) decodeLossless(ctx context.Context, toSRGB *icc.Transform) (*RGB, error) {
	m, err := vp8l.Decode(ctxReader{ctx, bytes.NewReader(f.lossless)})
	if err != nil {
		return nil, err
	}
	straight, ok := m.(*image.NRGBA)
	const alphaIsUsed = 1 << 4 // of the last header byte
	if ok && f.lossless[4]&alphaIsUsed == 0 {
		for i := 3; i < len(straight.Pix); i += 4 {
			straight.Pix[i] = 255
		}
	}
	if ok && toSRGB != nil {
		convertStraight(straight.Pix, toSRGB)
	}
	return FromImage(m), nil
}

func (f *webpFrame) decodeLossy(ctx context.Context, toSRGB *icc.Transform) (*RGB, error) {
	d := vp8.NewDecoder()
	d.Init(ctxReader{ctx, bytes.NewReader(f.lossy)}, len(f.lossy))
	if _, err := d.DecodeFrameHeader(); err != nil {
		return nil, err
	}
	planes, err := d.DecodeFrame()
	if err != nil {
		return nil, err
	}
	m := limitedRange(planes)
	if toSRGB != nil {
		toSRGB.RGB(m.Pix)
	}
	if f.alpha == nil {
		return m, nil
	}
	alpha, err := f.decodeAlpha(ctx)
	if err != nil {
		return nil, err
	}
	for i, a := range alpha {
		if p := m.Pix[3*i : 3*i+3 : 3*i+3]; a != 255 {
			p[0], p[1], p[2] = overWhite(p[0], a), overWhite(p[1], a), overWhite(p[2], a)
		}
	}
	return m, nil
}

// decodeAlpha reads an ALPH chunk (RFC 9649, 2.7.1.2): one byte a pixel,
// plain or as the green of a lossless picture without a header, predicted
// from its neighbours.
func (f *webpFrame) decodeAlpha(ctx context.Context) ([]byte, error) {
	if len(f.alpha) == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	n := f.width * f.height
	coding, filter, stream := f.alpha[0]&3, f.alpha[0]>>2&3, f.alpha[1:]
	alpha := make([]byte, n)
	switch coding {
	case 0:
		if len(stream) < n {
			return nil, io.ErrUnexpectedEOF
		}
		copy(alpha, stream)
	case 1:
		var header [5]byte
		header[0] = 0x2f
		binary.LittleEndian.PutUint32(header[1:], uint32(f.width-1)|uint32(f.height-1)<<14)
		m, err := vp8l.Decode(ctxReader{ctx, io.MultiReader(bytes.NewReader(header[:]), bytes.NewReader(stream))})
		if err != nil {
			return nil, err
		}
		pix := m.(*image.NRGBA).Pix
		for i := range alpha {
			alpha[i] = pix[4*i+1]
		}
	default:
		return nil, corrupt(formatWebP, "transparency of coding %d", coding)
	}
	unfilter(alpha, f.width, filter)
	return alpha, nil
}

// unfilter adds to each value what it was predicted as: its left neighbour
// (1), its upper one (2), or the gradient of three (3). In the first row and
// column the only neighbour is the prediction.
func unfilter(alpha []byte, width int, filter byte) {
	if filter == 0 {
		return
	}
	for i := 1; i < len(alpha); i++ {
		x := i % width
		switch {
		case i < width || filter == 1 && x > 0:
			alpha[i] += alpha[i-1]
		case x == 0 || filter == 2:
			alpha[i] += alpha[i-width]
		default:
			gradient := int32(alpha[i-1]) + int32(alpha[i-width]) - int32(alpha[i-width-1])
			alpha[i] += clamp(gradient)
		}
	}
}

package picture

import (
	"bytes"
	"compress/lzw"
	"context"
	"encoding/binary"
	"errors"
	"io"
)

// gifFile is a GIF file up to its first frame. It is read here and not by
// image/gif because that knows neither the canvas around a frame nor the
// frames that reach over it.
type gifFile struct {
	metadata
	width, height int // of the canvas
	left, top     int // of the frame on it
	frameWidth    int
	frameHeight   int
	interlaced    bool
	palette       []byte // 3 bytes an entry
	transparent   int    // index, -1 for none
	compressed    []byte // minimal code size, then sub-blocks
}

// openGIF reads up to the first frame (GIF89a, sections 17 to 23).
func openGIF(data []byte) (file, error) {
	r := &byteReader{data: data, at: 6}
	screen := r.take(7)
	if screen == nil {
		return nil, truncated(formatGIF)
	}
	f := &gifFile{transparent: -1}
	f.width = int(binary.LittleEndian.Uint16(screen))
	f.height = int(binary.LittleEndian.Uint16(screen[2:]))
	if screen[4]&0x80 != 0 {
		f.palette = r.take(3 << (screen[4]&7 + 1))
	}
	for {
		block := r.take(1)
		if block == nil {
			return nil, truncated(formatGIF)
		}
		switch block[0] {
		case 0x21:
			if err := f.readExtension(r); err != nil {
				return nil, err
			}
		case 0x2c:
			return f, f.readFrame(r)
		case 0x3b:
			return nil, corrupt(formatGIF, "it has no frame")
		case 0:
			// Stray block terminators are common and harmless.
		default:
			return nil, corrupt(formatGIF, "unknown block 0x%02x", block[0])
		}
	}
}

func (f *gifFile) readExtension(r *byteReader) error {
	const graphicControl = 0xf9
	label := r.take(1)
	for {
		size := r.take(1)
		if label == nil || size == nil {
			return truncated(formatGIF)
		}
		if size[0] == 0 {
			return nil
		}
		block := r.take(int(size[0]))
		if block == nil {
			return truncated(formatGIF)
		}
		if label[0] == graphicControl && len(block) >= 4 {
			f.transparent = -1
			if block[0]&1 != 0 {
				f.transparent = int(block[3])
			}
		}
	}
}

func (f *gifFile) readFrame(r *byteReader) error {
	d := r.take(9)
	if d == nil {
		return truncated(formatGIF)
	}
	f.left = int(binary.LittleEndian.Uint16(d))
	f.top = int(binary.LittleEndian.Uint16(d[2:]))
	f.frameWidth = int(binary.LittleEndian.Uint16(d[4:]))
	f.frameHeight = int(binary.LittleEndian.Uint16(d[6:]))
	f.interlaced = d[8]&0x40 != 0
	if d[8]&0x80 != 0 {
		f.palette = r.take(3 << (d[8]&7 + 1))
	}
	// Some files give no canvas, or one that is smaller than their first
	// frame; browsers then enlarge it.
	f.width = max(f.width, f.left+f.frameWidth)
	f.height = max(f.height, f.top+f.frameHeight)
	if f.frameWidth == 0 || f.frameHeight == 0 {
		return &CorruptError{Format: formatGIF, Err: errZeroSize}
	}
	f.compressed = r.data[r.at:]
	return nil
}

func (f *gifFile) stored() (width, height, orientation int) { return f.width, f.height, 1 }

func (f *gifFile) ways(Rules, int) []way {
	return []way{{bytes: rgbBytes(f.width, f.height, 1) + int64(f.frameWidth)*int64(f.frameHeight) + 64<<10, scale: 1, decode: whole(f.decode)}}
}

func (f *gifFile) decode(ctx context.Context) (*RGB, error) {
	if len(f.compressed) == 0 {
		return nil, errTruncated
	}
	bits := int(f.compressed[0])
	if bits < 2 || bits > 8 {
		return nil, corrupt(formatGIF, "codes of %d bits", bits)
	}
	codes := lzw.NewReader(ctxReader{ctx, &subBlocks{rest: f.compressed[1:]}}, lzw.LSB, bits)
	defer codes.Close()
	pixels := bytes.NewBuffer(make([]byte, 0, f.frameWidth*f.frameHeight))
	// A stream may go on past the last pixel, or end without an end code.
	n, err := io.CopyN(pixels, codes, int64(f.frameWidth)*int64(f.frameHeight))
	if n < int64(f.frameWidth)*int64(f.frameHeight) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return f.compose(pixels.Bytes()), nil
}

// compose lays the frame on a transparent, and so white, canvas.
func (f *gifFile) compose(pixels []byte) *RGB {
	m := NewRGB(f.width, f.height)
	for i := range m.Pix {
		m.Pix[i] = 255
	}
	var table [256][3]byte
	for i := range table {
		table[i] = [3]byte{255, 255, 255}
		if i != f.transparent && 3*i+3 <= len(f.palette) {
			copy(table[i][:], f.palette[3*i:])
		}
	}
	next := 0
	writeRow := func(y int) {
		row := m.Row(f.top + y)[3*f.left : 3*(f.left+f.frameWidth)]
		paletteRow(row, pixels[next:], &table)
		next += f.frameWidth
	}
	passes := []struct{ first, step int }{{0, 1}}
	if f.interlaced {
		passes = []struct{ first, step int }{{0, 8}, {4, 8}, {2, 4}, {1, 2}}
	}
	for _, p := range passes {
		for y := p.first; y < f.frameHeight; y += p.step {
			writeRow(y)
		}
	}
	return m
}

// subBlocks reads the bytes in GIF's chain of length-prefixed blocks.
type subBlocks struct {
	rest  []byte
	block []byte
}

func (s *subBlocks) ReadByte() (byte, error) {
	if len(s.block) == 0 {
		if len(s.rest) == 0 {
			return 0, io.ErrUnexpectedEOF
		}
		n := int(s.rest[0])
		if n == 0 {
			return 0, io.EOF
		}
		if n >= len(s.rest) {
			n = len(s.rest) - 1
			if n == 0 {
				return 0, io.ErrUnexpectedEOF
			}
		}
		s.block, s.rest = s.rest[1:1+n], s.rest[1+n:]
	}
	b := s.block[0]
	s.block = s.block[1:]
	return b, nil
}

func (s *subBlocks) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b, err := s.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = b
	n := copy(p[1:], s.block)
	s.block = s.block[n:]
	return n + 1, nil
}

// byteReader takes pieces off a file in memory; a piece that is not all
// there is nil.
type byteReader struct {
	data []byte
	at   int
}

func (r *byteReader) take(n int) []byte {
	if n < 0 || len(r.data)-r.at < n {
		r.at = len(r.data)
		return nil
	}
	piece := r.data[r.at : r.at+n : r.at+n]
	r.at += n
	return piece
}

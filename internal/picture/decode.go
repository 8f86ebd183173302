package picture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
)

// Info is what the header of a file says.
type Info struct {
	Format        string // "jpeg", "png", "gif", "webp", "bmp" or "tiff"
	Width, Height int    // in pixels, of the upright picture
	Orientation   int    // EXIF orientation as found, 1 to 8; 1 where none is given
}

// file is one recognised file whose header has been read.
type file interface {
	// stored gives the size and orientation that the header tells.
	stored() (width, height, orientation int)
	// decode gives the picture as stored, not yet upright.
	decode() (*RGB, error)
}

// scalable is a file that can be decoded at a fraction of its size; it may
// give the whole size all the same.
type scalable interface {
	decodeScaled(scale int) (*RGB, error)
}

// Decode reads a whole file and gives the upright picture over white. Data
// after the end of the picture is ignored. Errors are as the package comment
// says; on error the picture is nil, and Info is filled as far as it was
// known.
func Decode(r io.Reader, limits Limits) (*RGB, Info, error) {
	return DecodeAtLeast(r, limits, math.MaxInt)
}

// enough is how many times larger than what is wanted a picture must stay
// when it is decoded at a fraction of its size: the antialiased resize that
// follows then has something left to average.
const enough = 2

// DecodeAtLeast is Decode for who needs the picture's shorter side no longer
// than short: a JPEG may be decoded at ½, ¼ or ⅛ of its size, which is much
// faster, as long as its shorter side stays at least twice short. Info tells
// the size of the whole picture.
func DecodeAtLeast(r io.Reader, limits Limits, short int) (*RGB, Info, error) {
	f, info, err := open(r, limits)
	if err != nil {
		return nil, info, err
	}
	scale := fraction(info, short)
	m, err := decodeFile(f, info, scale)
	if err != nil {
		return nil, info, err
	}
	m = upright(m, info.Orientation)
	whole := m.Width == info.Width && m.Height == info.Height
	if scaled := m.Width == ceilDiv(info.Width, scale) && m.Height == ceilDiv(info.Height, scale); !whole && !scaled {
		return nil, info, corrupt(info.Format, "its pixels are %d×%d, its header says %d×%d", m.Width, m.Height, info.Width, info.Height)
	}
	return m, info, nil
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// Probe reads a file up to its end or Limits.MaxBytes, but decodes only the
// header: a picture that passes may still turn out broken in Decode.
func Probe(r io.Reader, limits Limits) (Info, error) {
	_, info, err := open(r, limits)
	return info, err
}

func open(r io.Reader, limits Limits) (file, Info, error) {
	if err := limits.Validate(); err != nil {
		return nil, Info{}, err
	}
	data, err := readAll(r, limits.MaxBytes)
	if err != nil {
		return nil, Info{}, err
	}
	format, err := sniff(data)
	if err != nil {
		return nil, Info{}, err
	}
	info := Info{Format: format, Orientation: 1}
	f, err := openers[format](data)
	if err != nil {
		return nil, info, err
	}
	info.Width, info.Height, info.Orientation = f.stored()
	if swapsSides(info.Orientation) {
		info.Width, info.Height = info.Height, info.Width
	}
	return f, info, limits.check(format, info.Width, info.Height)
}

// openers read a file's header. The map is never written.
var openers = map[string]func(data []byte) (file, error){
	formatJPEG: openJPEG,
	formatPNG:  openPNG,
	formatGIF:  openGIF,
	formatWebP: openWebP,
	formatBMP:  openBMP,
	formatTIFF: openTIFF,
}

// readAll reads at most one byte more than is allowed, to know of it.
func readAll(r io.Reader, maxBytes int64) ([]byte, error) {
	var buf bytes.Buffer
	if sized, ok := r.(interface{ Len() int }); ok && int64(sized.Len()) <= maxBytes {
		buf.Grow(sized.Len() + bytes.MinRead)
	}
	n, err := buf.ReadFrom(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("picture: read file: %w", err)
	}
	if n > maxBytes {
		return nil, &LimitError{What: bytesLimit, Got: n, Limit: maxBytes}
	}
	return buf.Bytes(), nil
}

// decodeFile gives every failure below one shape. The decoders of other
// projects are fuzzed but not proven: a panic of theirs on a hostile file is
// that file's loss, not the process's.
func decodeFile(f file, info Info, scale int) (m *RGB, err error) {
	defer func() {
		if p := recover(); p != nil {
			m, err = nil, corrupt(info.Format, "decoder panic: %v", p)
		}
	}()
	if s, ok := f.(scalable); ok && scale > 1 {
		m, err = s.decodeScaled(scale)
	} else {
		m, err = f.decode()
	}
	if err == nil {
		return m, nil
	}
	var unsupported *UnsupportedError
	var broken *CorruptError
	switch {
	case errors.As(err, &unsupported), errors.As(err, &broken):
		return nil, err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, truncated(info.Format)
	}
	return nil, &CorruptError{Format: info.Format, Err: err}
}

package picture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
)

// Info is what the header of a file says.
type Info struct {
	Format        string // "jpeg", "png", "gif", "webp", "bmp", "tiff", "netpbm", "tga", "heic" or "avif"
	Width, Height int    // in pixels, of the upright picture
	Orientation   int    // of EXIF or XMP as found, 1 to 8; 1 where none is given

	// Damage says in a plain sentence, which begins in lower case, what is
	// missing or wrong of a picture that is shown all the same, as in "its data
	// end after 71 % of it; the rest is grey". It is empty for what is whole,
	// and always before decoding. What no decoder can know, as changed bits that
	// are valid codes, it does not tell; by the former rules (see
	// Rules.TellDamage) it tells less.
	Damage string
}

// file is one recognised file whose header has been read.
type file interface {
	// stored gives the size and orientation that the header tells.
	stored() (width, height, orientation int)
	// extra gives what else the header tells.
	extra() *metadata
	// ways are the ways to decode it by rules, in the order to be tried. The
	// scale is 1, 2, 4 or 8; a way may give the whole size all the same.
	ways(rules Rules, scale int) []way
}

// way is one way of decoding a file: whole or row by row.
type way struct {
	bytes int64 // what it takes beside the file, at most; by rows, beside them too
	scale int   // the picture has 1/scale of the size
	// decode gives the picture as stored, not yet upright, and its damage, or
	// errOtherWay. It ends soon after ctx.
	decode func(ctx context.Context) (m *RGB, damage string, err error)
	// rows is for decode, where the format can: it gives all rows as stored.
	rows func(ctx context.Context, to rowSink) (damage string, err error)
	// onlyReduced is a way that is not taken where the whole picture is needed.
	onlyReduced bool
}

// whole is the decoding of a format of which no damaged picture is shown.
func whole(decode func(ctx context.Context) (*RGB, error)) func(ctx context.Context) (*RGB, string, error) {
	return func(ctx context.Context) (*RGB, string, error) {
		m, err := decode(ctx)
		return m, "", err
	}
}

// errOtherWay says that a file is to be decoded in the next way.
var errOtherWay = errors.New("it can't be decoded in this way")

// only is the one way of most formats: whole, with so many bytes a pixel.
func only(width, height int, bytesPerPixel int64, decode func(ctx context.Context) (*RGB, error)) []way {
	return []way{{bytes: bytesPerPixel * int64(width) * int64(height), scale: 1, decode: whole(decode)}}
}

// rgbBytes is the size of a picture at 1/scale.
func rgbBytes(width, height, scale int) int64 {
	return 3 * int64(ceilDiv(width, scale)) * int64(ceilDiv(height, scale))
}

// Decode reads a whole file by the present rules and gives the upright picture
// over white. Data
// after the end of the picture is ignored. Errors are as the package comment
// says; on error the picture is nil, and Info is filled as far as it was
// known.
func Decode(r io.Reader, limits Limits) (*RGB, Info, error) {
	return Read(r, limits, Reading{})
}

const (
	// enough is how many times larger than what is wanted a picture must stay
	// when it is decoded at a fraction of its size: the antialiased resize that
	// follows then has something left to average.
	enough = 2

	maxScale = 8
)

// DecodeAtLeast is Decode for who needs the picture's shorter side no longer
// than short: a JPEG may be decoded at ½, ¼ or ⅛ of its size, which is much
// faster, and so may a PNG above 50 megapixels, which is a matter of memory,
// as long as its shorter side stays at least twice short. Info tells the size
// of the whole picture.
func DecodeAtLeast(r io.Reader, limits Limits, short int) (*RGB, Info, error) {
	return Read(r, limits, Reading{Rules: Former.With(PNGReduced), Short: short})
}

// Read is Decode by rules.
func Read(r io.Reader, limits Limits, reading Reading) (*RGB, Info, error) {
	f, info, err := open(r, limits, reading.Rules)
	if err != nil {
		return nil, info, err
	}
	for _, way := range f.ways(reading.Rules, reading.scale(info)) {
		m, err := decodeInto(context.Background(), way, &info, reading.target(way, info))
		if err != errOtherWay {
			return m, info, err
		}
	}
	return nil, info, &CorruptError{Format: info.Format, Err: errOtherWay}
}

// target is what is to be made of a file.
type target struct {
	reduced bool   // the window alone
	nothing bool   // it is decoded to know that it can be
	window  Window // of the upright picture at the way's scale
}

// target says what a way is to make: the window that is asked for, where it
// goes by rows.
func (r Reading) target(w way, info Info) target {
	if r.Window == nil || w.rows == nil {
		return target{}
	}
	width, height := ceilDiv(info.Width, w.scale), ceilDiv(info.Height, w.scale)
	window := r.Window(width, height)
	return target{reduced: window.fits(width, height), window: window}
}

// bytes is what decoding in a way takes beside the file, at most.
func (t target) bytes(w way, info Info) int64 {
	width, height := ceilDiv(info.Width, w.scale), ceilDiv(info.Height, w.scale)
	turned := swapsSides(info.Orientation)
	if turned {
		width, height = height, width // as stored
	}
	switch {
	case t.nothing && w.rows != nil:
		return w.bytes + 3*int64(width)
	case t.reduced:
		return w.bytes + t.window.bytes(width, height, info.Orientation)
	}
	bytes := w.bytes
	if w.rows != nil {
		bytes += 3 * int64(width) * int64(height)
	}
	if turned && !t.nothing {
		bytes += 3 * int64(width) * int64(height) // turning makes a second one
	}
	return bytes
}

// decodeInto decodes in one way. It notes the damage.
func decodeInto(ctx context.Context, w way, info *Info, t target) (*RGB, error) {
	if w.rows == nil {
		return decodeUpright(ctx, w, info)
	}
	if w.onlyReduced && !t.reduced && !t.nothing {
		return nil, errOtherWay
	}
	width, height := ceilDiv(info.Width, w.scale), ceilDiv(info.Height, w.scale)
	whole := image.Pt(width, height)
	if swapsSides(info.Orientation) {
		width, height = height, width
	}
	var to rowSink
	var finish func() *RGB
	switch {
	case t.nothing:
		to, finish = &dropped{width: width}, func() *RGB { return nil }
	case t.reduced:
		r := newReduction(width, height, info.Orientation, t.window)
		to, finish = r, func() *RGB {
			m := r.finish()
			m.reducedTo, m.wholeWidth, m.wholeHeight = &t.window, whole.X, whole.Y
			return m
		}
	default:
		c := &collected{width: width, height: height}
		to, finish = c, func() *RGB { return upright(c.m, info.Orientation) }
	}
	var m *RGB
	err := shaped(ctx, info.Format, func() (err error) {
		if info.Damage, err = w.rows(ctx, to); err == nil {
			m = finish()
		}
		return err
	})
	if err != nil {
		info.Damage = ""
		return nil, err
	}
	return m, nil
}

// decodeUpright decodes a whole picture and turns it, and holds its size
// against the header's.
func decodeUpright(ctx context.Context, w way, info *Info) (*RGB, error) {
	var m *RGB
	damage := ""
	err := shaped(ctx, info.Format, func() (err error) {
		m, damage, err = w.decode(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	info.Damage = damage
	m = upright(m, info.Orientation)
	whole := m.Width == info.Width && m.Height == info.Height
	if scaled := m.Width == ceilDiv(info.Width, w.scale) && m.Height == ceilDiv(info.Height, w.scale); !whole && !scaled {
		return nil, corrupt(info.Format, "its pixels are %d×%d, its header says %d×%d", m.Width, m.Height, info.Width, info.Height)
	}
	return m, nil
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// Probe reads a file up to its end or Limits.MaxBytes, but decodes only the
// header: a picture that passes may still turn out broken in Decode.
func Probe(r io.Reader, limits Limits) (Info, error) {
	_, info, err := open(r, limits, "")
	return info, err
}

// open reads a file and its header.
func open(r io.Reader, limits Limits, rules Rules) (file, Info, error) {
	if err := limits.Validate(); err != nil {
		return nil, Info{}, err
	}
	data, err := readAll(r, limits.MaxBytes, sizeOf(r))
	if err != nil {
		return nil, Info{}, err
	}
	return openBytes(data, limits, rules)
}

// openBytes reads a file's header and holds it against the limits.
func openBytes(data []byte, limits Limits, rules Rules) (file, Info, error) {
	if err := limits.Validate(); err != nil {
		return nil, Info{}, err
	}
	if int64(len(data)) > limits.MaxBytes {
		return nil, Info{}, &LimitError{What: bytesLimit, Got: int64(len(data)), Limit: limits.MaxBytes}
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
	if h, ok := f.(*heifFile); ok {
		info.Format = h.format()
		format = info.Format
	}
	info.Width, info.Height, info.Orientation = f.stored()
	info.Orientation = f.extra().orientation(info.Orientation, rules)
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

	formatNetpbm: openNetpbm,
	formatTGA:    openTGA,

	formatHEIC: openHEIF,
}

// readAll reads at most one byte more than is allowed, to know of it. The
// size is a guess, or -1.
func readAll(r io.Reader, maxBytes, size int64) ([]byte, error) {
	var buf bytes.Buffer
	if size >= 0 && size <= maxBytes {
		buf.Grow(int(size) + bytes.MinRead)
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

// shaped gives every failure of decoding one shape. The decoders of other
// projects are fuzzed but not proven: a panic of theirs on a hostile file is
// that file's loss, not the process's.
func shaped(ctx context.Context, format string, decode func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = corrupt(format, "decoder panic: %v", p)
		}
	}()
	err = decode()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil || err == errOtherWay {
		return err
	}
	var unsupported *UnsupportedError
	var broken *CorruptError
	switch {
	case errors.As(err, &unsupported), errors.As(err, &broken):
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return truncated(format)
	}
	return &CorruptError{Format: format, Err: err}
}

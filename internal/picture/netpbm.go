package picture

import (
	"context"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
)

// netpbmFile is a picture of the Netpbm formats (netpbm.sourceforge.net/doc):
// PBM, PGM, PPM, as text or as bytes, and PAM.
type netpbmFile struct {
	metadata
	pixels        []byte // what comes after the header
	width, height int
	samples       int // of a pixel
	highest       int // value of a sample
	text, bits    bool
	dark          bool // one is black
	alpha         bool // the last sample is transparency
}

var errNetpbmHeader = errors.New("its header makes no sense")

func openNetpbm(data []byte) (file, error) {
	f := &netpbmFile{samples: 1, highest: 1}
	kind := data[1]
	if kind == '7' {
		return f, f.readPAMHeader(data)
	}
	f.text = kind <= '3'
	f.bits = kind == '4'
	f.dark = kind == '1' || kind == '4'
	if kind == '3' || kind == '6' {
		f.samples = 3
	}
	numbers := []*int{&f.width, &f.height, &f.highest}
	if f.dark {
		numbers = numbers[:2]
	}
	rest := data[2:]
	for _, n := range numbers {
		word, after := netpbmWord(rest)
		v, err := strconv.ParseUint(string(word), 10, 31)
		if err != nil {
			return nil, f.headerError(after)
		}
		*n, rest = int(v), after
	}
	if len(rest) > 0 {
		rest = rest[1:] // one space
	}
	f.pixels = rest
	return f, f.check()
}

func (f *netpbmFile) headerError(rest []byte) error {
	if len(rest) == 0 {
		return truncated(formatNetpbm)
	}
	return &CorruptError{Format: formatNetpbm, Err: errNetpbmHeader}
}

func (f *netpbmFile) check() error {
	if f.highest < 1 || f.highest > 65535 || f.samples < 1 || f.samples > 4 {
		return &CorruptError{Format: formatNetpbm, Err: errNetpbmHeader}
	}
	return nil
}

// netpbmWord gives the next word of a header, and what comes after it;
// comments reach from # to the end of the line.
func netpbmWord(data []byte) (word, rest []byte) {
	for i := 0; i < len(data); {
		switch c := data[i]; {
		case c == '#':
			for i < len(data) && data[i] != '\n' && data[i] != '\r' {
				i++
			}
		case isSpace(c):
			i++
		default:
			end := i
			for end < len(data) && !isSpace(data[end]) && data[end] != '#' {
				end++
			}
			return data[i:end], data[end:]
		}
	}
	return nil, nil
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// readPAMHeader reads lines of a name and a value up to ENDHDR.
func (f *netpbmFile) readPAMHeader(data []byte) error {
	rest := data[2:]
	for {
		line, _, found := strings.Cut(string(rest[:min(len(rest), 1024)]), "\n")
		if !found {
			return truncated(formatNetpbm)
		}
		rest = rest[len(line)+1:]
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		value = strings.TrimSpace(value)
		number := map[string]*int{"WIDTH": &f.width, "HEIGHT": &f.height, "DEPTH": &f.samples, "MAXVAL": &f.highest}[name]
		switch {
		case name == "ENDHDR":
			f.pixels = rest
			return f.check()
		case name == "TUPLTYPE":
			f.alpha = strings.HasSuffix(value, "_ALPHA")
		case number != nil:
			v, err := strconv.ParseUint(value, 10, 31)
			if err != nil {
				return &CorruptError{Format: formatNetpbm, Err: errNetpbmHeader}
			}
			*number = int(v)
		}
	}
}

func (f *netpbmFile) stored() (width, height, orientation int) { return f.width, f.height, 1 }

func (f *netpbmFile) ways(Rules, int) []way {
	return []way{{bytes: rgbBytes(f.width, f.height, 1) + int64(f.width)*16 + 64<<10, scale: 1, decode: whole(f.decode)}}
}

// rowBytes is how many bytes a row takes, at least.
func (f *netpbmFile) rowBytes() int64 {
	n := int64(f.width) * int64(f.samples)
	switch {
	case f.bits:
		return (n + 7) / 8
	case f.highest > 255 && !f.text:
		return 2 * n
	}
	return n
}

func (f *netpbmFile) decode(ctx context.Context) (*RGB, error) {
	if f.rowBytes()*int64(f.height) > int64(len(f.pixels)) {
		return nil, errTruncated
	}
	out := NewRGB(f.width, f.height)
	row := make([]byte, f.width*f.samples)
	rest := f.pixels
	for y := range f.height {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if f.text {
			var err error
			if rest, err = f.readText(row, rest); err != nil {
				return nil, err
			}
		} else {
			f.readBytes(row, rest)
			rest = rest[f.rowBytes():]
		}
		f.place(out.Row(y), row)
	}
	return out, nil
}

// level brings a sample to eight bits; of grey with more than eight the high
// ones of sixteen count, as in other formats.
func (f *netpbmFile) level(v int) byte {
	v = min(v, f.highest)
	if f.highest > 255 && f.samples < 3 {
		return byte((v*65535 + f.highest/2) / f.highest >> 8)
	}
	return byte((v*255 + f.highest/2) / f.highest)
}

func (f *netpbmFile) readBytes(row, data []byte) {
	for i := range row {
		switch {
		case f.bits:
			row[i] = 255 - data[i/8]>>(7-i%8)&1*255
		case f.highest > 255:
			row[i] = f.level(int(binary.BigEndian.Uint16(data[2*i:])))
		case f.highest < 255:
			row[i] = f.level(int(data[i]))
		default:
			row[i] = data[i]
		}
	}
}

// readText reads a row of numbers; those of a bitmap may stand together.
func (f *netpbmFile) readText(row, data []byte) ([]byte, error) {
	for i := range row {
		word, rest := netpbmWord(data)
		if word == nil {
			return nil, errTruncated
		}
		if f.dark {
			if word[0] != '0' && word[0] != '1' {
				return nil, errors.New("a bit of it is neither 0 nor 1")
			}
			row[i] = 255 - (word[0]-'0')*255
			data = data[len(data)-len(rest)-len(word)+1:]
			continue
		}
		v, err := strconv.ParseUint(string(word), 10, 31)
		if err != nil {
			return nil, errors.New("a sample of it is no number")
		}
		row[i], data = f.level(int(v)), rest
	}
	return data, nil
}

// place makes colours of samples, over white.
func (f *netpbmFile) place(dst, row []byte) {
	n := f.samples
	alpha := f.alpha && n%2 == 0
	for i, j := 0, 0; i+2 < len(dst); i, j = i+3, j+n {
		p := dst[i : i+3 : i+3]
		p[0], p[1], p[2] = row[j], row[j], row[j]
		if n >= 3 {
			p[1], p[2] = row[j+1], row[j+2]
		}
		if alpha {
			a := row[j+n-1]
			p[0], p[1], p[2] = overWhite(p[0], a), overWhite(p[1], a), overWhite(p[2], a)
		}
	}
}

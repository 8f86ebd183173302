package picture

import (
	"context"
	"encoding/binary"
)

// tgaFile is a Truevision TGA picture (Truevision TGA File Format
// Specification, version 2.0).
type tgaFile struct {
	metadata
	width, height int
	kind          byte // 1 indices, 2 colours, 3 grey
	packed        bool
	opaque        bool // it says that no bit of a pixel is transparency
	depth         int  // bits of a pixel
	fromTop       bool
	fromRight     bool
	palette       [][4]byte
	first         int // index of the palette's first colour
	pixels        []byte
}

const tgaHeader = 18

// isTGA holds the header against all that it may say: there is no signature.
func isTGA(data []byte) bool {
	if len(data) < tgaHeader || data[1] > 1 || data[17]&0xc0 != 0 || data[17]&15 > 8 {
		return false
	}
	depth, mapDepth := data[16], data[7]
	hasMap := data[1] == 1
	switch data[2] &^ 8 {
	case 1:
		if !hasMap || depth != 8 {
			return false
		}
	case 2:
		if depth != 16 && depth != 24 && depth != 32 {
			return false
		}
	case 3:
		if depth != 8 && depth != 16 {
			return false
		}
	default:
		return false
	}
	if data[2]&^11 != 0 {
		return false
	}
	if hasMap && mapDepth != 15 && mapDepth != 16 && mapDepth != 24 && mapDepth != 32 {
		return false
	}
	if !hasMap && string(data[3:8]) != "\x00\x00\x00\x00\x00" {
		return false
	}
	return binary.LittleEndian.Uint16(data[12:]) > 0 && binary.LittleEndian.Uint16(data[14:]) > 0
}

func openTGA(data []byte) (file, error) {
	f := &tgaFile{
		width: int(binary.LittleEndian.Uint16(data[12:])), height: int(binary.LittleEndian.Uint16(data[14:])),
		kind: data[2] &^ 8, packed: data[2]&8 != 0, depth: int(data[16]),
		opaque: data[17]&15 == 0, fromTop: data[17]&0x20 != 0, fromRight: data[17]&0x10 != 0, first: int(binary.LittleEndian.Uint16(data[3:])),
	}
	colours, size := int(binary.LittleEndian.Uint16(data[5:])), (int(data[7])+7)/8
	at := tgaHeader + int(data[0])
	if len(data) < at+colours*size {
		return nil, truncated(formatTGA)
	}
	for i := range colours {
		f.palette = append(f.palette, tgaColour(data[at+i*size:], size))
	}
	f.pixels = data[at+colours*size:]
	return f, nil
}

// tgaColour reads blue, green, red and perhaps alpha, of 16 bits five each.
func tgaColour(p []byte, size int) [4]byte {
	switch size {
	case 2:
		v := binary.LittleEndian.Uint16(p)
		five := func(shift int) byte { return byte(int(v>>shift&31) * 255 / 31) }
		return [4]byte{five(10), five(5), five(0), 255}
	case 3:
		return [4]byte{p[2], p[1], p[0], 255}
	}
	return [4]byte{p[2], p[1], p[0], p[3]}
}

func (f *tgaFile) stored() (width, height, orientation int) { return f.width, f.height, 1 }

func (f *tgaFile) ways(Rules, int) []way {
	return only(f.width, f.height, 3, f.decode)
}

func (f *tgaFile) decode(ctx context.Context) (*RGB, error) {
	size := f.depth / 8
	// A packet of two to five bytes has up to 128 pixels.
	if least := int64(f.width) * int64(f.height) * int64(size); !f.packed && least > int64(len(f.pixels)) || least/128 > int64(len(f.pixels)) {
		return nil, errTruncated
	}
	out := NewRGB(f.width, f.height)
	rest, left, repeated := f.pixels, 0, false
	for i := range f.width * f.height {
		if i%f.width == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if f.packed && left == 0 {
			if len(rest) == 0 {
				return nil, errTruncated
			}
			left, repeated, rest = int(rest[0]&127)+1, rest[0]&128 != 0, rest[1:]
		}
		if len(rest) < size {
			return nil, errTruncated
		}
		x, y := i%f.width, i/f.width
		if f.fromRight {
			x = f.width - 1 - x
		}
		if !f.fromTop {
			y = f.height - 1 - y
		}
		c := f.colour(rest)
		p := out.Row(y)[3*x:][:3]
		for k := range p {
			if p[k] = c[k]; !f.opaque || f.kind != 2 {
				p[k] = overWhite(c[k], c[3])
			}
		}
		left--
		if !f.packed || !repeated || left == 0 {
			rest = rest[size:]
		}
	}
	return out, nil
}

// colour is that of a pixel. Indices past the palette are black.
func (f *tgaFile) colour(p []byte) [4]byte {
	switch {
	case f.kind == 3 && f.depth == 16:
		return [4]byte{p[0], p[0], p[0], p[1]}
	case f.kind == 3:
		return [4]byte{p[0], p[0], p[0], 255}
	case f.kind == 2:
		return tgaColour(p, f.depth/8)
	}
	if at := int(p[0]) - f.first; at >= 0 && at < len(f.palette) {
		return f.palette[at]
	}
	return [4]byte{0, 0, 0, 255}
}

package picture

import (
	"context"
	"encoding/binary"
	"math/bits"
)

// The compressions of a BMP file that are read.
const (
	bmpPlain      = 0
	bmpRLE8       = 1
	bmpRLE4       = 2
	bmpBitFields  = 3
	bmpAlphaField = 6
)

// bmpFile is the header of a BMP file in any of its versions. It is read
// here because x/image/bmp knows neither 16 bits, bit fields, run lengths nor
// the headers of OS/2.
type bmpFile struct {
	metadata
	width, height int
	topDown       bool
	bits          int
	compression   uint32
	palette       [256][3]byte
	masks         [4]uint32 // of red, green, blue and alpha
	pixels        []byte
}

func openBMP(data []byte) (file, error) {
	const fileHeader = 14
	if len(data) < fileHeader+12 {
		return nil, truncated(formatBMP)
	}
	size := int(binary.LittleEndian.Uint32(data[14:]))
	if len(data) < fileHeader+size {
		return nil, truncated(formatBMP)
	}
	f := &bmpFile{}
	header := data[fileHeader:]
	colours, entry := uint32(0), 4
	if size == 12 {
		f.width, f.height = int(binary.LittleEndian.Uint16(header[4:])), int(binary.LittleEndian.Uint16(header[6:]))
		f.bits, entry = int(binary.LittleEndian.Uint16(header[10:])), 3
	} else {
		f.width, f.height = int(int32(binary.LittleEndian.Uint32(header[4:]))), int(int32(binary.LittleEndian.Uint32(header[8:])))
		f.bits = int(binary.LittleEndian.Uint16(header[14:]))
		if size >= 40 {
			f.compression, colours = binary.LittleEndian.Uint32(header[16:]), binary.LittleEndian.Uint32(header[32:])
		}
	}
	if f.height < 0 {
		f.height, f.topDown = -f.height, true
	}
	if f.width < 0 {
		return nil, corrupt(formatBMP, "its width is %d", f.width)
	}
	if kind := f.loss(size); kind != "" {
		return nil, &UnsupportedError{Kind: kind}
	}
	after := f.readMasks(header, size)
	if after > len(header) {
		return nil, truncated(formatBMP)
	}
	offset := int64(binary.LittleEndian.Uint32(data[10:]))
	if offset > int64(len(data)) {
		return nil, truncated(formatBMP)
	}
	f.pixels = data[offset:]
	if f.bits <= 8 {
		f.readPalette(header[after:max(after, min(len(header), int(offset)-fileHeader))], colours, entry)
	}
	return f, nil
}

// loss names what is not read, "" for the rest.
func (f *bmpFile) loss(size int) string {
	ok := false
	switch f.compression {
	case bmpPlain:
		switch f.bits {
		case 1, 2, 4, 8, 16, 24, 32:
			ok = true
		}
	case bmpRLE8:
		ok = f.bits == 8
	case bmpRLE4:
		ok = f.bits == 4
	case bmpBitFields, bmpAlphaField:
		ok = (f.bits == 16 || f.bits == 32) && size != 64 // in OS/2 a fax coding
	}
	if !ok {
		return "compressed BMP"
	}
	return ""
}

// readMasks finds where in a pixel each channel is, and gives the length of
// the header with the masks that may follow it.
func (f *bmpFile) readMasks(header []byte, size int) (length int) {
	count := 0
	switch f.compression {
	case bmpBitFields:
		count = 3
	case bmpAlphaField:
		count = 4
	}
	f.masks = [4]uint32{0xff0000, 0xff00, 0xff}
	if f.bits == 16 {
		f.masks = [4]uint32{0x7c00, 0x3e0, 0x1f}
	}
	length = size
	if size < 40+4*count {
		length = 40 + 4*count
	} else if size >= 56 && size != 64 {
		// An alpha mask counts where the header has a place for it.
		f.masks[3] = binary.LittleEndian.Uint32(header[52:])
	}
	if count == 0 {
		return size
	}
	for i := range count {
		if len(header) >= 44+4*i {
			f.masks[i] = binary.LittleEndian.Uint32(header[40+4*i:])
		}
	}
	return length
}

func (f *bmpFile) readPalette(table []byte, colours uint32, entry int) {
	n := 1 << f.bits
	if colours > 0 && colours < uint32(n) {
		n = int(colours)
	}
	for i := 0; i < n && len(table) >= entry*i+3; i++ {
		f.palette[i] = [3]byte{table[entry*i+2], table[entry*i+1], table[entry*i]}
	}
}

func (f *bmpFile) stored() (width, height, orientation int) { return f.width, f.height, 1 }

func (f *bmpFile) ways(Rules, int) []way { return only(f.width, f.height, 3, f.decode) }

func (f *bmpFile) decode(ctx context.Context) (*RGB, error) {
	if f.compression == bmpRLE8 || f.compression == bmpRLE4 {
		return f.decodeRuns()
	}
	stride := (f.width*f.bits + 31) / 32 * 4
	if len(f.pixels) < stride*(f.height-1)+(f.width*f.bits+7)/8 {
		return nil, errTruncated
	}
	m := NewRGB(f.width, f.height)
	convert := f.rowConverter(stride)
	for y := range f.height {
		if y%64 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		convert(f.row(m, y), f.pixels[y*stride:])
	}
	return m, nil
}

// row is where the y-th stored row belongs; most files begin at the bottom.
func (f *bmpFile) row(m *RGB, y int) []byte {
	if f.topDown {
		return m.Row(y)
	}
	return m.Row(f.height - 1 - y)
}

func (f *bmpFile) rowConverter(stride int) func(dst, src []byte) {
	switch {
	case f.bits <= 8:
		return func(dst, src []byte) {
			for x := range f.width {
				at := x * f.bits
				index := src[at/8] >> (8 - f.bits - at%8) & (1<<f.bits - 1)
				copy(dst[3*x:], f.palette[index][:])
			}
		}
	case f.bits == 24:
		return func(dst, src []byte) {
			for i := 0; i < 3*f.width; i += 3 {
				dst[i], dst[i+1], dst[i+2] = src[i+2], src[i+1], src[i]
			}
		}
	}
	masks := f.masks
	if !f.usesAlpha(stride) {
		masks[3] = 0
	}
	return func(dst, src []byte) {
		for x := range f.width {
			p := f.pixel(src, x)
			alpha := byte(255)
			if masks[3] != 0 {
				alpha = field(p, masks[3])
			}
			for c := range 3 {
				dst[3*x+c] = overWhite(field(p, masks[c]), alpha)
			}
		}
	}
}

func (f *bmpFile) pixel(row []byte, x int) uint32 {
	if f.bits == 16 {
		return uint32(binary.LittleEndian.Uint16(row[2*x:]))
	}
	return binary.LittleEndian.Uint32(row[4*x:])
}

// usesAlpha reports whether any pixel shows: many writers leave the alpha of
// an opaque picture zero.
func (f *bmpFile) usesAlpha(stride int) bool {
	if f.masks[3] == 0 {
		return false
	}
	for y := range f.height {
		for x := range f.width {
			if f.pixel(f.pixels[y*stride:], x)&f.masks[3] != 0 {
				return true
			}
		}
	}
	return false
}

// field gives a channel, whatever its width, from 0 to 255.
func field(pixel, mask uint32) byte {
	if mask == 0 {
		return 0
	}
	shift := bits.TrailingZeros32(mask)
	return byte(uint64((pixel&mask)>>shift) * 255 / uint64(mask>>shift))
}

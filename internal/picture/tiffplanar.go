package picture

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"

	"golang.org/x/image/tiff"
)

// Tags of where a TIFF file's samples are.
const (
	tagStripOffsets    = 273
	tagStripByteCounts = 279
	tagTileOffsets     = 324
	tagTileByteCounts  = 325
)

// decodePlanar decodes a file of red, green, blue and perhaps alpha in planes
// of their own, which x/image refuses: each plane is shown to it as a grey
// picture.
func (f *tiffFile) decodePlanar(ctx context.Context) (*RGB, error) {
	var out *RGB
	samples := f.dir.samples()
	for s := range 3 {
		plane, err := f.decodePlane(ctx, s, samples)
		if err != nil {
			return nil, err
		}
		if out == nil { // not for a file whose first plane isn't there
			width, height, _ := f.stored()
			out = NewRGB(width, height)
		}
		for i, v := range plane {
			out.Pix[3*i+s] = v
		}
	}
	if samples < 4 {
		return out, nil
	}
	alpha, err := f.decodePlane(ctx, 3, samples)
	if err != nil {
		return nil, err
	}
	multiplied := f.dir.first(tagExtraSamples, 0) == alphaMultiplied
	for i, a := range alpha {
		for c, v := range out.Pix[3*i : 3*i+3] {
			if multiplied {
				out.Pix[3*i+c] = byte(min(int(v)+255-int(a), 255))
			} else {
				out.Pix[3*i+c] = overWhite(v, a)
			}
		}
	}
	return out, nil
}

// decodePlane gives the high bytes of one plane's samples.
func (f *tiffFile) decodePlane(ctx context.Context, plane, planes int) ([]byte, error) {
	file, err := f.planeFile(plane, planes)
	if err != nil {
		return nil, err
	}
	m, err := tiff.Decode(ctxFile{ctx, bytes.NewReader(file)})
	if err != nil {
		return nil, err
	}
	width, height, _ := f.stored()
	switch m := m.(type) {
	case *image.Gray:
		if m.Stride == width && len(m.Pix) == width*height {
			return m.Pix, nil
		}
	case *image.Gray16:
		if m.Stride == 2*width && len(m.Pix) == 2*width*height {
			high := make([]byte, width*height)
			for i := range high {
				high[i] = m.Pix[2*i]
			}
			return high, nil
		}
	}
	return nil, corrupt(formatTIFF, "its plane %d is %T of %v", plane, m, m.Bounds())
}

// planeFile is the file with a directory at its end, which the header points
// at, that knows one plane alone.
func (f *tiffFile) planeFile(plane, planes int) ([]byte, error) {
	order, _ := tiffByteOrder(f.data)
	at := int(order.Uint32(f.data[4:8]))
	entries := f.data[at+2:]
	count := min(int(order.Uint16(f.data[at:])), len(entries)/12)
	file := bytes.Clone(f.data)
	order.PutUint32(file[4:8], uint32(len(file)))
	file = append(file, 0, 0)
	kept := 0
	for i := range count {
		entry := bytes.Clone(entries[12*i:][:12])
		switch order.Uint16(entry) {
		case tagPhotometric:
			setShort(entry, order, photometricBlackIsZero)
		case tagSamplesPerPixel:
			setShort(entry, order, 1)
		case tagBitsPerSample:
			setShort(entry, order, uint16(f.dir.first(tagBitsPerSample, 1)))
		case tagStripOffsets, tagStripByteCounts, tagTileOffsets, tagTileByteCounts:
			if !keepShare(entry, f.data, order, plane, planes) {
				return nil, corrupt(formatTIFF, "its %d planes are not of the same number of pieces", planes)
			}
		case tagPlanar, tagExtraSamples, tagSampleFormat:
			continue
		}
		file = append(file, entry...)
		kept++
	}
	order.PutUint16(file[len(f.data):], uint16(kept))
	return append(file, 0, 0, 0, 0), nil
}

// setShort makes a directory's entry say one number of 16 bits.
func setShort(entry []byte, order binary.ByteOrder, value uint16) {
	order.PutUint16(entry[2:], 3)
	order.PutUint32(entry[4:], 1)
	order.PutUint32(entry[8:], 0)
	order.PutUint16(entry[8:], value)
}

// keepShare narrows an entry of data, whose numbers are of all planes one
// after the other, to those of one plane.
func keepShare(entry, data []byte, order binary.ByteOrder, plane, planes int) bool {
	size := 4
	if order.Uint16(entry[2:]) == 3 {
		size = 2
	}
	count := int(order.Uint32(entry[4:]))
	share := count / planes
	if share == 0 || share*planes != count {
		return false
	}
	// Up to four bytes stand in the entry itself, more of them where it says.
	values, at := entry, 8
	if count*size > 4 {
		values, at = data, int(order.Uint32(entry[8:]))
	}
	at += plane * share * size
	if at+share*size > len(values) {
		return false
	}
	order.PutUint32(entry[4:], uint32(share))
	if share*size > 4 {
		order.PutUint32(entry[8:], uint32(at))
	} else {
		copy(entry[8:], values[at:at+share*size])
	}
	return true
}

package picture

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"io"
	"math/bits"

	"golang.org/x/image/tiff/lzw"

	"github.com/palate-art/palate/internal/picture/icc"
)

// readPiece writes a strip's or tile's samples, each narrowed to 8 bits, into
// those of all planes. rows is how many of a strip are in the picture.
func (f *anyTIFF) readPiece(ctx context.Context, samples []byte, number, plane, rows int) error {
	packed, err := f.packed(number)
	if err != nil {
		return err
	}
	per := f.samples
	if f.planar {
		per = 1
	}
	if f.compression == compressionJPEG {
		return f.jpegPiece(ctx, samples, packed, plane, per)
	}
	if f.tags[tagTileWidth].kind != 0 {
		rows = f.pieceH
	}
	if f.photometric == photometricYCC {
		raw, err := f.unpack(ctx, packed, f.chromaBytes(rows))
		if err != nil {
			return err
		}
		f.spreadChroma(samples, raw, rows)
		return nil
	}
	line := (f.pieceW*per*f.bits + 7) / 8
	raw, err := f.unpack(ctx, packed, line*rows)
	if err != nil {
		return err
	}
	for y := range rows {
		row := raw[y*line:][:line]
		f.unpredict(row, per)
		out := samples[y*f.pieceW*f.samples+plane:]
		step := f.samples / per // of one plane every samples-th
		for i := range f.pieceW * per {
			out[i*step] = f.sample(row, i)
		}
	}
	return nil
}

// byLines reports strips that are unpacked line by line: one of them may be the
// whole picture.
func (f *anyTIFF) byLines() bool {
	return f.tags[tagTileWidth].kind == 0 && !f.planar && f.photometric != photometricYCC &&
		f.compression != compressionJPEG && f.compression != compressionPackBits
}

// decodeLines gives the rows of such strips.
func (f *anyTIFF) decodeLines(ctx context.Context, toSRGB *icc.Transform, to rowSink) error {
	line := make([]byte, (f.width*f.samples*f.bits+7)/8)
	samples := make([]byte, f.width*f.samples)
	for number := range f.down() {
		packed, err := f.packed(number)
		if err != nil {
			return err
		}
		r, err := f.unpacked(ctx, packed)
		if err != nil {
			return err
		}
		top := number * f.pieceH
		for y := top; y < min(top+f.pieceH, f.height); y++ {
			if _, err := io.ReadFull(r, line); err != nil {
				return errors.Join(err, r.Close())
			}
			f.unpredict(line, f.samples)
			for i := range samples {
				samples[i] = f.sample(line, i)
			}
			f.place(to.row(y), samples, toSRGB)
			to.done(y)
		}
		if err := r.Close(); err != nil {
			return err
		}
	}
	return nil
}

// packed is a piece as it is stored.
func (f *anyTIFF) packed(number int) ([]byte, error) {
	at, n := f.offsets[number], f.counts[number]
	if at >= uint64(len(f.data)) {
		return nil, errTruncated
	}
	return f.data[at:min(uint64(len(f.data)), at+min(n, uint64(len(f.data))))], nil
}

// unpacked reads a piece, which is of no other kind than byLines says.
func (f *anyTIFF) unpacked(ctx context.Context, packed []byte) (io.ReadCloser, error) {
	packed = f.inOrder(packed)
	r := ctxReader{ctx, bytes.NewReader(packed)}
	switch f.compression {
	case 5:
		return lzw.NewReader(r, lzw.MSB, 8), nil
	case 8, 32946:
		return zlib.NewReader(r)
	}
	return io.NopCloser(r), nil
}

// inOrder turns the bits of each byte, if they are the other way round.
func (f *anyTIFF) inOrder(packed []byte) []byte {
	if f.one(tagFillOrder, 1) != 2 {
		return packed
	}
	turned := make([]byte, len(packed))
	for i, b := range packed {
		turned[i] = bits.Reverse8(b)
	}
	return turned
}

// unpack gives so many bytes of a piece.
func (f *anyTIFF) unpack(ctx context.Context, packed []byte, want int) ([]byte, error) {
	if f.compression == compressionPackBits {
		return unpackBits(f.inOrder(packed), want)
	}
	r, err := f.unpacked(ctx, packed)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	raw := make([]byte, want)
	_, err = io.ReadFull(r, raw)
	return raw, err
}

// unpackBits is TIFF 6.0, section 9.
func unpackBits(packed []byte, want int) ([]byte, error) {
	out := make([]byte, 0, want)
	for len(out) < want {
		if len(packed) < 2 {
			return nil, errTruncated
		}
		n := int(int8(packed[0]))
		switch {
		case n >= 0:
			if len(packed) < n+2 {
				return nil, errTruncated
			}
			out = append(out, packed[1:n+2]...)
			packed = packed[n+2:]
		case n == -128:
			packed = packed[1:]
		default:
			for range 1 - n {
				out = append(out, packed[1])
			}
			packed = packed[2:]
		}
	}
	return out[:want], nil
}

// unpredict adds to each sample the one of the pixel before it (TIFF 6.0,
// section 14), of 8 or 16 bits.
func (f *anyTIFF) unpredict(row []byte, per int) {
	if f.compression == 1 || f.compression == compressionPackBits || f.one(tagPredictor, 1) != 2 {
		return
	}
	switch f.bits {
	case 8:
		for i := per; i < len(row); i++ {
			row[i] += row[i-per]
		}
	case 16:
		for i := 2 * per; i+1 < len(row); i += 2 {
			f.order.PutUint16(row[i:], f.order.Uint16(row[i:])+f.order.Uint16(row[i-2*per:]))
		}
	}
}

// sample gives the i-th sample of a row in eight bits: the high ones of more,
// and of fewer, unless they are indices, the same share of 255.
func (f *anyTIFF) sample(row []byte, i int) byte {
	switch f.bits {
	case 8:
		return row[i]
	case 16:
		return byte(f.order.Uint16(row[2*i:]) >> 8)
	case 12:
		if at := i / 2 * 3; i%2 == 0 {
			return row[at]
		} else {
			return row[at+1]<<4 | row[at+2]>>4
		}
	}
	at := i * f.bits
	v := row[at/8] >> (8 - f.bits - at%8) & (1<<f.bits - 1)
	if f.photometric != photometricPalette {
		v *= 255 / (1<<f.bits - 1)
	}
	return v
}

func (f *anyTIFF) subsampling() (h, v int) {
	s := f.values(tagSubsampling)
	if len(s) < 2 || s[0] < 1 || s[0] > 4 || s[1] < 1 || s[1] > 4 {
		return 2, 2
	}
	return int(s[0]), int(s[1])
}

func (f *anyTIFF) chromaBytes(rows int) int {
	h, v := f.subsampling()
	return ceilDiv(f.pieceW, h) * ceilDiv(rows, v) * (h*v + 2)
}

// spreadChroma makes colours of units of h × v brightnesses and two of colour,
// which are repeated (TIFF 6.0, section 21).
func (f *anyTIFF) spreadChroma(samples, raw []byte, rows int) {
	h, v := f.subsampling()
	for uy := range ceilDiv(rows, v) {
		for ux := range ceilDiv(f.pieceW, h) {
			unit := raw[:h*v+2]
			raw = raw[h*v+2:]
			for i, luma := range unit[:h*v] {
				x, y := ux*h+i%h, uy*v+i/h
				if x < f.pieceW && y < rows {
					out := samples[3*(y*f.pieceW+x):][:3]
					fullRangeRow(out, []byte{luma}, unit[h*v:h*v+1], unit[h*v+1:h*v+2])
				}
			}
		}
	}
}

// jpegPiece decodes a JPEG that may have its tables in the directory.
func (f *anyTIFF) jpegPiece(ctx context.Context, samples, packed []byte, plane, per int) error {
	if tables := f.bytes(tagJPEGTables); len(tables) > 4 && len(packed) > 2 {
		tables = bytes.TrimSuffix(tables, []byte{0xff, markerEOI})
		packed = append(bytes.Clone(tables), packed[2:]...)
	}
	if !bytes.HasPrefix(packed, []byte{0xff, 0xd8}) {
		return corrupt(formatTIFF, "a piece of it is no JPEG")
	}
	opened, err := openJPEG(packed)
	if err != nil {
		return err
	}
	j := opened.(*jpegFile)
	if j.width > f.pieceW || j.height > f.pieceH || len(j.components) != per {
		return corrupt(formatTIFF, "a JPEG in it is %d×%d with %d components, want at most %d×%d with %d", j.width, j.height, len(j.components), f.pieceW, f.pieceH, per)
	}
	rows, err := j.decodeSamples(ctx)
	if err != nil {
		return err
	}
	step := f.samples / per
	pixel := make([]byte, 3)
	for y := range j.height {
		lines := rows(y)
		out := samples[y*f.pieceW*f.samples+plane:]
		for x := range j.width {
			for c := range per {
				out[(x*per+c)*step] = lines[c][x]
			}
			if f.photometric == photometricYCC && !f.planar {
				fullRangeRow(pixel, lines[0][x:x+1], lines[1][x:x+1], lines[2][x:x+1])
				copy(out[3*x:], pixel)
			}
		}
	}
	return nil
}

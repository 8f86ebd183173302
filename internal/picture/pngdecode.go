package picture

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/palate-art/palate/internal/picture/icc"
)

// This file decodes PNG row by row: each is narrowed to eight bits a channel
// and laid over white as it comes, and where less than the whole size is
// wanted averaged into a smaller one. image/png gives the same pixels, but
// holds the whole picture with up to eight bytes each.

// pngStream is what a file holds beside its header.
type pngStream struct {
	pixels [][]byte // the bodies of the chunks that hold them
	format pngFormat
	damage string // of what is shown all the same
	cut    bool   // the file ends within them, or before its end
	wrong  bool   // a checksum of them is
}

// decode gives the picture at 1/scale of its size: the mean of every
// scale × scale pixels, and at the right and bottom edges of what there is. An
// interlaced file must be collected.
func (f *pngFile) decode(ctx context.Context, scale int, rules Rules, to rowSink) (damage string, err error) {
	// Deflate shrinks to no less than a 1032nd (RFC 1951: 258 bytes in two
	// bits), so a small file that claims a large picture fails before memory
	// is taken.
	if raw := int64(f.height) * ((int64(f.width)*int64(f.bits) + 7) / 8); raw/1032 > int64(len(f.data)) {
		return "", errTruncated
	}
	s, err := f.readChunks(rules)
	if err != nil {
		return "", err
	}
	readers := make([]io.Reader, len(s.pixels))
	for i, p := range s.pixels {
		readers[i] = bytes.NewReader(p)
	}
	inflated, err := zlib.NewReader(ctxReader{ctx, io.MultiReader(readers...)})
	if err != nil {
		return "", err
	}
	defer inflated.Close()
	shrunk := newShrinking(f.width, f.height, scale, f.interlaced, to)
	passes := []pngPass{{0, 0, 1, 1}}
	if f.interlaced {
		passes = adam7
	}
	for _, p := range passes {
		if rows, err := f.readPass(inflated, p, &s.format, shrunk); err != nil {
			if ctx.Err() != nil {
				return "", ctx.Err()
			}
			if damage, err = f.fill(shrunk, p, rows, s, err); err != nil {
				return "", err
			}
			shrunk.finish()
			return damage, nil
		}
	}
	// The end of the stream holds its checksum.
	if damage, err = s.atEnd(inflated); err != nil {
		return "", err
	}
	shrunk.finish()
	return damage, nil
}

// pngPass is which pixels come together: every stepX-th from x and every
// stepY-th row from y.
type pngPass struct{ x, y, stepX, stepY int }

// adam7 are the passes of an interlaced file (PNG, third edition, 8.1).
var adam7 = []pngPass{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}

// readPass reads the rows of a pass, and gives how many came.
func (f *pngFile) readPass(r io.Reader, p pngPass, format *pngFormat, m *shrinking) (int, error) {
	width, height := ceilDiv(f.width-p.x, p.stepX), ceilDiv(f.height-p.y, p.stepY)
	if f.width <= p.x || f.height <= p.y {
		return 0, nil
	}
	size := (width*f.bits + 7) / 8
	row, above := make([]byte, 1+size), make([]byte, 1+size)
	rgb := make([]byte, 3*width)
	for y := range height {
		if _, err := io.ReadFull(r, row); err != nil {
			return y, err
		}
		if err := unfilterPNG(row[0], row[1:], above[1:], max(1, f.bits/8)); err != nil {
			return y, err
		}
		format.row(rgb, row[1:])
		m.add(rgb, p.x, p.y+y*p.stepY, p.stepX)
		row, above = above, row
	}
	return height, nil
}

// unfilterPNG adds to a row what each byte was predicted as (PNG, third
// edition, 9.2); size is the bytes of a pixel, at least 1.
func unfilterPNG(filter byte, row, above []byte, size int) error {
	above = above[:len(row)]
	switch filter {
	case 0:
	case 1:
		for i := size; i < len(row); i++ {
			row[i] += row[i-size]
		}
	case 2:
		for i, a := range above {
			row[i] += a
		}
	case 3:
		for i := range min(size, len(row)) {
			row[i] += above[i] / 2
		}
		for i := size; i < len(row); i++ {
			row[i] += byte((int(row[i-size]) + int(above[i])) / 2)
		}
	case 4:
		for c := range min(size, len(row)) {
			var left, corner int
			for i := c; i < len(row); i += size {
				up := int(above[i])
				row[i] += nearest(left, up, corner)
				left, corner = int(row[i]), up
			}
		}
	default:
		return corrupt(formatPNG, "a row has the filter %d", filter)
	}
	return nil
}

// nearest is Paeth's choice: of left, up and corner the one nearest to
// left + up - corner.
func nearest(left, up, corner int) byte {
	toLeft, toUp := up-corner, left-corner
	toCorner := toLeft + toUp
	toLeft, toUp, toCorner = max(toLeft, -toLeft), max(toUp, -toUp), max(toCorner, -toCorner)
	switch {
	case toLeft <= toUp && toLeft <= toCorner:
		return byte(left)
	case toUp <= toCorner:
		return byte(up)
	}
	return byte(corner)
}

// pngAncillary reports a chunk without which the pixels can be shown (PNG, third
// edition, 5.4): its checksum is not asked, as browsers do it. Transparency is
// one of the pixels here.
func pngAncillary(kind string) bool { return kind[0]&0x20 != 0 && kind != "tRNS" }

// readChunks walks over all chunks, and holds their order and checksums
// against the standard. The chunk that ends the file may be missing.
func (f *pngFile) readChunks(rules Rules) (*pngStream, error) {
	s := new(pngStream)
	last, ended := "", false // of the pixels' chunks
	for rest := f.data[8:]; ; {
		if len(rest) == 0 && f.unended && len(s.pixels) > 0 {
			s.cut = true
			return s, nil // browsers show such a picture
		}
		if len(rest) < 12 || uint64(binary.BigEndian.Uint32(rest))+12 > uint64(len(rest)) {
			return s, s.endWithin(rest, ended)
		}
		size, kind := uint64(binary.BigEndian.Uint32(rest)), string(rest[4:8])
		body := rest[8 : 8+size]
		if crc32.ChecksumIEEE(rest[4:8+size]) != binary.BigEndian.Uint32(rest[8+size:]) {
			switch {
			case kind == "IDAT":
				s.wrong = true
			case !pngAncillary(kind):
				return nil, corrupt(formatPNG, "the checksum of its part %q is wrong", kind)
			default:
				s.damage = cmp.Or(s.damage, fmt.Sprintf("its part %q, which holds no pixels, does not match its checksum", kind))
			}
		}
		var err error
		switch kind {
		case "IHDR":
			if last != "" {
				return nil, corrupt(formatPNG, "it has two headers")
			}
			err = s.format.readHeader(body)
			space := icc.RGB
			if s.format.colour == pngGrey || s.format.colour == pngGreyAlpha {
				space = icc.Grey
			}
			s.format.toSRGB = f.toSRGB(rules, space)
		case "PLTE":
			if last != "IHDR" {
				return nil, corrupt(formatPNG, "its palette is in the wrong place")
			}
			err = s.format.readPalette(body)
		case "tRNS":
			if len(s.pixels) > 0 || last == kind || s.format.paletted() && last != "PLTE" || s.format.grey() && last != "IHDR" {
				return nil, corrupt(formatPNG, "its transparency is in the wrong place")
			}
			err = s.format.readTransparency(body)
		case "IDAT":
			if s.format.paletted() && s.format.palette == nil {
				return nil, corrupt(formatPNG, "it has no palette")
			}
			if !ended {
				s.pixels = append(s.pixels, body)
			}
		case "IEND":
			if len(s.pixels) == 0 {
				return nil, errTruncated
			}
			return s, nil
		}
		if err != nil {
			return nil, err
		}
		switch kind {
		case "IHDR", "PLTE", "tRNS":
			last = kind
		}
		ended = ended || len(s.pixels) > 0 && kind != "IDAT"
		rest = rest[12+size:]
	}
}

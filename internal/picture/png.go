package picture

import (
	"bytes"
	"context"
	"encoding/binary"
)

type pngFile struct {
	metadata
	data          []byte
	width, height int
	orientation   int
	bits          int // of a pixel
	interlaced    bool
	unended       bool // its last chunk is whole, but not the one that ends a file
}

// openPNG reads the header, and eXIf wherever it stands (PNG, third edition,
// 11.3.4.5 allows it before and after the pixels).
func openPNG(data []byte) (file, error) {
	f := &pngFile{data: data, orientation: 1}
	seenHeader := false
	for rest := data[8:]; len(rest) >= 8; {
		size := uint64(binary.BigEndian.Uint32(rest))
		kind := string(rest[4:8])
		if size+12 > uint64(len(rest)) {
			break
		}
		body := rest[8 : 8+size]
		switch {
		case kind == "CgBI":
			return nil, &UnsupportedError{Kind: "Apple PNG"}
		case kind == "IHDR" && len(body) == 13 && !seenHeader:
			w, h := binary.BigEndian.Uint32(body), binary.BigEndian.Uint32(body[4:])
			if w > 1<<31-1 || h > 1<<31-1 {
				return nil, corrupt(formatPNG, "its header says %d×%d", w, h)
			}
			f.width, f.height = int(w), int(h)
			f.bits = int(body[8]) * pngChannels(body[9])
			f.interlaced = body[12] != 0
			seenHeader = true
		case !seenHeader:
			return nil, corrupt(formatPNG, "it does not begin with its header")
		case kind == "eXIf":
			f.orientation = f.readEXIF(body)
		case kind == "iCCP" && f.icc == nil:
			if end := bytes.IndexByte(body, 0); end > 0 && end+2 < len(body) && body[end+1] == 0 {
				f.icc, f.deflated = body[end+2:], true
			}
		case kind == "iTXt" && f.xmp == nil && bytes.HasPrefix(body, []byte("XML:com.adobe.xmp\x00")):
			f.xmp = textOfPNG(body[18:])
		case kind == "tEXt" || kind == "zTXt":
			f.readProfileText(kind, body)
		case kind == "IEND":
			return f, nil
		}
		rest = rest[12+size:]
		f.unended = len(rest) == 0
	}
	if !seenHeader {
		return nil, truncated(formatPNG)
	}
	return f, nil // the end is missing; decoding finds out whether pixels are
}

// textOfPNG gives the text of an iTXt chunk after its keyword, if it is not
// compressed.
func textOfPNG(body []byte) []byte {
	if len(body) < 2 || body[0] != 0 {
		return nil
	}
	body = body[2:]
	for range 2 { // a language, and the keyword in it
		end := bytes.IndexByte(body, 0)
		if end < 0 {
			return nil
		}
		body = body[end+1:]
	}
	return body
}

func pngChannels(colourType byte) int {
	switch colourType {
	case 2:
		return 3
	case 4:
		return 2
	case 6:
		return 4
	}
	return 1
}

func (f *pngFile) stored() (width, height, orientation int) { return f.width, f.height, f.orientation }

func (f *pngFile) ways(rules Rules, scale int) []way {
	sums := int64(0)
	if scale > 1 {
		rows := int64(1)
		if f.interlaced {
			rows = int64(ceilDiv(f.height, scale))
		}
		sums = 3 * 2 * rows * int64(ceilDiv(f.width, scale))
	}
	row := 2*(int64(f.width)*int64(f.bits)/8+2) + 3*int64(f.width)
	w := way{bytes: sums + row + 64<<10, scale: scale}
	if !f.interlaced {
		w.rows = func(ctx context.Context, to rowSink) (string, error) { return f.decode(ctx, scale, rules, to) }
		return []way{w}
	}
	w.bytes += rgbBytes(f.width, f.height, scale)
	w.decode = func(ctx context.Context) (*RGB, string, error) {
		c := &collected{width: ceilDiv(f.width, scale), height: ceilDiv(f.height, scale)}
		damage, err := f.decode(ctx, scale, rules, c)
		return c.m, damage, err
	}
	return []way{w}
}

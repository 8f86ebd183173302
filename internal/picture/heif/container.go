package heif

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Codec is how the pixels of a file are coded.
type Codec string

// The codings that are decoded here.
const (
	HEVC Codec = "hvc1"
	AV1  Codec = "av01"
)

// UnsupportedError names a coding that is not decoded here, by the four
// letters that the file gives.
type UnsupportedError struct{ Coding string }

// Error names the coding.
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("heif: pictures of coding %q are not decoded", e.Coding)
}

var (
	errCut       = errors.New("it is cut short")
	errNoPrimary = errors.New("it names no picture to show")
)

// File is what the container says of the picture to show.
type File struct {
	Codec         Codec
	Width, Height int // as it is stored, before Crop and Turn

	// Crop is the part that is shown, empty for all of it. It comes before Turn.
	Crop Crop
	// Turn is the orientation of the stored picture, 1 to 8 as in EXIF.
	Turn int

	Profile []byte // the ICC profile, nil for none
	Colour  Colour

	Depth, AlphaDepth int // bits a channel; of HEVC's transparency, which has its own

	// HalvedX and HalvedY say of AV1 that there is a colour for two columns,
	// and rows.
	HalvedX, HalvedY bool

	// Alpha says that there is a plane of transparency, Premultiplied that the
	// colours were multiplied with it.
	Alpha, Premultiplied    bool
	AlphaWidth, AlphaHeight int // of HEVC's

	// Whole is false for a file that ends before its last picture data.
	Whole bool

	coding, alpha *coding // of HEVC
	unread        []int   // of tracks that the decoder is not to read, see readable
}

// Colour is how numbers become colours (ISO/IEC 23091-2).
type Colour struct {
	Primaries, Transfer, Matrix int // 2 is unspecified
	FullRange                   bool
}

// Crop is a rectangle in pixels.
type Crop struct{ Left, Top, Width, Height int }

// box is one box of an ISO base media file (ISO/IEC 14496-12, 4.2).
type box struct {
	kind   string
	kindAt int // in the file
	at     int // of the body, in the file
	body   []byte
	cut    bool // it says that it is longer than what there is
}

// boxes walks over the boxes in a part of a file that begins at an offset.
func boxes(data []byte, at int, visit func(box) error) error {
	for len(data) >= 8 {
		size, header := uint64(binary.BigEndian.Uint32(data)), uint64(8)
		switch size {
		case 0:
			size = uint64(len(data))
		case 1:
			if len(data) < 16 {
				return errCut
			}
			size, header = binary.BigEndian.Uint64(data[8:]), 16
		}
		if size < header {
			return fmt.Errorf("a box of %d bytes", size)
		}
		b := box{kind: string(data[4:8]), kindAt: at + 4, at: at + int(header), cut: size > uint64(len(data))}
		end := min(size, uint64(len(data)))
		b.body = data[header:max(end, header)]
		if err := visit(b); err != nil {
			return err
		}
		data, at = data[end:], at+int(end)
	}
	return nil
}

// fields reads big-endian numbers; beyond the end it notes that and gives 0.
type fields struct {
	data []byte
	at   int
	bad  bool
}

func (f *fields) uint(bytes int) uint64 {
	if bytes < 0 || f.at+bytes > len(f.data) {
		f.bad, f.at = true, len(f.data)
		return 0
	}
	v := uint64(0)
	for _, b := range f.data[f.at : f.at+bytes] {
		v = v<<8 | uint64(b)
	}
	f.at += bytes
	return v
}

func (f *fields) text(bytes int) string {
	if f.at+bytes > len(f.data) {
		f.bad, f.at = true, len(f.data)
		return ""
	}
	f.at += bytes
	return string(f.data[f.at-bytes : f.at])
}

// item is one entry of a file's meta box.
type item struct {
	kind       string
	properties []int // of meta.properties, from 0
	extents    []extent
	inside     bool // extents lie in idat
}

type extent struct{ offset, length uint64 }

type reference struct {
	kind string
	from uint32
	to   []uint32
}

// meta is what a meta box tells.
type meta struct {
	primary    uint32
	items      map[uint32]*item
	properties []box
	references []reference
	idat       []byte
}

// maxItems bounds items, references and properties: a picture of 200
// megapixels in tiles of 512 × 512 has 800.
const maxItems = 1 << 16

var errTooMany = fmt.Errorf("more than %d items", maxItems)

func (m *meta) item(id uint32) *item {
	i := m.items[id]
	if i == nil {
		i = new(item)
		m.items[id] = i
	}
	return i
}

// readMeta reads a meta box (ISO/IEC 14496-12, 8.11).
func readMeta(b box) (*meta, error) {
	if len(b.body) < 4 {
		return nil, errCut
	}
	m := &meta{items: make(map[uint32]*item)}
	err := boxes(b.body[4:], b.at+4, func(b box) error {
		if b.cut {
			return errCut
		}
		f := &fields{data: b.body}
		var err error
		switch b.kind {
		case "pitm":
			m.primary = uint32(f.uint(idBytes(f.uint(4) >> 24)))
		case "iinf":
			err = m.readInfo(b)
		case "iloc":
			err = m.readPlaces(f)
		case "iref":
			err = m.readReferences(b)
		case "iprp":
			err = m.readProperties(b)
		case "idat":
			m.idat = b.body
		}
		if err == nil && f.bad {
			err = errCut
		}
		if err == nil && len(m.items) > maxItems {
			err = errTooMany
		}
		return err
	})
	return m, err
}

// idBytes is how long an item's number is in a box of a version.
func idBytes(version uint64) int {
	if version == 0 {
		return 2
	}
	return 4
}

func (m *meta) readInfo(b box) error {
	f := &fields{data: b.body}
	f.uint(4 + idBytes(f.uint(1)) - 1)
	return boxes(b.body[min(f.at, len(b.body)):], b.at+f.at, func(b box) error {
		if b.kind != "infe" {
			return nil
		}
		f := &fields{data: b.body}
		version := f.uint(4) >> 24
		if version < 2 {
			return nil
		}
		id := uint32(f.uint(2 * int(version-1)))
		f.uint(2)
		kind := f.text(4)
		if f.bad || version > 3 {
			return errCut
		}
		m.item(id).kind = kind
		if len(m.items) > maxItems {
			return errTooMany
		}
		return nil
	})
}

func (m *meta) readPlaces(f *fields) error {
	version := f.uint(4) >> 24
	sizes := f.uint(2)
	offset, length, base, index := int(sizes>>12), int(sizes>>8&15), int(sizes>>4&15), int(sizes&15)
	if version == 0 {
		index = 0
	}
	for n := f.uint(2 * max(1, int(min(version, 2)))); n > 0 && !f.bad; n-- {
		i := m.item(uint32(f.uint(2 * max(1, int(min(version, 2))))))
		if version > 0 {
			i.inside = f.uint(2)&15 == 1
		}
		f.uint(2)
		from := f.uint(base)
		n := f.uint(2)
		if index+offset+length == 0 {
			n = min(n, 1) // the same place again and again, at no cost to the file
		}
		for ; n > 0 && !f.bad; n-- {
			f.uint(index)
			at := f.uint(offset)
			i.extents = append(i.extents, extent{from + at, f.uint(length)})
		}
		if len(m.items) > maxItems {
			return errTooMany
		}
	}
	return nil
}

func (m *meta) readReferences(b box) error {
	if len(b.body) < 4 {
		return errCut
	}
	size := idBytes(uint64(b.body[0]))
	return boxes(b.body[4:], b.at+4, func(b box) error {
		f := &fields{data: b.body}
		r := reference{kind: b.kind, from: uint32(f.uint(size))}
		for n := f.uint(2); n > 0 && !f.bad; n-- {
			r.to = append(r.to, uint32(f.uint(size)))
		}
		if f.bad {
			return errCut
		}
		m.references = append(m.references, r)
		if len(m.references) > maxItems {
			return errTooMany
		}
		return nil
	})
}

func (m *meta) readProperties(b box) error {
	return boxes(b.body, b.at, func(b box) error {
		switch b.kind {
		case "ipco":
			return boxes(b.body, b.at, func(b box) error {
				m.properties = append(m.properties, b)
				if len(m.properties) > maxItems {
					return errTooMany
				}
				return nil
			})
		case "ipma":
			return m.readAssociations(&fields{data: b.body})
		}
		return nil
	})
}

func (m *meta) readAssociations(f *fields) error {
	head := f.uint(4)
	version, wide := head>>24, head&1 == 1
	for n := f.uint(4); n > 0 && !f.bad; n-- {
		i := m.item(uint32(f.uint(idBytes(version))))
		for n := f.uint(1); n > 0 && !f.bad; n-- {
			index := f.uint(1) & 0x7f
			if wide {
				index = index<<8 | f.uint(1)
			}
			if index > 0 && len(i.properties) < 256 {
				i.properties = append(i.properties, int(index)-1)
			}
		}
		if len(m.items) > maxItems {
			return errTooMany
		}
	}
	if f.bad {
		return errCut
	}
	return nil
}

// of walks over the properties of an item.
func (m *meta) of(i *item, visit func(b box) error) error {
	for _, p := range i.properties {
		if p < len(m.properties) {
			if err := visit(m.properties[p]); err != nil {
				return err
			}
		}
	}
	return nil
}

// to is what an item refers to by a kind of reference.
func (m *meta) to(id uint32, kind string) []uint32 {
	for _, r := range m.references {
		if r.kind == kind && r.from == id {
			return r.to
		}
	}
	return nil
}

// content is an item's bytes, as far as they are in the file.
func (m *meta) content(data []byte, i *item) []byte {
	if i.inside {
		data = m.idat
	}
	var out []byte
	for _, e := range i.extents {
		if e.offset > uint64(len(data)) {
			return out
		}
		rest := data[e.offset:]
		if e.length != 0 {
			rest = rest[:min(e.length, uint64(len(rest)))]
		}
		out = append(out, rest[:min(len(rest), 64)]...)
	}
	return out
}

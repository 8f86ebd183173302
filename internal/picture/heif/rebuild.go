package heif

import "encoding/binary"

// coding is a picture of HEVC as it lies in the file: tiles of one size in rows
// and columns, mostly one of one.
type coding struct {
	width, height int // of the whole, which may cut the last tiles
	rows, columns int
	tiles         []tile
}

type tile struct {
	width, height uint32
	configuration []byte   // the body of hvcC
	parts         [][]byte // of the file
}

// codingOf is that of an item, nil where it is not of this shape.
func (m *meta) codingOf(data []byte, id uint32, depth int) *coding {
	i := m.items[id]
	if i == nil || depth > 8 {
		return nil
	}
	c := &coding{rows: 1, columns: 1}
	tiles := []uint32{id}
	switch i.kind {
	case string(HEVC):
	case "iden":
		if tiles = m.to(id, "dimg"); len(tiles) != 1 {
			return nil
		}
		return m.codingOf(data, tiles[0], depth+1)
	case "grid":
		body := m.content(data, i)
		if len(body) < 8 {
			return nil
		}
		c.rows, c.columns = int(body[2])+1, int(body[3])+1
		if tiles = m.to(id, "dimg"); len(tiles) != c.rows*c.columns {
			return nil
		}
	default:
		return nil
	}
	bytes, parts := 0, 0
	for _, id := range tiles {
		t, ok := m.tile(data, id)
		// A tile may stand in several places, but not for ever.
		if bytes, parts = bytes+t.length(), parts+len(t.parts); !ok || bytes > 4*len(data) || parts > maxItems {
			return nil
		}
		c.tiles = append(c.tiles, t)
	}
	w, h := m.extent(i)
	c.width, c.height = int(w), int(h)
	if c.width < 1 || c.height < 1 || c.width > 1<<16-1 || c.height > 1<<16-1 {
		return nil
	}
	return c
}

func (m *meta) extent(i *item) (width, height uint32) {
	_ = m.of(i, func(b box) error {
		if b.kind == "ispe" && len(b.body) >= 12 {
			width, height = binary.BigEndian.Uint32(b.body[4:]), binary.BigEndian.Uint32(b.body[8:])
		}
		return nil
	})
	return width, height
}

func (m *meta) tile(data []byte, id uint32) (t tile, ok bool) {
	i := m.items[id]
	if i == nil || i.kind != string(HEVC) {
		return t, false
	}
	_ = m.of(i, func(b box) error {
		if b.kind == "hvcC" {
			t.configuration = b.body
		}
		return nil
	})
	t.width, t.height = m.extent(i)
	if i.inside {
		data = m.idat
	}
	for _, e := range i.extents {
		if e.offset > uint64(len(data)) || e.length > uint64(len(data))-e.offset {
			return t, false
		}
		part := data[e.offset:]
		if e.length > 0 {
			part = part[:e.length]
		}
		t.parts = append(t.parts, part)
	}
	return t, t.configuration != nil && t.width > 0 && t.height > 0
}

// grey reports a picture without colours.
func (c *coding) grey() bool {
	hvcC := c.tiles[0].configuration
	return len(hvcC) > 17 && hvcC[16]&3 == 0
}

// file writes a container with nothing but this picture, as a grid, though it
// be of one tile, whose colours are those that libheif hands out: what is no
// grid it brings to twice and back to half the colours before, which blurs
// them, and other colours it converts. Turning, cutting and converting are done
// here. What is grey can't be a grid, and needs none.
func (c *coding) file() []byte {
	n := len(c.tiles)
	w := boxWriter{}
	head := w.box("ftyp", []byte("heic\x00\x00\x00\x00mif1heic"))
	grid := w.short(w.short([]byte{0, 0, byte(c.rows - 1), byte(c.columns - 1)}, c.width), c.height)
	primary := 1
	if c.grey() && n == 1 {
		primary = 2
	}
	items := [][]byte{{0, 0, 0, 0}, w.short(nil, n+1), w.item(1, "grid")}
	tiles := w.short(w.short(nil, 1), n)
	about := w.box("colr", []byte("nclx\x00\x01\x00\x0d\x00\x06\x80"))
	if hvcC := c.tiles[0].configuration; c.grey() {
		about = w.box("pixi", []byte{0, 0, 0, 0, 1, 8 + hvcC[17]&7})
	}
	properties := [][]byte{
		about,
		w.box("ispe", w.long(w.long(w.long(nil, 0), c.width), c.height)),
	}
	associations := w.long(w.long(nil, 1), n+1)
	associations = append(w.short(associations, 1), 2, 0, 1, 0, 2)
	for i, t := range c.tiles {
		items = append(items, w.item(i+2, string(HEVC)))
		tiles = w.short(tiles, i+2)
		properties = append(properties, w.box("hvcC", t.configuration), w.box("ispe", w.long(w.long(w.long(nil, 0), int(t.width)), int(t.height))))
		at := len(properties)
		associations = append(w.short(associations, i+2), 3)
		associations = w.short(w.short(w.short(associations, 1), 1<<15|(at-1)), at)
	}
	meta := func(pixels int) []byte {
		places := w.short([]byte{1, 0, 0, 0, 0x44, 0}, n+1)
		places = w.place(places, 1, 1, 0, len(grid))
		for i, t := range c.tiles {
			places = w.place(places, i+2, 0, pixels, t.length())
			pixels += t.length()
		}
		zero := w.long(nil, 0)
		return w.box("meta", zero,
			w.box("hdlr", zero, zero, []byte("pict"), make([]byte, 13)),
			w.box("pitm", zero, w.short(nil, primary)),
			w.box("iinf", items...),
			w.box("iref", zero, w.box("dimg", tiles)),
			w.box("iprp", w.box("ipco", properties...), w.box("ipma", associations)),
			w.box("iloc", places),
			w.box("idat", grid))
	}
	out := append(head, meta(len(head)+len(meta(0))+8)...)
	size := 8
	for _, t := range c.tiles {
		size += t.length()
	}
	out = append(w.long(out, size), "mdat"...)
	for _, t := range c.tiles {
		for _, p := range t.parts {
			out = append(out, p...)
		}
	}
	return out
}

func (t tile) length() (n int) {
	for _, p := range t.parts {
		n += len(p)
	}
	return n
}

// boxWriter writes the parts of a container.
type boxWriter struct{}

func (boxWriter) short(b []byte, v int) []byte { return binary.BigEndian.AppendUint16(b, uint16(v)) }
func (boxWriter) long(b []byte, v int) []byte  { return binary.BigEndian.AppendUint32(b, uint32(v)) }

func (w boxWriter) box(kind string, parts ...[]byte) []byte {
	size := 8
	for _, p := range parts {
		size += len(p)
	}
	b := append(w.long(nil, size), kind...)
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func (w boxWriter) item(id int, kind string) []byte {
	return w.box("infe", []byte{2, 0, 0, 0}, w.short(w.short(nil, id), 0), []byte(kind), []byte{0})
}

// place says of an item how it is reached, 0 in the file and 1 in idat, and
// where it is.
func (w boxWriter) place(b []byte, id, how, at, length int) []byte {
	b = w.short(w.short(w.short(w.short(b, id), how), 0), 1)
	return w.long(w.long(b, at), length)
}

package heif

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// IsHEIF reports whether a file's brands promise a picture in this container,
// whatever its coding.
func IsHEIF(data []byte) bool {
	if len(data) < 12 || string(data[4:8]) != "ftyp" {
		return false
	}
	size := min(binary.BigEndian.Uint32(data), 1024, uint32(len(data)))
	for at := 8; at+4 <= int(size); at += 4 {
		switch string(data[at : at+4]) {
		case "mif1", "mif2", "mif3", "msf1", "heic", "heix", "heim", "heis", "hevc", "hevx", "avif", "avis", "avci", "j2ki", "jpeg", "vvic":
			return true
		}
	}
	return false
}

// Parse reads the container's header. Its errors are an *UnsupportedError and
// what is wrong with the file.
func Parse(data []byte) (*File, error) {
	var m, movie *box
	major := ""
	err := boxes(data, 0, func(b box) error {
		switch {
		case b.kind == "ftyp" && len(b.body) >= 4:
			major = string(b.body[:4])
		case b.kind == "meta" && m == nil:
			m = &b
		case b.kind == "moov" && movie == nil:
			movie = &b
		case b.kind == "mini":
			return &UnsupportedError{"mini"}
		}
		return nil
	})
	var f *File
	switch {
	case m != nil && !m.cut:
		if err = nil; major == "avis" && movie != nil {
			f, err = parseMovie(*movie)
			break
		}
		if f, err = parseMeta(data, *m); err == nil && movie != nil {
			// A still picture beside a sequence: the decoder reads its tracks all
			// the same.
			if tracks, err := readTracks(*movie); err == nil {
				f.unread = unread(tracks, nil)
			}
		}
	case movie != nil && !movie.cut:
		f, err = parseMovie(*movie)
	case err == nil:
		err = errCut
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// parseMeta finds the primary item and what belongs to it.
func parseMeta(data []byte, b box) (*File, error) {
	m, err := readMeta(b)
	if err != nil {
		return nil, err
	}
	i := m.items[m.primary]
	if i == nil || i.kind == "" {
		return nil, errNoPrimary
	}
	coded, err := m.coded(m.primary, 0)
	if err != nil {
		return nil, err
	}
	f := &File{Codec: Codec(m.items[coded].kind), Turn: 1, Whole: m.whole(data, m.primary, make(map[uint32]bool)), Depth: 8, Colour: Colour{2, 2, 2, false}}
	seen := map[string]bool{}
	err = m.of(i, func(b box) error { return f.property(b, seen) })
	if err != nil {
		return nil, err
	}
	if !seen["ispe"] {
		return nil, fmt.Errorf("it does not say its size")
	}
	if i.kind == "grid" {
		if err := f.checkGrid(m.content(data, i)); err != nil {
			return nil, err
		}
	}
	err = m.of(m.items[coded], func(b box) error {
		switch {
		case b.kind == "hvcC" && f.Codec == HEVC:
			f.Depth = depthOf(b)
			return f.configuration(b.body, i.kind == string(HEVC), seen["nclx"])
		case b.kind == "av1C" && f.Codec == AV1:
			f.Depth = depthOf(b)
			if len(b.body) > 2 {
				f.HalvedX, f.HalvedY = b.body[2]>>3&1 == 1, b.body[2]>>2&1 == 1
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if f.Codec == HEVC {
		if f.coding = m.codingOf(data, m.primary, 0); f.coding == nil && f.Whole {
			return nil, &UnsupportedError{i.kind}
		}
	}
	f.findAlpha(data, m)
	return f, nil
}

// depthOf is the bits a channel that a decoder's configuration says.
func depthOf(b box) int {
	switch {
	case b.kind == "hvcC" && len(b.body) > 17:
		return 8 + int(b.body[17]&7)
	case b.kind == "av1C" && len(b.body) > 2 && b.body[2]>>5&3 == 3:
		return 12
	case b.kind == "av1C" && len(b.body) > 2 && b.body[2]>>6&1 == 1:
		return 10
	}
	return 8
}

// coded is the item whose pixels are coded behind one that is derived.
func (m *meta) coded(id uint32, depth int) (uint32, error) {
	i := m.items[id]
	if i == nil || depth > 8 {
		return 0, errNoPrimary
	}
	switch i.kind {
	case string(HEVC), string(AV1):
		return id, nil
	case "grid", "iden":
		if to := m.to(id, "dimg"); len(to) > 0 {
			return m.coded(to[0], depth+1)
		}
		return 0, errNoPrimary
	}
	return 0, &UnsupportedError{i.kind}
}

// property takes what one property says of the picture.
func (f *File) property(b box, seen map[string]bool) error {
	p := &fields{data: b.body}
	switch b.kind {
	case "ispe":
		p.uint(4)
		w, h := p.uint(4), p.uint(4)
		if w > 1<<31-1 || h > 1<<31-1 {
			return fmt.Errorf("it says to be %d×%d", w, h)
		}
		f.Width, f.Height = int(w), int(h)
	case "irot":
		f.Turn = turned(f.Turn, [4]int{1, 8, 3, 6}[p.uint(1)&3])
	case "imir":
		f.Turn = turned(f.Turn, [2]int{4, 2}[p.uint(1)&1])
	case "clap":
		if f.Turn == 1 {
			f.crop(b.body)
		}
	case "colr":
		f.colour(b.body, seen)
	}
	seen[b.kind] = true
	if p.bad {
		return errCut
	}
	return nil
}

// turned is the orientation of what has one and is then turned by another.
// Orientations are the pairs of mirroring and a quarter turn.
func turned(first, then int) int {
	// Where the corners (0,0), (1,0), (0,1) of a stored picture come to.
	apply := func(o int, x, y int) (int, int) {
		switch o {
		case 2:
			return 1 - x, y
		case 3:
			return 1 - x, 1 - y
		case 4:
			return x, 1 - y
		case 5:
			return y, x
		case 6:
			return 1 - y, x
		case 7:
			return 1 - y, 1 - x
		case 8:
			return y, 1 - x
		}
		return x, y
	}
	corners := func(os ...int) (out [6]int) {
		for c, xy := range [3][2]int{{0, 0}, {1, 0}, {0, 1}} {
			x, y := xy[0], xy[1]
			for _, o := range os {
				x, y = apply(o, x, y)
			}
			out[2*c], out[2*c+1] = x, y
		}
		return out
	}
	want := corners(first, then)
	for o := 1; o <= 8; o++ {
		if corners(o) == want {
			return o
		}
	}
	return 1
}

// crop reads a clean aperture (ISO/IEC 14496-12, 12.1.4), as libheif rounds
// it. One that is no part of the picture is passed by.
func (f *File) crop(body []byte) {
	p := &fields{data: body}
	var n, d [4]int64
	for i := range 4 {
		n[i], d[i] = int64(int32(p.uint(4))), int64(int32(p.uint(4)))
	}
	if p.bad || d[0] <= 0 || d[1] <= 0 || d[2] <= 0 || d[3] <= 0 {
		return
	}
	place := func(side, n, d, offN, offD int64) (from, length int) {
		wide, off := float64(n)/float64(d), float64(offN)/float64(offD)
		left := off + float64(side-1)/2 - (wide-1)/2
		from = int(left)
		if left < 0 && left != float64(from) {
			from--
		}
		return from, int(wide + .5)
	}
	var c Crop
	c.Left, c.Width = place(int64(f.Width), n[0], d[0], n[2], d[2])
	c.Top, c.Height = place(int64(f.Height), n[1], d[1], n[3], d[3])
	if c.Left < 0 || c.Top < 0 || c.Width < 1 || c.Height < 1 || c.Width > f.Width-c.Left || c.Height > f.Height-c.Top {
		return
	}
	f.Crop = c
}

func (f *File) colour(body []byte, seen map[string]bool) {
	if len(body) < 4 {
		return
	}
	switch string(body[:4]) {
	case "prof", "rICC":
		f.Profile = body[4:]
	case "nclx":
		p := &fields{data: body[4:]}
		c := Colour{int(p.uint(2)), int(p.uint(2)), int(p.uint(2)), p.uint(1)>>7 == 1}
		if !p.bad {
			f.Colour, seen["nclx"] = c, true
		}
	}
}

// checkGrid holds a grid's own size against the one that is said of it.
func (f *File) checkGrid(body []byte) error {
	p := &fields{data: body}
	p.uint(1)
	size := 2
	if p.uint(1)&1 == 1 {
		size = 4
	}
	p.uint(2)
	w, h := p.uint(size), p.uint(size)
	if p.bad {
		return errCut
	}
	if int(w) != f.Width || int(h) != f.Height {
		return fmt.Errorf("it says to be %d×%d, and its grid %d×%d", f.Width, f.Height, w, h)
	}
	return nil
}

// whole reports whether the bytes of an item and of what it is made of are in
// the file. Each item is looked at once.
func (m *meta) whole(data []byte, id uint32, seen map[uint32]bool) bool {
	i := m.items[id]
	if i == nil || len(seen) > maxItems {
		return false
	}
	if seen[id] {
		return true
	}
	seen[id] = true
	length := uint64(len(data))
	if i.inside {
		length = uint64(len(m.idat))
	}
	for _, e := range i.extents {
		if e.offset > length || e.length > length-e.offset {
			return false
		}
	}
	if i.kind == string(HEVC) || i.kind == string(AV1) {
		return true // made of nothing else
	}
	if len(seen) > maxDerived {
		return false
	}
	for _, to := range m.to(id, "dimg") {
		if !m.whole(data, to, seen) {
			return false
		}
	}
	return true
}

// maxDerived bounds how many items of items are looked at, one in another.
const maxDerived = 1 << 8

// findAlpha notes the item of the picture's transparency.
func (f *File) findAlpha(data []byte, m *meta) {
	for _, r := range m.references {
		if r.kind != "auxl" || len(r.to) == 0 || r.to[0] != m.primary || m.items[r.from] == nil {
			continue
		}
		_ = m.of(m.items[r.from], func(b box) error {
			if b.kind == "auxC" && len(b.body) > 4 && isAlpha(strings.TrimRight(string(b.body[4:]), "\x00")) {
				f.Alpha = true
			}
			return nil
		})
		if coded, err := m.coded(r.from, 0); err == nil {
			_ = m.of(m.items[coded], func(b box) error { f.AlphaDepth = max(f.AlphaDepth, depthOf(b)); return nil })
		}
		if !f.Alpha {
			continue
		}
		for _, to := range m.to(m.primary, "prem") {
			f.Premultiplied = f.Premultiplied || to == r.from
		}
		if f.Codec == HEVC {
			f.alpha = m.codingOf(data, r.from, 0)
			if f.Whole = f.Whole && f.alpha != nil; f.Whole {
				f.AlphaWidth, f.AlphaHeight = f.alpha.width, f.alpha.height
			}
		}
		return
	}
}

func isAlpha(kind string) bool {
	kind, _, _ = strings.Cut(kind, "\x00")
	return kind == "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha" || kind == "urn:mpeg:hevc:2015:auxid:1" || kind == "urn:mpeg:avc:2015:auxid:1"
}

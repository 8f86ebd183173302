package picture

import "encoding/binary"

// exifOrientation reads tag 274 of the first directory of an EXIF block,
// which is a small TIFF file. It is 1 when there is none, or when the block
// is broken: a picture with damaged metadata is still a picture.
func exifOrientation(block []byte) (orientation int, given bool) {
	// JPEG puts this before the block; some writers do so in PNG and WebP.
	if len(block) > 6 && string(block[:6]) == "Exif\x00\x00" {
		block = block[6:]
	}
	order, ok := tiffByteOrder(block)
	if !ok {
		return 1, false
	}
	dir, err := readDirectory(block, order)
	if err != nil {
		return 1, false
	}
	return dir.orientation(), dir[tagOrientation] != nil
}

// tiffByteOrder recognises the first four bytes of a classic TIFF file.
func tiffByteOrder(data []byte) (binary.ByteOrder, bool) {
	if len(data) < 8 {
		return nil, false
	}
	switch string(data[:4]) {
	case "II*\x00":
		return binary.LittleEndian, true
	case "MM\x00*":
		return binary.BigEndian, true
	}
	return nil, false
}

// directory is the first image file directory of a TIFF structure: the
// integer values of each tag.
type directory map[uint16][]uint32

const tagOrientation = 274

func (d directory) first(tag uint16, otherwise uint32) uint32 {
	if v := d[tag]; len(v) > 0 {
		return v[0]
	}
	return otherwise
}

func (d directory) orientation() int {
	if v := d.first(tagOrientation, 1); v >= 1 && v <= 8 {
		return int(v)
	}
	return 1
}

// maxTagValues bounds what is read of one tag; the tags that matter here
// have one value, or one a sample.
const maxTagValues = 16

// readDirectory reads the directory that the header points at, keeping of
// each tag of integer type the first maxTagValues values. Entries that point
// outside the data are passed by.
func readDirectory(data []byte, order binary.ByteOrder) (directory, error) {
	offset := uint64(order.Uint32(data[4:8]))
	if offset+2 > uint64(len(data)) {
		return nil, errTruncated
	}
	entries := data[offset+2:]
	count := int(order.Uint16(data[offset:]))
	dir := make(directory)
	for i := range count {
		if 12*(i+1) > len(entries) {
			// What was found so far may be enough to show the picture.
			return dir, nil
		}
		entry := entries[12*i:][:12]
		if values := tagValues(data, entry, order); values != nil {
			dir[order.Uint16(entry)] = values
		}
	}
	return dir, nil
}

// tagBytes gives the bytes of a tag of the first directory whose values are
// bytes or undefined; nil where there is none.
func tagBytes(data []byte, order binary.ByteOrder, tag uint16) []byte {
	offset := uint64(order.Uint32(data[4:8]))
	if offset+2 > uint64(len(data)) {
		return nil
	}
	entries := data[offset+2:]
	for range order.Uint16(data[offset:]) {
		if len(entries) < 12 {
			return nil
		}
		kind, count, at := order.Uint16(entries[2:]), uint64(order.Uint32(entries[4:])), uint64(order.Uint32(entries[8:]))
		if order.Uint16(entries) == tag && (kind == 1 || kind == 7) && count > 4 && at+count <= uint64(len(data)) {
			return data[at : at+count]
		}
		entries = entries[12:]
	}
	return nil
}

func tagValues(data, entry []byte, order binary.ByteOrder) []uint32 {
	size := uint64(0)
	switch order.Uint16(entry[2:]) {
	case 1: // BYTE
		size = 1
	case 3: // SHORT
		size = 2
	case 4: // LONG
		size = 4
	default:
		return nil
	}
	count := uint64(order.Uint32(entry[4:]))
	raw := entry[8:12]
	if size*count > 4 {
		at := uint64(order.Uint32(entry[8:]))
		if at+size*count > uint64(len(data)) {
			return nil
		}
		raw = data[at:]
	}
	values := make([]uint32, min(count, maxTagValues))
	for i := range values {
		switch size {
		case 1:
			values[i] = uint32(raw[i])
		case 2:
			values[i] = uint32(order.Uint16(raw[2*i:]))
		case 4:
			values[i] = order.Uint32(raw[4*i:])
		}
	}
	return values
}

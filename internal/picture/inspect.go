package picture

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
)

// Completeness is what a file's structure tells of its end.
type Completeness int

const (
	// Undecided is a file whose format only decoding judges.
	Undecided Completeness = iota
	// Whole is a file that has all its parts up to the marker of its end.
	// Its pixels may be garbled all the same.
	Whole
	// Cut is a file that ends before its end marker. Decode may show it.
	Cut
)

// structured is a file whose structure can be judged without decoding.
type structured interface{ completeness() (Completeness, error) }

// Inspect reads header and structure of a file without decoding it, which
// takes a hundredth of the time: whether it is a picture, of a size within
// the limits, and whether it is whole. Its errors are Decode's. A file that
// passes as Whole may still turn out garbled in Decode.
func Inspect(data []byte, limits Limits) (Info, Completeness, error) {
	f, info, err := openBytes(data, limits, "")
	if err != nil {
		return info, Undecided, err
	}
	s, ok := f.(structured)
	if !ok {
		return info, Undecided, nil
	}
	state, err := s.completeness()
	return info, state, err
}

// completeness asks for the end marker and for a scan of each component.
func (f *jpegFile) completeness() (Completeness, error) {
	switch {
	case f.tooSmall():
		return Cut, truncated(formatJPEG)
	case !f.ended, slices.Contains(f.scanned, false):
		return Cut, nil
	}
	return Whole, nil
}

// tooSmall reports a file that can't hold its picture: every 8 × 8 block of
// the first component takes one bit at least, unless its code is arithmetic.
func (f *jpegFile) tooSmall() bool {
	return !f.arithmetic && int64(f.width)*int64(f.height)/64 > 8*int64(len(f.data))
}

// completeness holds the chunks against their sums up to the one that ends a
// file.
func (f *pngFile) completeness() (Completeness, error) {
	pixels := false
	for rest := f.data[8:]; len(rest) >= 12; {
		size := uint64(binary.BigEndian.Uint32(rest))
		if size+12 > uint64(len(rest)) {
			return Cut, nil
		}
		kind := string(rest[4:8])
		if !pngAncillary(kind) && kind != "IDAT" && crc32.ChecksumIEEE(rest[4:8+size]) != binary.BigEndian.Uint32(rest[8+size:]) {
			return Cut, corrupt(formatPNG, "its part %q does not match its sum", kind)
		}
		pixels = pixels || kind == "IDAT"
		if kind == "IEND" {
			if !pixels {
				return Cut, truncated(formatPNG)
			}
			return Whole, nil
		}
		rest = rest[12+size:]
	}
	return Cut, nil
}

// completeness asks for as many bytes as the container says.
func (f *webpFile) completeness() (Completeness, error) {
	if f.cut {
		return Cut, nil
	}
	return Whole, nil
}

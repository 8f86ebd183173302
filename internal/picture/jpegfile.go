package picture

import (
	"bytes"
	"encoding/binary"
)

// maxScans bounds the scans of one JPEG file. A progressive picture has
// about ten; a scan of a few bytes over millions of blocks is an attack.
const maxScans = 500

// colourModel is what the components of a JPEG file mean.
type colourModel int

const (
	modelGrey colourModel = iota
	modelYCbCr
	modelRGB
	modelCMYK
	modelYCCK
)

// jpegFile is what the markers of a JPEG file say (ITU-T T.81, annex B).
type jpegFile struct {
	metadata
	data          []byte
	width, height int
	components    []byte   // their identifiers
	sampling      []byte   // their sampling factors, horizontal in the high half
	scanned       []bool   // whether any scan has them
	known         []uint64 // of each, which coefficients came to their last bit
	inkRatio      int      // of four components, how many times smaller the middle two are
	orientation   int
	jfif          bool
	progressive   bool
	arithmetic    bool
	oneScan       bool // it has one scan, of all components
	lateTables    bool // quantisers come after the frame's header
	oddRestarts   bool // restart markers are not where they should be
	ended         bool
	partRestarts  bool // some scan of one component out of several has restarts
	adobe         int  // position of the Adobe segment's transform byte, 0 for none
}

const (
	markerEOI  = 0xd9
	markerSOS  = 0xda
	markerDRI  = 0xdd
	markerAPP0 = 0xe0
	markerAPP1 = 0xe1
	markerAPP2 = 0xe2
	markerAdob = 0xee // APP14

	markerSOF55 = 0xf7 // frame header of JPEG-LS (ITU-T T.87)
)

const xmpNamespace = "http://ns.adobe.com/xap/1.0/\x00"

// openJPEG walks over all markers up to the end of the picture.
func openJPEG(data []byte) (file, error) {
	f := &jpegFile{data: data, orientation: 1}
	scans, seenEXIF, interval := 0, false, 0
	var profile [256][]byte // in numbered parts, from 1 on
	for at := 2; ; {
		marker, body, next := nextSegment(data, at)
		if marker == 0 || marker == markerEOI {
			f.ended = marker == markerEOI
			break
		}
		if scans > 0 && (body == nil || isFrameHeader(marker)) {
			break // decoding says what is to be made of it
		}
		if body == nil {
			return nil, truncated(formatJPEG)
		}
		switch {
		case isFrameHeader(marker):
			if err := f.readFrameHeader(marker, body); err != nil {
				return nil, err
			}
		case marker == 0xdb:
			f.lateTables = f.lateTables || f.components != nil && scans == 0
		case marker == markerSOF55:
			return nil, &UnsupportedError{Kind: "JPEG-LS"}
		case marker == markerAPP0 && bytes.HasPrefix(body, []byte("JFIF\x00")):
			f.jfif = true
		case marker == markerAPP1 && !seenEXIF && bytes.HasPrefix(body, []byte("Exif\x00\x00")):
			seenEXIF = true
			f.orientation = f.readEXIF(body)
		case marker == markerAPP1 && f.xmp == nil && bytes.HasPrefix(body, []byte(xmpNamespace)):
			f.xmp = body[len(xmpNamespace):]
		case marker == markerAPP2 && len(body) > 14 && bytes.HasPrefix(body, []byte("ICC_PROFILE\x00")):
			profile[body[12]] = body[14:]
		case marker == markerAdob && len(body) >= 12 && bytes.HasPrefix(body, []byte("Adobe")):
			f.adobe = next - len(body) + 11
		case marker == markerDRI && len(body) >= 2:
			interval = int(binary.BigEndian.Uint16(body))
		case marker == markerSOS:
			if f.components == nil {
				return nil, corrupt(formatJPEG, "pixels come before their header")
			}
			if scans++; scans > maxScans {
				return nil, corrupt(formatJPEG, "it has more than %d scans", maxScans)
			}
			f.noteScanned(body)
			f.oneScan = scans == 1 && len(body) > 0 && int(body[0]) == len(f.components)
			f.oddRestarts = f.oddRestarts || interval > 0 && f.oneScan && !f.restartsFit(next, interval)
			f.partRestarts = f.partRestarts || interval > 0 && f.isPartScan(body)
		}
		at = next
	}
	if f.components == nil {
		return nil, truncated(formatJPEG)
	}
	f.icc = bytes.Join(profile[:], nil)
	if len(f.icc) == 0 {
		f.icc = nil
	}
	return f, nil
}

// nextSegment finds the marker at or after position at, passing over
// entropy-coded data. The marker is 0 at the end of the data; the body is nil
// when it is cut short.
func nextSegment(data []byte, at int) (marker byte, body []byte, next int) {
	for {
		i := bytes.IndexByte(data[min(at, len(data)):], 0xff)
		if i < 0 || at+i+1 >= len(data) {
			return 0, nil, len(data)
		}
		at += i + 1
		marker = data[at]
		// Stuffed zeros and restart markers belong to the entropy-coded data,
		// and any number of 0xff may fill the place before a marker.
		if marker != 0xff && marker != 0 && marker != 1 && (marker < 0xd0 || marker > 0xd8) {
			break
		}
	}
	at++
	if marker == markerEOI {
		return marker, nil, at
	}
	if len(data)-at < 2 {
		return marker, nil, len(data)
	}
	size := int(binary.BigEndian.Uint16(data[at:]))
	if size < 2 || len(data)-at < size {
		return marker, nil, len(data)
	}
	return marker, data[at+2 : at+size : at+size], at + size
}

// isFrameHeader reports SOF0 to SOF15; three codes in that range are other
// markers.
func isFrameHeader(marker byte) bool {
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc
}

func (f *jpegFile) readFrameHeader(marker byte, body []byte) error {
	switch {
	case marker == 0xc3:
		return &UnsupportedError{Kind: "lossless JPEG"}
	case marker >= 0xc5 && marker <= 0xc7:
		return &UnsupportedError{Kind: "hierarchical JPEG"}
	case marker > 0xca:
		return &UnsupportedError{Kind: "lossless or hierarchical arithmetic-coded JPEG"}
	case f.components != nil:
		return corrupt(formatJPEG, "it has two headers")
	case len(body) < 6 || len(body) < 6+3*int(body[5]):
		return truncated(formatJPEG)
	case body[0] != 8:
		return &UnsupportedError{Kind: "12-bit JPEG"}
	}
	f.arithmetic = marker > 0xc8
	f.progressive = marker&3 == 2
	f.height = int(binary.BigEndian.Uint16(body[1:]))
	f.width = int(binary.BigEndian.Uint16(body[3:]))
	f.components = []byte{}
	for i := range int(body[5]) {
		f.components = append(f.components, body[6+3*i])
		f.sampling = append(f.sampling, body[7+3*i])
		f.scanned = append(f.scanned, false)
		f.known = append(f.known, 0)
	}
	// image/jpeg reads four components only with the middle two whole or halved.
	f.inkRatio = 1
	switch len(f.components) {
	case 4:
		f.inkRatio = max(1, int(body[7]>>4))
		return nil
	case 1, 3:
		return nil
	}
	return &UnsupportedError{Kind: "JPEG of another colour space"}
}

// noteScanned notes the components of a scan, and what it brings of them.
func (f *jpegFile) noteScanned(body []byte) {
	bits := ^uint64(0)
	if n := len(body); f.progressive && n >= 3 {
		bits = uint64(2)<<(body[n-2]&63) - uint64(1)<<(body[n-3]&63)
		if body[n-1]&15 > 0 {
			bits = 0
		}
	}
	for i := 1; i < len(body) && i < 2*int(body[0]); i += 2 {
		if c := bytes.IndexByte(f.components, body[i]); c >= 0 {
			f.scanned[c] = true
			f.known[c] |= bits
		}
	}
}

// refined reports whether all the coefficients that would be estimated
// otherwise (jpegsmooth.go) come to their last bit.
func (f *jpegFile) refined() bool {
	for _, k := range f.known {
		if ^k&(1<<smoothed-1) != 0 {
			return false
		}
	}
	return true
}

// isPartScan reports a scan of one component out of several that has more
// than one block in the frame's unit.
func (f *jpegFile) isPartScan(body []byte) bool {
	if len(f.components) < 2 || len(body) < 2 || body[0] != 1 {
		return false
	}
	i := bytes.IndexByte(f.components, body[1])
	return i >= 0 && f.sampling[i] != 0x11
}

// seemsUsual reports whether the markers are those of a file of the usual
// kind. Its pixels may be garbled all the same.
func (f *jpegFile) seemsUsual() bool {
	if m := f.model(); f.arithmetic || !f.refined() || f.lateTables || f.oddRestarts || !f.progressive && !f.oneScan || m == modelCMYK || m == modelYCCK {
		return false
	}
	for i, s := range f.sampling {
		h, v := s>>4, s&15
		if i > 0 && s != 0x11 || i == 0 && len(f.sampling) > 1 && (h < 1 || h > 2 || v < 1 || v > 2) {
			return false
		}
	}
	return true
}

// restartsFit reports whether the restart markers of a scan of all components
// are in order and as many as there should be.
func (f *jpegFile) restartsFit(at, interval int) bool {
	maxH, maxV := 1, 1
	for _, s := range f.sampling {
		if len(f.sampling) > 1 {
			maxH, maxV = max(maxH, int(s>>4)), max(maxV, int(s&15))
		}
	}
	want := (ceilDiv(f.width, 8*maxH)*ceilDiv(f.height, 8*maxV) - 1) / interval
	found := 0
	for {
		marker, next := nextMarker(f.data, at)
		if marker < 0xd0 || marker > 0xd7 {
			return found == want
		}
		if int(marker&7) != found%8 {
			return false
		}
		found++
		at = next + 2
	}
}

// model guesses what the components mean by libjpeg's rules
// (default_decompress_parms): JFIF means YCbCr, then Adobe's segment decides,
// then the identifiers.
func (f *jpegFile) model() colourModel {
	transform := -1
	if f.adobe > 0 {
		transform = int(f.data[f.adobe])
	}
	switch {
	case len(f.components) == 1:
		return modelGrey
	case len(f.components) == 4 && transform == 2:
		return modelYCCK
	case len(f.components) == 4:
		return modelCMYK
	case f.jfif:
		return modelYCbCr
	case transform == 0, transform < 0 && string(f.components) == "RGB":
		return modelRGB
	}
	return modelYCbCr
}

func (f *jpegFile) stored() (width, height, orientation int) {
	return f.width, f.height, f.orientation
}

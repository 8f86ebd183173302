package picture

import (
	"bytes"
	"compress/zlib"
	"io"
	"regexp"

	"github.com/palate-art/palate/internal/picture/icc"
)

// metadata is what a file says of itself beside its size and its pixels.
type metadata struct {
	// oriented says that EXIF gives an orientation, whatever it is.
	oriented bool
	// asText is the orientation of EXIF that stands as text, 0 without.
	asText   int
	xmp      []byte // the packet
	icc      []byte // the colour profile
	deflated bool   // the profile is, as in PNG
}

func (m *metadata) extra() *metadata { return m }

// readEXIF notes whether an EXIF block gives an orientation, and gives that.
func (m *metadata) readEXIF(block []byte) int {
	orientation, given := exifOrientation(block)
	m.oriented = m.oriented || given
	return orientation
}

var xmpOrientation = regexp.MustCompile(`tiff:Orientation(="|>)([1-8])["<]`)

// orientation is that of EXIF, or by the rule, where EXIF gives none, the one
// in the XMP packet.
func (m *metadata) orientation(exif int, rules Rules) int {
	if m.oriented || !rules.Has(XMPOrientation) {
		return exif
	}
	if m.asText != 0 {
		return m.asText
	}
	if found := xmpOrientation.FindSubmatch(m.xmp); found != nil {
		return int(found[2][0] - '0')
	}
	return exif
}

// maxProfileBytes bounds a profile that is unpacked; the largest in use, for
// printing, have about 3 MiB.
const maxProfileBytes = 8 << 20

// profile is the colour profile, nil for none or one that is broken.
func (m *metadata) profile() []byte {
	if m.icc == nil || !m.deflated {
		return m.icc
	}
	r, err := zlib.NewReader(bytes.NewReader(m.icc))
	if err != nil {
		return nil
	}
	defer r.Close()
	profile, err := io.ReadAll(io.LimitReader(r, maxProfileBytes+1))
	if err != nil || len(profile) > maxProfileBytes {
		return nil
	}
	return profile
}

// toSRGB is the transform of the file's profile if it is of a space and
// changes anything; nil otherwise. A profile that can't be read is passed by:
// the picture is shown without it, as every viewer does.
func (m *metadata) toSRGB(rules Rules, space icc.Space) *icc.Transform {
	if m.icc == nil || !rules.Has(ColourProfiles) {
		return nil
	}
	return m.transform(space)
}

func (m *metadata) transform(space icc.Space) *icc.Transform {
	p, err := icc.Parse(m.profile())
	if err != nil || p.Space() != space {
		return nil
	}
	t, err := p.ToSRGB()
	if err != nil || t.Identity() {
		return nil
	}
	return t
}

// profileBytes is what a transform takes while it is made: its numbers take
// four bytes each, and those of a profile at least one.
func (m *metadata) profileBytes(rules Rules) int64 {
	if m.icc == nil || !rules.Has(ColourProfiles) {
		return 0
	}
	bytes := int64(len(m.icc))
	if m.deflated {
		bytes = min(1032*bytes, maxProfileBytes)
	}
	return 6*bytes + 2<<20
}

// convertStraight brings pixels with straight alpha to sRGB in place.
func convertStraight(pix []byte, t *icc.Transform) {
	var row [3 * 256]byte
	for len(pix) >= 4 {
		n := min(len(pix)/4, 256)
		for i := range n {
			copy(row[3*i:3*i+3], pix[4*i:])
		}
		t.RGB(row[:3*n])
		for i := range n {
			copy(pix[4*i:4*i+3], row[3*i:])
		}
		pix = pix[4*n:]
	}
}

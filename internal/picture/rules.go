package picture

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture/icc"
)

// Rules say how picture files become pixels where palate's way has changed:
// "2" is the way of the first collections, and every name after a + is one
// change to it, in the order of names, as in "2+jpeg-whole". What embedded a
// collection is noted with it, and every set of rules stays implemented, so
// that its embeddings go on until the person wants the present rules. Empty is
// the present rules, which see Current.
type Rules string

// Former are the rules of collections in which none are noted.
const Former Rules = "2"

// JPEGWhole is the rule that a JPEG is always decoded in full. Without it a
// large one is decoded at ½, ¼ or ⅛ of its size where less is needed, which
// is faster and moves embeddings (see DecodeAtLeast).
const JPEGWhole = "jpeg-whole"

// AsPublished is the rule that every field of what was published beside a
// model is obeyed, and nothing that changes what it computes is guessed. It
// changes how a model is described and no picture by itself.
const AsPublished = "as-published"

// JPEGExact is the rule that a JPEG of any kind has the pixels that libjpeg
// gives it. Without it one that is not of the usual kind (see jpegusual.go) is
// decoded by image/jpeg, whose transform differs by a level here and there,
// where image/jpeg reads it at all.
const JPEGExact = "jpeg-exact"

// ColourProfiles is the rule that colours are brought to sRGB by the profile in
// the file. Without it every file counts as sRGB.
const ColourProfiles = "icc"

// XMPOrientation is the rule that the orientation in an XMP packet counts where
// EXIF gives none, and that EXIF counts that stands as text in a PNG.
const XMPOrientation = "xmp-orientation"

// TIFFExact is the rule that the order of bits counts in TIFF that is no fax.
const TIFFExact = "tiff-exact"

// PNGReduced is the rule that a PNG above 50 megapixels is averaged to ½, ¼ or
// ⅛ of its size as its rows come, where less is needed. It is past: what is
// resized as it comes (Reading.Window) needs as little memory and is exact.
const PNGReduced = "png-reduced"

// wholePNG is the largest picture in pixels that is decoded whole for all
// that.
const wholePNG = 50_000_000

// rule is one change to Former.
type rule struct {
	name string
	// about says of one rule what it does, for people.
	about string
	// touches reports whether a file may have other pixels with the rule
	// than without it, where no more than short pixels of the shorter side
	// are needed. It sees the header alone, and says yes where it can't tell.
	touches func(f file, info Info, short int) bool
	// past is of a rule that collections have and new ones don't.
	past bool
}

// rules are all that there are. To add one: its name and touches here, and
// where the file is decoded Reading.Rules.Has. Current has it from then on, until
// it is past.
var rules = []rule{
	{AsPublished, "every field beside a model is obeyed", func(file, Info, int) bool { return false }, false},
	{ColourProfiles, "colour profiles are brought to sRGB", func(f file, _ Info, _ int) bool {
		m := f.extra()
		return m.icc != nil && (m.transform(icc.RGB) != nil || m.transform(icc.Grey) != nil || m.transform(icc.CMYK) != nil)
	}, false},
	{JPEGExact, "JPEG of every kind has libjpeg's pixels", func(f file, _ Info, _ int) bool {
		j, ok := f.(*jpegFile)
		return ok && !j.seemsUsual()
	}, false},
	{JPEGWhole, "JPEG is decoded in full", func(_ file, info Info, short int) bool {
		return info.Format == formatJPEG && fraction(info, short) > 1
	}, false},
	{TIFFExact, "the order of bits in TIFF counts", func(f file, _ Info, _ int) bool {
		t, ok := f.(*tiffFile)
		return ok && t.other != nil && t.reversed()
	}, false},
	{XMPOrientation, "an orientation in XMP counts", func(f file, info Info, _ int) bool {
		_, _, exif := f.stored()
		return info.Orientation != exif
	}, false},
	{PNGReduced, "PNG above 50 megapixels is reduced as it is read", func(_ file, info Info, short int) bool {
		return info.Format == formatPNG && int64(info.Width)*int64(info.Height) > wholePNG && fraction(info, short) > 1
	}, true},
}

// Current are the rules for what is embedded from now on.
func Current() Rules {
	var names []string
	for _, r := range rules {
		if !r.past {
			names = append(names, r.name)
		}
	}
	return rulesOf(names)
}

func rulesOf(names []string) Rules {
	names = slices.Clone(names)
	slices.Sort(names)
	return Rules(strings.Join(append([]string{string(Former)}, slices.Compact(names)...), "+"))
}

// ParseRules reads rules as they are written. Names that this palate doesn't
// know, and another writing of the same, are palate.ErrInvalid.
func ParseRules(text string) (Rules, error) {
	names := strings.Split(text, "+")
	for _, name := range names[1:] {
		if !slices.ContainsFunc(rules, func(r rule) bool { return r.name == name }) {
			return "", fmt.Errorf("picture: the preprocessing rule %q is not known to this palate: %w", name, palate.ErrInvalid)
		}
	}
	if r := rulesOf(names[1:]); string(r) != text {
		return "", fmt.Errorf("picture: the preprocessing rules %q, want %q: %w", text, r, palate.ErrInvalid)
	}
	return Rules(text), nil
}

// UnmarshalJSON reads what ParseRules reads, and nothing.
func (r *Rules) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil || s == "" {
		*r = ""
		return err
	}
	parsed, err := ParseRules(s)
	*r = parsed
	return err
}

// names are those after the first +, of Current for the empty rules.
func (r Rules) names() []string {
	if r == "" {
		r = Current()
	}
	return strings.Split(string(r), "+")[1:]
}

// OrCurrent fills in the empty rules.
func (r Rules) OrCurrent() Rules { return rulesOf(r.names()) }

// Has reports whether the rule of that name holds.
func (r Rules) Has(name string) bool { return slices.Contains(r.names(), name) }

// TellDamage reports whether Info.Damage tells by these rules all that can be
// known of a file.
func (r Rules) TellDamage() bool { return r.Has(JPEGExact) }

// With and Without give rules with one rule more or less.
func (r Rules) With(name string) Rules { return rulesOf(append(r.names(), name)) }

// Without gives rules without one.
func (r Rules) Without(name string) Rules {
	return rulesOf(slices.DeleteFunc(r.names(), func(n string) bool { return n == name }))
}

// About says of every rule that holds what it does, for people, and of a JPEG
// that may be decoded at a fraction that it is.
func (r Rules) About() string {
	var parts []string
	for _, rule := range rules {
		if r.Has(rule.name) {
			parts = append(parts, rule.about)
		}
	}
	if !r.Has(JPEGWhole) {
		parts = append(parts, "large JPEG is decoded at a fraction of its size")
	}
	return strings.Join(parts, ", ")
}

// Reading says how a file is to be read for one use of its pixels.
type Reading struct {
	Rules Rules
	// Short is how long in pixels the upright picture's shorter side need be;
	// 0 is as long as it is. More is given wherever the rules ask for it.
	Short int
	// Window says what of a picture of that upright size is needed and in which
	// size; nil is all of it. Where the rows of a file can be reduced to that as
	// they come, as ResizeWindow would do it afterwards, the picture given is
	// that window alone (its Whole is the size that Window was asked for), and
	// decoding takes no room for the rest. Otherwise, and where
	// the Window is of no size, it is the whole picture. So who asks for a window
	// resizes what comes by ResizeWindow.
	Window func(width, height int) Window
}

// scale is what the sides of a picture are divided by when it is decoded.
func (r Reading) scale(info Info) int {
	switch {
	case r.Short < 1:
	case info.Format == formatJPEG && !r.Rules.Has(JPEGWhole):
		return fraction(info, r.Short)
	case info.Format == formatPNG && r.Rules.Has(PNGReduced) && int64(info.Width)*int64(info.Height) > wholePNG:
		return fraction(info, r.Short)
	}
	return 1
}

// fraction is what may divide the sides of a picture of which so much of the
// shorter side is needed.
func fraction(info Info, short int) int {
	scale := 1
	for scale < maxScale && min(info.Width, info.Height)/(2*scale)/enough >= short {
		scale *= 2
	}
	return scale
}

// Differs reports whether a file may have other pixels by one set of rules
// than by another, for a use that needs short pixels of the shorter side. It
// reads as much as Probe does, whose errors it has.
func Differs(r io.Reader, limits Limits, from, to Rules, short int) (bool, error) {
	f, info, err := open(r, limits, to)
	if err != nil {
		return false, err
	}
	for _, rule := range rules {
		if from.Has(rule.name) != to.Has(rule.name) && rule.touches(f, info, short) {
			return true, nil
		}
	}
	return false, nil
}

package embedder

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
)

// Description says how pictures are brought into an ONNX image model and what
// its output means. As JSON it stands beside a model's file, which it makes
// usable without a line of code; ParseDescription reads it.
type Description struct {
	// Name is what people call the model: 1 to 63 letters, digits and . _ -.
	Name string `json:"name"`
	// Version is the author's own; another version is another function.
	Version string `json:"version,omitempty"`
	// Licence is the short name of the weights' licence.
	Licence string `json:"licence,omitempty"`

	Input InputDescription `json:"input"`

	// Fit says how the picture comes to the input's size.
	Fit Fit `json:"fit"`
	// ShortSide is for FitCrop: the length in pixels that the picture's
	// shorter side is resized to before the centre is cut out; and for
	// FitStretch that of both sides, where less than all is shown. CropRatio may
	// be given in its place; without either it is the input's size.
	ShortSide int `json:"short_side,omitempty"`
	// CropRatio is for FitCrop, timm's crop_pct: the shorter side becomes
	// floor(size/CropRatio). Above 0, at most 1.
	CropRatio float64 `json:"crop_ratio,omitempty"`
	// Resample is the interpolation, one of picture.Filters (as Pillow's).
	Resample string `json:"resample"`
	// Mean and Std are per channel (red, green, blue), of values in 0..1:
	// the model sees (value − mean) / std.
	Mean [3]float64 `json:"mean"`
	Std  [3]float64 `json:"std"`

	Output OutputDescription `json:"output"`

	// Normalise is "l2": what every embedding is brought to.
	Normalise string `json:"normalise"`
	// NumericClass is "float" or "int8", see palate.ModelID.
	NumericClass NumericClass `json:"numeric_class"`

	// Rules are how picture files become pixels; empty is by the present
	// rules. They belong to what was embedded, not to the model's file.
	Rules picture.Rules `json:"-"`

	// Identity is the fingerprint, where whoever writes the graph knows it
	// better than the file's hash tells: several graphs may compute one
	// function. Empty is Fingerprint over the file's SHA-256. Identify sets it.
	Identity palate.ModelID `json:"-"`

	function [sha256.Size]byte // that Identify was given
}

// InputDescription names the model's input, a float32 tensor.
type InputDescription struct {
	Name string `json:"name"`
	// Width and Height are in pixels. For FitWhole they are the input of a
	// picture of their ratio; others get another of about the same area.
	Width  int `json:"width"`
	Height int `json:"height"`
	// Multiple is for FitWhole: both sides of every input are multiples of
	// it, as of a patch's side.
	Multiple int `json:"multiple,omitempty"`
	// Layout is the order of the tensor's dimensions.
	Layout Layout `json:"layout"`
}

// OutputDescription names the output that the embedding is made from.
type OutputDescription struct {
	Name    string  `json:"name"`
	Pooling Pooling `json:"pooling"`
	// PrefixTokens is for PoolMeanPatches: how many tokens stand before
	// those of the patches (the class token and any registers).
	PrefixTokens int `json:"prefix_tokens,omitempty"`
	// Patches is where the tokens of patches are, if they can be had and are
	// not the output itself, see PatchEmbedder.
	Patches PatchDescription `json:"patches,omitzero"`
}

// PatchDescription names an output [batch, tokens, dim] in which the tokens
// of the patches stand row by row after PrefixTokens others.
type PatchDescription struct {
	Name         string `json:"name"`
	PrefixTokens int    `json:"prefix_tokens,omitempty"`
}

// Fit is a way of bringing a picture of any shape to the model's input.
type Fit string

// The ways of fitting. FitCrop cuts the square in the middle out of the
// resized picture. FitWhole keeps all of it and gives the input the picture's
// shape, see InputSize; the model's input must be free for that. FitPad keeps
// all of it and the ratio of its sides in an input of one shape and fills the
// rest with the mean colour. FitStretch keeps all of it and gives up the
// ratio.
const (
	FitCrop    Fit = "crop"
	FitWhole   Fit = "whole"
	FitPad     Fit = "pad"
	FitStretch Fit = "stretch"
)

// Layout is the order of an input's dimensions.
type Layout string

// The layouts: N is the batch, C the channel, H the row, W the column.
const (
	LayoutNCHW Layout = "nchw"
	LayoutNHWC Layout = "nhwc"
)

// Pooling is how the embedding is taken from the output.
type Pooling string

// The poolings. PoolNone takes an output [batch, dim] as it is; the others
// take [batch, tokens, dim]: PoolClass the first token, PoolMeanPatches the
// mean of all tokens after the first PrefixTokens.
const (
	PoolNone        Pooling = "none"
	PoolClass       Pooling = "cls"
	PoolMeanPatches Pooling = "mean_patches"
	// PoolMeanPlaces takes [batch, dim, rows, columns] and its mean over the
	// places, as convolutional nets without a head end.
	PoolMeanPlaces Pooling = "mean_places"
)

// NumericClass separates forms of a model whose embeddings differ by more
// than rounding.
type NumericClass string

// The numeric classes.
const (
	NumericFloat NumericClass = "float"
	NumericInt8  NumericClass = "int8"
)

// Bicubic is the Resample of most published models.
const Bicubic = string(picture.Bicubic)

// NormaliseL2 is the one Normalise there is.
const NormaliseL2 = "l2"

// maxInputSide bounds what one prepared picture may cost: 192 MiB.
const maxInputSide = 4096

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// ParseDescription reads a description from JSON. Fields that it doesn't
// know, values it can't use and anything after the object are ErrInvalid.
func ParseDescription(text []byte) (Description, error) {
	var d Description
	if err := checkChannels(text); err != nil {
		return Description{}, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		return Description{}, fmt.Errorf("model description: %w: %w", palate.ErrInvalid, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Description{}, fmt.Errorf("model description: more text after the object: %w", palate.ErrInvalid)
	}
	if err := d.Validate(); err != nil {
		return Description{}, err
	}
	return d, nil
}

// checkChannels refuses lists that are not of three channels, which Go's
// decoder would fill up with zeros or cut.
func checkChannels(text []byte) error {
	var lists map[string]json.RawMessage
	if json.Unmarshal(text, &lists) != nil {
		return nil // the decoder says what is wrong
	}
	for name, raw := range lists {
		var values []json.RawMessage
		// Go's decoder takes names in any letter case.
		if ours := strings.EqualFold(name, "mean") || strings.EqualFold(name, "std"); ours && json.Unmarshal(raw, &values) == nil && len(values) != 3 {
			return fmt.Errorf("model description: %s has %d values, want 3, of red, green and blue: %w", name, len(values), palate.ErrInvalid)
		}
	}
	return nil
}

// Validate reports everything that is wrong with d, as ErrInvalid.
func (d Description) Validate() error {
	var problems []error
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	oneOf := func(field, value string, values ...string) {
		for _, v := range values {
			if value == v {
				return
			}
		}
		wrong("%s %q is none of %q", field, value, values)
	}
	if !namePattern.MatchString(d.Name) {
		wrong("name %q: want 1 to 63 letters, digits and . _ -, beginning with a letter or digit", d.Name)
	}
	if d.Input.Name == "" {
		wrong("input.name is empty")
	}
	if d.Output.Name == "" {
		wrong("output.name is empty")
	}
	for side, n := range map[string]int{"width": d.Input.Width, "height": d.Input.Height} {
		if n < 1 || n > maxInputSide {
			wrong("input.%s is %d, want 1 to %d", side, n, maxInputSide)
		}
	}
	oneOf("input.layout", string(d.Input.Layout), string(LayoutNCHW), string(LayoutNHWC))
	oneOf("fit", string(d.Fit), string(FitCrop), string(FitWhole), string(FitPad), string(FitStretch))
	if !slices.Contains(picture.Filters(), picture.Filter(d.Resample)) {
		wrong("resample %q is none of %q", d.Resample, picture.Filters())
	}
	oneOf("output.pooling", string(d.Output.Pooling), string(PoolNone), string(PoolClass), string(PoolMeanPatches), string(PoolMeanPlaces))
	oneOf("normalise", d.Normalise, NormaliseL2)
	oneOf("numeric_class", string(d.NumericClass), string(NumericFloat), string(NumericInt8))
	problems = append(problems, d.cropProblems()...)
	problems = append(problems, d.wholeProblems()...)
	if p := d.Output.Patches; p.PrefixTokens < 0 || p.Name == "" && p.PrefixTokens != 0 {
		wrong("output.patches has name %q and prefix_tokens %d: the name is missing or the number negative", p.Name, p.PrefixTokens)
	}
	if d.Output.PrefixTokens < 0 || d.Output.PrefixTokens > 0 && d.Output.Pooling != PoolMeanPatches {
		wrong("output.prefix_tokens is %d with pooling %q: it goes with %q and is not negative",
			d.Output.PrefixTokens, d.Output.Pooling, PoolMeanPatches)
	}
	for c := range 3 {
		if math.IsNaN(d.Mean[c]) || math.IsInf(d.Mean[c], 0) {
			wrong("mean[%d] is %v", c, d.Mean[c])
		}
		if !(d.Std[c] > 0) || math.IsInf(d.Std[c], 0) {
			wrong("std[%d] is %v, want above 0", c, d.Std[c])
		}
	}
	if len(problems) > 0 {
		return fmt.Errorf("model description: %w: %w", palate.ErrInvalid, errors.Join(problems...))
	}
	return nil
}

func (d Description) cropProblems() []error {
	var problems []error
	if d.Fit == FitStretch && d.ShortSide != 0 && d.CropRatio == 0 {
		if d.Input.Width != d.Input.Height || d.ShortSide < d.Input.Width || d.ShortSide > 2*maxInputSide {
			problems = append(problems, fmt.Errorf("fit %q with short_side %d wants a square input of no more, not %d×%d", d.Fit, d.ShortSide, d.Input.Width, d.Input.Height))
		}
		return problems
	}
	if d.Fit != FitCrop {
		if d.ShortSide != 0 || d.CropRatio != 0 {
			problems = append(problems, fmt.Errorf("short_side and crop_ratio go with fit %q, not %q", FitCrop, d.Fit))
		}
		return problems
	}
	if d.Input.Width != d.Input.Height {
		problems = append(problems, fmt.Errorf("fit %q wants a square input, not %d×%d", FitCrop, d.Input.Width, d.Input.Height))
	}
	if d.ShortSide != 0 && d.CropRatio != 0 {
		problems = append(problems, errors.New("short_side and crop_ratio are both given, want one"))
	}
	if !(d.CropRatio >= 0 && d.CropRatio <= 1) {
		problems = append(problems, fmt.Errorf("crop_ratio is %v, want above 0, at most 1", d.CropRatio))
	} else if short := d.shortSide(); short < d.Input.Width || short > 2*maxInputSide {
		problems = append(problems, fmt.Errorf("the shorter side is resized to %d, want %d to %d", short, d.Input.Width, 2*maxInputSide))
	}
	return problems
}

func (d Description) wholeProblems() []error {
	multiple := d.Input.Multiple
	switch {
	case d.Fit != FitWhole && multiple != 0:
		return []error{fmt.Errorf("input.multiple goes with fit %q, not %q", FitWhole, d.Fit)}
	case d.Fit != FitWhole:
		return nil
	case multiple < 1:
		return []error{fmt.Errorf("input.multiple is %d, fit %q wants the side of a patch", multiple, FitWhole)}
	case d.Input.Width%multiple != 0 || d.Input.Height%multiple != 0:
		return []error{fmt.Errorf("the input of %d×%d is no multiple of %d", d.Input.Width, d.Input.Height, multiple)}
	}
	return nil
}

// shortSide is what FitCrop resizes the shorter side to.
func (d Description) shortSide() int {
	switch {
	case d.ShortSide != 0:
		return d.ShortSide
	case d.CropRatio > 0:
		short := math.Floor(float64(d.Input.Width) / d.CropRatio)
		return int(min(short, math.MaxInt32)) // a ratio near 0 is refused by its result
	}
	return d.Input.Width
}

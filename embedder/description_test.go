package embedder_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/picture"
)

const dinoLike = `{
	"name": "vit-small", "version": "1", "licence": "Apache-2.0",
	"input": {"name": "pixel_values", "width": 224, "height": 224, "layout": "nchw"},
	"fit": "crop", "crop_ratio": 0.875, "resample": "bicubic",
	"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
	"output": {"name": "last_hidden_state", "pooling": "mean_patches", "prefix_tokens": 5},
	"normalise": "l2", "numeric_class": "float"
}`

func parse(t testing.TB, text string) embedder.Description {
	t.Helper()
	d, err := embedder.ParseDescription([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDescriptionSurvivesJSON(t *testing.T) {
	want := parse(t, dinoLike)
	if want.CropRatio != 0.875 || want.Output.PrefixTokens != 5 || want.Std[2] != 0.225 || want.Input.Layout != embedder.LayoutNCHW {
		t.Errorf("got %+v", want)
	}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if got := parse(t, string(text)); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestDescriptionsThatCannotBeUsedAreRefused(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"unknown field", `"fit"`, `"colour": "rgb", "fit"`, `unknown field "colour"`},
		{"unknown inner field", `"layout"`, `"depth": 3, "layout"`, `unknown field "depth"`},
		{"text after the object", `"float"` + "\n}", `"float"} {}`, "more text"},
		{"no JSON", dinoLike, "name: vit", "invalid character"},
		{"nothing", dinoLike, "", "EOF"},
		{"cut short", `"normalise": "l2", "numeric_class": "float"` + "\n}", "", "EOF"},
		{"no name", `"vit-small"`, `""`, `name ""`},
		{"a path as name", `"vit-small"`, `"../vit"`, `name "../vit"`},
		{"wrong type", `224, "height"`, `"224", "height"`, "width"},
		{"no width", `"width": 224, `, ``, "input.width is 0"},
		{"huge height", `"height": 224`, `"height": 40000`, "input.height is 40000"},
		{"unknown layout", `"nchw"`, `"chwn"`, `input.layout "chwn" is none of ["nchw" "nhwc"]`},
		{"unknown fit", `"crop",`, `"squash",`, `fit "squash" is none of`},
		{"unknown resample", `"bicubic"`, `"mitchell"`, `resample "mitchell"`},
		{"unknown pooling", `"mean_patches"`, `"max"`, `output.pooling "max"`},
		{"prefix tokens without patches", `"mean_patches"`, `"cls"`, "output.prefix_tokens is 5"},
		{"unknown normalise", `"l2"`, `"l1"`, `normalise "l1"`},
		{"no numeric class", `, "numeric_class": "float"`, ``, `numeric_class ""`},
		{"zero std", `0.229`, `0`, "std[0] is 0"},
		{"no output", `"last_hidden_state"`, `""`, "output.name is empty"},
		{"two kinds of crop", `"crop_ratio"`, `"short_side": 256, "crop_ratio"`, "both given"},
		{"crop ratio above 1", `0.875`, `1.5`, "crop_ratio is 1.5"},
		{"crop ratio near 0", `0.875`, `1e-300`, "shorter side"},
		{"short side below the input", `"crop_ratio": 0.875`, `"short_side": 200`, "shorter side is resized to 200"},
		{"crop without crop", `"crop",`, `"pad",`, `go with fit "crop"`},
		{"whole without a multiple", `"crop", "crop_ratio": 0.875`, `"whole"`, "input.multiple is 0"},
		{"whole of no multiple", `224, "layout": "nchw"},
	"fit": "crop", "crop_ratio": 0.875`, `224, "multiple": 15, "layout": "nchw"}, "fit": "whole"`, "no multiple of 15"},
		{"multiple without whole", `"height": 224`, `"height": 224, "multiple": 14`, `input.multiple goes with fit "whole"`},
		{"patches of no output", `"prefix_tokens": 5`, `"patches": {"name": "", "prefix_tokens": 1}`, "output.patches"},
		{"crop to no square", `"height": 224`, `"height": 200`, "square"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if !strings.Contains(dinoLike, test.old) {
				t.Fatalf("%q is not in the good description", test.old)
			}
			_, err := embedder.ParseDescription([]byte(strings.Replace(dinoLike, test.old, test.new, 1)))
			if !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want palate.ErrInvalid with %q", err, test.want)
			}
		})
	}
}

func FuzzParseDescription(f *testing.F) {
	f.Add([]byte(dinoLike))
	f.Add([]byte(`{"mean": [1e308, -1e308, 0], "crop_ratio": 1e-320}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := embedder.ParseDescription(text)
		if err != nil {
			if !errors.Is(err, palate.ErrInvalid) {
				t.Errorf("got %v, want palate.ErrInvalid", err)
			}
			return
		}
		if err := d.Validate(); err != nil {
			t.Errorf("parsed, but %v", err)
		}
	})
}

func TestFingerprintNamesTheFunctionAndNothingElse(t *testing.T) {
	weights := sha256.Sum256([]byte("weights"))
	base := parse(t, dinoLike)
	want := embedder.Fingerprint(weights, base)

	same := map[string]func(d *embedder.Description){
		"name":                                func(d *embedder.Description) { d.Name = "other" },
		"licence":                             func(d *embedder.Description) { d.Licence = "MIT" },
		"input name":                          func(d *embedder.Description) { d.Input.Name = "images" },
		"layout":                              func(d *embedder.Description) { d.Input.Layout = embedder.LayoutNHWC },
		"the same short side, said otherwise": func(d *embedder.Description) { d.CropRatio, d.ShortSide = 0, 256 },
	}
	for name, change := range same {
		d := base
		change(&d)
		if got := embedder.Fingerprint(weights, d); got != want {
			t.Errorf("%s: got %s, want %s as before", name, got.Short(), want.Short())
		}
	}

	seen := map[palate.ModelID]string{want: "the base"}
	different := map[string]func(d *embedder.Description){
		"version": func(d *embedder.Description) { d.Version = "2" },
		"size": func(d *embedder.Description) {
			d.Input.Width, d.Input.Height = 196, 196
			d.CropRatio, d.ShortSide = 0, 256
		},
		"fit": func(d *embedder.Description) { d.Fit, d.CropRatio = embedder.FitPad, 0 },
		"whole": func(d *embedder.Description) {
			d.Fit, d.CropRatio, d.Input.Multiple = embedder.FitWhole, 0, 14
		},
		"multiple": func(d *embedder.Description) {
			d.Fit, d.CropRatio, d.Input.Multiple = embedder.FitWhole, 0, 28
		},
		"stretch":       func(d *embedder.Description) { d.Fit, d.CropRatio = embedder.FitStretch, 0 },
		"short side":    func(d *embedder.Description) { d.CropRatio, d.ShortSide = 0, 257 },
		"mean":          func(d *embedder.Description) { d.Mean[1] = math.Nextafter(d.Mean[1], 1) },
		"std":           func(d *embedder.Description) { d.Std[2] = 0.2 },
		"output":        func(d *embedder.Description) { d.Output.Name = "pooler" },
		"pooling":       func(d *embedder.Description) { d.Output.Pooling = embedder.PoolClass },
		"prefix tokens": func(d *embedder.Description) { d.Output.PrefixTokens = 1 },
		"numeric class": func(d *embedder.Description) { d.NumericClass = embedder.NumericInt8 },
	}
	for name, change := range different {
		d := base
		change(&d)
		id := embedder.Fingerprint(weights, d)
		if other, ok := seen[id]; ok {
			t.Errorf("%s: got the fingerprint of %s", name, other)
		}
		seen[id] = name
	}
	if embedder.Fingerprint(sha256.Sum256([]byte("others")), base) == want {
		t.Error("other weights: got the same fingerprint")
	}
}

// Fingerprints stand in every catalog: none may change by accident.
func TestFingerprintStaysWhatItWas(t *testing.T) {
	for rules, want := range map[picture.Rules]palate.ModelID{
		picture.Former:                         "57c7fc987573b8cc841b2fe4c5f2aaf1abf400037ca2ea859b777afd9698fe4c",
		picture.Former.With(picture.JPEGWhole): "4352adecc291b5ce8cea9c447a6b22453634b6abcba4157be36ffa7f343776ce",
	} {
		d := parse(t, dinoLike)
		d.Rules = rules
		if got := embedder.Fingerprint(sha256.Sum256(nil), d); got != want {
			t.Errorf("rules %s: got %s, want %s: the canonical form has changed, and with it the identity of every stored embedding", rules, got, want)
		}
		other := parse(t, dinoLike)
		other.Rules = rules.With("another") // of no meaning, but another
		if got := other.Identify(sha256.Sum256(nil)); got.Identity == want || got.By(rules).Identity != want {
			t.Errorf("rules %s: got %s with one rule more and %s without it", rules, got.Identity, got.By(rules).Identity)
		}
	}
}

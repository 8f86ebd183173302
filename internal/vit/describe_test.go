package vit_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/vit"
)

// A ModelID changes with the function and with nothing else.
func TestModelIDsNameFunctions(t *testing.T) {
	file := memoryFile(t, tensorsOf(tiny, timmStyle(tiny)))
	a, err := vit.Inspect(file, []byte(twoHeads))
	if err != nil {
		t.Fatal(err)
	}
	type change func(weights *[sha256.Size]byte, a *vit.Architecture, o *vit.Options)
	id := func(changes ...change) palate.ModelID {
		t.Helper()
		weights, b, o := sha256.Sum256([]byte("weights")), a, vit.Options{Name: "tiny", Width: 8, Height: 8}
		for _, c := range changes {
			c(&weights, &b, &o)
		}
		d, err := vit.Describe(weights, b, o)
		if err != nil {
			t.Fatal(err)
		}
		return d.Identity
	}
	option := func(f func(o *vit.Options)) change {
		return func(_ *[sha256.Size]byte, _ *vit.Architecture, o *vit.Options) { f(o) }
	}
	architecture := func(f func(a *vit.Architecture)) change {
		return func(_ *[sha256.Size]byte, a *vit.Architecture, _ *vit.Options) { f(a) }
	}
	native := option(func(o *vit.Options) { o.Width, o.Height = 6, 6 })
	whole := option(func(o *vit.Options) { o.Fit, o.Width, o.Height = embedder.FitWhole, 6, 6 })
	cubic := option(func(o *vit.Options) { o.Resampling = vit.ResampleCubic })

	for name, c := range map[string][]change{
		"float16":               {option(func(o *vit.Options) { o.Precision = vit.Float16 })},
		"plain form":            {option(func(o *vit.Options) { o.Form = vit.Plain })},
		"for a GPU":             {option(func(o *vit.Options) { o.GPU = true })},
		"tokens":                {option(func(o *vit.Options) { o.Tokens = true })},
		"name and licence":      {option(func(o *vit.Options) { o.Name, o.Licence = "other", "MIT" })},
		"family, for people":    {architecture(func(a *vit.Architecture) { a.Family = "other" })},
		"what is filled in":     {option(func(o *vit.Options) { *o = o.Fill(a) })},
		"the publisher's rule":  {option(func(o *vit.Options) { o.Resampling = a.Resampling })},
		"the publisher's ratio": {option(func(o *vit.Options) { o.ShortSide = 8 })},
	} {
		if got, want := id(c...), id(); got != want {
			t.Errorf("%s: got another ModelID, want the same", name)
		}
	}
	if id(native, cubic) != id(native) {
		t.Error("where nothing is resampled the rule changes the ModelID")
	}

	seen := map[palate.ModelID]string{id(): "the model", id(native): "native"}
	for name, c := range map[string][]change{
		"weights":          {func(weights *[sha256.Size]byte, _ *vit.Architecture, _ *vit.Options) { weights[0]++ }},
		"heads":            {architecture(func(a *vit.Architecture) { a.Heads = 4 })},
		"epsilon":          {architecture(func(a *vit.Architecture) { a.Epsilon = 1e-12 })},
		"mean":             {architecture(func(a *vit.Architecture) { a.Preprocessing.Mean[1] = .5 })},
		"deviation":        {architecture(func(a *vit.Architecture) { a.Preprocessing.Std[1] = .5 })},
		"size":             {option(func(o *vit.Options) { o.Width, o.Height = 10, 10 })},
		"shorter side":     {option(func(o *vit.Options) { o.ShortSide = 9 })},
		"pad":              {option(func(o *vit.Options) { o.Fit = embedder.FitPad })},
		"stretch":          {option(func(o *vit.Options) { o.Fit = embedder.FitStretch })},
		"whole":            {whole},
		"whole, resampled": {whole, cubic},
		"resampling":       {cubic},
		"mean of patches":  {option(func(o *vit.Options) { o.Pool = vit.PoolMean })},
		"class and mean":   {option(func(o *vit.Options) { o.Pool = vit.PoolBoth })},
		"int8":             {option(func(o *vit.Options) { o.Precision = vit.Int8 })},
	} {
		got := id(c...)
		if other, twice := seen[got]; twice {
			t.Errorf("%s: got the ModelID of %s", name, other)
		}
		seen[got] = name
	}
}

func TestDescriptionsSayHowPicturesCome(t *testing.T) {
	g := openGolden(t, "testdata/timm-dinov2")
	a := g.a
	a.Preprocessing.Size = 518 // as published
	dino := a
	dino.Family, dino.Preprocessing.Size, dino.Preprocessing.CropRatio = "vit", 224, .9
	for name, test := range map[string]struct {
		a     vit.Architecture
		o     vit.Options
		short int
		side  int
	}{
		"DINOv2's own size":      {a, vit.Options{}, 518, 518},
		"DINOv2 at 224":          {a, vit.Options{Width: 224, Height: 224}, 256, 224},
		"DINOv2 at 224, all":     {a, vit.Options{Width: 224, Height: 224, ShortSide: 224}, 224, 224},
		"DINO's own size":        {dino, vit.Options{}, 248, 224},
		"DINOv2 whole":           {a, vit.Options{Fit: embedder.FitWhole, Width: 224, Height: 224}, 0, 224},
		"DINOv2 with the tokens": {a, vit.Options{Tokens: true}, 518, 518},
	} {
		d, err := vit.Describe([sha256.Size]byte{}, test.a, test.o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d.ShortSide != test.short || d.Input.Width != test.side || d.Input.Height != test.side || d.Mean != a.Preprocessing.Mean {
			t.Errorf("%s: got %+v, want a shorter side of %d and an input of %d", name, d, test.short, test.side)
		}
		if (d.Output.Patches.Name == vit.TokensName) != test.o.Tokens || (d.Input.Multiple == 14) != (test.o.Fit == embedder.FitWhole) {
			t.Errorf("%s: got %+v", name, d)
		}
	}
}

func TestOptionsThatAModelCannotHaveAreRefused(t *testing.T) {
	dinov2, eva := openGolden(t, "testdata/timm-dinov2"), openGolden(t, "testdata/timm-eva02")
	for name, test := range map[string]struct {
		g    golden
		o    vit.Options
		want string
	}{
		"a size between patches": {dinov2, vit.Options{Width: 225, Height: 224}, "an input of 225×224 is not made of patches of 14×14 pixels, as 224×224 is"},
		"a size below a patch":   {dinov2, vit.Options{Width: 7, Height: 7}, "as 14×14 is"},
		"half a size":            {dinov2, vit.Options{Width: 56}, "56×0"},
		"a negative size":        {dinov2, vit.Options{Width: -14, Height: -14}, "-14×-14"},
		"a size without end":     {dinov2, vit.Options{Width: 14 << 30, Height: 14 << 30}, "at most 65536"},
		"a crop that is oblong":  {dinov2, vit.Options{Width: 56, Height: 84}, "wants a square input"},
		"a pool":                 {dinov2, vit.Options{Pool: "max"}, `pool "max"`},
		"EVA-02's class token":   {eva, vit.Options{Pool: vit.PoolClass}, `pooled by "mean" alone`},
		"a precision":            {dinov2, vit.Options{Precision: "int4"}, `precision "int4"`},
		"a form":                 {dinov2, vit.Options{Form: "short"}, `form "short"`},
		"the plain form in int8": {dinov2, vit.Options{Form: vit.Plain, Precision: vit.Int8}, `"plain" is written in "float32" alone`},
		"int8 on a GPU":          {dinov2, vit.Options{GPU: true, Precision: vit.Int8}, "is for CPUs"},
		"another file's model":   {golden{weights: eva.weights, a: dinov2.a}, vit.Options{}, "the file is not the one whose architecture is given"},
		"a rule":                 {dinov2, vit.Options{Resampling: "nearest"}, `position resampling "nearest"`},
		"a fit":                  {dinov2, vit.Options{Fit: "tile"}, `fit "tile"`},
		"a name":                 {dinov2, vit.Options{Name: "a b"}, `name "a b"`},
	} {
		m, err := vit.Build(context.Background(), test.g.weights, test.g.a, test.o)
		if m.Graph != nil || !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want palate.ErrInvalid with %q", name, err, test.want)
		}
	}
}

func TestTablesAreForSizesThatPatchesFill(t *testing.T) {
	g := openGolden(t, "testdata/timm-dinov2")
	m, err := vit.Build(context.Background(), g.weights, g.a, vit.Options{Fit: embedder.FitWhole})
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range [][2]int{{57, 56}, {0, 14}, {-14, 14}, {14 << 20, 14 << 20}} {
		if _, err := m.Tables(size[0], size[1]); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%v: got %v, want palate.ErrInvalid", size, err)
		}
	}
}

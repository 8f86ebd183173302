package vit_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/cpu"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/vit"
	"github.com/palate-art/palate/test/race"
)

// leastInt8 is the least cosine of an int8 graph's tokens. x86 processors
// without VNNI add products of eight bits in pairs of sixteen bits that
// saturate, so that ONNX Runtime's int8 is another, worse function there; the
// weights of these tests, drawn at random, show more of it than published ones.
func leastInt8(t *testing.T, usual float64) float64 {
	if runtime.GOARCH == "amd64" && !cpu.X86.HasAVX512VNNI && !cpu.X86.HasAVXVNNI {
		t.Log("this processor has no VNNI: int8 is held to a cosine of .8 only")
		return .8
	}
	return usual
}

// The float16 form stays within what one ModelID allows; int8 does not have
// to, and has a ModelID of its own. ONNX Runtime's CPU provider computes most
// of a float16 graph in float32 between roundings to float16.
func TestFloat16IsTheSameFunctionAndInt8NearIt(t *testing.T) {
	race.Long(t)
	for _, folder := range goldenFolders(t) {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			g := openGolden(t, folder)
			for _, name := range g.cases {
				pixels, tokens := g.tensor(t, name+".input"), g.tensor(t, name+".tokens")
				for precision, least := range map[vit.Precision]float64{vit.Float16: .9999, vit.Int8: leastInt8(t, .99)} {
					for _, fit := range []embedder.Fit{embedder.FitStretch, embedder.FitWhole} {
						if fit == embedder.FitWhole && name != "native" {
							continue
						}
						o := vit.Options{Width: int(pixels.Shape[3]), Height: int(pixels.Shape[2]), Fit: fit, Precision: precision, Tokens: true}
						out := build(t, g.weights, g.a, o).run(t, pixels)
						_, cosine := difference(out[vit.TokensName].Data, tokens.Data, g.a.Dim)
						if cosine < least {
							t.Errorf("%s %s %s: the worst token has cosine %.6f, want at least %v", name, precision, fit, cosine, least)
						}
						if precision == vit.Int8 && cosine > 1-1e-7 {
							t.Errorf("%s: int8 is float32, cosine 1-%.2g", name, 1-cosine)
						}
						t.Logf("%s %s %s: the worst token has cosine 1-%.2g", name, precision, fit, 1-cosine)
					}
				}
			}
		})
	}
}

func TestWeightsThatDoNotFitAreRefused(t *testing.T) {
	s := spec{dim: 16, depth: 1, heads: 2, hidden: 8, patch: 2, rows: 2, columns: 2, positionPrefix: 1, epsilon: 1e-6}
	for name, test := range map[string]struct {
		value     float32
		precision vit.Precision
		want      string // in the error; empty for none
	}{
		"NaN":                          {float32(math.NaN()), vit.Float32, `"blocks.0.mlp.fc1.bias": value 3 is NaN`},
		"infinity":                     {float32(math.Inf(-1)), vit.Int8, "is -Inf"},
		"large":                        {65520, vit.Float32, ""},
		"too large for float16":        {65520, vit.Float16, "block.0/mlp/up/bias: a value is too large for float16"},
		"the largest that float16 has": {65519, vit.Float16, ""},
	} {
		all := randomParameters(s, rand.New(rand.NewPCG(1, 1)))
		all["0.up.bias"].values[3] = test.value
		file := memoryFile(t, timmStyle(s).tensors(all))
		a, err := vit.Inspect(file, []byte(`{"num_heads": 2}`))
		if err != nil {
			t.Fatal(err)
		}
		_, err = vit.Build(context.Background(), file, a, vit.Options{Precision: test.precision, Name: "tiny"})
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: got %v, want none", name, err)
		case test.want != "" && (!errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: got %v, want palate.ErrInvalid with %q", name, err, test.want)
		}
	}
}

// A row of zeros has no scale of its own.
func TestInt8OfZerosIsZero(t *testing.T) {
	s := spec{dim: 16, depth: 1, heads: 2, hidden: 8, patch: 2, rows: 2, columns: 2, positionPrefix: 1, epsilon: 1e-6}
	random := rand.New(rand.NewPCG(1, 1))
	all := randomParameters(s, random)
	clear(all["0.down.weight"].values)
	clear(all["0.projection.weight"].values[:40])
	file := memoryFile(t, timmStyle(s).tensors(all))
	a, err := vit.Inspect(file, []byte(`{"num_heads": 2}`))
	if err != nil {
		t.Fatal(err)
	}
	pixels := randomPixels(random, 1, 4, 4)
	got := build(t, file, a, vit.Options{Precision: vit.Int8}).run(t, pixels)[vit.EmbeddingName].Data
	want := build(t, file, a, vit.Options{}).run(t, pixels)[vit.EmbeddingName].Data
	if _, cosine := difference(got, want, s.dim); !(cosine > leastInt8(t, .999)) {
		t.Errorf("got cosine %v", cosine)
	}
}

func TestBuildStopsWhenItIsCancelled(t *testing.T) {
	g := openGolden(t, "testdata/timm-dinov2")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := vit.Build(ctx, g.weights, g.a, vit.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

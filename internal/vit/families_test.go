package vit_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/vit"
	"github.com/palate-art/palate/test/race"
)

// familyFolders are the goldens of testdata/families, and of the folder that
// PALATE_MODEL_GOLDENS names, such as the same families from another seed.
func familyFolders(t *testing.T) []string {
	t.Helper()
	folders, err := filepath.Glob("testdata/families/*/model.safetensors")
	if more := os.Getenv("PALATE_MODEL_GOLDENS"); more != "" && err == nil {
		var others []string
		others, err = filepath.Glob(filepath.Join(more, "*/model.safetensors"))
		folders = append(folders, others...)
	}
	if err != nil || len(folders) == 0 {
		t.Fatalf("got %d golden models and %v", len(folders), err)
	}
	for i := range folders {
		folders[i] = filepath.Dir(folders[i])
	}
	return folders
}

// The feature of every family is what its own framework gives, as it is
// published to be pooled, in both forms, at the size that the weights were
// made for, larger and oblong.
func TestFamiliesComputeWhatTheirFrameworksDo(t *testing.T) {
	race.Long(t)
	for _, folder := range familyFolders(t) {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			g := openGolden(t, folder)
			if len(g.a.Guessed) > 0 && strings.Contains(strings.Join(g.a.Guessed, " "), "activation") {
				t.Errorf("guessed %q", g.a.Guessed)
			}
			for _, name := range g.cases {
				pixels, tokens, feature := g.tensor(t, name+".input"), g.tensor(t, name+".tokens"), g.tensor(t, name+".feature")
				own := int(pixels.Shape[3]) == g.a.GridColumns*g.a.PatchSize && int(pixels.Shape[2]) == g.a.GridRows*g.a.PatchSize
				if g.a.RelativeBias && g.a.Naming == vit.NamingTimm && !own {
					_, err := vit.Build(t.Context(), g.weights, g.a, vit.Options{Width: int(pixels.Shape[3]), Height: int(pixels.Shape[2]), Fit: embedder.FitStretch})
					if err == nil || !strings.Contains(err.Error(), "relative positions") {
						t.Errorf("%s: got %v, want a refusal of another size", name, err)
					}
					continue
				}
				for _, o := range []vit.Options{{Form: vit.Fused}, {Form: vit.Fused, Tokens: true}, {Form: vit.Plain, Tokens: true}} {
					o.Width, o.Height, o.Fit = int(pixels.Shape[3]), int(pixels.Shape[2]), embedder.FitStretch
					out := build(t, g.weights, g.a, o).run(t, pixels)
					what := name + " " + string(o.Form)
					nearCosine(t, what+": embedding", out[vit.EmbeddingName].Data, feature.Data, int(feature.Shape[1]))
					if o.Tokens && tokens.Data != nil && !g.a.PooledNorm {
						nearCosine(t, what+": tokens", out[vit.TokensName].Data, tokens.Data, g.a.Dim)
					}
				}
				if g.a.RelativeBias && g.a.Naming == vit.NamingTimm {
					continue
				}
				o := vit.Options{Width: g.a.GridColumns * g.a.PatchSize, Height: g.a.GridRows * g.a.PatchSize, Fit: embedder.FitWhole} // tables are inputs
				out := build(t, g.weights, g.a, o).run(t, pixels)
				nearCosine(t, name+" of any size", out[vit.EmbeddingName].Data, feature.Data, int(feature.Shape[1]))
			}
		})
	}
}

func nearCosine(t *testing.T, what string, got, want []float32, dim int) {
	t.Helper()
	if worst, cosine := difference(got, want, dim); cosine < 1-1e-6 || worst > 1e-3 {
		t.Errorf("%s: error %.3g, cosine %.8f, want at most 1e-3 and at least .999999", what, worst, cosine)
	}
}

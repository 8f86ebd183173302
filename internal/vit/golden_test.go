package vit_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/safetensors"
	"github.com/palate-art/palate/internal/vit"
	"github.com/palate-art/palate/test/race"
)

func openTensors(t testing.TB, path string) *safetensors.File {
	t.Helper()
	f, err := safetensors.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// golden is one folder of testdata.
type golden struct {
	weights, expected *safetensors.File
	a                 vit.Architecture
	cases             []string
}

func openGolden(t testing.TB, folder string) golden {
	t.Helper()
	g := golden{weights: openTensors(t, filepath.Join(folder, "model.safetensors")), expected: openTensors(t, filepath.Join(folder, "expected.safetensors"))}
	config, err := os.ReadFile(filepath.Join(folder, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	if g.a, err = vit.Inspect(g.weights, config); err != nil {
		t.Fatal(err)
	}
	for _, tensor := range g.expected.Tensors() {
		if name, isInput := strings.CutSuffix(tensor.Name, ".input"); isInput {
			g.cases = append(g.cases, name)
		}
	}
	return g
}

func (g golden) tensor(t testing.TB, name string) ort.Tensor {
	t.Helper()
	info, found := g.expected.Tensor(name)
	if !found {
		return ort.Tensor{}
	}
	values, err := g.expected.Float32s(name)
	if err != nil {
		t.Fatal(err)
	}
	return ort.Tensor{Shape: info.Shape, Data: values}
}

// model is a built graph in a session.
type model struct {
	embedder.Model
	session *ort.Session
}

func build(t testing.TB, weights *safetensors.File, a vit.Architecture, o vit.Options) model {
	t.Helper()
	m, err := vit.Build(context.Background(), weights, a, o)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ort.Load(context.Background(), ort.ConfigFromEnv())
	if err != nil {
		t.Fatal(err)
	}
	session, err := r.NewSession(m.Graph, ort.DefaultSessionConfig())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := session.Close(); err != nil {
			t.Error(err)
		}
	})
	return model{m, session}
}

func (m model) run(t testing.TB, pixels ort.Tensor) map[string]ort.Tensor {
	t.Helper()
	inputs := map[string]ort.Tensor{}
	if m.Tables != nil {
		tables, err := m.Tables(int(pixels.Shape[3]), int(pixels.Shape[2]))
		if err != nil {
			t.Fatal(err)
		}
		for name, table := range tables {
			inputs[name] = ort.Tensor(table)
		}
	}
	inputs[vit.PixelsName] = pixels
	out, err := m.session.Run(context.Background(), inputs, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// difference is the largest error and the smallest cosine of rows of width
// dim.
func difference(got, want []float32, dim int) (maxError, minCosine float64) {
	if len(got) != len(want) || len(got) == 0 {
		return math.Inf(1), -1
	}
	minCosine = 1
	for row := 0; row < len(got); row += dim {
		var gw, gg, ww float64
		for i := row; i < row+dim; i++ {
			g, w := float64(got[i]), float64(want[i])
			maxError = max(maxError, math.Abs(g-w))
			gw, gg, ww = gw+g*w, gg+g*g, ww+w*w
		}
		minCosine = min(minCosine, gw/math.Sqrt(gg*ww))
	}
	return maxError, minCosine
}

// near fails unless got is want within the tolerance of float32.
func near(t *testing.T, what string, got ort.Tensor, want []float32) {
	t.Helper()
	maxError, cosine := difference(got.Data, want, int(got.Shape[len(got.Shape)-1]))
	if maxError > 2e-5 || cosine < 1-1e-9 {
		t.Errorf("%s: got shape %v, error %.3g, cosine 1-%.3g; want at most 2e-5 and 1-1e-9", what, got.Shape, maxError, 1-cosine)
	}
}

// pooled computes the embedding from golden tokens after the last LayerNorm.
func pooled(tokens ort.Tensor, prefix int, pool vit.Pool) []float32 {
	var out []float32
	count, dim := int(tokens.Shape[1]), int(tokens.Shape[2])
	for batch := range int(tokens.Shape[0]) {
		rows := tokens.Data[batch*count*dim:][:count*dim]
		if pool != vit.PoolMean {
			out = append(out, rows[:dim]...)
		}
		for d := range dim {
			if pool == vit.PoolClass {
				break
			}
			sum := 0.0
			for i := prefix; i < count; i++ {
				sum += float64(rows[i*dim+d])
			}
			out = append(out, float32(sum/float64(count-prefix)))
		}
	}
	return out
}

func goldenFolders(t testing.TB) []string {
	t.Helper()
	folders, err := filepath.Glob("testdata/*/model.safetensors")
	if err != nil || len(folders) < 8 {
		t.Fatalf("got %d golden models and %v, want 8", len(folders), err)
	}
	for i := range folders {
		folders[i] = filepath.Dir(folders[i])
	}
	return folders
}

// Tokens and embeddings of both forms are those of timm and transformers, at
// the sizes that the weights were made for, larger, smaller and oblong.
func TestGraphsComputeWhatTimmAndTransformersDo(t *testing.T) {
	race.Long(t)
	for _, folder := range goldenFolders(t) {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			g := openGolden(t, folder)
			for _, name := range g.cases {
				pixels, tokens, feature := g.tensor(t, name+".input"), g.tensor(t, name+".tokens"), g.tensor(t, name+".feature")
				for _, o := range []vit.Options{
					{Form: vit.Fused, Pool: vit.PoolClass},
					{Form: vit.Fused, Pool: vit.PoolMean},
					{Form: vit.Fused, Pool: vit.PoolBoth, Tokens: true},
					{Form: vit.Plain, Pool: vit.PoolBoth, Tokens: true},
				} {
					if g.a.PooledNorm {
						o.Pool = vit.PoolMean
					}
					o.Width, o.Height, o.Fit = int(pixels.Shape[3]), int(pixels.Shape[2]), embedder.FitStretch
					what := fmt.Sprintf("%s %s %s", name, o.Form, o.Pool)
					out := build(t, g.weights, g.a, o).run(t, pixels)
					want := feature.Data // timm's own
					if !g.a.PooledNorm && (o.Pool != vit.PoolClass || want == nil) {
						want = pooled(tokens, g.a.PrefixTokens(), o.Pool)
					}
					near(t, what+": embedding", out[vit.EmbeddingName], want)
					if o.Tokens {
						near(t, what+": tokens", out[vit.TokensName], tokens.Data)
					}
				}
			}
		})
	}
}

package vit_test

import (
	"context"
	"image"
	"image/color"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/embeddertest"
	"github.com/palate-art/palate/embedder/onnx"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/vit"
)

// open opens a built model as an embedder, from memory or from files with
// weights of at least a kilobyte beside the model.
func open(t *testing.T, g golden, o vit.Options, fromFiles bool) *onnx.Embedder {
	t.Helper()
	graph, m, err := vit.Graph(context.Background(), g.weights, g.a, o)
	if err != nil {
		t.Fatal(err)
	}
	if fromFiles {
		m.File = filepath.Join(t.TempDir(), "model.onnx")
		files, err := graph.WriteFiles(m.File, 1<<10)
		if err != nil || len(files) != 2 {
			t.Fatalf("got files %q and %v", files, err)
		}
	} else if m.Graph, err = graph.Marshal(); err != nil {
		t.Fatal(err)
	}
	r, err := ort.Load(context.Background(), ort.ConfigFromEnv())
	if err != nil {
		t.Fatal(err)
	}
	e, err := onnx.OpenModel(context.Background(), r, m, onnx.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// Models hold the contract of every embedder: pictures of all shapes, batches
// in any order, tokens of patches.
func TestModelsAreEmbedders(t *testing.T) {
	dinov2, eva := openGolden(t, "testdata/timm-dinov2-reg4"), openGolden(t, "testdata/timm-eva02")
	for name, test := range map[string]struct {
		g         golden
		o         vit.Options
		fromFiles bool
	}{
		"class token of a crop":                 {dinov2, vit.Options{}, false},
		"mean of all that a picture's shape is": {dinov2, vit.Options{Fit: embedder.FitWhole, Width: 70, Height: 70, Pool: vit.PoolMean, Tokens: true}, true},
		"rotated by place":                      {eva, vit.Options{Fit: embedder.FitWhole, Tokens: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			embeddertest.Run(t, open(t, test.g, test.o, test.fromFiles))
		})
	}
}

// One ModelID is one function: forms that share it agree on check pictures
// to a cosine of .9999, and a graph for every size agrees with one for one.
func TestFormsOfOneModelIDAgree(t *testing.T) {
	g := openGolden(t, "testdata/timm-dinov2")
	pictures := make([]image.Image, 6)
	for i := range pictures {
		img := image.NewNRGBA(image.Rect(0, 0, 120-9*i, 60+11*i))
		for y := range img.Rect.Dy() {
			for x := range img.Rect.Dx() {
				img.SetNRGBA(x, y, color.NRGBA{uint8(x * (i + 2)), uint8(y*3 + i*40), uint8(x * y / (i + 1)), 255})
			}
		}
		pictures[i] = img
	}
	base := open(t, g, vit.Options{}, false)
	for name, o := range map[string]vit.Options{
		"plain":   {Form: vit.Plain},
		"float16": {Precision: vit.Float16},
		"tokens":  {Tokens: true},
	} {
		other := open(t, g, o, false)
		if other.Model() != base.Model() {
			t.Errorf("%s: got another ModelID", name)
		}
		for i, img := range pictures {
			var vectors [2][]float32
			for k, e := range []*onnx.Embedder{base, other} {
				in, err := e.Prepare(img)
				if err != nil {
					t.Fatal(err)
				}
				out, err := e.Embed(context.Background(), []embedder.Input{in})
				if err != nil {
					t.Fatal(err)
				}
				vectors[k] = out[0]
			}
			if _, cosine := difference(vectors[1], vectors[0], base.Dim()); cosine < .9999 {
				t.Errorf("%s: picture %d: got cosine %v, want at least .9999", name, i, cosine)
			}
		}
	}
}

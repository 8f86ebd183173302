package vit_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/draw"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/onnx"
	"github.com/palate-art/palate/internal/museum"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/vit"
)

// weightsVariable names weights for the test below: paths as in PATH, or
// "hub" for what lies in the hub's cache.
const weightsVariable = "PALATE_TEST_WEIGHTS"

func publishedWeights(t *testing.T) []string {
	t.Helper()
	asked := os.Getenv(weightsVariable)
	if asked != "hub" {
		return filepath.SplitList(asked)
	}
	cache := os.Getenv("HF_HUB_CACHE")
	if cache == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			t.Fatal(err)
		}
		cache = filepath.Join(home, ".cache", "huggingface", "hub")
	}
	found, err := filepath.Glob(filepath.Join(cache, "models--*", "snapshots", "*", "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// What a trained model is for: a picture is nearer to its own crop than to
// other pictures. And what only trained weights can show: that float16 is the
// same function on their activations.
func TestPublishedWeightsSeePictures(t *testing.T) {
	paths := publishedWeights(t)
	if len(paths) == 0 {
		t.Skipf("opt-in: %s names no model.safetensors", weightsVariable)
	}
	pictures, crops := paintings(t, 12)
	for _, path := range paths {
		t.Run(path, func(t *testing.T) {
			g := golden{weights: openTensors(t, path)}
			config, err := os.ReadFile(filepath.Join(filepath.Dir(path), "config.json"))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			if g.a, err = vit.Inspect(g.weights, config); err != nil {
				t.Fatal(err)
			}
			side := 224 / g.a.PatchSize * g.a.PatchSize
			o := vit.Options{Width: side, Height: side, Fit: embedder.FitStretch}
			e := open(t, g, o, false)
			whole, cropped := embedAll(t, e, pictures), embedAll(t, e, crops)
			right := 0
			for i := range whole {
				_, own := difference(whole[i], cropped[i], e.Dim())
				nearest := true
				for j := range whole {
					_, other := difference(whole[i], whole[j], e.Dim())
					nearest = nearest && (i == j || own > other)
				}
				if nearest {
					right++
				}
			}
			if right < len(whole)-1 {
				t.Errorf("%s: %d of %d pictures are nearer to their crop than to any other", g.a, right, len(whole))
			}
			for precision, least := range map[vit.Precision]float64{vit.Float16: .9999, vit.Int8: 0} {
				o.Precision = precision
				worst := 1.0
				for i, got := range embedAll(t, open(t, g, o, false), pictures) {
					_, cosine := difference(got, whole[i], e.Dim())
					worst = min(worst, cosine)
				}
				t.Logf("%s: %d of %d right; %s: the worst cosine is %.6f", g.a, right, len(whole), precision, worst)
				if worst < least {
					t.Errorf("%s: the worst cosine is %.6f, want at least %v", precision, worst, least)
				}
			}
		})
	}
}

// paintings are pictures of a museum, and their middles.
func paintings(t *testing.T, n int) (pictures, crops []image.Image) {
	t.Helper()
	config := museum.DefaultConfig()
	config.Pictures = n
	m, err := museum.New(config)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		file, err := m.File(i)
		if err != nil {
			t.Fatal(err)
		}
		rgb, _, err := picture.Decode(bytes.NewReader(file), picture.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		var img image.Image = rgb
		r := img.Bounds()
		middle := image.NewNRGBA(image.Rect(0, 0, r.Dx()*7/10, r.Dy()*7/10))
		draw.Draw(middle, middle.Rect, img, r.Min.Add(image.Pt(r.Dx()*15/100, r.Dy()*15/100)), draw.Src)
		pictures, crops = append(pictures, img), append(crops, middle)
	}
	return pictures, crops
}

func embedAll(t *testing.T, e *onnx.Embedder, pictures []image.Image) [][]float32 {
	t.Helper()
	out := make([][]float32, len(pictures))
	for i, img := range pictures {
		in, err := e.Prepare(img)
		if err != nil {
			t.Fatal(err)
		}
		embeddings, err := e.Embed(context.Background(), []embedder.Input{in})
		if err != nil {
			t.Fatal(err)
		}
		out[i] = embeddings[0]
	}
	return out
}

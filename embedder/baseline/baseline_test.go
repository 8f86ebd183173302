package baseline_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"math"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/baseline"
	"github.com/palate-art/palate/embedder/onnx"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/picture"
)

func open(t testing.TB) *onnx.Embedder {
	t.Helper()
	ctx := context.Background()
	r, err := ort.Load(ctx, ort.ConfigFromEnv())
	if err != nil {
		t.Fatal(err)
	}
	model, d := baseline.Model()
	e, err := onnx.Open(ctx, r, model, d, onnx.DefaultConfig())
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

func embed(t testing.TB, e *onnx.Embedder, img image.Image) (palate.Embedding, embedder.Input) {
	t.Helper()
	in, err := e.Prepare(img)
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.Embed(context.Background(), []embedder.Input{in})
	if err != nil {
		t.Fatal(err)
	}
	return got[0], in
}

func painted(at func(x, y int) color.NRGBA) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, 192, 192))
	for y := range 192 {
		for x := range 192 {
			img.SetNRGBA(x, y, at(x, y))
		}
	}
	return img
}

var pictures = map[string]image.Image{
	"waves over a gradient": waves(),
	"specks": painted(func(x, y int) color.NRGBA {
		v := uint32(x*7919+y*104729) * 2654435761
		return color.NRGBA{byte(v >> 24), byte(v >> 16), byte(v >> 8), 255}
	}),
	"two fields": painted(func(x, y int) color.NRGBA {
		if x+y/3 < 110 {
			return color.NRGBA{200, 40, 30, 255}
		}
		return color.NRGBA{240, 220, 170, 255}
	}),
	"all black": painted(func(int, int) color.NRGBA { return color.NRGBA{0, 0, 0, 255} }),
	"all white": painted(func(int, int) color.NRGBA { return color.NRGBA{255, 255, 255, 255} }),
}

func waves() image.Image {
	return painted(func(x, y int) color.NRGBA {
		// A triangle wave needs no library whose last bit may differ.
		wave := (2*x + y) % 24
		if wave > 12 {
			wave = 24 - wave
		}
		return color.NRGBA{byte(x), byte(40 + 15*wave), byte(255 - y), 255}
	})
}

func TestGraphComputesTheDescriptor(t *testing.T) {
	e := open(t)
	for name, img := range pictures {
		got, in := embed(t, e, img)
		want := reference(in.Pixels)
		if len(got) != len(want) || int64(len(got)) != baseline.Dim() {
			t.Fatalf("got %d numbers, want %d", len(got), len(want))
		}
		var dot, norm, worst float64
		at := 0
		for i, g := range got {
			dot, norm = dot+float64(g)*want[i], norm+float64(g)*float64(g)
			if away := math.Abs(float64(g) - want[i]); away > worst {
				worst, at = away, i
			}
		}
		if cosine := dot / math.Sqrt(norm); !(cosine >= 1-1e-6) || worst > 1e-4 {
			t.Errorf("%s: got cosine %.9f, number %d %.2g away from %v; want 1-1e-6 and 1e-4", name, cosine, at, worst, want[at])
		}
	}
}

func TestModelIsTheSameAtEachCall(t *testing.T) {
	model, d := baseline.Model()
	again, e := baseline.Model()
	if !bytes.Equal(model, again) || d != e {
		t.Error("got two different models")
	}
	if err := d.Validate(); err != nil {
		t.Error(err)
	}
}

// Fingerprint and function must change together: whoever has embeddings of
// the one must not mix them with those of the other.
func TestFunctionAndFingerprintStayWhatTheyWere(t *testing.T) {
	const advice = "if this is meant, raise version in parameters.go and pin the new fingerprint and numbers here; every collection is then embedded anew"
	e := open(t)
	const want = palate.ModelID("cb6820c84a4991946c8b2686eed70f61c1e6b4e2d6dff42776beef8d6a6d248d")
	if got := e.Description().By(picture.Former).Identity; got != want {
		t.Errorf("got fingerprint %s, want %s: %s", got, want, advice)
	}
	numbers, _ := embed(t, e, waves())
	for i, want := range map[int]float64{0: -0.006604, 57: 0.019294, 130: -0.004975, 185: 0.171011, 186: -0.109342, 190: -0.038291, 210: -0.060820, 260: -0.068724, 330: 0.193901} {
		if got := float64(numbers[i]); math.Abs(got-want) > 2e-5 {
			t.Errorf("got number %d %.6f, want %.6f: %s", i, got, want, advice)
		}
	}
}

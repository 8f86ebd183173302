package onnx_test

import (
	"context"
	"image"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/baseline"
	"github.com/palate-art/palate/embedder/onnx"
	"github.com/palate-art/palate/internal/ort"
)

func load(t testing.TB) *ort.Runtime {
	t.Helper()
	r, err := ort.Load(context.Background(), ort.ConfigFromEnv())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func openBaseline(t testing.TB) *onnx.Embedder {
	t.Helper()
	model, d := baseline.Model()
	e, err := onnx.Open(context.Background(), load(t), model, d, onnx.DefaultConfig())
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

func noise(w, h int, seed uint64) image.Image {
	r := rand.New(rand.NewPCG(seed, 1))
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = byte(r.UintN(256))
	}
	return img
}


func TestBaselineFirst(t *testing.T) {
	e := openBaseline(t)
	in, err := e.Prepare(noise(300, 200, 1))
	if err != nil {
		t.Fatal(err)
	}
	v, err := e.Embed(context.Background(), []embedder.Input{in})
	if err != nil {
		t.Fatal(err)
	}
	if len(v) != 1 || int64(len(v[0])) != baseline.Dim() || math.IsNaN(float64(v[0][0])) {
		t.Error(len(v[0]))
	}
	if err := v[0].Validate(e.Dim()); err != nil {
		t.Error(err)
	}
	t.Log(e.Dim(), e.Model(), e.Provider(), e.Name())
}

func BenchmarkBaseline(b *testing.B) {
	e := openBaseline(b)
	in, err := e.Prepare(noise(300, 200, 1))
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	var wg sync.WaitGroup
	n := runtime.GOMAXPROCS(0)
	for range n {
		wg.Go(func() {
			for range b.N / n {
				if _, err := e.Embed(context.Background(), []embedder.Input{in}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N/n*n)/b.Elapsed().Seconds(), "pictures/s")
}

package onnx_test

import (
	"math"
	"testing"

	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/onnx"
	"github.com/palate-art/palate/internal/onnxgraph"
)

// The mean over an output's places is what the graph itself gives by its
// pooling.
func TestMeanOverPlaces(t *testing.T) {
	bare := declare(patches(onnxgraph.Batched(3, 32, 32), false), onnxgraph.Batched(4, 4, 4))
	bare.Outputs[0].Name = "patches"
	d := description("places", embedder.LayoutNCHW, embedder.PoolMeanPlaces, embedder.FitCrop)
	d.Output.Name = "patches"
	pooled := patches(onnxgraph.Batched(3, 32, 32), false)
	pooled.Op("GlobalAveragePool", "out", []string{"patches"})
	declare(pooled, onnxgraph.Batched(4, 1, 1))
	var inputs []embedder.Input
	for _, shift := range []float32{0, .5} {
		in := embedder.Input{Channels: 3, Height: 32, Width: 32, Pixels: make([]float32, 3*32*32)}
		for i := range in.Pixels {
			in.Pixels[i] = float32(i%97)/97 - shift
		}
		inputs = append(inputs, in)
	}
	got, err := open(t, marshal(t, bare), d, onnx.DefaultConfig()).Embed(t.Context(), inputs)
	if err != nil {
		t.Fatal(err)
	}
	want, err := open(t, marshal(t, pooled), description("pooled", embedder.LayoutNCHW, embedder.PoolNone, embedder.FitCrop), onnx.DefaultConfig()).Embed(t.Context(), inputs)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		for j := range want[i] {
			if math.Abs(float64(got[i][j]-want[i][j])) > 1e-6 {
				t.Errorf("picture %d: got %v, want %v", i, got[i], want[i])
				break
			}
		}
	}
}

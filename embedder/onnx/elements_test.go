package onnx_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/onnx"
	"github.com/palate-art/palate/internal/onnxgraph"
)

// typed is the graph with an input of another element type, which it casts, and
// an output of one.
func typed(in, out onnxgraph.ElementType, scale float32) *onnxgraph.Graph {
	g := &onnxgraph.Graph{Name: "typed", Inputs: []onnxgraph.Value{{Name: "raw", Type: in, Shape: onnxgraph.Batched(3, 32, 32)}}}
	wide := g.Op("Cast", "wide", []string{"raw"}, onnxgraph.Int("to", int64(onnxgraph.Float32)))
	g.Op("Mul", "in", []string{wide, g.Const("scale", onnxgraph.Float32s(nil, []float32{scale}))})
	inner := patches(nil, false)
	g.Nodes, g.Initialisers = append(g.Nodes, inner.Nodes...), append(g.Initialisers, inner.Initialisers...)
	g.Op("GlobalAveragePool", "mean", []string{"patches"})
	g.Op("Cast", "out", []string{"mean"}, onnxgraph.Int("to", int64(out)))
	g.Outputs = []onnxgraph.Value{{Name: "out", Type: out, Shape: onnxgraph.Batched(4, 1, 1)}}
	return g
}

// Models that take float16 or bytes embed as the same model
// in float32 does.
func TestInputsInFloat16AndUint8(t *testing.T) {
	const whole = 1. / 255
	for name, tc := range map[string]struct {
		in, out onnxgraph.ElementType
		unit    float64 // that a value of the input stands for
	}{
		"float16": {onnxgraph.Float16, onnxgraph.Float32, 1},
		"uint8":   {onnxgraph.Uint8, onnxgraph.Float32, whole},
	} {
		t.Run(name, func(t *testing.T) {
			d := description("typed", embedder.LayoutNCHW, embedder.PoolNone, embedder.FitCrop)
			d.Input.Name, d.Mean, d.Std = "raw", [3]float64{}, [3]float64{tc.unit, tc.unit, tc.unit}
			input := func(unit float64) []embedder.Input {
				in := embedder.Input{Channels: 3, Height: 32, Width: 32, Pixels: make([]float32, 3*32*32)}
				for i := range in.Pixels {
					in.Pixels[i] = float32(float64(i%256) / 255 / unit)
				}
				return []embedder.Input{in}
			}
			got, err := open(t, marshal(t, typed(tc.in, tc.out, float32(tc.unit))), d, onnx.DefaultConfig()).Embed(t.Context(), input(tc.unit))
			if err != nil {
				t.Fatal(err)
			}
			d.Std = [3]float64{1, 1, 1}
			want, err := open(t, marshal(t, typed(onnxgraph.Float32, onnxgraph.Float32, 1)), d, onnx.DefaultConfig()).Embed(t.Context(), input(1))
			if err != nil {
				t.Fatal(err)
			}
			for i := range want[0] {
				if math.Abs(float64(got[0][i]-want[0][i])) > 1e-3 {
					t.Fatalf("got %v, want %v", got[0], want[0])
				}
			}
		})
	}
	d := description("typed", embedder.LayoutNCHW, embedder.PoolNone, embedder.FitCrop)
	d.Input.Name = "raw"
	_, err := onnx.Open(t.Context(), load(t), marshal(t, typed(onnxgraph.Uint8, onnxgraph.Float32, 1)), d, onnx.DefaultConfig())
	if !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), "1/255") {
		t.Errorf("bytes with a mean and deviation: got %v, want a refusal that says which to write", err)
	}
}

package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/palate-art/palate/bench/dinov2"
	"github.com/palate-art/palate/internal/onnxgraph"
	"github.com/palate-art/palate/internal/ort"
)

// chained is how many products one run does, so that what goes in and out
// hardly counts.
const chained = 32

// matmul gives the rate of square matrix products on the device, in 10¹²
// multiplications and additions a second. One row goes in and is repeated on
// the device; one row comes out. In float32 CUDA may use TF32, as it does for
// the models.
func matmul(ctx context.Context, runtime *ort.Runtime, device ort.Device, half bool, side int, window time.Duration) (float64, error) {
	n := int64(side)
	random := rand.New(rand.NewPCG(1, 1))
	// Values keep their size from product to product.
	values := dinov2.Normal(random, side*side, float32(1/math.Sqrt(float64(side))))
	weights := onnxgraph.Float32s([]int64{n, n}, values)
	g := &onnxgraph.Graph{
		Name:    "matmul",
		Inputs:  []onnxgraph.Value{{Name: "x", Type: onnxgraph.Float32, Shape: onnxgraph.Fixed(1, n)}},
		Outputs: []onnxgraph.Value{{Name: "row", Type: onnxgraph.Float32, Shape: onnxgraph.Fixed(1, n)}},
	}
	x := g.Op("Expand", "square", []string{"x", g.Const("shape", onnxgraph.Vector(n, n))})
	if half {
		weights, _ = onnxgraph.Float16s([]int64{n, n}, values)
		x = g.Op("Cast", "half", []string{x}, onnxgraph.Int("to", int64(onnxgraph.Float16)))
	}
	g.Const("weights", weights)
	for i := range chained {
		x = g.Op("MatMul", fmt.Sprintf("product.%d", i), []string{x, "weights"})
	}
	x = g.Op("Slice", "first", []string{x, g.Const("from", onnxgraph.Vector(0)), g.Const("to", onnxgraph.Vector(1)), g.Const("axis", onnxgraph.Vector(0))})
	g.Op("Cast", "row", []string{x}, onnxgraph.Int("to", int64(onnxgraph.Float32)))
	model, err := onnxgraph.NewModel(g, 17).Marshal()
	if err != nil {
		return 0, err
	}
	session, err := runtime.NewSession(model, ort.SessionConfig{IntraOpThreads: 1, Device: device})
	if err != nil {
		return 0, err
	}
	defer session.Close()
	in := map[string]ort.Tensor{"x": {Shape: []int64{1, n}, Data: dinov2.Normal(random, side, 1)}}
	if _, err := session.Run(ctx, in, nil); err != nil { // the first chooses algorithms
		return 0, err
	}
	start, runs := time.Now(), 0
	for time.Since(start) < window {
		if _, err := session.Run(ctx, in, nil); err != nil {
			return 0, err
		}
		runs++
	}
	cube := float64(side) * float64(side) * float64(side)
	return 2 * cube * chained * float64(runs) / time.Since(start).Seconds() / 1e12, nil
}

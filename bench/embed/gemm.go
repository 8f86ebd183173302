package main

import (
	"context"
	"math/rand/v2"

	"github.com/palate-art/palate/internal/onnxgraph"
	"github.com/palate-art/palate/internal/ort"
)

// The product that is the limit: as many rows as a picture of 518 has tokens
// in Base's widest linear map.
const (
	gemmRows  = 1370
	gemmInner = 768
	gemmOuter = 3072
)

// gemm is the product of a matrix with constant weights, of whose result one
// row goes out.
func (b *bench) gemm(int8Weights bool) (*contestant, error) {
	random := rand.New(rand.NewPCG(1, 2))
	g := &onnxgraph.Graph{
		Name:    "gemm",
		Inputs:  []onnxgraph.Value{{Name: "x", Type: onnxgraph.Float32, Shape: onnxgraph.Fixed(gemmRows, gemmInner)}},
		Outputs: []onnxgraph.Value{{Name: "row", Type: onnxgraph.Float32, Shape: onnxgraph.Fixed(1, gemmOuter)}},
	}
	m := onnxgraph.NewModel(g, 17)
	var product, name string
	if int8Weights {
		name = "gemm int8"
		weights, scales := make([]int8, gemmInner*gemmOuter), make([]float32, gemmOuter)
		for i := range weights {
			weights[i] = int8(random.IntN(255) - 127)
		}
		for i := range scales {
			scales[i] = 0.001
		}
		product = g.OpIn(onnxgraph.DomainMicrosoft, "DynamicQuantizeMatMul", "product", []string{"x",
			g.Const("weights", onnxgraph.Int8s([]int64{gemmInner, gemmOuter}, weights)),
			g.Const("scales", onnxgraph.Float32s([]int64{gemmOuter}, scales)),
			g.Const("zeros", onnxgraph.Int8s([]int64{gemmOuter}, make([]int8, gemmOuter)))})
		m.Opsets = append(m.Opsets, onnxgraph.Opset{Domain: onnxgraph.DomainMicrosoft, Version: 1})
	} else {
		name = "gemm"
		product = g.Op("MatMul", "product", []string{"x", g.Const("weights", onnxgraph.Float32s([]int64{gemmInner, gemmOuter}, normal(random, gemmInner*gemmOuter, 0.02)))})
	}
	g.Op("Slice", "row", []string{product, g.Const("first", onnxgraph.Vector(0)), g.Const("second", onnxgraph.Vector(1)), g.Const("axis", onnxgraph.Vector(0))})
	file, err := m.Marshal()
	if err != nil {
		return nil, err
	}
	session, err := b.runtime.NewSession(file, ort.DefaultSessionConfig())
	if err != nil {
		return nil, err
	}
	b.closers = append(b.closers, session.Close)
	x := map[string]ort.Tensor{"x": {Shape: []int64{gemmRows, gemmInner}, Data: normal(random, gemmRows*gemmInner, 1)}}
	return newContestant(name, 2*gemmRows*gemmInner*gemmOuter, func(ctx context.Context) error {
		_, err := session.Run(ctx, x, nil)
		return err
	}), nil
}

func normal(random *rand.Rand, n int, deviation float32) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(random.NormFloat64()) * deviation
	}
	return values
}

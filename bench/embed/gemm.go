package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/palate-art/palate/bench/dinov2"
	"github.com/palate-art/palate/internal/onnxgraph"
	"github.com/palate-art/palate/internal/ort"
)

// product is the shape of a matrix product.
type product struct{ rows, inner, outer int }

// products are those whose speed is the limit, the faster of them: the widest
// linear maps of Small at 224 pixels and of Base at 518.
var products = []product{{257, 384, 1536}, {1370, 768, 3072}}

func (p product) String() string {
	return fmt.Sprintf("[%d, %d] × [%d, %d]", p.rows, p.inner, p.inner, p.outer)
}

// limit is the speed of matrix products in one precision.
type limit struct {
	contestants []*contestant
	gops        []float64 // of every time it was measured
}

func (b *bench) newLimit(int8Weights bool) (*limit, error) {
	l := &limit{}
	for _, p := range products {
		c, err := b.gemm(p, int8Weights)
		if err != nil {
			return nil, fmt.Errorf("gemm %s: %w", p, err)
		}
		l.contestants = append(l.contestants, c)
	}
	return l, nil
}

// measure gives the speed of the fastest product in 10⁹ multiplications and
// additions a second of all cores.
func (l *limit) measure(ctx context.Context, window time.Duration) (float64, error) {
	best := 0.
	for _, c := range l.contestants {
		r, err := c.measure(ctx, window)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", c.name, err)
		}
		best = max(best, r.cpu*c.work/1e9)
	}
	l.gops = append(l.gops, best)
	return best, nil
}

// gemm is the product of a matrix with constant weights, of whose result one
// row goes out.
func (b *bench) gemm(p product, int8Weights bool) (*contestant, error) {
	random := rand.New(rand.NewPCG(1, 2))
	g := &onnxgraph.Graph{
		Name:    "gemm",
		Inputs:  []onnxgraph.Value{{Name: "x", Type: onnxgraph.Float32, Shape: onnxgraph.Fixed(int64(p.rows), int64(p.inner))}},
		Outputs: []onnxgraph.Value{{Name: "row", Type: onnxgraph.Float32, Shape: onnxgraph.Fixed(1, int64(p.outer))}},
	}
	m := onnxgraph.NewModel(g, 17)
	name := "gemm " + p.String()
	var result string
	if int8Weights {
		name += " int8"
		weights, scales := make([]int8, p.inner*p.outer), make([]float32, p.outer)
		for i := range weights {
			weights[i] = int8(random.IntN(255) - 127)
		}
		for i := range scales {
			scales[i] = 0.001
		}
		result = g.OpIn(onnxgraph.DomainMicrosoft, "DynamicQuantizeMatMul", "product", []string{"x",
			g.Const("weights", onnxgraph.Int8s([]int64{int64(p.inner), int64(p.outer)}, weights)),
			g.Const("scales", onnxgraph.Float32s([]int64{int64(p.outer)}, scales)),
			g.Const("zeros", onnxgraph.Int8s([]int64{int64(p.outer)}, make([]int8, p.outer)))})
		m.Opsets = append(m.Opsets, onnxgraph.Opset{Domain: onnxgraph.DomainMicrosoft, Version: 1})
	} else {
		result = g.Op("MatMul", "product", []string{"x", g.Const("weights", onnxgraph.Float32s([]int64{int64(p.inner), int64(p.outer)}, dinov2.Normal(random, p.inner*p.outer, 0.02)))})
	}
	g.Op("Slice", "row", []string{result, g.Const("first", onnxgraph.Vector(0)), g.Const("second", onnxgraph.Vector(1)), g.Const("axis", onnxgraph.Vector(0))})
	file, err := m.Marshal()
	if err != nil {
		return nil, err
	}
	session, err := b.runtime.NewSession(file, ort.DefaultSessionConfig())
	if err != nil {
		return nil, err
	}
	b.closers = append(b.closers, session.Close)
	x := map[string]ort.Tensor{"x": {Shape: []int64{int64(p.rows), int64(p.inner)}, Data: dinov2.Normal(random, p.rows*p.inner, 1)}}
	return newContestant(name, 2*float64(p.rows*p.inner*p.outer), func(ctx context.Context) error {
		_, err := session.Run(ctx, x, nil)
		return err
	}), nil
}

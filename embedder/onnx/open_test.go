package onnx_test

import (
	"context"
	"errors"
	"image"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/baseline"
	"github.com/palate-art/palate/embedder/embeddertest"
	"github.com/palate-art/palate/embedder/onnx"
	"github.com/palate-art/palate/internal/onnxgraph"
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

func open(t testing.TB, model []byte, d embedder.Description, c onnx.Config) *onnx.Embedder {
	t.Helper()
	e, err := onnx.Open(context.Background(), load(t), model, d, c)
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

func TestConformance(t *testing.T) {
	batchOf3 := onnx.DefaultConfig()
	batchOf3.MaxBatch = 3
	t.Run("baseline", func(t *testing.T) {
		model, d := baseline.Model()
		embeddertest.Run(t, open(t, model, d, batchOf3))
	})
	for name, f := range foreignModels {
		t.Run(name, func(t *testing.T) {
			embeddertest.Run(t, open(t, marshal(t, f.graph()), f.description, batchOf3))
		})
	}
}

// foreign is a small model as others might have made it: a strided
// convolution with 4 filters of made-up weights, 8×8 pixels each.
type foreign struct {
	description embedder.Description
	graph       func() *onnxgraph.Graph
}

var foreignModels = map[string]foreign{
	"features, batch of any size": {description("features", embedder.LayoutNCHW, embedder.PoolNone, embedder.FitCrop), func() *onnxgraph.Graph {
		g := patches(onnxgraph.Batched(3, 32, 32), false)
		g.Op("GlobalAveragePool", "out", []string{"patches"}) // [batch, 4, 1, 1]
		return declare(g, onnxgraph.Batched(4, 1, 1))
	}},
	"class token, rows before channels": {description("class", embedder.LayoutNHWC, embedder.PoolClass, embedder.FitPad), func() *onnxgraph.Graph {
		return tokens(patches(onnxgraph.Batched(32, 32, 3), true))
	}},
	"mean of patches, batch of one": {description("mean", embedder.LayoutNCHW, embedder.PoolMeanPatches, embedder.FitStretch), func() *onnxgraph.Graph {
		return tokens(patches(onnxgraph.Fixed(1, 3, 32, 32), false))
	}},
	"class token, batch of four": {description("four", embedder.LayoutNCHW, embedder.PoolClass, embedder.FitStretch), func() *onnxgraph.Graph {
		return tokens(patches(onnxgraph.Fixed(4, 3, 32, 32), false))
	}},
}

func description(name string, layout embedder.Layout, pooling embedder.Pooling, fit embedder.Fit) embedder.Description {
	d := embedder.Description{
		Name: name, Input: embedder.InputDescription{Name: "in", Width: 32, Height: 32, Layout: layout},
		Fit: fit, Resample: embedder.Bicubic, Mean: [3]float64{0.5, 0.4, 0.3}, Std: [3]float64{0.2, 0.3, 0.4},
		Output:    embedder.OutputDescription{Name: "out", Pooling: pooling},
		Normalise: embedder.NormaliseL2, NumericClass: embedder.NumericFloat,
	}
	return d
}

func patches(shape []onnxgraph.Dim, rowsFirst bool) *onnxgraph.Graph {
	g := &onnxgraph.Graph{Name: "foreign", Inputs: []onnxgraph.Value{{Name: "in", Type: onnxgraph.Float32, Shape: shape}}}
	weights := make([]float32, 4*3*8*8)
	for i := range weights {
		weights[i] = float32(i*i%61)/61 - 0.4
	}
	w := g.Const("weights", onnxgraph.Float32s([]int64{4, 3, 8, 8}, weights))
	in := "in"
	if rowsFirst {
		in = g.Op("Transpose", "planes", []string{in}, onnxgraph.Ints("perm", 0, 3, 1, 2))
	}
	waves := g.Op("Conv", "waves", []string{in, w, g.Const("bias", onnxgraph.Float32s([]int64{4}, []float32{1, 2, -3, 4}))}, onnxgraph.Ints("strides", 8, 8))
	g.Op("LeakyRelu", "patches", []string{waves}, onnxgraph.Float("alpha", 0.2))
	return g
}

// tokens makes the 16 patches a sequence [batch, 16, 4] in which each token
// sees all patches.
func tokens(g *onnxgraph.Graph) *onnxgraph.Graph {
	flat := g.Op("Reshape", "sequence", []string{"patches", g.Const("shape", onnxgraph.Vector(0, 4, 16))})
	mix := make([]float32, 16*16)
	for i := range mix {
		mix[i] = float32(i*37%17)/17 - 0.3
	}
	mixed := g.Op("MatMul", "mixed", []string{flat, g.Const("mix", onnxgraph.Float32s([]int64{16, 16}, mix))})
	g.Op("Transpose", "out", []string{mixed}, onnxgraph.Ints("perm", 0, 2, 1))
	return declare(g, []onnxgraph.Dim{{Name: "any"}, {Size: 16}, {Size: 4}})
}

func declare(g *onnxgraph.Graph, shape []onnxgraph.Dim) *onnxgraph.Graph {
	g.Outputs = []onnxgraph.Value{{Name: "out", Type: onnxgraph.Float32, Shape: shape}}
	return g
}

func marshal(t testing.TB, g *onnxgraph.Graph) []byte {
	t.Helper()
	model, err := onnxgraph.NewModel(g, 17).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return model
}

// BenchmarkBaseline embeds prepared pictures with as many calls at once as
// there are cores.
func BenchmarkBaseline(b *testing.B) {
	model, d := baseline.Model()
	e := open(b, model, d, onnx.DefaultConfig())
	in, err := e.Prepare(image.NewNRGBA(image.Rect(0, 0, 300, 200)))
	if err != nil {
		b.Fatal(err)
	}
	for i := range in.Pixels {
		in.Pixels[i] = float32(i*i%251) / 251
	}
	b.ResetTimer()
	var group sync.WaitGroup
	callers := runtime.GOMAXPROCS(0)
	for caller := range callers {
		group.Go(func() {
			for i := caller; i < b.N; i += callers {
				if _, err := e.Embed(context.Background(), []embedder.Input{in}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	group.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pictures/s")
}

func TestWithoutARuntimeItSaysWhatToDo(t *testing.T) {
	_, err := onnx.Open(t.Context(), nil, []byte("graph"), embedder.Description{}, onnx.DefaultConfig())
	if !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("an empty description: got error %v", err)
	}
	graph, description := baseline.Model()
	_, err = onnx.Open(t.Context(), nil, graph, description, onnx.DefaultConfig())
	if !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), "LoadRuntime") {
		t.Errorf("got error %v, want one that names LoadRuntime", err)
	}
}

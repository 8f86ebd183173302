//go:build cgo && !purego

package autodiff_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/palate-art/palate/internal/onnxgraph"
	"github.com/palate-art/palate/internal/onnxgraph/autodiff"
	"github.com/palate-art/palate/internal/operators"
	"github.com/palate-art/palate/internal/ort"
)

// large are functions whose products are worth tiles.
var large = map[string]function{
	"linear": {[][]int64{{70, 40}, {33, 40}, {33}}, func(t *tape, in values) *value { return t.Linear(in[0], in[1], in[2]) }, false},
	"sums first": {[][]int64{{20, 32}, {20, 24}}, func(t *tape, in values) *value {
		sums := t.Sum(in[0], true, 0)
		return t.MatMul(t.Transpose(in[0], 1, 0), t.Add(t.Slice(sums, 1, 0, 24), in[1]))
	}, false},
	"frozen": {[][]int64{{40, 20}}, func(t *tape, in values) *value {
		given := func(name string, rows, columns int64) *value {
			weights := make([]float32, rows*columns)
			for i := range weights {
				weights[i] = float32(i%7-3) / 8
			}
			return t.Constant(name, []int64{rows, columns}, weights)
		}
		return t.Linear(t.Gelu(t.Linear(in[0], given("first", 36, 20), nil)), given("second", 17, 36), nil)
	}, false},
	"scale": {[][]int64{{2, 9, 20}, {20}}, func(t *tape, in values) *value { return t.Mul(in[0], in[1]) }, false},
	"norm of what is given": {[][]int64{{5}, {5}}, func(t *tape, in values) *value {
		return t.LayerNorm(t.Constant("given", []int64{2, 5}, []float32{1, -2, 3, .5, 4, 2, 2, 1, 0, -1}), in[0], in[1], 1e-6)
	}, false},
	"norm with a given scale": {[][]int64{{7, 5}, {5}}, func(t *tape, in values) *value {
		return t.LayerNorm(in[0], t.Constant("given", []int64{5}, []float32{1, -2, 3, .5, 4}), in[1], 1e-6)
	}, false},
	"gelu": {[][]int64{{40, 20}, {36, 20}, {36}, {17, 36}}, func(t *tape, in values) *value {
		hidden := t.Gelu(t.Reshape(t.Linear(in[0], in[1], in[2]), 5, 8, 36))
		return t.Linear(t.Reshape(hidden, 40, 36), in[3], nil)
	}, false},
	"residual": {[][]int64{{2, 20, 36}, {36, 36}, {36}, {36}}, func(t *tape, in values) *value {
		update := t.Reshape(t.Linear(t.Reshape(in[0], 40, 36), in[1], in[2]), 2, 20, 36)
		return t.Add(in[0], t.Mul(update, in[3]))
	}, false},
	"residual of what follows": {[][]int64{{40, 36}, {36, 36}, {36}, {36}}, func(t *tape, in values) *value {
		update := t.Reshape(t.Linear(in[0], in[1], in[2]), 2, 20, 36)
		return t.Add(t.Neg(update), t.Mul(update, in[3]))
	}, false},
	"residual of another shape": {[][]int64{{40, 36}, {36, 36}, {36}, {36}}, func(t *tape, in values) *value {
		return t.Add(in[3], t.Mul(t.Reshape(t.Linear(in[0], in[1], in[2]), 2, 20, 36), in[3]))
	}, false},
	"gelu of no product": {[][]int64{{20, 36}, {17, 36}}, func(t *tape, in values) *value { return t.Linear(t.Gelu(in[0]), in[1], nil) }, false},
	"gelu, read twice": {[][]int64{{40, 20}, {36, 20}, {36}, {17, 36}}, func(t *tape, in values) *value {
		x := t.Linear(in[0], in[1], in[2])
		y := t.Gelu(x)
		return t.Add(t.Linear(y, in[3], nil), t.Sum(t.Mul(y, x), true, 1))
	}, false},
	"bias elsewhere":      {[][]int64{{20, 20}, {20, 20}, {20}}, func(t *tape, in values) *value { y := t.Linear(in[0], in[1], nil); return t.Mul(t.Add(y, in[2]), y) }, false},
	"too small":           {[][]int64{{70, 40}, {2, 40}, {2}}, func(t *tape, in values) *value { return t.Linear(in[0], in[1], in[2]) }, false},
	"broadcast":           {[][]int64{{3, 20, 20}, {20, 20}}, func(t *tape, in values) *value { return t.MatMul(in[0], in[1]) }, false},
	"other transpose":     {[][]int64{{20, 2, 30}, {2, 30, 20}}, func(t *tape, in values) *value { return t.MatMul(t.Transpose(in[0], 1, 0, 2), in[1]) }, false},
	"softmax":             {[][]int64{{2, 2, 21, 16}, {2, 2, 16, 21}}, func(t *tape, in values) *value { return t.Softmax(t.MatMul(in[0], in[1])) }, false},
	"attention":           {[][]int64{{2, 70, 3, 24}, {2, 70, 3, 24}, {2, 70, 3, 24}}, func(t *tape, in values) *value { return t.Attention(in...) }, false},
	"attention of itself": {[][]int64{{2, 21, 2, 16}}, func(t *tape, in values) *value { return t.Attention(in[0], in[0], in[0]) }, false},
	"attention to what is given": {[][]int64{{1, 20, 1, 16}}, func(t *tape, in values) *value {
		given := make([]float32, 320)
		for i := range given {
			given[i] = float32(i%7) - 3
		}
		return t.Attention(in[0], in[0], t.Constant("given", []int64{1, 20, 1, 16}, given))
	}, false},
	"few tokens": {[][]int64{{2, 3, 3, 2, 16}}, func(t *tape, in values) *value { return t.Attention(in[0]) }, false},
	"block": {[][]int64{{2, 21, 32}, {32}, {32}, {96, 32}, {96}, {64, 32}, {64}, {32, 64}}, func(t *tape, in values) *value {
		x := t.LayerNorm(in[0], in[1], in[2], 1e-6)
		qkv := t.Reshape(t.Linear(t.Reshape(x, 42, 32), in[3], in[4]), 2, 21, 3, 2, 16)
		mixed := t.Reshape(t.Attention(qkv), 42, 32)
		return t.Linear(t.Gelu(t.Linear(mixed, in[5], in[6])), in[7], nil)
	}, false},
}

// graphOf is a function's loss and gradients, and numbers to compute them at.
func graphOf(f function) (*tape, map[string]ort.Tensor) {
	random := rand.New(rand.NewPCG(5, 7))
	graph, at := autodiff.New("f"), make(map[string]ort.Tensor)
	input := func(name string, shape []int64) *value {
		n := int64(1)
		for _, d := range shape {
			n *= d
		}
		size := 1. // of weights, so that what comes of them is as large as what they take
		if len(shape) == 2 {
			size = 1 / math.Sqrt(float64(shape[1]))
		}
		data := make([]float32, n)
		for i := range data {
			if data[i] = float32(size * random.NormFloat64()); f.positive {
				data[i] = float32(.5 + 1.5*random.Float64())
			}
		}
		at[name] = ort.Tensor{Shape: shape, Data: data}
		return graph.Input(name, shape...)
	}
	in := make(values, len(f.shapes))
	for i, shape := range f.shapes {
		in[i] = input(fmt.Sprint("in", i), shape)
	}
	y := f.write(graph, in)
	loss := graph.Sum(graph.Mul(y, input("weights", y.Shape())), false)
	graph.Output("loss", graph.Reshape(loss, 1))
	for i, g := range graph.Gradients(loss, graph.Scalar(1), in) {
		if len(f.shapes[i]) > 0 { // what has no dimensions can't be run
			graph.Output(fmt.Sprint("gradient", i), g)
		}
	}
	return graph, at
}

func session(t *testing.T, m *onnxgraph.Model, threads int) *ort.Session {
	t.Helper()
	file, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	r, err := ort.Load(context.Background(), ort.ConfigFromEnv())
	if err != nil {
		t.Fatal(err)
	}
	c := ort.DefaultSessionConfig()
	c.IntraOpThreads, c.OwnOperators = threads, true
	s, err := r.NewSession(file, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// With operators of our own a graph gives what it gives without.
func TestOwnOperatorsGiveTheSame(t *testing.T) {
	all := maps.Clone(functions)
	maps.Copy(all, large)
	for name, f := range all {
		if slices.ContainsFunc(f.shapes, func(s []int64) bool { return len(s) == 0 }) {
			continue
		}
		graph, at := graphOf(f)
		if len(at["weights"].Shape) == 0 { // of a sum of all
			continue
		}
		want, err := session(t, graph.Model(), 1).Run(t.Context(), at, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, own := range []autodiff.Own{{Fused: true}, {Terms: operators.Bfloat16x3}, {Terms: operators.Bfloat16x3, Fused: true}} {
			model := graph.ModelWith(own)
			if err := model.Validate(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for _, threads := range []int{1, 3} {
				got, err := session(t, model, threads).Run(t.Context(), at, nil)
				if err != nil {
					t.Fatalf("%s, %+v: %v", name, own, err)
				}
				for output, w := range want {
					largest := 1e-2
					if output == "loss" { // a sum of hundreds, which can be near 0
						largest = 1
					}
					for _, v := range w.Data {
						largest = max(largest, math.Abs(float64(v)))
					}
					for i, v := range w.Data {
						if off := math.Abs(float64(got[output].Data[i]) - float64(v)); !(off <= 1e-4*largest) {
							t.Fatalf("%s, %+v, %d threads: number %d of %s is %v, want %v", name, own, threads, i, output, got[output].Data[i], v)
						}
					}
				}
			}
		}
	}
}

// Runs of one session at once, of products of other sizes, do not mix up.
func TestProductsAtOnceDoNotMixUp(t *testing.T) {
	graph, at := graphOf(large["linear"])
	wide, more := graphOf(function{[][]int64{{40, 700}, {600, 700}}, func(t *tape, in values) *value { return t.Linear(in[0], in[1], nil) }, false})
	var group sync.WaitGroup
	for _, c := range []struct {
		graph *tape
		at    map[string]ort.Tensor
	}{{graph, at}, {wide, more}} {
		s := session(t, c.graph.ModelWith(autodiff.Own{Terms: operators.Bfloat16x3}), 2)
		want, err := s.Run(t.Context(), c.at, nil)
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			group.Go(func() {
				for range 20 {
					got, err := s.Run(t.Context(), c.at, nil)
					if err != nil {
						t.Error(err)
						return
					}
					for name := range want {
						if !slices.Equal(got[name].Data, want[name].Data) {
							t.Errorf("%s is another one", name)
						}
					}
				}
			})
		}
	}
	group.Wait()
}

// What can be part of a product is, and what is in the way of it stays.
func TestOwnOperatorsTakeTheirPlaces(t *testing.T) {
	for name, want := range map[string]string{
		"linear":                     "Product 1, MapGradients 1, Add 0, ReduceSum 1", // which is of the loss: that of the bias comes with the weights'
		"sums first":                 "Product 3, ReduceSum 3",                        // of the loss, the first, on which the product waits, and of what its sums were spread over
		"frozen":                     "Product 2, MapGradients 0, ProductGelu 1, ProductGeluGradient 1, ReduceSum 1",
		"scale":                      "ScaleGradients 1, Mul 3", // of the loss two, and the way forward
		"gelu":                       "Product 1, ProductGelu 1, MapGradients 2, Gelu 0, GeluGradient 0",
		"gelu of no product":         "Product 1, MapGradients 1, Gelu 1, GeluGradient 0",
		"gelu, read twice":           "Product 1, ProductGelu 1, MapGradients 2, Gelu 0, GeluGradient 1",
		"residual":                   "Product 0, ProductOnto 1, MapGradients 1, ScaleGradients 1, Add 1", // of the gradients
		"residual of what follows":   "Product 1, ProductOnto 0, Add 2",
		"residual of another shape":  "Product 1, ProductOnto 0, Add 2",
		"bias elsewhere":             "Product 1, MapGradients 1, Add 2",
		"too small":                  "Gemm 3, Add 1",
		"broadcast":                  "MatMul 2, Product 1, Transpose 1",
		"other transpose":            "Product 3, Transpose 2",
		"softmax":                    "Product 3, SoftmaxGradient 1",
		"attention":                  "Attention 1, AttentionGradient 1, Product 0, Softmax 0, Transpose 0",
		"attention of itself":        "Attention 1, AttentionGradient 0, SoftmaxGradient 1",
		"attention to what is given": "Attention 1, AttentionGradient 0, SoftmaxGradient 1",
		"few tokens":                 "Attention 0, AttentionGradient 0, SoftmaxGradient 1",
		"norm of what is given":      "Norm 1, NormSums 1",
		"norm with a given scale":    "Norm 1, NormGradient 1",
		"block":                      "Product 2, ProductGelu 1, MapGradients 3, Attention 1, AttentionGradient 1, Norm 1, NormGradients 1, ReduceSum 1, Transpose 0, Split 0, Concat 0",
	} {
		graph, _ := graphOf(large[name])
		counts := make(map[string]int)
		for _, n := range graph.ModelWith(autodiff.Own{Terms: operators.Bfloat16x3, Fused: true}).Graph.Nodes {
			counts[n.Op]++
		}
		for _, part := range strings.Split(want, ", ") {
			op, count, _ := strings.Cut(part, " ")
			if got := fmt.Sprint(counts[op]); got != count {
				t.Errorf("%s has %s of %s, want %s (%v)", name, got, op, count, counts)
			}
		}
	}
}

// What does not fit is an error of the run, and the session lives on.
func TestAnOperatorRefusesWhatDoesNotFit(t *testing.T) {
	product := []onnxgraph.Attribute{onnxgraph.Int(operators.AttributeTurnA, 0), onnxgraph.Int(operators.AttributeTurnB, 0), onnxgraph.Int(operators.AttributeTerms, 3)}
	for op, c := range map[string]struct {
		attributes  []onnxgraph.Attribute
		first, then []int64
		says        string
	}{
		operators.ProductOp:         {product, []int64{3, 4}, []int64{5, 6}, "do not fit"},
		operators.GeluGradientOp:    {nil, []int64{2, 4}, []int64{4, 2}, "another shape"},
		operators.SoftmaxGradientOp: {nil, []int64{2, 4}, []int64{2, 5}, "another shape"},
	} {
		of := func(names ...string) []onnxgraph.Dim { return []onnxgraph.Dim{{Name: names[0]}, {Name: names[1]}} }
		g := &onnxgraph.Graph{Name: "misfit", Inputs: []onnxgraph.Value{{Name: "x", Type: onnxgraph.Float32, Shape: of("a", "b")}, {Name: "y", Type: onnxgraph.Float32, Shape: of("c", "d")}}}
		g.Outputs = []onnxgraph.Value{{Name: g.OpIn(operators.Domain, op, "out", []string{"x", "y"}, c.attributes...), Type: onnxgraph.Float32, Shape: of("e", "f")}}
		m := onnxgraph.NewModel(g, autodiff.Opset)
		m.Opsets = append(m.Opsets, onnxgraph.Opset{Domain: operators.Domain, Version: 1})
		s := session(t, m, 2)
		run := func(x, y []int64) error {
			_, err := s.Run(t.Context(), map[string]ort.Tensor{"x": {Shape: x, Data: make([]float32, x[0]*x[1])}, "y": {Shape: y, Data: make([]float32, y[0]*y[1])}}, nil)
			return err
		}
		for range 2 {
			if err := run([]int64{3, 3}, []int64{3, 3}); err != nil {
				t.Errorf("%s: %v", op, err)
			}
			if err := run(c.first, c.then); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s of %v and %v: %v", op, c.first, c.then, err)
			}
		}
	}
}

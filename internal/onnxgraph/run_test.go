package onnxgraph_test

import (
	"bytes"
	"context"
	"math"
	"slices"
	"testing"

	"github.com/palate-art/palate/internal/onnxgraph"
	"github.com/palate-art/palate/internal/ort"
)

// run loads the model into ONNX Runtime and runs it.
func run(t *testing.T, m *onnxgraph.Model, inputs map[string]ort.Tensor) map[string]ort.Tensor {
	t.Helper()
	file, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	r, err := ort.Load(context.Background(), ort.ConfigFromEnv())
	if err != nil {
		t.Fatal(err)
	}
	session, err := r.NewSession(file, ort.DefaultSessionConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	out, err := session.Run(context.Background(), inputs, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func value(name string, shape ...onnxgraph.Dim) onnxgraph.Value {
	return onnxgraph.Value{Name: name, Type: onnxgraph.Float32, Shape: shape}
}

// affine is y = x·W + b, x of [batch, 2].
func affine() *onnxgraph.Graph {
	g := &onnxgraph.Graph{Name: "affine", Inputs: []onnxgraph.Value{value("x", onnxgraph.Batched(2)...)}}
	w := g.Const("W", onnxgraph.Float32s([]int64{2, 3}, []float32{1, 2, 3, 4, 5, 6}))
	b := g.Const("b", onnxgraph.Float32s([]int64{3}, []float32{0.5, -0.5, 0}))
	g.Op("Add", "y", []string{g.Op("MatMul", "xW", []string{"x", w}), b})
	g.Outputs = []onnxgraph.Value{value("y", onnxgraph.Batched(3)...)}
	return g
}

func TestModelsRun(t *testing.T) {
	out := run(t, onnxgraph.NewModel(affine(), 17), map[string]ort.Tensor{"x": {Shape: []int64{2, 2}, Data: []float32{1, 1, 0, -1}}})
	want := []float32{5.5, 6.5, 9, -3.5, -5.5, -6}
	if got := out["y"]; !slices.Equal(got.Data, want) || !slices.Equal(got.Shape, []int64{2, 3}) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Every element type goes through a cast to float32, so what the runtime
// reads from the file is seen.
func TestTensorsOfEveryTypeReadAsWritten(t *testing.T) {
	shape := []int64{3}
	tests := map[string]struct {
		tensor onnxgraph.Tensor
		want   []float32
	}{
		"float32": {onnxgraph.Float32s(shape, []float32{1.5, -2, math.MaxFloat32}), []float32{1.5, -2, math.MaxFloat32}},
		"float64": {onnxgraph.Float64s(shape, []float64{0.25, -1e10, 0}), []float32{0.25, -1e10, 0}},
		"int64":   {onnxgraph.Int64s(shape, []int64{1 << 40, -1, 0}), []float32{1 << 40, -1, 0}},
		"int32":   {onnxgraph.Int32s(shape, []int32{math.MinInt32, 7, 0}), []float32{math.MinInt32, 7, 0}},
		"int8":    {onnxgraph.Int8s(shape, []int8{-128, 127, 0}), []float32{-128, 127, 0}},
		"bool":    {onnxgraph.Bools(shape, []bool{true, false, true}), []float32{1, 0, 1}},
		"float16": {onnxgraph.Tensor{Type: onnxgraph.Float16, Shape: shape, Raw: []byte{0, 0x3c, 0, 0xc0, 0, 0}}, []float32{1, -2, 0}},
		"strings": {onnxgraph.Tensor{Type: onnxgraph.String, Shape: shape, Strings: [][]byte{[]byte("1.5"), []byte("-2"), []byte("0")}}, []float32{1.5, -2, 0}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			g := &onnxgraph.Graph{Name: "cast", Inputs: []onnxgraph.Value{value("x", onnxgraph.Fixed(3)...)}, Outputs: []onnxgraph.Value{value("y", onnxgraph.Fixed(3)...)}}
			cast := g.Op("Cast", "cast", []string{g.Const("c", test.tensor)}, onnxgraph.Int("to", int64(onnxgraph.Float32)))
			g.Op("Add", "y", []string{"x", cast})
			out := run(t, onnxgraph.NewModel(g, 17), map[string]ort.Tensor{"x": {Shape: []int64{3}, Data: make([]float32, 3)}})
			if got := out["y"].Data; !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// Rounding to float16 is held against the runtime's own.
func TestFloat16sAreRoundedAsTheRuntimeDoes(t *testing.T) {
	var values []float32
	for exponent := -30; exponent < 17; exponent++ {
		for _, fraction := range []float64{1, 1 + 1./2048, 1 + 1./1024, 1 + 3./2048, 1 + 3./2048 - 1e-6, 1.3333333, 2 - 1./2048, 2 - 1./4096, 2 - 1./8192} {
			v := float32(math.Ldexp(fraction, exponent))
			values = append(values, v, -v)
		}
	}
	values = append(values, 0, float32(math.Copysign(0, -1)), 65504, 65519.99, 65520, float32(math.Inf(1)), float32(math.Inf(-1)))
	shape := []int64{int64(len(values))}
	halves, finite := onnxgraph.Float16s(shape, values)
	if finite {
		t.Error("65520 and more were said to be finite")
	}
	g := &onnxgraph.Graph{Name: "halves", Inputs: []onnxgraph.Value{value("x", onnxgraph.Fixed(shape...)...)}}
	g.Op("Cast", "theirs", []string{g.Op("Cast", "half", []string{"x"}, onnxgraph.Int("to", int64(onnxgraph.Float16)))}, onnxgraph.Int("to", int64(onnxgraph.Float32)))
	// Adding a 0 that is an input keeps the cast from being computed at load.
	g.Inputs = append(g.Inputs, value("zero", onnxgraph.Fixed(1)...))
	g.Op("Add", "ours", []string{g.Op("Cast", "wide", []string{g.Const("halves", halves)}, onnxgraph.Int("to", int64(onnxgraph.Float32))), "zero"})
	g.Outputs = []onnxgraph.Value{value("theirs", onnxgraph.Fixed(shape...)...), value("ours", onnxgraph.Fixed(shape...)...)}
	out := run(t, onnxgraph.NewModel(g, 17), map[string]ort.Tensor{"x": {Shape: shape, Data: values}, "zero": {Shape: []int64{1}, Data: []float32{0}}})
	for i, v := range values {
		if got, want := out["ours"].Data[i], out["theirs"].Data[i]; got != want {
			t.Errorf("%v (%#08x): got %v, the runtime %v", v, math.Float32bits(v), got, want)
		}
	}
	if _, finite := onnxgraph.Float16s([]int64{2}, []float32{65504, float32(math.NaN())}); !finite {
		t.Error("65504 was said to be infinite")
	}
}

func TestAttributesOfEveryKindRun(t *testing.T) {
	branch := func(name string, factor float32) *onnxgraph.Graph {
		g := &onnxgraph.Graph{Name: name, Outputs: []onnxgraph.Value{{Name: name + "_y"}}}
		// A branch sees x of the graph around it.
		g.Op("Mul", name+"_y", []string{"x", g.Const(name+"_factor", onnxgraph.Scalar(factor))})
		return g
	}
	g := &onnxgraph.Graph{Name: "attributes", Inputs: []onnxgraph.Value{value("x", onnxgraph.Batched(2)...)}}
	condition := g.Op("Constant", "condition", nil, onnxgraph.Constant("value", onnxgraph.Bools(nil, []bool{true})))
	chosen := g.Op("If", "chosen", []string{condition}, onnxgraph.Body("then_branch", branch("then", 10)), onnxgraph.Body("else_branch", branch("else", 20)))
	floats := g.Op("Constant", "floats", nil, onnxgraph.Floats("value_floats", 0.5, -0.5))
	sum := g.Op("Add", "sum", []string{chosen, floats})
	leaky := g.Op("LeakyRelu", "leaky", []string{sum}, onnxgraph.Float("alpha", 0.125))
	turned := g.Op("Transpose", "turned", []string{leaky}, onnxgraph.Ints("perm", 1, 0))
	padded := g.Op("Pad", "padded", []string{turned, g.Const("pads", onnxgraph.Vector(0, 0, 1, 0))}, onnxgraph.Text("mode", "edge"))
	words := g.Op("Constant", "words", nil, onnxgraph.Texts("value_strings", "1", "2"))
	numbers := g.Op("Cast", "numbers", []string{words}, onnxgraph.Int("to", int64(onnxgraph.Float32)))
	g.Op("Mul", "y", []string{padded, numbers})
	g.Outputs = []onnxgraph.Value{value("y", onnxgraph.Dim{Name: "rows"}, onnxgraph.Dim{Name: "batch"})}

	out := run(t, onnxgraph.NewModel(g, 17), map[string]ort.Tensor{"x": {Shape: []int64{2, 2}, Data: []float32{1, 2, -1, -2}}})
	want := []float32{10.5, -2.375, 19.5, -5.125, 19.5, -5.125}
	if got := out["y"]; !slices.Equal(got.Data, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestOtherDomainsRun(t *testing.T) {
	g := &onnxgraph.Graph{Name: "gelu", Inputs: []onnxgraph.Value{value("x", onnxgraph.Batched()...)}, Outputs: []onnxgraph.Value{value("y", onnxgraph.Batched()...)}}
	g.OpIn(onnxgraph.DomainMicrosoft, "Gelu", "y", []string{"x"})
	m := onnxgraph.NewModel(g, 17)
	m.Opsets = append(m.Opsets, onnxgraph.Opset{Domain: onnxgraph.DomainMicrosoft, Version: 1})
	out := run(t, m, map[string]ort.Tensor{"x": {Shape: []int64{3}, Data: []float32{-1, 0, 2}}})
	for i, x := range []float64{-1, 0, 2} {
		want := x / 2 * (1 + math.Erf(x/math.Sqrt2))
		if got := float64(out["y"].Data[i]); math.Abs(got-want) > 1e-6 {
			t.Errorf("Gelu(%v): got %v, want %v", x, got, want)
		}
	}
}

func TestEqualModelsHaveEqualBytes(t *testing.T) {
	full := func() *onnxgraph.Model {
		m := onnxgraph.NewModel(affine(), 18)
		m.ProducerVersion, m.Domain, m.Version, m.Doc = "3", "art.palate", 4, "an affine map"
		m.Metadata = []onnxgraph.Property{{Key: "licence", Value: ""}, {Key: "author", Value: "nobody"}}
		m.Graph.Doc, m.Graph.Nodes[0].Doc, m.Graph.Inputs[0].Doc = "graph", "node", "value"
		m.Graph.Intermediate = []onnxgraph.Value{value("xW", onnxgraph.Batched(3)...)}
		return m
	}
	a, err := full().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	n, err := full().WriteTo(&b)
	if err != nil || n != int64(len(a)) || n != full().Bytes() || !bytes.Equal(a, b.Bytes()) {
		t.Errorf("WriteTo gave %d bytes and %v, Marshal %d: want the same", n, err, len(a))
	}
	run(t, full(), map[string]ort.Tensor{"x": {Shape: []int64{1, 2}, Data: []float32{0, 0}}})
}

// The bytes follow onnx.proto's field numbers; written out by hand once.
func TestSmallestModelByteForByte(t *testing.T) {
	g := &onnxgraph.Graph{Name: "g", Inputs: []onnxgraph.Value{value("x", onnxgraph.Dim{Name: "n"}, onnxgraph.Dim{Size: 3})}, Outputs: []onnxgraph.Value{{Name: "y", Type: onnxgraph.Float32}}}
	g.Op("Relu", "y", []string{"x"})
	m := onnxgraph.NewModel(g, 17)
	m.Producer = ""
	got, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	want := []byte{
		1 << 3, 8, // ir_version
		7<<3 | 2, 53, // graph
		1<<3 | 2, 15, 1<<3 | 2, 1, 'x', 2<<3 | 2, 1, 'y', 3<<3 | 2, 1, 'y', 4<<3 | 2, 4, 'R', 'e', 'l', 'u', // node
		2<<3 | 2, 1, 'g', // name
		11<<3 | 2, 20, 1<<3 | 2, 1, 'x', 2<<3 | 2, 15, 1<<3 | 2, 13, 1 << 3, 1, 2<<3 | 2, 9, // input: name, type, tensor, float, shape
		1<<3 | 2, 3, 2<<3 | 2, 1, 'n', 1<<3 | 2, 2, 1 << 3, 3, // dims
		12<<3 | 2, 9, 1<<3 | 2, 1, 'y', 2<<3 | 2, 4, 1<<3 | 2, 2, 1 << 3, 1, // output
		8<<3 | 2, 2, 2 << 3, 17, // opset_import
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got\n% x, want\n% x", got, want)
	}
}

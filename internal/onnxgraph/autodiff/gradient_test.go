package autodiff_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/palate-art/palate/internal/onnxgraph/autodiff"
)

// function is a graph of inputs of given shapes; its numbers are added up with
// random weights, so that every one of them has a gradient of its own.
type function struct {
	shapes [][]int64
	write  func(t *autodiff.Tape, in []*autodiff.Value) *autodiff.Value
	// positive inputs are drawn from 0.5 to 2 instead of around 0.
	positive bool
}

type (
	tape   = autodiff.Tape
	value  = autodiff.Value
	values = []*autodiff.Value
)

// functions have every rule, with axes of size 1, broadcasting and odd counts.
var functions = map[string]function{
	"Add":               {[][]int64{{2, 3}, {2, 3}}, func(t *tape, in values) *value { return t.Add(in[0], in[1]) }, false},
	"Add, broadcast":    {[][]int64{{2, 1, 3}, {4, 1}}, func(t *tape, in values) *value { return t.Add(in[0], in[1]) }, false},
	"Add, itself":       {[][]int64{{3}}, func(t *tape, in values) *value { return t.Add(in[0], t.Add(in[0], in[0])) }, false},
	"Sub, broadcast":    {[][]int64{{3}, {5, 1}}, func(t *tape, in values) *value { return t.Sub(in[0], in[1]) }, false},
	"Mul, broadcast":    {[][]int64{{2, 3, 1}, {1, 5}}, func(t *tape, in values) *value { return t.Mul(in[0], in[1]) }, false},
	"Mul, scalar":       {[][]int64{{2, 3}, {}}, func(t *tape, in values) *value { return t.Mul(in[0], in[1]) }, false},
	"Div, broadcast":    {[][]int64{{2, 3}, {3}}, func(t *tape, in values) *value { return t.Div(in[0], in[1]) }, true},
	"Div, by many":      {[][]int64{{1}, {2, 3}}, func(t *tape, in values) *value { return t.Div(in[0], in[1]) }, true},
	"Neg":               {[][]int64{{4}}, func(t *tape, in values) *value { return t.Neg(in[0]) }, false},
	"Exp":               {[][]int64{{4}}, func(t *tape, in values) *value { return t.Exp(in[0]) }, false},
	"Sqrt":              {[][]int64{{4}}, func(t *tape, in values) *value { return t.Sqrt(in[0]) }, true},
	"Erf":               {[][]int64{{5}}, func(t *tape, in values) *value { return t.Erf(in[0]) }, false},
	"Sigmoid":           {[][]int64{{5}}, func(t *tape, in values) *value { return t.Sigmoid(in[0]) }, false},
	"Gelu":              {[][]int64{{7}}, func(t *tape, in values) *value { return t.Gelu(in[0]) }, false},
	"Softmax":           {[][]int64{{2, 3, 5}}, func(t *tape, in values) *value { return t.Softmax(in[0]) }, false},
	"Softmax of one":    {[][]int64{{3, 1}}, func(t *tape, in values) *value { return t.Softmax(in[0]) }, false},
	"LogSoftmax":        {[][]int64{{2, 4}}, func(t *tape, in values) *value { return t.LogSoftmax(in[0]) }, false},
	"Reshape":           {[][]int64{{2, 6}}, func(t *tape, in values) *value { return t.Reshape(in[0], 3, 1, 4) }, false},
	"Expand":            {[][]int64{{3, 1}}, func(t *tape, in values) *value { return t.Expand(in[0], 2, 3, 5) }, false},
	"Expand a scalar":   {[][]int64{{}}, func(t *tape, in values) *value { return t.Expand(in[0], 2, 3) }, false},
	"Transpose":         {[][]int64{{2, 3, 1, 4}}, func(t *tape, in values) *value { return t.Transpose(in[0], 2, 0, 3, 1) }, false},
	"Slice":             {[][]int64{{2, 7}}, func(t *tape, in values) *value { return t.Slice(in[0], 1, 2, 5) }, false},
	"Slice, first":      {[][]int64{{3, 2}}, func(t *tape, in values) *value { return t.Slice(in[0], 0, 0, 1) }, false},
	"Split":             {[][]int64{{5, 2}}, func(t *tape, in values) *value { p := t.Split(in[0], 0, 1, 3, 1); return t.Concat(0, p[2], p[0]) }, false},
	"Concat":            {[][]int64{{2, 1}, {2, 3}}, func(t *tape, in values) *value { return t.Concat(1, in[0], in[1], in[0]) }, false},
	"ReduceSum":         {[][]int64{{2, 3, 4}}, func(t *tape, in values) *value { return t.Sum(in[0], false, 0, 2) }, false},
	"ReduceSum of all":  {[][]int64{{2, 3}}, func(t *tape, in values) *value { return t.Sum(in[0], false) }, false},
	"ReduceMean":        {[][]int64{{2, 3, 1}}, func(t *tape, in values) *value { return t.Mean(in[0], true, 1, 2) }, false},
	"MatMul":            {[][]int64{{2, 3, 4, 5}, {2, 3, 5, 2}}, func(t *tape, in values) *value { return t.MatMul(in[0], in[1]) }, false},
	"MatMul, broadcast": {[][]int64{{3, 4, 5}, {5, 1}}, func(t *tape, in values) *value { return t.MatMul(in[0], in[1]) }, false},
	"Gemm":              {[][]int64{{3, 4}, {5, 4}, {5}}, func(t *tape, in values) *value { return t.Linear(in[0], in[1], in[2]) }, false},
	"Gemm, no bias":     {[][]int64{{1, 4}, {1, 4}}, func(t *tape, in values) *value { return t.Linear(in[0], in[1], nil) }, false},
	"LayerNorm":         {[][]int64{{2, 3, 5}, {5}, {5}}, func(t *tape, in values) *value { return t.LayerNorm(in[0], in[1], in[2], 1e-6) }, false},
	"rotary pairs": {[][]int64{{3, 1, 4}}, func(t *tape, in values) *value {
		pairs := t.Reshape(in[0], 3, 2, 2)
		cos, sin := t.Scalar(math.Cos(.7)), t.Scalar(math.Sin(.7))
		first, second := t.Slice(pairs, 2, 0, 1), t.Slice(pairs, 2, 1, 2)
		return t.Concat(2, t.Sub(t.Mul(first, cos), t.Mul(second, sin)), t.Add(t.Mul(second, cos), t.Mul(first, sin)))
	}, false},
	"SwiGLU": {[][]int64{{3, 4}, {6, 4}, {6, 4}}, func(t *tape, in values) *value {
		gate := t.Linear(in[0], in[1], nil)
		return t.Mul(t.Mul(gate, t.Sigmoid(gate)), t.Linear(in[0], in[2], nil))
	}, false},
	"Attention":            {[][]int64{{2, 3, 2, 2}, {2, 3, 2, 2}, {2, 3, 2, 2}}, func(t *tape, in values) *value { return t.Attention(in...) }, false},
	"Attention, packed":    {[][]int64{{2, 3, 3, 2, 5}}, func(t *tape, in values) *value { return t.Attention(in...) }, false},
	"Attention of itself":  {[][]int64{{1, 4, 1, 3}}, func(t *tape, in values) *value { return t.Attention(in[0], in[0], in[0]) }, false},
	"Attention, one token": {[][]int64{{2, 1, 2, 3}, {2, 1, 2, 3}}, func(t *tape, in values) *value { return t.Attention(in[0], in[1], in[0]) }, false},
}

// worst is the largest difference between a gradient and central differences,
// as a share of the largest number of its gradient, over all inputs.
func worst(t *testing.T, f function) float64 {
	t.Helper()
	random := rand.New(rand.NewPCG(3, 9))
	graph := autodiff.New("f")
	in, at := make([]*autodiff.Value, len(f.shapes)), make(map[string]array)
	for i, shape := range f.shapes {
		name := fmt.Sprint("in", i)
		in[i] = graph.Input(name, shape...)
		a := zeros(shape...)
		for j := range a.data {
			if a.data[j] = random.NormFloat64(); f.positive {
				a.data[j] = .5 + 1.5*random.Float64()
			}
		}
		at[name] = a
	}
	y := f.write(graph, in)
	weights := zeros(y.Shape()...)
	for i := range weights.data {
		weights.data[i] = random.NormFloat64()
	}
	at["weights"] = weights
	loss := graph.Sum(graph.Mul(y, graph.Input("weights", y.Shape()...)), false)
	graph.Output("loss", loss)
	for i, g := range graph.Gradients(loss, graph.Scalar(1), in) {
		graph.Output(fmt.Sprint("gradient", i), g)
	}
	model := graph.Model()
	got := interpret(t, model, at)
	most := 0.
	for i := range in {
		name, gradient := fmt.Sprint("in", i), got[fmt.Sprint("gradient", i)]
		if !slices.Equal(gradient.shape, f.shapes[i]) {
			t.Fatalf("gradient %d has shape %v, want %v", i, gradient.shape, f.shapes[i])
		}
		largest := 1e-3
		for _, g := range gradient.data {
			largest = max(largest, math.Abs(g))
		}
		for j := range at[name].data {
			const step = 1e-5
			x := at[name].data[j]
			at[name].data[j] = x + step
			above := interpret(t, model, at)["loss"].data[0]
			at[name].data[j] = x - step
			below := interpret(t, model, at)["loss"].data[0]
			at[name].data[j] = x
			most = max(most, math.Abs((above-below)/(2*step)-gradient.data[j])/largest)
		}
	}
	return most
}

const tolerance = 1e-6

func TestGradientsAreCentralDifferences(t *testing.T) {
	for name, f := range functions {
		t.Run(name, func(t *testing.T) {
			if off := worst(t, f); off > tolerance {
				t.Errorf("off by %.2g of the largest, want at most %.0g", off, tolerance)
			}
		})
	}
}

// Every rule that is broken on purpose is found by the test above.
func TestABrokenRuleIsFound(t *testing.T) {
	for _, op := range autodiff.RuleNames() {
		t.Run(op, func(t *testing.T) {
			defer autodiff.BreakRule(op)()
			for _, f := range functions {
				if worst(t, f) > tolerance {
					return
				}
			}
			t.Errorf("%s gives gradients that are a hundredth too large, and no case notices", op)
		})
	}
}

func TestWhatIsFrozenAddsNothing(t *testing.T) {
	graph := autodiff.New("frozen")
	x, w1, w2 := graph.Input("x", 3, 4), graph.Input("w1", 4, 4), graph.Input("w2", 2, 4)
	h := graph.Gelu(graph.Linear(x, w1, nil))
	loss := graph.Sum(graph.Linear(h, w2, nil), false)
	graph.Output("loss", loss)
	before := len(graph.Model().Graph.Nodes)
	gradients := graph.Gradients(loss, graph.Scalar(1), []*autodiff.Value{w2})
	graph.Output("gradient", gradients[0])
	for _, node := range graph.Model().Graph.Nodes[before:] {
		if node.Op == "Erf" || node.Op == "Exp" {
			t.Errorf("%s is of the frozen part's gradient", node.Name)
		}
	}
	none := graph.Gradients(loss, graph.Scalar(1), []*autodiff.Value{graph.Input("unused", 2)})
	if shape := none[0].Shape(); !slices.Equal(shape, []int64{2}) {
		t.Errorf("the gradient of what is not used has shape %v, want [2]", shape)
	}
}

func TestMisfitsPanic(t *testing.T) {
	graph := autodiff.New("misfits")
	a, b := graph.Input("a", 2, 3), graph.Input("b", 2, 4)
	for name, wrong := range map[string]func(){
		"Add":     func() { graph.Add(a, b) },
		"MatMul":  func() { graph.MatMul(a, b) },
		"Reshape": func() { graph.Reshape(a, 7) },
		"Slice":   func() { graph.Slice(a, 1, 2, 4) },
		"Split":   func() { graph.Split(a, 1, 1, 1) },
		"Concat":  func() { graph.Concat(0, a, b) },
		"no rule": func() {
			l := graph.Sum(graph.Pow(a, a), false)
			graph.Gradients(l, graph.Scalar(1), []*autodiff.Value{a})
		},
		"stranger": func() { graph.Add(a, autodiff.New("other").Input("c", 2, 3)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: nothing was refused", name)
				}
			}()
			wrong()
		}()
	}
}

package autodiff

import (
	"fmt"
	"slices"

	"github.com/palate-art/palate/internal/onnxgraph"
)

// Opset is the version of ai.onnx that tapes are written in.
const Opset = 20

// Value is a float32 tensor of a known shape: an input, a constant or the
// result of an operator.
type Value struct {
	name  string
	shape []int64
	tape  *Tape
}

// Name is the value's name in the graph.
func (v *Value) Name() string { return v.name }

// Shape is the value's shape. The caller owns it.
func (v *Value) Shape() []int64 { return slices.Clone(v.shape) }

// Tape is a graph that is being written. It is not safe for concurrent use.
type Tape struct {
	graph     *onnxgraph.Graph
	record    []*operation
	constants map[string]*Value
	ints      map[string]string
	count     int
}

// operation is one operator as Gradients needs it.
type operation struct {
	op      string
	in, out []*Value
	axis    int64   // of Slice, Split, Concat
	from    int64   // of Slice
	list    []int64 // axes of a reduction, permutation of Transpose
	flip    bool    // transB of Gemm
}

// New begins a graph of that name.
func New(name string) *Tape {
	return &Tape{graph: &onnxgraph.Graph{Name: name}, constants: make(map[string]*Value), ints: make(map[string]string)}
}

// Input adds an input.
func (t *Tape) Input(name string, shape ...int64) *Value {
	t.graph.Inputs = append(t.graph.Inputs, onnxgraph.Value{Name: name, Type: onnxgraph.Float32, Shape: onnxgraph.Fixed(shape...)})
	return &Value{name, slices.Clone(shape), t}
}

// Constant adds numbers, row by row.
func (t *Tape) Constant(name string, shape []int64, values []float32) *Value {
	t.graph.Const(name, onnxgraph.Float32s(shape, values))
	return &Value{name, slices.Clone(shape), t}
}

// Scalar is a constant without dimensions.
func (t *Tape) Scalar(x float64) *Value {
	key := fmt.Sprint(float32(x))
	if v, there := t.constants[key]; there {
		return v
	}
	v := t.Constant("scalar/"+key, []int64{}, []float32{float32(x)})
	t.constants[key] = v
	return v
}

// Output makes a value an output of the graph under a name.
func (t *Tape) Output(name string, v *Value) {
	t.own(v)
	t.graph.Op("Identity", name, []string{v.name})
	t.graph.Outputs = append(t.graph.Outputs, onnxgraph.Value{Name: name, Type: onnxgraph.Float32, Shape: onnxgraph.Fixed(v.shape...)})
}

// Model is the graph as it stands, without what no output depends on.
func (t *Tape) Model() *onnxgraph.Model {
	g := *t.graph
	needed := make(map[string]bool)
	for _, out := range g.Outputs {
		needed[out.Name] = true
	}
	g.Nodes = nil
	for _, node := range slices.Backward(t.graph.Nodes) {
		if !slices.ContainsFunc(node.Outputs, func(name string) bool { return needed[name] }) {
			continue
		}
		for _, in := range node.Inputs {
			needed[in] = true
		}
		g.Nodes = append(g.Nodes, node)
	}
	slices.Reverse(g.Nodes)
	g.Initialisers = slices.DeleteFunc(slices.Clone(g.Initialisers), func(c onnxgraph.Tensor) bool { return !needed[c.Name] })
	return onnxgraph.NewModel(&g, Opset)
}

// own panics for a value of another tape.
func (t *Tape) own(values ...*Value) {
	for _, v := range values {
		if v.tape != t {
			panic("autodiff: the value " + v.name + " is of another graph")
		}
	}
}

// op adds an operator with results of the given shapes. parameters are names
// of further inputs that have no gradient.
func (t *Tape) op(o operation, parameters []string, attributes []onnxgraph.Attribute, shapes ...[]int64) []*Value {
	t.own(o.in...)
	t.count++
	name := fmt.Sprintf("%s_%d", o.op, t.count)
	inputs := make([]string, 0, len(o.in)+len(parameters))
	for _, v := range o.in {
		inputs = append(inputs, v.name)
	}
	node := onnxgraph.Node{Name: name, Op: o.op, Inputs: append(inputs, parameters...), Attributes: attributes}
	for i, shape := range shapes {
		out := &Value{name, slices.Clone(shape), t}
		if i > 0 {
			out.name = fmt.Sprintf("%s/%d", name, i)
		}
		o.out, node.Outputs = append(o.out, out), append(node.Outputs, out.name)
	}
	t.graph.Nodes = append(t.graph.Nodes, node)
	t.record = append(t.record, &o)
	return o.out
}

// vector is the name of a constant list of int64.
func (t *Tape) vector(values ...int64) string {
	key := fmt.Sprint("ints/", values)
	if name, there := t.ints[key]; there {
		return name
	}
	t.ints[key] = t.graph.Const(key, onnxgraph.Vector(values...))
	return key
}

func elements(shape []int64) int64 {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	return n
}

func misfit(op string, shapes ...[]int64) {
	panic(fmt.Sprintf("autodiff: %s of shapes %v", op, shapes))
}

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
	outputs   []output
	constants map[string]*Value
	ints      map[string]string
	shorts    []short
	count     int
}

// output is a value that the graph gives under a name.
type output struct {
	name string
	*Value
}

// operation is one operator as Gradients needs it.
type operation struct {
	op      string
	in, out []*Value
	axis    int64   // of Slice, Split, Concat
	from    int64   // of Slice
	list    []int64 // axes of a reduction, permutation of Transpose
	flip    bool    // transB of Gemm

	// Of one that is written in others.
	parts []*operation
	back  string // the operator of our own that gives its gradients
	part  bool   // of these
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
	t.outputs = append(t.outputs, output{name, v})
}

// Model is the graph as it stands, without what no output depends on. The
// result of an operator that is an output has the output's name in it: a copy
// would read and write it once more.
func (t *Tape) Model() *onnxgraph.Model {
	g := *t.graph
	g.Outputs = slices.Clone(g.Outputs)
	named, copies := t.named()
	nodes := slices.Clone(t.graph.Nodes)
	for i := range nodes {
		nodes[i].Inputs, nodes[i].Outputs = rename(nodes[i].Inputs, named), rename(nodes[i].Outputs, named)
	}
	for _, out := range t.outputs {
		g.Outputs = append(g.Outputs, onnxgraph.Value{Name: out.name, Type: onnxgraph.Float32, Shape: onnxgraph.Fixed(out.shape...)})
	}
	for _, out := range copies {
		from := rename([]string{out.Value.name}, named)
		nodes = append(nodes, onnxgraph.Node{Name: "Output/" + out.name, Op: "Identity", Inputs: from, Outputs: []string{out.name}})
	}
	g.Nodes = nodes
	prune(&g)
	return onnxgraph.NewModel(&g, Opset)
}

// prune leaves out what no output depends on.
func prune(g *onnxgraph.Graph) {
	needed := make(map[string]bool)
	for _, out := range g.Outputs {
		needed[out.Name] = true
	}
	var nodes []onnxgraph.Node
	for _, node := range slices.Backward(g.Nodes) {
		if !slices.ContainsFunc(node.Outputs, func(name string) bool { return needed[name] }) {
			continue
		}
		for _, in := range node.Inputs {
			needed[in] = true
		}
		nodes = append(nodes, node)
	}
	slices.Reverse(nodes)
	g.Nodes = nodes
	g.Initialisers = slices.DeleteFunc(slices.Clone(g.Initialisers), func(c onnxgraph.Tensor) bool { return !needed[c.Name] })
}

// named gives the results of operators the name of the output that they are.
// Other outputs are copies: inputs and constants, and what is given twice.
func (t *Tape) named() (names map[string]string, copies []output) {
	results := make(map[*Value]bool)
	for _, o := range t.record {
		for _, v := range o.out {
			results[v] = true
		}
	}
	names = make(map[string]string)
	for _, out := range t.outputs {
		if _, taken := names[out.Value.name]; taken || !results[out.Value] {
			copies = append(copies, out)
			continue
		}
		names[out.Value.name] = out.name
	}
	return names, copies
}

func rename(names []string, to map[string]string) []string {
	names = slices.Clone(names)
	for i, name := range names {
		if other, there := to[name]; there {
			names[i] = other
		}
	}
	return names
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

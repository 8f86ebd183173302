package autodiff

import (
	"slices"

	"github.com/palate-art/palate/internal/onnxgraph"
	"github.com/palate-art/palate/internal/operators"
)

// Own says which of internal/operators a model has.
type Own struct {
	// Terms are those of products of matrices, in attentions too; 0 leaves both to
	// ai.onnx.
	Terms operators.Terms
	// Fused takes Gelu and LayerNormalization, and the gradients of these and of
	// Softmax, in one way through memory each.
	Fused bool
}

// take is the operator in the place of what is noted, if it is one of them.
func (o Own) take(s short) (node onnxgraph.Node, take bool) {
	node = onnxgraph.Node{Domain: operators.Domain, Op: s.op}
	switch s.op {
	case operators.AttentionOp, operators.AttentionGradientOp:
		q := s.in[len(s.in)-1].shape
		take = o.Terms > 0 && min(q[1], q[len(q)-1]) >= fewest
		node.Attributes = []onnxgraph.Attribute{onnxgraph.Int(operators.AttributeTerms, int64(o.Terms))}
	default:
		take = o.Fused
	}
	return node, take
}

// ModelWith is Model with operators of our own. A bias that is added to a
// product, a last pair of dimensions that is transposed before it, a Gelu behind
// it and its gradient, and the sum of its first matrix's columns, as the gradient
// of a bias is, become part of it; products too small for tiles stay as they are.
func (t *Tape) ModelWith(own Own) *onnxgraph.Model {
	m, _ := t.modelWith(own)
	return m
}

// modelWith gives the shapes of all values as well.
func (t *Tape) modelWith(own Own) (m *onnxgraph.Model, shapes map[string][]int64) {
	m, shapes = t.Model(), t.shapes()
	t.replaceShorts(m.Graph, own)
	if own.Fused {
		replaceForward(m.Graph)
	}
	prune(m.Graph) // what is not read is in no one's way
	if own.Terms > 0 {
		p := &products{Graph: m.Graph, terms: own.Terms}
		p.replace(shapes)
	}
	prune(m.Graph)
	trim(m.Graph)
	if slices.ContainsFunc(m.Graph.Nodes, func(n onnxgraph.Node) bool { return n.Domain == operators.Domain }) {
		m.Opsets = append(m.Opsets, onnxgraph.Opset{Domain: operators.Domain, Version: 1})
	}
	declare(m.Graph, shapes)
	return m, shapes
}

// trim takes the last results of operators of our own away that nothing reads: ONNX
// Runtime would keep them to the end.
func trim(g *onnxgraph.Graph) {
	read := make(map[string]bool)
	for _, out := range g.Outputs {
		read[out.Name] = true
	}
	for _, n := range g.Nodes {
		for _, in := range n.Inputs {
			read[in] = true
		}
	}
	for i, n := range g.Nodes {
		for n.Domain == operators.Domain && len(n.Outputs) > 1 && !read[n.Outputs[len(n.Outputs)-1]] {
			n.Outputs = n.Outputs[:len(n.Outputs)-1]
		}
		g.Nodes[i].Outputs = n.Outputs
	}
}

// declare states the shapes of what operators of our own give, which ONNX
// Runtime can't infer.
func declare(g *onnxgraph.Graph, shapes map[string][]int64) {
	known := make(map[string]bool)
	for _, out := range g.Outputs {
		known[out.Name] = true
	}
	for _, n := range g.Nodes {
		for _, name := range n.Outputs {
			if n.Domain == operators.Domain && !known[name] {
				g.Intermediate = append(g.Intermediate, onnxgraph.Value{Name: name, Type: onnxgraph.Float32, Shape: onnxgraph.Fixed(shapes[name]...)})
			}
		}
	}
}

// short is what one operator of our own computes, and many of ai.onnx's do.
type short struct {
	op      string
	in, out []*Value
}

// inShort notes that an operator of our own gives the same values.
func (t *Tape) inShort(op string, in []*Value, out ...*Value) {
	t.own(slices.Concat(in, out)...)
	t.shorts = append(t.shorts, short{op, in, out})
}

// replaceShorts lets operators of our own stand where the first of their results
// was made.
func (t *Tape) replaceShorts(g *onnxgraph.Graph, own Own) {
	named, _ := t.named()
	names := func(values []*Value) []string {
		out := make([]string, len(values))
		for i, v := range values {
			out[i] = v.name
		}
		return rename(out, named)
	}
	instead := make(map[string]*onnxgraph.Node) // nil for a further result
	for _, s := range t.shorts {
		node, take := own.take(s)
		if !take {
			continue
		}
		outputs := names(s.out)
		for _, name := range outputs {
			instead[name] = nil
		}
		node.Inputs, node.Outputs = names(s.in), outputs
		for _, n := range g.Nodes {
			if at := slices.Index(outputs, n.Outputs[0]); at >= 0 {
				node.Name = n.Name
				instead[outputs[at]] = &node
				break
			}
		}
	}
	var nodes []onnxgraph.Node
	for _, n := range g.Nodes {
		switch node, replaced := instead[n.Outputs[0]]; {
		case !replaced:
			nodes = append(nodes, n)
		case node != nil:
			nodes = append(nodes, *node)
		}
	}
	g.Nodes = nodes
}

// replaceForward lets operators of our own stand for the same of ai.onnx.
func replaceForward(g *onnxgraph.Graph) {
	for i, n := range g.Nodes {
		switch n.Op {
		case "Gelu":
			n.Domain, n.Op = operators.Domain, operators.GeluOp
		case "LayerNormalization":
			n.Domain, n.Op = operators.Domain, operators.NormOp
			n.Attributes = slices.DeleteFunc(slices.Clone(n.Attributes), func(a onnxgraph.Attribute) bool { return a.Name != operators.AttributeEpsilon })
		}
		g.Nodes[i] = n
	}
}

// shapes are those of all values, by their names in Model.
func (t *Tape) shapes() map[string][]int64 {
	shapes := make(map[string][]int64)
	named, _ := t.named()
	for _, o := range t.record {
		for _, v := range slices.Concat(o.in, o.out) {
			shapes[rename([]string{v.name}, named)[0]] = v.shape
		}
	}
	return shapes
}

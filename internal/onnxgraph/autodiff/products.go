package autodiff

import (
	"slices"

	"github.com/palate-art/palate/internal/onnxgraph"
	"github.com/palate-art/palate/internal/operators"
)

// fewest is what each side of a product must have for tiles to be worth it.
const fewest = 16

// products replaces nodes of a graph.
type products struct {
	*onnxgraph.Graph
	terms  operators.Terms
	shapes map[string][]int64
	makes  map[string]onnxgraph.Node // by the first result
	uses   map[string]int
}

func (p *products) replace(shapes map[string][]int64) {
	p.shapes = shapes
	p.makes, p.uses = make(map[string]onnxgraph.Node), make(map[string]int)
	for _, n := range p.Nodes {
		p.makes[n.Outputs[0]] = n
		for _, in := range n.Inputs {
			p.uses[in]++
		}
	}
	for _, out := range p.Outputs {
		p.uses[out.Name]++
	}
	for i, n := range p.Nodes {
		if made, worth := p.product(n); worth {
			p.Nodes[i] = made
		} else if made, worth := p.withBias(n); worth {
			p.Nodes[i] = made
		}
	}
	p.takeSums()
	p.takeGelu()
	p.takeResidual()
	p.joinGradients()
}

// joinGradients lets one operator give the gradients of what a map took and of its
// weights, which are products of one gradient.
func (p *products) joinGradients() {
	for i := 0; i < len(p.Nodes); i++ {
		n := p.Nodes[i]
		if !p.ofTaken(n) {
			continue
		}
		at := slices.IndexFunc(p.Nodes, func(m onnxgraph.Node) bool { return p.ofWeights(m, n) })
		if at < 0 {
			continue
		}
		of, first, later := p.Nodes[at], min(i, at), max(i, at)
		if p.needs(p.Nodes[later], p.Nodes[first:later]) {
			continue
		}
		p.Nodes[first] = onnxgraph.Node{Name: n.Name, Domain: operators.Domain, Op: operators.MapGradientsOp,
			Inputs: slices.Concat(n.Inputs[:2], of.Inputs[1:], n.Inputs[2:]), Outputs: slices.Concat(n.Outputs, of.Outputs),
			Attributes: []onnxgraph.Attribute{onnxgraph.Int(operators.AttributeTerms, int64(p.terms))}}
		p.Nodes = slices.Delete(p.Nodes, later, later+1)
		if later == i {
			i--
		}
	}
}

// ofTaken: a product as the gradient of what a map took is, of a gradient and
// weights as they lie, without a bias.
func (p *products) ofTaken(n onnxgraph.Node) bool {
	plain := n.Op == operators.ProductOp && len(n.Inputs) == 2
	return (plain || n.Op == operators.ProductGeluGradientOp) && len(n.Outputs) == 1 && len(p.shapes[n.Outputs[0]]) == 2 && turns(n) == [2]int64{}
}

// ofWeights: the product of the same gradient, turned, and what the map took, of
// which taken is the gradient.
func (p *products) ofWeights(n, taken onnxgraph.Node) bool {
	return n.Op == operators.ProductOp && len(n.Inputs) == 2 && n.Inputs[0] == taken.Inputs[0] && turns(n) == [2]int64{1, 0} &&
		slices.Equal(p.shapes[n.Outputs[0]], p.shapes[taken.Inputs[1]]) && slices.Equal(p.shapes[n.Inputs[1]], p.shapes[taken.Outputs[0]])
}

// values gives which node makes each value, and how often it is read or given.
func (p *products) values() (makes, uses map[string]int) {
	makes, uses = make(map[string]int), make(map[string]int)
	for i, n := range p.Nodes {
		for _, out := range n.Outputs {
			makes[out] = i
		}
		for _, in := range n.Inputs {
			uses[in]++
		}
	}
	for _, out := range p.Outputs {
		uses[out.Name]++
	}
	return makes, uses
}

// takeGelu lets a product give its Gelu as well, and a product that is the
// gradient of a Gelu that of what the Gelu took. Another shape of the same numbers
// may be between the two.
func (p *products) takeGelu() {
	makes, uses := p.values()
	// matrix is what a value has the numbers of.
	matrix := func(name string) string {
		if at, made := makes[name]; made && p.Nodes[at].Op == "Reshape" {
			return p.Nodes[at].Inputs[0]
		}
		return name
	}
	// product is the place of what gives a matrix, if that is a product of two.
	product := func(name string) (at int, is bool) {
		at, made := makes[name]
		return at, made && p.Nodes[at].Op == operators.ProductOp && len(p.Nodes[at].Outputs) == 1 && len(p.shapes[name]) == 2
	}
	var done []int
	for i, n := range p.Nodes {
		if n.Op != operators.GeluOp && n.Op != operators.GeluGradientOp || n.Domain != operators.Domain {
			continue
		}
		taken := n.Inputs[0] // x, or the gradient
		sums := matrix(taken)
		at, is := product(sums)
		if !is {
			continue
		}
		made := &p.Nodes[at]
		given := n.Outputs[0]
		switch {
		case n.Op == operators.GeluOp && sums == taken:
			made.Outputs = []string{given, sums}
			done = append(done, i)
		case n.Op == operators.GeluOp:
			flat := given + "/matrix"
			p.shapes[flat] = p.shapes[sums]
			made.Outputs = []string{flat, sums}
			p.Nodes[i] = onnxgraph.Node{Name: n.Name, Op: "Reshape", Inputs: []string{flat, p.Nodes[makes[taken]].Inputs[1]}, Outputs: n.Outputs}
		default:
			x := n.Inputs[1]
			if sums != taken {
				x = matrix(x)
			}
			if len(made.Inputs) != 2 || uses[sums] != 1 || uses[taken] != 1 || !slices.Equal(p.shapes[x], p.shapes[sums]) {
				continue
			}
			made.Inputs = append(slices.Clone(made.Inputs), x)
			last := &p.Nodes[makes[taken]] // the product, or the Reshape behind it
			last.Outputs = []string{given}
			done = append(done, i)
		}
		if made.Op = operators.ProductGeluOp; n.Op == operators.GeluGradientOp {
			made.Op = operators.ProductGeluGradientOp
		}
	}
	for _, i := range slices.Backward(done) {
		p.Nodes = slices.Delete(p.Nodes, i, i+1)
	}
}

// takeResidual lets a product with a bias multiply what it gives by a scale and
// add it to a residual, in the place of two operators behind it.
func (p *products) takeResidual() {
	makes, uses := p.values()
	maker := func(name, op string) (at int, is bool) {
		at, made := makes[name]
		return at, made && p.Nodes[at].Op == op
	}
	done := make(map[int]bool)
	for i, add := range p.Nodes {
		if add.Op != "Add" {
			continue
		}
		for n, update := range add.Inputs {
			residual, out := add.Inputs[1-n], add.Outputs[0]
			scaled, is := maker(update, "Mul")
			if !is || uses[update] != 1 || !slices.Equal(p.shapes[residual], p.shapes[out]) {
				continue
			}
			scale := p.Nodes[scaled].Inputs[1]
			same, is := maker(p.Nodes[scaled].Inputs[0], "Reshape")
			if !is || !slices.Equal(p.shapes[p.Nodes[same].Outputs[0]], p.shapes[out]) {
				continue
			}
			at, is := maker(p.Nodes[same].Inputs[0], operators.ProductOp)
			if !is || len(p.Nodes[at].Inputs) != 3 || len(p.Nodes[at].Outputs) != 1 || len(p.shapes[scale]) != 1 || makes[residual] > at {
				continue
			}
			made := &p.Nodes[at]
			if sums := p.shapes[made.Outputs[0]]; len(sums) != 2 || sums[1] != p.shapes[scale][0] || sums[1] != p.shapes[out][len(p.shapes[out])-1] {
				continue
			}
			made.Op, made.Inputs, made.Outputs = operators.ProductOntoOp, append(slices.Clone(made.Inputs), scale, residual), []string{out, made.Outputs[0]}
			makes[out] = at
			done[i], done[scaled] = true, true
			break
		}
	}
	var nodes []onnxgraph.Node
	for i, n := range p.Nodes {
		if !done[i] {
			nodes = append(nodes, n)
		}
	}
	p.Nodes = nodes
}

// takeSums lets products give the sums of columns of the matrix that they turn.
func (p *products) takeSums() {
	for i := 0; i < len(p.Nodes); i++ {
		sum := p.Nodes[i]
		if !p.addsUpColumns(sum) {
			continue
		}
		at := slices.IndexFunc(p.Nodes, func(n onnxgraph.Node) bool {
			return n.Op == operators.ProductOp && n.Inputs[0] == sum.Inputs[0] && turns(n)[0] == 1 && len(n.Outputs) == 1
		})
		if at < 0 || at > i && p.needs(p.Nodes[at], p.Nodes[i:at]) {
			continue
		}
		p.Nodes[at].Outputs = []string{p.Nodes[at].Outputs[0], sum.Outputs[0]}
		if at > i {
			p.Nodes[i] = p.Nodes[at]
			p.Nodes = slices.Delete(p.Nodes, at, at+1)
		} else {
			p.Nodes = slices.Delete(p.Nodes, i, i+1)
			i--
		}
	}
}

// needs reports whether a node takes what any of some others give.
func (p *products) needs(n onnxgraph.Node, others []onnxgraph.Node) bool {
	return slices.ContainsFunc(others, func(other onnxgraph.Node) bool {
		return slices.ContainsFunc(other.Outputs, func(out string) bool { return slices.Contains(n.Inputs, out) })
	})
}

// addsUpColumns: a sum over the first of two dimensions, which stays.
func (p *products) addsUpColumns(n onnxgraph.Node) bool {
	if n.Op != "ReduceSum" {
		return false
	}
	x, y := p.shapes[n.Inputs[0]], p.shapes[n.Outputs[0]]
	return len(x) == 2 && x[0] > 1 && slices.Equal(y, []int64{1, x[1]})
}

// turns says of both matrices whether a product turns them.
func turns(n onnxgraph.Node) (turn [2]int64) {
	for _, a := range n.Attributes {
		switch a.Name {
		case operators.AttributeTurnA:
			turn[0] = a.Ints[0]
		case operators.AttributeTurnB:
			turn[1] = a.Ints[0]
		}
	}
	return turn
}

// product is the node in the place of a product of matrices.
func (p *products) product(n onnxgraph.Node) (onnxgraph.Node, bool) {
	if n.Op != "Gemm" && n.Op != "MatMul" {
		return n, false
	}
	x, y, out := p.shapes[n.Inputs[0]], p.shapes[n.Inputs[1]], p.shapes[n.Outputs[0]]
	batch := len(out) - 2
	if len(x) != len(out) || len(y) != len(out) || !slices.Equal(x[:batch], y[:batch]) {
		return n, false
	}
	inputs := slices.Clone(n.Inputs)
	var turn [2]int64
	for _, a := range n.Attributes {
		switch a.Name {
		case "transA":
			turn[0] = a.Ints[0]
		case "transB":
			turn[1] = a.Ints[0]
		}
	}
	if depth := x[batch+1-int(turn[0])]; min(out[batch], out[batch+1], depth) < fewest {
		return n, false
	}
	for i, name := range inputs {
		if from, turned := p.transposed(name); turned {
			inputs[i], turn[i] = from, 1-turn[i]
		}
	}
	return p.node(n.Name, inputs, n.Outputs, turn), true
}

func (p *products) node(name string, inputs, outputs []string, turn [2]int64) onnxgraph.Node {
	return onnxgraph.Node{Name: name, Domain: operators.Domain, Op: operators.ProductOp, Inputs: inputs, Outputs: outputs, Attributes: []onnxgraph.Attribute{
		onnxgraph.Int(operators.AttributeTurnA, turn[0]), onnxgraph.Int(operators.AttributeTurnB, turn[1]), onnxgraph.Int(operators.AttributeTerms, int64(p.terms)),
	}}
}

// transposed gives what a value is the transpose of, if that changes its last
// two dimensions alone.
func (p *products) transposed(name string) (from string, is bool) {
	n := p.makes[name]
	if n.Op != "Transpose" {
		return "", false
	}
	order := n.Attributes[0].Ints
	for i, axis := range order[:len(order)-2] {
		if axis != int64(i) {
			return "", false
		}
	}
	return n.Inputs[0], order[len(order)-1] == int64(len(order)-2)
}

// withBias is the node in the place of a sum of a product, which nothing else
// reads, and a vector.
func (p *products) withBias(n onnxgraph.Node) (onnxgraph.Node, bool) {
	if n.Op != "Add" {
		return n, false
	}
	for i, name := range n.Inputs {
		bias, columns := p.shapes[n.Inputs[1-i]], p.shapes[name]
		if len(bias) != 1 || len(columns) != 2 || bias[0] != columns[1] || p.uses[name] != 1 {
			continue
		}
		made, worth := p.product(p.makes[name])
		if !worth {
			continue
		}
		made.Name, made.Outputs = n.Name, n.Outputs
		made.Inputs = append(made.Inputs, n.Inputs[1-i])
		return made, true
	}
	return n, false
}

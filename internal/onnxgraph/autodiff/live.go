package autodiff

// LiveBytes is what computing the outputs with operators of our own needs at
// once beside the inputs, constants and outputs, at the least, in the order in
// which operators were added: each result from where it is made to where it is
// last read. A result in another shape is the same memory.
func (t *Tape) LiveBytes(own Own) int64 {
	model, shapes := t.modelWith(own)
	graph := model.Graph
	nodes, same := graph.Nodes, make(map[string]string)
	for _, n := range nodes {
		if n.Op == "Reshape" {
			same[n.Outputs[0]] = n.Inputs[0]
		}
	}
	root := func(name string) string {
		for same[name] != "" {
			name = same[name]
		}
		return name
	}
	last := make(map[string]int)
	for i, n := range nodes {
		for _, name := range n.Inputs {
			last[root(name)] = i
		}
	}
	given := make(map[string]bool)
	for _, out := range graph.Outputs {
		given[root(out.Name)] = true
	}
	ends := make(map[int]int64)
	var live, most int64
	for i, n := range nodes {
		for _, name := range n.Outputs {
			if root(name) == name && !given[name] {
				bytes := 4 * elements(shapes[name])
				live += bytes
				ends[max(last[name], i)] += bytes
			}
		}
		most = max(most, live)
		live -= ends[i]
	}
	return most
}

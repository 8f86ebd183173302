package autodiff

// LiveBytes is what computing the outputs needs at once beside the inputs and
// constants, at the least, in the order in which operators were added: each
// result from where it is made to where it is last read, an output to the end.
// A result in another shape is the same memory.
func (t *Tape) LiveBytes() int64 {
	shapes, same := make(map[string][]int64), make(map[string]string)
	named, _ := t.named()
	nameOf := func(v *Value) string { return rename([]string{v.name}, named)[0] }
	for _, o := range t.record {
		for _, v := range o.out {
			shapes[nameOf(v)] = v.shape
		}
		if o.op == "Reshape" {
			same[nameOf(o.out[0])] = nameOf(o.in[0])
		}
	}
	graph := t.Model().Graph
	nodes := graph.Nodes
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
	for _, out := range graph.Outputs {
		last[root(out.Name)] = len(nodes)
	}
	bytes := func(name string) int64 {
		if shape, computed := shapes[name]; computed {
			return 4 * elements(shape)
		}
		return 0
	}
	ends := make(map[int]int64)
	var live, most int64
	for i, n := range nodes {
		for _, name := range n.Outputs {
			if root(name) == name {
				live += bytes(name)
				ends[max(last[name], i)] += bytes(name)
			}
		}
		most = max(most, live)
		live -= ends[i]
	}
	return most
}

package onnxgraph

// Model is a whole ONNX file.
type Model struct {
	IRVersion       int64
	Opsets          []Opset // every domain that a node uses, each once
	Producer        string
	ProducerVersion string
	Domain          string
	Version         int64
	Doc             string
	Metadata        []Property // keys are unique
	Graph           *Graph
}

// Opset imports a version of a domain's operators.
type Opset struct {
	Domain  string
	Version int64
}

// Property is one entry of a model's metadata.
type Property struct{ Key, Value string }

// NewModel is a model of the graph for a version of the ai.onnx operators.
func NewModel(graph *Graph, opset int64) *Model {
	return &Model{
		IRVersion: IRVersionFor(opset),
		Opsets:    []Opset{{Domain: DomainONNX, Version: opset}},
		Producer:  "palate",
		Graph:     graph,
	}
}

// Graph is a list of nodes, each after those whose outputs it takes. Within a
// graph and the graphs around it every value has one name and one definition:
// an input, an initialiser or a node's output.
type Graph struct {
	Name         string
	Doc          string
	Inputs       []Value
	Outputs      []Value
	Initialisers []Tensor
	// Intermediate states types and shapes of other values, where a reader
	// wants them; runtimes infer them.
	Intermediate []Value
	Nodes        []Node
}

// Node applies an operator. An empty input name leaves out an optional input.
type Node struct {
	Name       string // for people and profilers; empty or unique in the graph
	Domain     string
	Op         string
	Inputs     []string
	Outputs    []string
	Attributes []Attribute
	Doc        string
}

// Value declares a name's type and shape. A nil Shape says nothing of the
// shape; an empty one is a scalar.
type Value struct {
	Name  string
	Type  ElementType
	Shape []Dim
	Doc   string
}

// Dim is one dimension: of Size, or of any size if Name is set (the same name
// is the same size wherever it stands in the model). The zero Dim is empty.
type Dim struct {
	Size int64
	Name string
}

// Fixed gives dimensions of known sizes.
func Fixed(sizes ...int64) []Dim {
	dims := make([]Dim, len(sizes))
	for i, s := range sizes {
		dims[i].Size = s
	}
	return dims
}

// Batched gives the shape of any number of things of known sizes; the first
// dimension is named "batch".
func Batched(sizes ...int64) []Dim {
	return append([]Dim{{Name: "batch"}}, Fixed(sizes...)...)
}

// Const adds an initialiser under a name and returns the name.
func (g *Graph) Const(name string, t Tensor) string {
	t.Name = name
	g.Initialisers = append(g.Initialisers, t)
	return name
}

// Op adds a node of ai.onnx with one output. Node and output are called name,
// which is returned, so that calls read as the formula they write.
func (g *Graph) Op(op, name string, inputs []string, attributes ...Attribute) string {
	return g.OpIn(DomainONNX, op, name, inputs, attributes...)
}

// OpIn is Op in another domain.
func (g *Graph) OpIn(domain, op, name string, inputs []string, attributes ...Attribute) string {
	g.Nodes = append(g.Nodes, Node{
		Name: name, Domain: domain, Op: op, Inputs: inputs, Outputs: []string{name}, Attributes: attributes,
	})
	return name
}

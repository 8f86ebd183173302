package onnxgraph

// AttributeKind is AttributeProto.AttributeType.
type AttributeKind int32

// The kinds of attribute.
const (
	KindFloat   AttributeKind = 1
	KindInt     AttributeKind = 2
	KindString  AttributeKind = 3
	KindTensor  AttributeKind = 4
	KindGraph   AttributeKind = 5
	KindFloats  AttributeKind = 6
	KindInts    AttributeKind = 7
	KindStrings AttributeKind = 8
	KindTensors AttributeKind = 9
	KindGraphs  AttributeKind = 10
)

// Attribute is a constant argument of a node. Of its lists only the one that
// Kind names is written; a single value is a list of one. Make it with the
// functions below.
type Attribute struct {
	Name    string
	Kind    AttributeKind
	Floats  []float32
	Ints    []int64
	Strings []string
	Tensors []Tensor
	Graphs  []*Graph
}

// Float is a float32 attribute.
func Float(name string, v float32) Attribute {
	return Attribute{Name: name, Kind: KindFloat, Floats: []float32{v}}
}

// Int is an int64 attribute.
func Int(name string, v int64) Attribute {
	return Attribute{Name: name, Kind: KindInt, Ints: []int64{v}}
}

// Text is a string attribute.
func Text(name, v string) Attribute {
	return Attribute{Name: name, Kind: KindString, Strings: []string{v}}
}

// Constant is a tensor attribute.
func Constant(name string, v Tensor) Attribute {
	return Attribute{Name: name, Kind: KindTensor, Tensors: []Tensor{v}}
}

// Body is a graph attribute, such as a branch of If. It sees the values of
// the graphs around it that are defined before its node.
func Body(name string, v *Graph) Attribute {
	return Attribute{Name: name, Kind: KindGraph, Graphs: []*Graph{v}}
}

// Floats is a list of float32.
func Floats(name string, v ...float32) Attribute {
	return Attribute{Name: name, Kind: KindFloats, Floats: v}
}

// Ints is a list of int64.
func Ints(name string, v ...int64) Attribute {
	return Attribute{Name: name, Kind: KindInts, Ints: v}
}

// Texts is a list of strings.
func Texts(name string, v ...string) Attribute {
	return Attribute{Name: name, Kind: KindStrings, Strings: v}
}

// lengths gives the length of the list that the kind names, of all lists
// together, and whether the kind is of single values.
func (a Attribute) lengths() (own, all int, single, known bool) {
	byKind := map[AttributeKind]int{
		KindFloat: len(a.Floats), KindInt: len(a.Ints), KindString: len(a.Strings), KindTensor: len(a.Tensors), KindGraph: len(a.Graphs),
		KindFloats: len(a.Floats), KindInts: len(a.Ints), KindStrings: len(a.Strings), KindTensors: len(a.Tensors), KindGraphs: len(a.Graphs),
	}
	own, known = byKind[a.Kind]
	all = len(a.Floats) + len(a.Ints) + len(a.Strings) + len(a.Tensors) + len(a.Graphs)
	return own, all, a.Kind <= KindGraph, known
}

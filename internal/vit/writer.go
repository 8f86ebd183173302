package vit

import (
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/onnxgraph"
)

// writer adds operators by their short names. Each method gives the name of
// the value that it adds. The first error sticks.
type writer struct {
	*onnxgraph.Graph
	a          Architecture
	o          Options
	opset      int64
	tableNames map[string]string // of tables that are cast
	shared     map[string]bool   // constants that are added once
	err        error
}

func newWriter(a Architecture, o Options) *writer {
	side := func(pixels int, name string) onnxgraph.Dim {
		if o.free() {
			return onnxgraph.Dim{Name: name}
		}
		return onnxgraph.Dim{Size: int64(pixels)}
	}
	g := &onnxgraph.Graph{
		Name: "vision_transformer",
		Doc:  a.String(),
		Inputs: []onnxgraph.Value{{Name: PixelsName, Type: onnxgraph.Float32, Shape: []onnxgraph.Dim{
			{Name: "batch"}, {Size: 3}, side(o.Height, "height"), side(o.Width, "width"),
		}}},
	}
	w := &writer{Graph: g, a: a, o: o, opset: 18, tableNames: map[string]string{}, shared: map[string]bool{}}
	if o.Form == Fused && !w.contribAttention() {
		w.opset = 23
	}
	return w
}

func (w *writer) model() *onnxgraph.Model {
	m := onnxgraph.NewModel(w.Graph, w.opset)
	if w.o.Form == Fused {
		m.Opsets = append(m.Opsets, onnxgraph.Opset{Domain: onnxgraph.DomainMicrosoft, Version: 1})
	}
	return m
}

// constant adds numbers in the graph's precision.
func (w *writer) constant(name string, shape []int64, values []float32) string {
	if w.o.Precision != Float16 {
		return w.Const(name, onnxgraph.Float32s(shape, values))
	}
	t, finite := onnxgraph.Float16s(shape, values)
	if !finite && w.err == nil {
		w.err = fmt.Errorf("%s: a value is too large for float16: %w", name, palate.ErrInvalid)
	}
	return w.Const(name, t)
}

func (w *writer) vector(name string, values []float32) string {
	return w.constant(name, []int64{int64(len(values))}, values)
}

// once adds a constant that several nodes take.
func (w *writer) once(name string, t onnxgraph.Tensor) string {
	if !w.shared[name] {
		w.shared[name] = true
		w.Const(name, t)
	}
	return name
}

// ints is a shape, axes or indices.
func (w *writer) ints(name string, values ...int64) string {
	return w.once(name, onnxgraph.Vector(values...))
}

func (w *writer) contrib(op, name string, inputs []string, attributes ...onnxgraph.Attribute) string {
	return w.OpIn(onnxgraph.DomainMicrosoft, op, name, inputs, attributes...)
}

func (w *writer) cast(name, x string, to onnxgraph.ElementType) string {
	return w.Op("Cast", name, []string{x}, onnxgraph.Int("to", int64(to)))
}

func (w *writer) reshape(name, x, shape string) string {
	return w.Op("Reshape", name, []string{x, shape})
}

func (w *writer) concat(name string, axis int64, parts ...string) string {
	return w.Op("Concat", name, parts, onnxgraph.Int("axis", axis))
}

// slice takes from..to of an axis; to may be beyond the end.
func (w *writer) slice(name, x string, axis, from, to int64) string {
	return w.Op("Slice", name, []string{x, w.index(from), w.index(to), w.index(axis)})
}

// index is a list of one index or axis.
func (w *writer) index(i int64) string {
	if i == toEnd {
		return w.ints("index/end", i)
	}
	return w.ints(fmt.Sprintf("index/%d", i), i)
}

const toEnd = 1<<31 - 1

// transposed gives a map's weight as [in, out], which products with tokens
// from the left take.
func (l linear) transposed() []float32 {
	t := make([]float32, len(l.weight))
	const tile = 32 // rows and columns that stay in the cache
	for o0 := 0; o0 < l.out; o0 += tile {
		for i0 := 0; i0 < l.in; i0 += tile {
			for o := o0; o < min(o0+tile, l.out); o++ {
				for i := i0; i < min(i0+tile, l.in); i++ {
					t[i*l.out+o] = l.weight[o*l.in+i]
				}
			}
		}
	}
	return t
}

// weight adds a map's weight, [in, out].
func (w *writer) weight(name string, l linear) string {
	return w.constant(name+"/weight", []int64{int64(l.in), int64(l.out)}, l.transposed())
}

func (w *writer) epsilon() onnxgraph.Attribute {
	return onnxgraph.Float("epsilon", float32(w.a.Epsilon))
}

// layerNorm normalises the last dimension.
func (w *writer) layerNorm(name, x string, n norm) string {
	return w.Op("LayerNormalization", name, []string{x, w.vector(name+"/scale", n.scale), w.vector(name+"/shift", n.shift)}, onnxgraph.Int("axis", -1), w.epsilon())
}

// sequence makes the tokens of the picture, [batch, tokens, dim], without
// their positions: class token, registers, patches.
func (w *writer) sequence(r *reader) string {
	a := w.a
	x := PixelsName
	if w.o.Precision == Float16 {
		x = w.cast("pixels/half", x, onnxgraph.Float16)
	}
	p := int64(a.PatchSize)
	l := r.linear(-1, patches)
	weight := w.constant("patches/weight", []int64{int64(a.Dim), 3, p, p}, l.weight)
	inputs := []string{x, weight}
	if l.bias != nil {
		inputs = append(inputs, w.vector("patches/bias", l.bias))
	}
	x = w.Op("Conv", "patches", inputs, onnxgraph.Ints("kernel_shape", p, p), onnxgraph.Ints("strides", p, p))
	x = w.reshape("patches/flat", x, w.ints("patches/shape", 0, int64(a.Dim), -1))
	x = w.Op("Transpose", "patches/tokens", []string{x}, onnxgraph.Ints("perm", 0, 2, 1))

	var prefix []float32
	if a.ClassToken {
		prefix = r.vector(-1, classToken)
	}
	if a.Registers > 0 {
		prefix = append(prefix, r.vector(-1, registers)...)
	}
	if r.err != nil || len(prefix) == 0 {
		return x
	}
	count, dim := int64(a.PrefixTokens()), int64(a.Dim)
	batch := w.Op("Shape", "batch", []string{x}, onnxgraph.Int("start", 0), onnxgraph.Int("end", 1))
	shape := w.concat("prefix/shape", 0, batch, w.ints("prefix/size", count, dim))
	first := w.Op("Expand", "prefix/tokens", []string{w.constant("prefix", []int64{1, count, dim}, prefix), shape})
	return w.concat("sequence", 1, first, x)
}

// placed is the sequence with its positions, and CLIP's LayerNorm after them.
func (w *writer) placed(r *reader) string {
	x := w.sequence(r)
	if w.a.Positions {
		x = w.Op("Add", "sequence/placed", []string{x, w.table(positionName)})
	}
	if w.a.TokenNorm && r.err == nil {
		x = w.layerNorm("sequence/norm", x, r.norm(-1, tokenNorm))
	}
	return x
}

// pool makes the outputs of the last tokens, [batch, tokens, dim].
func (w *writer) pool(tokens string, r *reader) {
	dim := int64(w.a.Dim)
	if w.o.Tokens {
		w.output(TokensName, tokens, onnxgraph.Dim{Name: "batch"}, w.tokenCount(), onnxgraph.Dim{Size: dim})
	}
	if w.o.Pool == PoolHead {
		w.head(tokens, r)
		return
	}
	var parts []string
	if w.o.Pool != PoolMean {
		parts = append(parts, w.reshape("class", w.slice("class/row", tokens, 1, 0, 1), w.ints("class/shape", -1, dim)))
	}
	if w.o.Pool != PoolClass {
		parts = append(parts, w.mean(tokens, r))
	}
	all := parts[0]
	if len(parts) > 1 {
		all = w.concat("class_and_mean", 1, parts...)
	}
	w.embedding(all)
}

func (w *writer) embedding(x string) {
	dim := int64(w.a.Dim)
	switch {
	case w.o.Pool == PoolBoth:
		dim *= 2
	case w.o.Pool == PoolHead && w.a.Projected > 0:
		dim = int64(w.a.Projected)
	}
	w.output(EmbeddingName, x, onnxgraph.Batched(dim)...)
}

// output makes a value an output of the graph, in float32.
func (w *writer) output(name, x string, shape ...onnxgraph.Dim) {
	if w.o.Precision == Float16 {
		w.cast(name, x, onnxgraph.Float32)
	} else {
		w.Op("Identity", name, []string{x})
	}
	w.Outputs = append(w.Outputs, onnxgraph.Value{Name: name, Type: onnxgraph.Float32, Shape: shape})
}

// tokenCount is the number of one picture's tokens.
func (w *writer) tokenCount() onnxgraph.Dim {
	if w.o.free() {
		return onnxgraph.Dim{Name: "tokens"}
	}
	p := w.a.PatchSize
	return onnxgraph.Dim{Size: int64(w.a.PrefixTokens() + w.o.Width/p*(w.o.Height/p))}
}

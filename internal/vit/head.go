package vit

import (
	"math"

	"github.com/palate-art/palate/internal/onnxgraph"
)

// mean is that of the patches' tokens, [batch, dim], after its LayerNorm if
// the model has one there.
func (w *writer) mean(tokens string, r *reader) string {
	rows := w.slice("mean/patches", tokens, 1, int64(w.a.PrefixTokens()), toEnd)
	mean := w.Op("ReduceMean", "mean", []string{rows, w.index(1)}, onnxgraph.Int("keepdims", 0))
	if !w.a.PooledNorm {
		return mean
	}
	n := r.norm(-1, pooledNorm)
	if r.err != nil {
		return mean
	}
	return w.layerNorm("mean/norm", mean, n)
}

// head makes the published feature of the last tokens, [batch, tokens, dim].
func (w *writer) head(tokens string, r *reader) {
	var x string
	switch {
	case w.a.Attending:
		x = w.attending(tokens, r)
	case w.a.Distilled:
		x = w.Op("ReduceMean", "two_tokens/mean", []string{w.slice("two_tokens", tokens, 1, 0, 2), w.index(1)}, onnxgraph.Int("keepdims", 0))
	case w.a.headOf == PoolMean:
		x = w.mean(tokens, r)
	default:
		x = w.reshape("class", w.slice("class/row", tokens, 1, 0, 1), w.ints("class/shape", -1, int64(w.a.Dim)))
	}
	w.project(x, r)
}

// project makes a feature, [batch, dim], the embedding.
func (w *writer) project(x string, r *reader) {
	if w.o.Pool == PoolHead && w.a.Projected > 0 {
		l := r.projection()
		if r.err != nil {
			return
		}
		x = w.dense("projected", x, l)
	}
	w.embedding(x)
}

// projection is the map from the feature to what it is compared with texts by.
func (r *reader) projection() linear {
	if r.a.tensors.has(outProjectionT) {
		turned := linear{out: r.a.Dim, in: r.a.Projected, weight: r.vector(-1, outProjectionT)}
		if r.err != nil {
			return linear{}
		}
		return linear{out: r.a.Projected, in: r.a.Dim, weight: turned.transposed()}
	}
	return r.linear(-1, outProjection)
}

// dense is a linear map in ordinary operators.
func (w *writer) dense(name, x string, l linear) string {
	if l.bias == nil {
		return w.Op("MatMul", name, []string{x, w.weight(name, l)})
	}
	product := w.Op("MatMul", name+"/product", []string{x, w.weight(name, l)})
	return w.Op("Add", name, []string{product, w.vector(name+"/bias", l.bias)})
}

// attending is attention pooling (Zhai et al., "Scaling Vision Transformers",
// 2022): a learned probe asks the tokens of all patches, then comes an MLP.
func (w *writer) attending(tokens string, r *reader) string {
	query, key, value := r.poolMaps()
	asked := r.vector(-1, probe)
	out, n := r.linear(-1, poolOut), r.norm(-1, poolNorm)
	fc1, fc2 := r.linear(-1, poolFC1), r.linear(-1, poolFC2)
	if r.err != nil {
		return tokens
	}
	if count := w.a.PrefixTokens(); count > 0 {
		tokens = w.slice("pool/patches", tokens, 1, int64(count), math.MaxInt64)
	}
	heads, width := int64(w.a.Heads), int64(w.a.headDim())
	asked = query.of(asked)
	for i := range asked {
		asked[i] /= float32(math.Sqrt(float64(width)))
	}
	cut := func(name string, l linear) string {
		x := w.reshape(name+"/cut", w.dense(name, tokens, l), w.ints("attention/cut", 0, -1, heads, width))
		return w.Op("Transpose", name+"/heads", []string{x}, onnxgraph.Ints("perm", 0, 2, 1, 3))
	}
	scores := w.Op("MatMul", "pool/scores", []string{cut("pool/key", key), w.constant("pool/probe", []int64{1, heads, width, 1}, asked)})
	shares := w.Op("Softmax", "pool/shares", []string{scores}, onnxgraph.Int("axis", 2))
	turned := w.Op("Transpose", "pool/shares/turned", []string{shares}, onnxgraph.Ints("perm", 0, 1, 3, 2))
	mixed := w.Op("MatMul", "pool/mixed", []string{turned, cut("pool/value", value)})
	x := w.dense("pool/out", w.reshape("pool/joined", mixed, w.ints("class/shape", -1, int64(w.a.Dim))), out)
	hidden := w.activated("pool/mlp/activation", w.dense("pool/mlp/up", w.layerNorm("pool/norm", x, n), fc1))
	return w.Op("Add", "pool/feature", []string{x, w.dense("pool/mlp/down", hidden, fc2)})
}

// poolMaps are the maps of attention pooling, however they are packed.
func (r *reader) poolMaps() (query, key, value linear) {
	if r.a.tensors.has(poolPacked) {
		parts := r.linear(-1, poolPacked).split(3)
		return parts[0], parts[1], parts[2]
	}
	parts := r.linear(-1, poolKV).split(2)
	return r.linear(-1, poolQuery), parts[0], parts[1]
}

// of is the map of one vector.
func (l linear) of(x []float32) []float32 {
	y := make([]float32, l.out)
	for o := range y {
		sum := 0.0
		for i, v := range l.weight[o*l.in:][:l.in] {
			sum += float64(v) * float64(x[i])
		}
		if l.bias != nil {
			sum += float64(l.bias[o])
		}
		y[o] = float32(sum)
	}
	return y
}

// activated is the model's activation by its formula.
func (w *writer) activated(name, x string) string {
	scalar := func(name string, v float64) string {
		return w.constantOnce(name, float32(v))
	}
	mul := func(name, a, b string) string { return w.Op("Mul", name, []string{a, b}) }
	switch w.a.Activation {
	case QuickGELU:
		return mul(name, x, w.Op("Sigmoid", name+"/sigmoid", []string{mul(name+"/scaled", x, scalar("gelu/1.702", 1.702))}))
	case GELUTanh:
		cube := mul(name+"/cube", mul(name+"/square", x, x), x)
		inner := w.Op("Add", name+"/inner", []string{x, mul(name+"/bent", cube, scalar("gelu/0.044715", 0.044715))})
		y := w.Op("Tanh", name+"/tanh", []string{mul(name+"/argument", inner, scalar("gelu/root_2_over_pi", math.Sqrt(2/math.Pi)))})
		y = mul(name+"/product", x, w.Op("Add", name+"/tanh_and_1", []string{y, scalar("gelu/1", 1)}))
		return mul(name, y, scalar("gelu/half", 0.5))
	}
	y := w.Op("Erf", name+"/erf", []string{w.Op("Div", name+"/over_root_2", []string{x, scalar("gelu/root_2", math.Sqrt2)})})
	y = mul(name+"/product", x, w.Op("Add", name+"/erf_and_1", []string{y, scalar("gelu/1", 1)}))
	return mul(name, y, scalar("gelu/half", 0.5))
}

// constantOnce is a number in the graph's precision.
func (w *writer) constantOnce(name string, v float32) string {
	if w.o.Precision != Float16 {
		return w.once(name, onnxgraph.Scalar(v))
	}
	t, _ := onnxgraph.Float16s(nil, []float32{v})
	return w.once(name, t)
}

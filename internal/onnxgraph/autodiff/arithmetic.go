package autodiff

import (
	"math"
	"slices"

	"github.com/palate-art/palate/internal/onnxgraph"
	"github.com/palate-art/palate/internal/operators"
)

// broadcast is the shape of a and b side by side, as NumPy broadcasts.
func broadcast(op string, a, b []int64) []int64 {
	out := make([]int64, max(len(a), len(b)))
	for i := range out {
		x, y := int64(1), int64(1)
		if j := i - (len(out) - len(a)); j >= 0 {
			x = a[j]
		}
		if j := i - (len(out) - len(b)); j >= 0 {
			y = b[j]
		}
		if x != y && x != 1 && y != 1 {
			misfit(op, a, b)
		}
		out[i] = max(x, y)
	}
	return out
}

func (t *Tape) binary(op string, a, b *Value) *Value {
	return t.op(operation{op: op, in: []*Value{a, b}}, nil, nil, broadcast(op, a.shape, b.shape))[0]
}

func (t *Tape) unary(op string, a *Value, attributes ...onnxgraph.Attribute) *Value {
	return t.op(operation{op: op, in: []*Value{a}}, nil, attributes, a.shape)[0]
}

// Add is a + b.
func (t *Tape) Add(a, b *Value) *Value { return t.binary("Add", a, b) }

// Sub is a − b.
func (t *Tape) Sub(a, b *Value) *Value { return t.binary("Sub", a, b) }

// Mul is a · b, number by number.
func (t *Tape) Mul(a, b *Value) *Value { return t.binary("Mul", a, b) }

// Div is a / b.
func (t *Tape) Div(a, b *Value) *Value { return t.binary("Div", a, b) }

// Pow is a to the power of b; it has no gradient.
func (t *Tape) Pow(a, b *Value) *Value { return t.binary("Pow", a, b) }

// Min is the lesser of a and b; it has no gradient.
func (t *Tape) Min(a, b *Value) *Value { return t.binary("Min", a, b) }

// Scale is a · x.
func (t *Tape) Scale(a *Value, x float64) *Value { return t.Mul(a, t.Scalar(x)) }

// Neg is −a.
func (t *Tape) Neg(a *Value) *Value { return t.unary("Neg", a) }

// Exp is e to the power of a.
func (t *Tape) Exp(a *Value) *Value { return t.unary("Exp", a) }

// Sqrt is the square root of a, which is above 0.
func (t *Tape) Sqrt(a *Value) *Value { return t.unary("Sqrt", a) }

// Erf is the error function of a.
func (t *Tape) Erf(a *Value) *Value { return t.unary("Erf", a) }

// Sigmoid is 1/(1+exp(−a)).
func (t *Tape) Sigmoid(a *Value) *Value { return t.unary("Sigmoid", a) }

// Gelu is a·Φ(a), exactly.
func (t *Tape) Gelu(a *Value) *Value { return t.unary("Gelu", a) }

// Softmax is over the last dimension.
func (t *Tape) Softmax(a *Value) *Value { return t.unary("Softmax", a, onnxgraph.Int("axis", -1)) }

// LogSoftmax is the logarithm of Softmax.
func (t *Tape) LogSoftmax(a *Value) *Value {
	return t.unary("LogSoftmax", a, onnxgraph.Int("axis", -1))
}

// MatMul multiplies the matrices of the last two dimensions; those before are
// broadcast.
func (t *Tape) MatMul(a, b *Value) *Value {
	n, m := len(a.shape), len(b.shape)
	if n < 2 || m < 2 || a.shape[n-1] != b.shape[m-2] {
		misfit("MatMul", a.shape, b.shape)
	}
	shape := append(broadcast("MatMul", a.shape[:n-2], b.shape[:m-2]), a.shape[n-2], b.shape[m-1])
	return t.op(operation{op: "MatMul", in: []*Value{a, b}}, nil, nil, shape)[0]
}

// Linear is x·wᵀ + bias of a matrix x [n, in] and weights [out, in], as they
// are published; bias [out] may be nil.
func (t *Tape) Linear(x, w, bias *Value) *Value {
	if bias == nil {
		return t.gemm(x, w, false, true)
	}
	return t.Add(t.gemm(x, w, false, true), bias)
}

// gemm is the product of two matrices, each turned if asked for.
func (t *Tape) gemm(a, b *Value, turnA, turnB bool) *Value {
	if len(a.shape) != 2 || len(b.shape) != 2 {
		misfit("Gemm", a.shape, b.shape)
	}
	sides := func(v *Value, turn bool) (int64, int64) {
		if turn {
			return v.shape[1], v.shape[0]
		}
		return v.shape[0], v.shape[1]
	}
	rows, inner := sides(a, turnA)
	other, columns := sides(b, turnB)
	if inner != other {
		misfit("Gemm", a.shape, b.shape)
	}
	flag := func(turn bool) int64 {
		if turn {
			return 1
		}
		return 0
	}
	return t.op(operation{op: "Gemm", in: []*Value{a, b}, flip: turnB, axis: flag(turnA)}, nil,
		[]onnxgraph.Attribute{onnxgraph.Int("transA", flag(turnA)), onnxgraph.Int("transB", flag(turnB))}, []int64{rows, columns})[0]
}

// LayerNorm normalises the last dimension and applies scale and shift, each of
// its length (Ba, Kiros and Hinton, Layer normalization, 2016).
func (t *Tape) LayerNorm(x, scale, shift *Value, epsilon float64) *Value {
	last := len(x.shape) - 1
	if !slices.Equal(scale.shape, x.shape[last:]) || !slices.Equal(shift.shape, scale.shape) {
		misfit("LayerNormalization", x.shape, scale.shape, shift.shape)
	}
	means := append(slices.Clone(x.shape[:last]), 1)
	return t.op(operation{op: "LayerNormalization", in: []*Value{x, scale, shift}}, nil,
		[]onnxgraph.Attribute{onnxgraph.Int("axis", -1), onnxgraph.Float("epsilon", float32(epsilon))}, x.shape, means, means)[0]
}

// Attention is softmax(q·kᵀ/√width)·v of each head (Vaswani et al., Attention is
// all you need, 2017), [batch, tokens, heads, width]. It takes q, k and v of that
// shape each, or the three in one of [batch, tokens, 3, heads, width].
func (t *Tape) Attention(of ...*Value) *Value {
	from := len(t.record)
	q, k, v := t.heads(of)
	scale := 1 / math.Sqrt(float64(q.shape[3]))
	shares := t.Softmax(t.MatMul(t.Scale(q, scale), t.Transpose(k, 0, 1, 3, 2)))
	mixed := t.Transpose(t.MatMul(shares, v), 0, 2, 1, 3)
	logs := &Value{mixed.name + "/logs", slices.Clone(shares.shape[:3]), t} // for who goes back from it
	parts := slices.Clone(t.record[from:])
	for _, o := range parts {
		o.part = true
	}
	t.record = append(t.record, &operation{op: "Attention", in: of, out: []*Value{mixed, logs}, parts: parts, back: operators.AttentionGradientOp})
	t.inShort(operators.AttentionOp, of, mixed, logs)
	return mixed
}

// heads gives q, k and v as [batch, heads, tokens, width].
func (t *Tape) heads(of []*Value) (q, k, v *Value) {
	parts := slices.Clone(of)
	if len(of) == 1 && len(of[0].shape) == 5 {
		parts = slices.Clone(t.Split(of[0], 2, 1, 1, 1))
		for i, p := range parts {
			parts[i] = t.Reshape(p, slices.Delete(p.Shape(), 2, 3)...)
		}
	}
	if len(parts) != 3 || slices.ContainsFunc(parts, func(p *Value) bool { return len(p.shape) != 4 || !slices.Equal(p.shape, parts[0].shape) }) {
		var shapes [][]int64
		for _, p := range parts {
			shapes = append(shapes, p.shape)
		}
		misfit("Attention", shapes...)
	}
	for i, p := range parts {
		parts[i] = t.Transpose(p, 0, 2, 1, 3)
	}
	return parts[0], parts[1], parts[2]
}

package autodiff

import (
	"math"
	"slices"

	"github.com/palate-art/palate/internal/operators"
)

// rules give, for each operator, the product of its results' gradient with its
// Jacobian, and add it to the gradients of its inputs.
var rules = map[string]func(*backward, *operation){
	"Add": func(b *backward, o *operation) {
		d := b.of(o)
		b.add(o.in[0], func() *Value { return d })
		b.add(o.in[1], func() *Value { return d })
	},
	"Sub": func(b *backward, o *operation) {
		d := b.of(o)
		b.add(o.in[0], func() *Value { return d })
		b.add(o.in[1], func() *Value { return b.Neg(b.fold(d, o.in[1].shape)) })
	},
	"Mul": mul,
	"Div": func(b *backward, o *operation) {
		d := b.Div(b.of(o), o.in[1])
		b.add(o.in[0], func() *Value { return d })
		b.add(o.in[1], func() *Value { return b.Neg(b.Mul(d, o.out[0])) })
	},
	"Neg":     single(func(b *backward, o *operation, d *Value) *Value { return b.Neg(d) }),
	"Exp":     single(func(b *backward, o *operation, d *Value) *Value { return b.Mul(d, o.out[0]) }),
	"Sqrt":    single(func(b *backward, o *operation, d *Value) *Value { return b.Div(b.Scale(d, .5), o.out[0]) }),
	"Erf":     single(erf),
	"Gelu":    single(gelu),
	"Reshape": single(func(b *backward, o *operation, d *Value) *Value { return b.Reshape(d, o.in[0].shape...) }),
	"Expand":  single(func(b *backward, o *operation, d *Value) *Value { return d }), // add folds it
	"Sigmoid": single(func(b *backward, o *operation, d *Value) *Value {
		y := o.out[0]
		return b.Mul(d, b.Mul(y, b.Sub(b.Scalar(1), y)))
	}),
	"Softmax": single(func(b *backward, o *operation, d *Value) *Value {
		y := o.out[0]
		dy := b.Mul(d, y)
		dx := b.Sub(dy, b.Mul(y, b.Sum(dy, true, last(y))))
		b.inShort(operators.SoftmaxGradientOp, []*Value{d, y}, dx)
		return dx
	}),
	"LogSoftmax": single(func(b *backward, o *operation, d *Value) *Value {
		y := o.out[0]
		return b.Sub(d, b.Mul(b.Exp(y), b.Sum(d, true, last(y))))
	}),
	"Transpose": single(func(b *backward, o *operation, d *Value) *Value {
		back := make([]int64, len(o.list))
		for i, from := range o.list {
			back[from] = int64(i)
		}
		return b.Transpose(d, back...)
	}),
	"ReduceSum":          single(func(b *backward, o *operation, d *Value) *Value { return b.spread(o, d) }),
	"ReduceMean":         single(func(b *backward, o *operation, d *Value) *Value { return b.Scale(b.spread(o, d), o.share()) }),
	"MatMul":             matMul,
	"Gemm":               gemm,
	"Slice":              single(slice),
	"Split":              split,
	"Concat":             concat,
	"LayerNormalization": layerNorm,
}

// of is the gradient of an operation's first result.
func (b *backward) of(o *operation) *Value {
	if d := b.gradients[o.out[0]]; d != nil {
		return d
	}
	return b.zeros(o.out[0].shape)
}

// single is the rule of an operator of one input.
func single(rule func(b *backward, o *operation, d *Value) *Value) func(*backward, *operation) {
	return func(b *backward, o *operation) {
		b.add(o.in[0], func() *Value { return rule(b, o, b.of(o)) })
	}
}

func last(v *Value) int64 { return int64(len(v.shape) - 1) }

func mul(b *backward, o *operation) {
	d, x, y := b.of(o), o.in[0], o.in[1]
	dx := func() *Value { return b.Mul(d, y) }
	dy := func() *Value { return b.fold(b.Mul(d, x), y.shape) }
	if len(y.shape) == 1 && len(x.shape) > 1 && y.shape[0] == x.shape[last(x)] && b.depends[x] && b.depends[y] { // a scale of x's numbers
		ofX, ofY := dx(), dy()
		dx, dy = func() *Value { return ofX }, func() *Value { return ofY }
		b.inShort(operators.ScaleGradientsOp, []*Value{d, x, y}, ofX, ofY)
	}
	b.add(x, dx)
	b.add(y, dy)
}

// erf' = 2/√π·exp(−x²)
func erf(b *backward, o *operation, d *Value) *Value {
	x := o.in[0]
	return b.Mul(d, b.Scale(b.Exp(b.Neg(b.Mul(x, x))), 2/math.Sqrt(math.Pi)))
}

// gelu' = Φ(x) + x·φ(x), from x alone: less memory than to keep parts of it.
// With s = x/√2 that is ½·(erf(s) + 1 + x·√(2/π)·exp(−s²)); the factor is in
// the exponent, since each operator is a way through memory.
func gelu(b *backward, o *operation, d *Value) *Value {
	x := o.in[0]
	s := b.Scale(x, math.Sqrt(.5))
	density := b.Exp(b.Sub(b.Scalar(math.Log(2/math.Pi)/2), b.Mul(s, s)))
	slope := b.Add(b.Add(b.Erf(s), b.Mul(x, density)), b.Scalar(1))
	dx := b.Mul(b.Scale(d, .5), slope)
	b.inShort(operators.GeluGradientOp, []*Value{d, x}, dx)
	return dx
}

// share is one over how many numbers a reduction takes together.
func (o *operation) share() float64 {
	return float64(elements(o.out[0].shape)) / float64(elements(o.in[0].shape))
}

// spread gives the gradient of a sum to each of its terms.
func (b *backward) spread(o *operation, d *Value) *Value {
	shape := slices.Clone(o.in[0].shape)
	for _, axis := range o.list {
		shape[axis] = 1
	}
	return b.Expand(b.Reshape(d, shape...), o.in[0].shape...)
}

func matMul(b *backward, o *operation) {
	d := b.of(o)
	b.add(o.in[0], func() *Value { return b.MatMul(d, b.turned(o.in[1])) })
	b.add(o.in[1], func() *Value { return b.MatMul(b.turned(o.in[0]), d) })
}

// gemm: of Y = op(A)·op(B), each matrix turned or not.
func gemm(b *backward, o *operation) {
	d, x, w := b.of(o), o.in[0], o.in[1]
	turnX, turnW := o.axis == 1, o.flip
	b.add(x, func() *Value {
		if turnX {
			return b.gemm(w, d, turnW, true)
		}
		return b.gemm(d, w, false, !turnW)
	})
	b.add(w, func() *Value {
		if turnW {
			return b.gemm(d, x, true, turnX)
		}
		return b.gemm(x, d, !turnX, false)
	})
}

// slice: zeros before and behind; CUDA has no Pad of this opset.
func slice(b *backward, o *operation, d *Value) *Value {
	var parts []*Value
	fill := func(n int64) {
		if n > 0 {
			shape := slices.Clone(d.shape)
			shape[o.axis] = n
			parts = append(parts, b.zeros(shape))
		}
	}
	fill(o.from)
	parts = append(parts, d)
	fill(o.in[0].shape[o.axis] - o.from - d.shape[o.axis])
	return b.Concat(int(o.axis), parts...)
}

func split(b *backward, o *operation) {
	b.add(o.in[0], func() *Value {
		parts := make([]*Value, len(o.out))
		for i, v := range o.out {
			if parts[i] = b.gradients[v]; parts[i] == nil {
				parts[i] = b.zeros(v.shape)
			}
		}
		return b.Concat(int(o.axis), parts...)
	})
}

func concat(b *backward, o *operation) {
	sizes := make([]int64, len(o.in))
	for i, v := range o.in {
		sizes[i] = v.shape[o.axis]
	}
	parts := b.Split(b.of(o), int(o.axis), sizes...)
	for i, v := range o.in {
		b.add(v, func() *Value { return parts[i] })
	}
}

// layerNorm: with h = dy·scale and x̂ the normalised input,
// dx = (h − mean(h) − x̂·mean(h·x̂))/σ.
func layerNorm(b *backward, o *operation) {
	d, x, scale := b.of(o), o.in[0], o.in[1]
	mean, inverse := o.out[1], o.out[2] // the operator's own, in float32 always
	normal := b.Mul(b.Sub(x, mean), inverse)
	shift := o.in[2]
	scales, shifts := b.fold(b.Mul(d, normal), scale.shape), b.fold(d, shift.shape)
	h := b.Mul(d, scale)
	rest := b.Sub(b.Sub(h, b.Mean(h, true, last(x))), b.Mul(normal, b.Mean(b.Mul(h, normal), true, last(x))))
	dx := b.Mul(rest, inverse)
	b.add(scale, func() *Value { return scales })
	b.add(shift, func() *Value { return shifts })
	b.add(x, func() *Value { return dx })
	taken := []*Value{d, x, scale, mean, inverse}
	sums := b.depends[scale] && b.depends[shift] && shifts != d // else nothing is added up
	switch {
	case sums && b.depends[x]:
		b.inShort(operators.NormGradientsOp, taken, dx, scales, shifts)
	case sums:
		b.inShort(operators.NormSumsOp, taken, scales, shifts)
	case b.depends[x]:
		b.inShort(operators.NormGradientOp, taken, dx)
	}
}

package autodiff

import (
	"slices"

	"github.com/palate-art/palate/internal/onnxgraph"
)

// Reshape lays the same numbers out in another shape.
func (t *Tape) Reshape(a *Value, shape ...int64) *Value {
	if elements(a.shape) != elements(shape) {
		misfit("Reshape", a.shape, shape)
	}
	if slices.Equal(a.shape, shape) {
		return a
	}
	return t.op(operation{op: "Reshape", in: []*Value{a}}, []string{t.vector(shape...)}, nil, shape)[0]
}

// Transpose puts dimension order[i] in place i.
func (t *Tape) Transpose(a *Value, order ...int64) *Value {
	if len(order) != len(a.shape) {
		misfit("Transpose", a.shape, order)
	}
	shape := make([]int64, len(order))
	for i, from := range order {
		shape[i] = a.shape[from]
	}
	return t.op(operation{op: "Transpose", in: []*Value{a}, list: slices.Clone(order)}, nil, []onnxgraph.Attribute{onnxgraph.Ints("perm", order...)}, shape)[0]
}

// turned exchanges the last two dimensions.
func (t *Tape) turned(a *Value) *Value {
	order := make([]int64, len(a.shape))
	for i := range order {
		order[i] = int64(i)
	}
	n := len(order)
	order[n-1], order[n-2] = order[n-2], order[n-1]
	return t.Transpose(a, order...)
}

// Expand broadcasts to a shape.
func (t *Tape) Expand(a *Value, shape ...int64) *Value {
	if slices.Equal(a.shape, shape) {
		return a
	}
	if !slices.Equal(broadcast("Expand", a.shape, shape), shape) {
		misfit("Expand", a.shape, shape)
	}
	return t.op(operation{op: "Expand", in: []*Value{a}}, []string{t.vector(shape...)}, nil, shape)[0]
}

// Slice takes from up to, not including, to of an axis.
func (t *Tape) Slice(a *Value, axis int, from, to int64) *Value {
	if from < 0 || to > a.shape[axis] || from >= to {
		misfit("Slice", a.shape, []int64{int64(axis), from, to})
	}
	shape := slices.Clone(a.shape)
	shape[axis] = to - from
	return t.op(operation{op: "Slice", in: []*Value{a}, axis: int64(axis), from: from},
		[]string{t.vector(from), t.vector(to), t.vector(int64(axis))}, nil, shape)[0]
}

// Split cuts an axis into parts of the given sizes.
func (t *Tape) Split(a *Value, axis int, sizes ...int64) []*Value {
	shapes, sum := make([][]int64, len(sizes)), int64(0)
	for i, size := range sizes {
		shapes[i] = slices.Clone(a.shape)
		shapes[i][axis] = size
		sum += size
	}
	if sum != a.shape[axis] {
		misfit("Split", a.shape, sizes)
	}
	return t.op(operation{op: "Split", in: []*Value{a}, axis: int64(axis)}, []string{t.vector(sizes...)},
		[]onnxgraph.Attribute{onnxgraph.Int("axis", int64(axis))}, shapes...)
}

// Concat puts values behind each other along an axis.
func (t *Tape) Concat(axis int, parts ...*Value) *Value {
	if len(parts) == 1 {
		return parts[0]
	}
	shape := slices.Clone(parts[0].shape)
	for _, p := range parts[1:] {
		shape[axis] += p.shape[axis]
		rest := slices.Clone(p.shape)
		rest[axis] = shape[axis]
		if !slices.Equal(rest, shape) {
			misfit("Concat", parts[0].shape, p.shape)
		}
	}
	return t.op(operation{op: "Concat", in: parts, axis: int64(axis)}, nil, []onnxgraph.Attribute{onnxgraph.Int("axis", int64(axis))}, shape)[0]
}

// Sum adds up over axes, which stay with size 1 if keep is set; no axes are
// all of them.
func (t *Tape) Sum(a *Value, keep bool, axes ...int64) *Value {
	return t.reduce("ReduceSum", a, keep, axes)
}

// Mean is Sum divided by the count.
func (t *Tape) Mean(a *Value, keep bool, axes ...int64) *Value {
	return t.reduce("ReduceMean", a, keep, axes)
}

// SumOfSquares is that of all numbers; it has no gradient.
func (t *Tape) SumOfSquares(a *Value) *Value { return t.reduce("ReduceSumSquare", a, false, nil) }

func (t *Tape) reduce(op string, a *Value, keep bool, axes []int64) *Value {
	if len(axes) == 0 {
		for i := range a.shape {
			axes = append(axes, int64(i))
		}
	}
	if len(axes) == 0 {
		return a
	}
	shape, keepDims := []int64{}, int64(0)
	for i, d := range a.shape {
		switch {
		case !slices.Contains(axes, int64(i)):
			shape = append(shape, d)
		case keep:
			shape = append(shape, 1)
		}
	}
	if keep {
		keepDims = 1
	}
	return t.op(operation{op: op, in: []*Value{a}, list: slices.Clone(axes)}, []string{t.vector(axes...)},
		[]onnxgraph.Attribute{onnxgraph.Int("keepdims", keepDims)}, shape)[0]
}

package autodiff

import (
	"fmt"
	"slices"
)

// Gradients adds the gradient of Σ seed·result with respect to each value of
// the list and returns them, each of its value's shape; what the result does
// not depend on has a gradient of zeros. seed has the result's shape: 1 for a
// loss, or the factor that a loss is scaled by.
func (t *Tape) Gradients(result, seed *Value, of []*Value) []*Value {
	t.own(result, seed)
	t.own(of...)
	if !slices.Equal(result.shape, seed.shape) {
		misfit("Gradients", result.shape, seed.shape)
	}
	b := &backward{Tape: t, depends: make(map[*Value]bool), gradients: map[*Value]*Value{result: seed}}
	for _, v := range of {
		b.depends[v] = true
	}
	forward := slices.Clone(t.record)
	for _, o := range forward {
		if slices.ContainsFunc(o.in, func(v *Value) bool { return b.depends[v] }) {
			for _, v := range o.out {
				b.depends[v] = true
			}
		}
	}
	b.through(slices.DeleteFunc(forward, func(o *operation) bool { return o.part }))
	out := make([]*Value, len(of))
	for i, v := range of {
		if out[i] = b.gradients[v]; out[i] == nil {
			out[i] = t.zeros(v.shape)
		}
	}
	return out
}

// backward is one way back over a tape.
type backward struct {
	*Tape
	depends   map[*Value]bool // on what a gradient is wanted of
	gradients map[*Value]*Value
}

// through goes back through operations.
func (b *backward) through(forward []*operation) {
	for _, o := range slices.Backward(forward) {
		reached := slices.ContainsFunc(o.out, func(v *Value) bool { return b.gradients[v] != nil })
		wanted := slices.ContainsFunc(o.in, func(v *Value) bool { return b.depends[v] })
		if !reached || !wanted {
			continue
		}
		if o.parts != nil {
			b.throughParts(o)
			continue
		}
		rule, there := rules[o.op]
		if !there {
			panic(fmt.Sprintf("autodiff: %s has no gradient", o.op))
		}
		rule(b, o)
	}
}

// throughParts goes back through what an operation is written in.
func (b *backward) throughParts(o *operation) {
	d := b.of(o)
	inner := &backward{Tape: b.Tape, depends: b.depends, gradients: map[*Value]*Value{o.out[0]: d}}
	inner.through(o.parts)
	var gradients []*Value
	for i, v := range o.in {
		if g := inner.gradients[v]; g != nil && !slices.Contains(o.in[:i], v) {
			b.add(v, func() *Value { return g })
			gradients = append(gradients, g)
		}
	}
	if len(gradients) == len(o.in) {
		b.inShort(o.back, slices.Concat([]*Value{d}, o.out, o.in), gradients...)
	}
}

// add adds to the gradient of a value what one use of it gives, if it is
// wanted. It is computed only then.
func (b *backward) add(v *Value, gradient func() *Value) {
	if !b.depends[v] {
		return
	}
	g := b.fold(gradient(), v.shape)
	if !slices.Equal(g.shape, v.shape) {
		misfit("gradient of "+v.name, v.shape, g.shape)
	}
	if before := b.gradients[v]; before != nil {
		g = b.Add(before, g)
	}
	b.gradients[v] = g
}

// fold adds up what broadcasting has spread.
func (t *Tape) fold(g *Value, shape []int64) *Value {
	if slices.Equal(g.shape, shape) {
		return g
	}
	var axes []int64
	ahead := len(g.shape) - len(shape)
	for i, d := range g.shape {
		if i < ahead || shape[i-ahead] == 1 && d != 1 {
			axes = append(axes, int64(i))
		}
	}
	if len(axes) > 0 {
		g = t.Sum(g, true, axes...)
	}
	return t.Reshape(g, shape...)
}

func (t *Tape) zeros(shape []int64) *Value { return t.Expand(t.Scalar(0), shape...) }

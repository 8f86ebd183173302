package vit

import (
	"fmt"
	"slices"

	"github.com/palate-art/palate"
)

// linear is the map x ↦ weight·x + bias; bias is nil where there is none.
type linear struct {
	out, in int
	weight  []float32 // [out, in]
	bias    []float32
}

// norm is a LayerNorm's scale and shift.
type norm struct{ scale, shift []float32 }

// block is one block's weights, whatever their names and packing.
type block struct {
	norm1, norm2                  norm
	query, key, value, projection linear
	scale1, scale2                []float32 // nil without LayerScale
	gate                          linear    // SwiGLU's alone
	up, down                      linear
	inner                         norm
	attended                      norm // before projection
}

// reader reads a model's weights by role. The first error sticks, and
// everything after it is empty.
type reader struct {
	file Tensors
	a    Architecture
	err  error
}

func (r *reader) tensor(name string) []float32 {
	if r.err != nil {
		return nil
	}
	values, err := r.file.Float32s(name)
	if err != nil {
		r.err = err
		return nil
	}
	for i, v := range values {
		if v-v != 0 { // NaN or infinite
			r.err = fmt.Errorf("tensor %q: value %d is %v: %w", name, i, v, palate.ErrInvalid)
			return nil
		}
	}
	return values
}

// vector reads a role that is one tensor, of the model for a block below 0.
func (r *reader) vector(block int, what role) []float32 {
	return r.tensor(r.a.tensors.of(block, what))
}

func (r *reader) norm(block int, what role) norm {
	name := r.a.tensors.of(block, what)
	return norm{r.tensor(weightOf(name)), r.tensor(biasOf(name))}
}

func (r *reader) linear(block int, what role) linear {
	name := r.a.tensors.of(block, what)
	l := linear{weight: r.tensor(weightOf(name))}
	if _, found := r.file.Tensor(biasOf(name)); found {
		l.bias = r.tensor(biasOf(name))
	}
	if t, found := r.file.Tensor(weightOf(name)); found && len(t.Shape) > 1 {
		l.out = int(t.Shape[0])
		l.in = int(t.Elements()) / max(1, l.out)
	}
	return l
}

// split cuts a map into n of equal height.
func (l linear) split(n int) []linear {
	parts := make([]linear, n)
	out := l.out / n
	for i := range parts {
		parts[i] = linear{out: out, in: l.in}
		if l.weight != nil {
			parts[i].weight = l.weight[i*out*l.in:][:out*l.in]
		}
		if l.bias != nil {
			parts[i].bias = l.bias[i*out:][:out]
		}
	}
	return parts
}

// scaled multiplies each output by its factor; no factors are ones.
func (l linear) scaled(factors []float32) linear {
	if factors == nil {
		return l
	}
	s := linear{out: l.out, in: l.in, weight: make([]float32, len(l.weight))}
	for i, v := range l.weight {
		s.weight[i] = v * factors[i/l.in]
	}
	if l.bias != nil {
		s.bias = make([]float32, len(l.bias))
		for i, v := range l.bias {
			s.bias[i] = v * factors[i]
		}
	}
	return s
}

// block reads one block.
func (r *reader) block(n int) block {
	names := r.a.tensors
	b := block{norm1: r.norm(n, norm1), norm2: r.norm(n, norm2), projection: r.linear(n, projection), down: r.linear(n, fc2)}
	if names.has(packedQKV) {
		packed := r.linear(n, packedQKV)
		if names.has(queryBias) {
			packed.bias = slices.Concat(r.vector(n, queryBias), make([]float32, r.a.Dim), r.vector(n, valueBias))
		}
		if _, masked := r.file.Tensor(biasOf(names.of(n, packedQKV)) + "_mask"); masked && packed.bias != nil {
			clear(packed.bias[r.a.Dim : 2*r.a.Dim]) // DINOv3's own files: keys have none, whatever is stored
		}
		qkv := packed.split(3)
		b.query, b.key, b.value = qkv[0], qkv[1], qkv[2]
	} else {
		b.query, b.key, b.value = r.linear(n, query), r.linear(n, key), r.linear(n, value)
	}
	if r.a.LayerScale {
		b.scale1, b.scale2 = r.vector(n, scale1), r.vector(n, scale2)
	}
	switch {
	case names.has(gate):
		b.gate, b.up = r.linear(n, gate), r.linear(n, up)
	case r.a.MLP == SwiGLU:
		packed := r.linear(n, fc1).split(2)
		b.gate, b.up = packed[0], packed[1]
	default:
		b.up = r.linear(n, fc1)
	}
	if r.a.AttentionNorm {
		b.attended = r.norm(n, attnNorm)
	}
	if r.a.InnerNorm {
		b.inner = r.norm(n, innerNorm)
	}
	return b
}

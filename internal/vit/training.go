package vit

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/onnxgraph/autodiff"
)

// trainable are the families that have a training form.
var trainable = []string{"dinov2", "vit", "eva02"}

// Trainable is a model whose weights are changed: its tensors as they are
// published, and the graph that takes them as inputs.
type Trainable struct {
	Architecture Architecture
	// Width and Height are the input's, in pixels. The position embedding is
	// a parameter at this size: it is resampled once, trained at the grid in
	// use, and exported at it.
	Width, Height int
	// Parameters are all tensors that the tokens depend on, from the patches
	// up.
	Parameters []Parameter
	// Licence is the one that the weights are given out under, for people.
	Licence  string
	cos, sin []float32
}

// Parameter is one tensor, under its published name and in its published
// shape and packing.
type Parameter struct {
	Name  string
	Shape []int64
	Data  []float32
	// Layer is 0 for patches and tokens, n for the n-th block, depth + 1 for
	// the last norm.
	Layer int
	// Decay: weight decay applies, as it does to the weights of linear maps
	// and not to biases, norms, scales, tokens and positions.
	Decay bool
}

// OpenTrainable reads a model's weights for training at an input of width ×
// height pixels. A family without a training form, and a size that patches
// don't fill, are palate.ErrInvalid.
func OpenTrainable(ctx context.Context, file Tensors, a Architecture, width, height int) (*Trainable, error) {
	if !slices.Contains(trainable, a.Family) || !a.ordinary() {
		return nil, fmt.Errorf("a model of the family %q can't be fine-tuned here, only %s can: learn a probe on its embeddings instead: %w", a.Family, strings.Join(trainable, ", "), palate.ErrInvalid)
	}
	if err := a.Validate(); err != nil {
		return nil, err
	}
	if err := checkSize(a, width, height); err != nil {
		return nil, err
	}
	if err := checkFile(file, a); err != nil {
		return nil, err
	}
	m := &Trainable{Architecture: a, Width: width, Height: height}
	r := &reader{file: file, a: a}
	has := func(name string) bool { _, found := file.Tensor(name); return found }
	for _, t := range m.tensors(has) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p := Parameter{Name: t.name, Layer: t.layer, Decay: t.decay, Data: r.tensor(t.name)}
		if stored, found := file.Tensor(t.name); found {
			p.Shape = slices.Clone(stored.Shape)
		}
		if r.err != nil {
			return nil, r.err
		}
		m.Parameters = append(m.Parameters, p)
	}
	m.placePositions()
	if a.Rotary {
		m.cos, m.sin = rotary(a, height/a.PatchSize, width/a.PatchSize)
	}
	return m, nil
}

type tensorOf struct {
	name  string
	layer int
	decay bool
}

// tensors lists the tensors that the tokens depend on. A map has a bias where
// the file has one.
func (m *Trainable) tensors(has func(name string) bool) []tensorOf {
	a, names := m.Architecture, m.Architecture.tensors
	var out []tensorOf
	add := func(name string, layer int, decay bool) {
		if has(name) {
			out = append(out, tensorOf{name, layer, decay})
		}
	}
	vector := func(block int, r role) { add(names.of(block, r), block+1, false) }
	norm := func(block, layer int, r role) {
		add(names.of(block, r)+".weight", layer, false)
		add(names.of(block, r)+".bias", layer, false)
	}
	linear := func(block int, roles ...role) {
		for _, r := range roles {
			if names.has(r) {
				add(names.of(block, r)+".weight", block+1, true)
				add(names.of(block, r)+".bias", block+1, false)
			}
		}
	}
	vector(-1, classToken)
	if a.Registers > 0 {
		vector(-1, registers)
	}
	vector(-1, positions)
	linear(-1, patches)
	for n := range a.Depth {
		norm(n, n+1, norm1)
		linear(n, packedQKV, query, key, value, projection)
		norm(n, n+1, norm2)
		linear(n, gate, up, fc1)
		if a.InnerNorm {
			norm(n, n+1, innerNorm)
		}
		linear(n, fc2)
		if a.LayerScale {
			vector(n, scale1)
			vector(n, scale2)
		}
	}
	last := finalNorm
	if a.PooledNorm {
		last = pooledNorm
	}
	norm(-1, a.Depth+1, last)
	return out
}

// placePositions brings the position embedding to the grid in use.
func (m *Trainable) placePositions() {
	a := m.Architecture
	rows, columns := m.Height/a.PatchSize, m.Width/a.PatchSize
	for i := range m.Parameters {
		p := &m.Parameters[i]
		if p.Name != a.tensors.of(-1, positions) {
			continue
		}
		prefix := a.positionPrefix * a.Dim
		grid := a.Resampling.resample(p.Data[prefix:], a.Dim, a.GridRows, a.GridColumns, rows, columns)
		p.Data = append(slices.Clone(p.Data[:prefix]), grid...)
		p.Shape = []int64{1, int64(a.positionPrefix + rows*columns), int64(a.Dim)}
	}
}

// Weights are the parameters as inputs of a graph, by name.
type Weights map[string]*autodiff.Value

// Inputs makes every parameter an input of the graph, under its own name.
func (m *Trainable) Inputs(t *autodiff.Tape) Weights {
	w := make(Weights, len(m.Parameters))
	for _, p := range m.Parameters {
		w[p.Name] = t.Input(p.Name, p.Shape...)
	}
	return w
}

// Keep gives what the update of a block's branch, 0 for attention and 1 for
// the feed-forward network, is multiplied with for each picture, [batch, 1,
// 1]: 0 where it is dropped, else 1/(1−share dropped).
type Keep func(block, branch int) *autodiff.Value

// Feature writes the model from the pixels, [batch, 3, height, width], to the
// pooled feature, [batch, dim] or [batch, 2·dim]. keep may be nil.
func (m *Trainable) Feature(t *autodiff.Tape, pixels *autodiff.Value, w Weights, pool Pool, keep Keep) *autodiff.Value {
	return m.FeatureFrom(t, m.Tokens(t, pixels, w, 0, keep), w, 0, pool, keep)
}

// Tokens writes the model from the pixels to the tokens, [batch, tokens, dim],
// as they are before a block.
func (m *Trainable) Tokens(t *autodiff.Tape, pixels *autodiff.Value, w Weights, before int, keep Keep) *autodiff.Value {
	f := &trainingForm{Tape: t, m: m, a: m.Architecture, w: w, batch: pixels.Shape()[0]}
	x := f.sequence(pixels)
	for n := range before {
		x = f.block(n, x, keep)
	}
	return x
}

// FeatureFrom writes the model from the tokens before a block to the pooled
// feature.
func (m *Trainable) FeatureFrom(t *autodiff.Tape, tokens *autodiff.Value, w Weights, from int, pool Pool, keep Keep) *autodiff.Value {
	f := &trainingForm{Tape: t, m: m, a: m.Architecture, w: w, batch: tokens.Shape()[0]}
	x := tokens
	for n := from; n < f.a.Depth; n++ {
		x = f.block(n, x, keep)
	}
	return f.pool(x, pool)
}

// Block writes one block from the tokens before it to those behind it.
func (m *Trainable) Block(t *autodiff.Tape, n int, tokens *autodiff.Value, w Weights, keep Keep) *autodiff.Value {
	f := &trainingForm{Tape: t, m: m, a: m.Architecture, w: w, batch: tokens.Shape()[0]}
	return f.block(n, tokens, keep)
}

// TokenShape is the shape of the tokens of a batch.
func (m *Trainable) TokenShape(batch int) []int64 {
	p := m.Architecture.PatchSize
	return []int64{int64(batch), int64(m.Architecture.PrefixTokens() + m.Height/p*(m.Width/p)), int64(m.Architecture.Dim)}
}

// The suffixes of a low-rank change of a linear map's weight, [out, in]: the
// map is that of weight + up·down, down [rank, in], up [out, rank] (Hu et al.,
// LoRA: low-rank adaptation of large language models, 2022). Weights that have
// such inputs are changed by them.
const (
	LowRankDown = ".lora_down"
	LowRankUp   = ".lora_up"
)

// trainingForm writes the model with ordinary operators whose gradients are
// known: patches by a product instead of a convolution, LayerScale apart, all
// tokens through every block.
type trainingForm struct {
	*autodiff.Tape
	m     *Trainable
	a     Architecture
	w     Weights
	batch int64
}

func (f *trainingForm) dim() int64 { return int64(f.a.Dim) }

func (f *trainingForm) vector(block int, r role) *autodiff.Value {
	return f.w[f.a.tensors.of(block, r)]
}

// linear applies a map to tokens [batch, tokens, in].
func (f *trainingForm) linear(x *autodiff.Value, block int, r role) *autodiff.Value {
	name, shape := f.a.tensors.of(block, r), x.Shape()
	weight := f.w[name+".weight"]
	rows := f.Reshape(x, shape[0]*shape[1], shape[2])
	y := f.Linear(rows, weight, f.w[name+".bias"])
	if down, there := f.w[name+".weight"+LowRankDown]; there {
		y = f.Add(y, f.Linear(f.Linear(rows, down, nil), f.w[name+".weight"+LowRankUp], nil))
	}
	return f.Reshape(y, shape[0], shape[1], weight.Shape()[0])
}

func (f *trainingForm) norm(x *autodiff.Value, block int, r role) *autodiff.Value {
	name := f.a.tensors.of(block, r)
	return f.LayerNorm(x, f.w[name+".weight"], f.w[name+".bias"], f.a.Epsilon)
}

// sequence makes the tokens with their positions, [batch, tokens, dim].
func (f *trainingForm) sequence(pixels *autodiff.Value) *autodiff.Value {
	p := int64(f.a.PatchSize)
	rows, columns := int64(f.m.Height)/p, int64(f.m.Width)/p
	x := f.Transpose(f.Reshape(pixels, f.batch, 3, rows, p, columns, p), 0, 2, 4, 1, 3, 5)
	x = f.Reshape(x, f.batch*rows*columns, 3*p*p)
	name := f.a.tensors.of(-1, patches)
	x = f.Linear(x, f.Reshape(f.w[name+".weight"], f.dim(), 3*p*p), f.w[name+".bias"])
	x = f.Reshape(x, f.batch, rows*columns, f.dim())

	prefix := f.vector(-1, classToken)
	if f.a.Registers > 0 {
		prefix = f.Concat(1, prefix, f.vector(-1, registers))
	}
	stored, count := int64(f.a.positionPrefix), int64(f.a.PrefixTokens())
	places := f.vector(-1, positions)
	if stored > 0 {
		parts := f.Split(places, 1, stored, rows*columns)
		places = parts[1]
		placed := f.Add(f.Slice(prefix, 1, 0, stored), parts[0])
		if stored < count {
			placed = f.Concat(1, placed, f.Slice(prefix, 1, stored, count))
		}
		prefix = placed
	}
	return f.Concat(1, f.Expand(prefix, f.batch, count, f.dim()), f.Add(x, places))
}

func (f *trainingForm) block(n int, x *autodiff.Value, keep Keep) *autodiff.Value {
	join := func(update *autodiff.Value, scale role, branch int) {
		var factor *autodiff.Value
		if f.a.LayerScale {
			factor = f.vector(n, scale)
		}
		if keep != nil && factor == nil {
			factor = keep(n, branch)
		} else if keep != nil {
			factor = f.Mul(factor, keep(n, branch)) // [batch, 1, dim]: smaller than update
		}
		if factor != nil {
			update = f.Mul(update, factor)
		}
		x = f.Add(x, update)
	}
	join(f.attention(n, f.norm(x, n, norm1)), scale1, 0)
	join(f.feedForward(n, f.norm(x, n, norm2)), scale2, 1)
	return x
}

func (f *trainingForm) attention(n int, x *autodiff.Value) *autodiff.Value {
	tokens, heads, width := x.Shape()[1], int64(f.a.Heads), int64(f.a.headDim())
	byHead := func(y *autodiff.Value) *autodiff.Value { return f.Reshape(y, f.batch, tokens, heads, width) }
	var of []*autodiff.Value
	if f.a.tensors.has(packedQKV) {
		of = append(of, f.Reshape(f.linear(x, n, packedQKV), f.batch, tokens, 3, heads, width))
		if f.a.Rotary {
			of = f.Split(of[0], 2, 1, 1, 1)
		}
	} else {
		of = append(of, f.linear(x, n, query), f.linear(x, n, key), f.linear(x, n, value))
	}
	if len(of) == 3 {
		of = []*autodiff.Value{f.rotate(byHead(of[0])), f.rotate(byHead(of[1])), byHead(of[2])}
	}
	return f.linear(f.Reshape(f.Attention(of...), f.batch, tokens, f.dim()), n, projection)
}

// rotate turns the pairs of each head's values by the angles of their token's
// place, see plainForm.
func (f *trainingForm) rotate(x *autodiff.Value) *autodiff.Value {
	if !f.a.Rotary {
		return x
	}
	shape := x.Shape()
	half := shape[3] / 2
	table := func(name string, values []float32) *autodiff.Value {
		if v, there := f.w[name]; there {
			return v
		}
		f.w[name] = f.Constant(name, []int64{shape[1], 1, half, 1}, values)
		return f.w[name]
	}
	cos, sin := table(cosineName, f.m.cos), table(sineName, f.m.sin)
	pairs := f.Split(f.Reshape(x, shape[0], shape[1], shape[2], half, 2), 4, 1, 1)
	y0 := f.Sub(f.Mul(pairs[0], cos), f.Mul(pairs[1], sin))
	y1 := f.Add(f.Mul(pairs[1], cos), f.Mul(pairs[0], sin))
	return f.Reshape(f.Concat(4, y0, y1), shape...)
}

func (f *trainingForm) feedForward(n int, x *autodiff.Value) *autodiff.Value {
	hidden := int64(f.a.Hidden)
	var y *autodiff.Value
	switch {
	case f.a.tensors.has(gate):
		y = f.gated(f.linear(x, n, gate), f.linear(x, n, up))
	case f.a.MLP == SwiGLU:
		parts := f.Split(f.linear(x, n, fc1), 2, hidden, hidden)
		y = f.gated(parts[0], parts[1])
	default:
		y = f.Gelu(f.linear(x, n, fc1))
	}
	if f.a.InnerNorm {
		y = f.norm(y, n, innerNorm)
	}
	return f.linear(y, n, fc2)
}

// gated is silu(gate)·up.
func (f *trainingForm) gated(gate, up *autodiff.Value) *autodiff.Value {
	return f.Mul(f.Mul(gate, f.Sigmoid(gate)), up)
}

func (f *trainingForm) pool(x *autodiff.Value, pool Pool) *autodiff.Value {
	if !f.a.PooledNorm {
		x = f.norm(x, -1, finalNorm)
	}
	var parts []*autodiff.Value
	if pool != PoolMean {
		parts = append(parts, f.Reshape(f.Slice(x, 1, 0, 1), f.batch, f.dim()))
	}
	if pool != PoolClass {
		mean := f.Mean(f.Slice(x, 1, int64(f.a.PrefixTokens()), x.Shape()[1]), false, 1)
		if f.a.PooledNorm {
			mean = f.norm(mean, -1, pooledNorm)
		}
		parts = append(parts, mean)
	}
	return f.Concat(1, parts...)
}

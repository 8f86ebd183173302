package vit

import (
	"fmt"
	"math"

	"github.com/palate-art/palate/internal/onnxgraph"
)

// plainForm writes the model in ordinary operators, one for one as exporters
// do: sequences [batch, tokens, dim] throughout, products and biases apart,
// attention and GELU by their formulas, LayerScale as a product, all tokens
// through every block.
type plainForm struct {
	*writer
	x string // the tokens, [batch, tokens, dim]
}

func (p *plainForm) tokens(r *reader) {
	p.x = p.placed(r)
}

func (p *plainForm) add(name, a, b string) string { return p.Op("Add", name, []string{a, b}) }
func (p *plainForm) mul(name, a, b string) string { return p.Op("Mul", name, []string{a, b}) }

func (p *plainForm) scalar(name string, v float64) string {
	return p.once(name, onnxgraph.Scalar(float32(v)))
}

func (p *plainForm) apply(name, x string, l linear) string {
	return p.dense(name, x, l)
}

// join adds an update to the tokens.
func (p *plainForm) join(name, update string, scale []float32) {
	if scale != nil {
		update = p.mul(name+"/scaled", update, p.vector(name+"/layer_scale", scale))
	}
	p.x = p.add(name, p.x, update)
}

func (p *plainForm) block(n int, b block) {
	name := func(part string) string { return fmt.Sprintf("block.%d/%s", n, part) }
	h := p.before(name("norm1"), b.norm1)
	q := p.rotate(name("attention/query/rotated"), p.heads(name("attention/query"), h, b.query))
	k := p.rotate(name("attention/key/rotated"), p.heads(name("attention/key"), h, b.key))
	v := p.heads(name("attention/value"), h, b.value)
	scores := p.Op("MatMul", name("attention/products"), []string{q, p.Op("Transpose", name("attention/key/turned"), []string{k}, onnxgraph.Ints("perm", 0, 1, 3, 2))})
	scores = p.mul(name("attention/scores"), scores, p.scalar("attention/scale", 1/math.Sqrt(float64(p.a.headDim()))))
	if p.a.RelativeBias {
		scores = p.add(name("attention/biased"), scores, p.table(relativeName(n)))
	}
	shares := p.Op("Softmax", name("attention/shares"), []string{scores}, onnxgraph.Int("axis", -1))
	mixed := p.Op("Transpose", name("attention/mixed"), []string{p.Op("MatMul", name("attention/by_head"), []string{shares, v})}, onnxgraph.Ints("perm", 0, 2, 1, 3))
	mixed = p.reshape(name("attention"), mixed, p.ints("attention/joined", 0, -1, int64(p.a.Dim)))
	if p.a.AttentionNorm {
		mixed = p.layerNorm(name("attention/norm"), mixed, b.attended)
	}
	p.join(name("attended"), p.after(name("norm1"), p.apply(name("attention/projection"), mixed, b.projection), b.norm1), b.scale1)

	h = p.before(name("norm2"), b.norm2)
	hidden := p.apply(name("mlp/up"), h, b.up)
	if p.a.MLP == SwiGLU {
		opening := p.apply(name("mlp/gate"), h, b.gate)
		opened := p.mul(name("mlp/silu"), opening, p.Op("Sigmoid", name("mlp/sigmoid"), []string{opening}))
		hidden = p.mul(name("mlp/gated"), opened, hidden)
	} else {
		hidden = p.activated(name("mlp/gelu"), hidden)
	}
	if p.a.InnerNorm {
		hidden = p.layerNorm(name("mlp/norm"), hidden, b.inner)
	}
	p.join(name("fed_forward"), p.after(name("norm2"), p.apply(name("mlp/down"), hidden, b.down), b.norm2), b.scale2)
}

// before is a block's LayerNorm where it comes before, and after where it
// comes after, attention or MLP.
func (p *plainForm) before(name string, n norm) string {
	if p.a.PostNorm {
		return p.x
	}
	return p.layerNorm(name, p.x, n)
}

func (p *plainForm) after(name, update string, n norm) string {
	if !p.a.PostNorm {
		return update
	}
	return p.layerNorm(name, update, n)
}

// heads is a linear map whose result is cut into heads, [batch, heads,
// tokens, head width].
func (p *plainForm) heads(name, x string, l linear) string {
	y := p.reshape(name+"/cut", p.apply(name, x, l), p.ints("attention/cut", 0, -1, int64(p.a.Heads), int64(p.a.headDim())))
	return p.Op("Transpose", name+"/heads", []string{y}, onnxgraph.Ints("perm", 0, 2, 1, 3))
}

// rotate turns the pairs (x₀, x₁) of each head's values by the angles of
// their token's place: (x₀ cos − x₁ sin, x₁ cos + x₀ sin).
func (p *plainForm) rotate(name, x string) string {
	if !p.a.Rotary {
		return x
	}
	heads, half := int64(p.a.Heads), int64(p.a.headDim()/2)
	shape, axis, each := []int64{0, heads, -1, half, 2}, int64(4), []int64{-1, half, 1}
	if p.a.Rotation == RotationDINOv3 { // the pairs are a head's halves
		shape, axis, each = []int64{0, heads, -1, 2, half}, 3, []int64{-1, 1, half}
	}
	pairs := p.reshape(name+"/pairs", x, p.ints("rotary/pairs", shape...))
	tables := p.ints("rotary/table", each...)
	cos := p.reshape(name+"/cos", p.table(cosineName), tables)
	sin := p.reshape(name+"/sin", p.table(sineName), tables)
	first, second := p.slice(name+"/first", pairs, axis, 0, 1), p.slice(name+"/second", pairs, axis, 1, 2)
	y0 := p.Op("Sub", name+"/y0", []string{p.mul(name+"/first_cos", first, cos), p.mul(name+"/second_sin", second, sin)})
	y1 := p.add(name+"/y1", p.mul(name+"/second_cos", second, cos), p.mul(name+"/first_sin", first, sin))
	return p.reshape(name, p.concat(name+"/turned", axis, y0, y1), p.ints("rotary/joined", 0, heads, -1, 2*half))
}

func (p *plainForm) finish(r *reader) {
	tokens := p.x
	if !p.a.PooledNorm {
		n := r.norm(-1, finalNorm)
		if r.err != nil {
			return
		}
		tokens = p.layerNorm("norm", tokens, n)
	}
	p.pool(tokens, r)
}

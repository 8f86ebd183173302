package vit

import (
	"fmt"
	"math"

	"github.com/palate-art/palate/internal/onnxgraph"
)

// fusedForm writes the fused form. Between blocks a skip connection and the
// LayerNorm after it are one operator, so what a block ends with is the next
// one's first LayerNorm.
type fusedForm struct {
	*writer
	x      string // the tokens before their LayerNorm, [rows, dim]
	update string // what is still to be added to x, [rows, dim]; its bias is apart
	bias   string
	shape  string // of a sequence [batch, tokens, dim], as a value
	last   bool   // the last block is written for the class token alone
	early  bool   // x are rows, with positions and all, and nothing is to be added
	at     int    // the block that is written
}

// contribAttention chooses between two operators of one function. On the CPU
// ai.onnx's is the faster one for few tokens, the contributed one for many;
// on CUDA the contributed one is flash attention, in float16.
func (w *writer) contribAttention() bool {
	const few = 700 // between 257 tokens (224 pixels) and 1370 (518)
	p := w.a.PatchSize
	return w.o.GPU || w.o.Precision == Float16 || w.a.RelativeBias || w.o.Width/p*(w.o.Height/p) > few
}

// classOnly reports whether only the class token's way through the last block
// is needed.
func (w *writer) classOnly() bool {
	a := w.a
	class := w.o.Pool == PoolClass || w.o.Pool == PoolHead && !a.Attending && !a.Distilled && a.headOf == PoolClass
	return class && !w.o.Tokens && !a.PooledNorm && !a.RelativeBias && !a.PostNorm
}

func (f *fusedForm) tokens(r *reader) {
	f.early = !f.a.Positions || f.a.TokenNorm || f.a.PostNorm
	if f.early {
		f.x = f.placed(r)
	} else {
		f.x = f.sequence(r)
	}
	if f.o.free() {
		f.shape = f.Op("Shape", "sequence/shape", []string{f.x})
	} else {
		f.shape = f.ints("sequence/shape", -1, f.tokenCount().Size, int64(f.a.Dim))
	}
	if f.early {
		f.x = f.flat("sequence/rows", f.x)
	}
}

// skipNorm adds what is pending to the tokens and gives their LayerNorm.
func (f *fusedForm) skipNorm(name string, n norm) string {
	update, bias := f.x, ""
	skip := f.table(positionName)
	first := f.update == ""
	if first && f.early {
		return f.layerNorm(name, f.x, n)
	}
	if !first {
		update, bias, skip = f.update, f.bias, f.x
	}
	inputs := []string{update, skip, f.vector(name+"/scale", n.scale), f.vector(name+"/shift", n.shift)}
	if bias != "" {
		inputs = append(inputs, bias)
	}
	sum := name + "/sum"
	f.Nodes = append(f.Nodes, onnxgraph.Node{
		Name: name, Domain: onnxgraph.DomainMicrosoft, Op: "SkipLayerNormalization",
		Inputs: inputs, Outputs: []string{name, "", "", sum}, Attributes: []onnxgraph.Attribute{f.epsilon()},
	})
	f.x = sum
	if first {
		f.x = f.flat(sum+"/rows", sum)
		return f.flat(name+"/rows", name)
	}
	return name
}

// flat makes a sequence rows, [batch · tokens, dim].
func (f *fusedForm) flat(name, x string) string {
	return f.reshape(name, x, f.ints("rows/shape", -1, int64(f.a.Dim)))
}

// unflat makes rows a sequence again.
func (f *fusedForm) unflat(name, x string) string { return f.reshape(name, x, f.shape) }

// classRow takes the class token's row of each picture, [batch, dim].
func (f *fusedForm) classRow(name, rows string) string {
	return f.flat(name, f.slice(name+"/row", f.unflat(name+"/sequence", rows), 1, 0, 1))
}

// apply is a linear map of rows.
func (f *fusedForm) apply(name, x string, l linear) string {
	if f.o.Precision == Int8 {
		return f.applyInt8(name, x, l)
	}
	inputs := []string{x, f.weight(name, l)}
	if l.bias != nil {
		inputs = append(inputs, f.vector(name+"/bias", l.bias))
	}
	return f.Op("Gemm", name, inputs)
}

// leave applies a map scaled by LayerScale and leaves its result, and its
// bias apart, for the next skipNorm to add.
func (f *fusedForm) leave(name, x string, l linear, scale []float32) {
	l = l.scaled(scale)
	f.bias = ""
	if l.bias != nil {
		f.bias = f.vector(name+"/bias", l.bias)
	}
	l.bias = nil
	f.update = f.apply(name, x, l)
}

func (f *fusedForm) block(n int, b block) {
	name := func(part string) string { return fmt.Sprintf("block.%d/%s", n, part) }
	f.at = n
	if f.a.PostNorm {
		f.postBlock(name, b)
		return
	}
	h := f.skipNorm(name("norm1"), b.norm1)
	queries := h
	f.last = n == f.a.Depth-1 && f.classOnly()
	if f.last {
		queries = f.classRow(name("class"), h)
		f.x = f.classRow(name("class_before"), f.x)
	}
	q := f.apply(name("attention/query"), queries, b.query)
	k := f.apply(name("attention/key"), h, b.key)
	v := f.apply(name("attention/value"), h, b.value)
	f.leave(name("attention/projection"), f.mixed(name, b, q, k, v), b.projection, b.scale1)

	f.leave(name("mlp/down"), f.hidden(name, f.skipNorm(name("norm2"), b.norm2), b), b.down, b.scale2)
}

// postBlock is a block whose LayerNorms come after attention and MLP.
func (f *fusedForm) postBlock(name func(string) string, b block) {
	join := func(part, update string, n norm, scale []float32) {
		update = f.layerNorm(name(part+"/norm"), update, n)
		if scale != nil {
			update = f.Op("Mul", name(part+"/scaled"), []string{update, f.vector(name(part+"/layer_scale"), scale)})
		}
		f.x = f.Op("Add", name(part), []string{f.x, update})
	}
	x := f.x
	mixed := f.mixed(name, b, f.apply(name("attention/query"), x, b.query), f.apply(name("attention/key"), x, b.key), f.apply(name("attention/value"), x, b.value))
	join("attended", f.apply(name("attention/projection"), mixed, b.projection), b.norm1, b.scale1)
	join("fed_forward", f.apply(name("mlp/down"), f.hidden(name, f.x, b), b.down), b.norm2, b.scale2)
}

// mixed is attention before its projection.
func (f *fusedForm) mixed(name func(string) string, b block, q, k, v string) string {
	mixed := f.attend(name("attention"), q, k, v)
	if f.a.AttentionNorm {
		mixed = f.layerNorm(name("attention/norm"), mixed, b.attended)
	}
	return mixed
}

// hidden is the MLP before its last map.
func (f *fusedForm) hidden(name func(string) string, h string, b block) string {
	hidden := f.apply(name("mlp/up"), h, b.up)
	if f.a.MLP == SwiGLU {
		// QuickGelu is x · sigmoid(alpha · x): with alpha 1 it is SiLU.
		opened := f.contrib("QuickGelu", name("mlp/silu"), []string{f.apply(name("mlp/gate"), h, b.gate)}, onnxgraph.Float("alpha", 1))
		hidden = f.Op("Mul", name("mlp/gated"), []string{opened, hidden})
	} else {
		switch f.a.Activation {
		case QuickGELU:
			hidden = f.contrib("QuickGelu", name("mlp/gelu"), []string{hidden}, onnxgraph.Float("alpha", 1.702))
		case GELUTanh:
			hidden = f.contrib("FastGelu", name("mlp/gelu"), []string{hidden})
		default:
			hidden = f.contrib("Gelu", name("mlp/gelu"), []string{hidden})
		}
	}
	if f.a.InnerNorm {
		hidden = f.layerNorm(name("mlp/norm"), hidden, b.inner)
	}
	return hidden
}

// attend is attention over the sequences of rows. Of the queries there may be
// one for each picture, which then are class tokens.
func (f *fusedForm) attend(name, q, k, v string) string {
	if f.last {
		q = f.reshape(name+"/query/sequence", q, f.ints("class/sequence", -1, 1, int64(f.a.Dim)))
	} else {
		q = f.rotate(name+"/query/rotated", f.unflat(name+"/query/sequence", q))
	}
	k = f.rotate(name+"/key/rotated", f.unflat(name+"/key/sequence", k))
	v = f.unflat(name+"/value/sequence", v)
	heads := int64(f.a.Heads)
	scale := onnxgraph.Float("scale", float32(1/math.Sqrt(float64(f.a.headDim()))))
	var out string
	if f.contribAttention() {
		inputs := []string{q, k, v}
		if f.a.RelativeBias {
			inputs = append(inputs, "", "", f.table(relativeName(f.at)))
		}
		out = f.contrib("MultiHeadAttention", name, inputs, onnxgraph.Int("num_heads", heads), scale)
	} else {
		out = f.Op("Attention", name, []string{q, k, v}, onnxgraph.Int("q_num_heads", heads), onnxgraph.Int("kv_num_heads", heads), scale)
	}
	return f.flat(name+"/rows", out)
}

// rotate turns the pairs of a sequence's values by the angles of their place.
func (f *fusedForm) rotate(name, x string) string {
	if !f.a.Rotary {
		return x
	}
	first, interleaved := f.ints("rotary/first", 0), int64(1)
	if f.a.Rotation == RotationDINOv3 {
		interleaved = 0
	}
	return f.contrib("RotaryEmbedding", name, []string{x, first, f.table(cosineName), f.table(sineName)}, onnxgraph.Int("interleaved", interleaved))
}

func (f *fusedForm) finish(r *reader) {
	var rows string
	switch {
	case f.a.PooledNorm && f.a.PostNorm:
		rows = f.x
	case f.a.PooledNorm:
		if f.bias != "" {
			f.update = f.Op("Add", "last/update", []string{f.update, f.bias})
		}
		rows = f.Op("Add", "last/rows", []string{f.x, f.update})
	default:
		n := r.norm(-1, finalNorm)
		if r.err != nil {
			return
		}
		rows = f.skipNorm("norm", n)
	}
	if f.last {
		f.project(rows, r)
		return
	}
	f.pool(f.unflat("last/tokens", rows), r)
}

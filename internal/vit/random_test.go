package vit_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/safetensors"
)

// spec is a vision transformer for tests.
type spec struct {
	dim, depth, heads, hidden, patch, registers int
	rows, columns                               int // of the stored position embedding
	positionPrefix                              int
	swiglu, separateGate, innerNorm             bool
	layerScale, rotary, pooledNorm, noQKVBias   bool
	epsilon                                     float64
}

// parameter is one tensor, under a name of the tests' own; of a block, the
// name begins with its number and a dot.
type parameter struct {
	shape  []int64
	values []float32
}

// randomParameters draws every tensor far from its usual initial value, so
// that a forgotten bias, scale or token shows.
func randomParameters(s spec, random *rand.Rand) map[string]parameter {
	all := map[string]parameter{}
	draw := func(name string, mean, deviation float64, shape ...int) {
		p := parameter{}
		n := 1
		for _, d := range shape {
			p.shape, n = append(p.shape, int64(d)), n*d
		}
		p.values = make([]float32, n)
		for i := range p.values {
			p.values[i] = float32(mean + deviation*random.NormFloat64())
		}
		all[name] = p
	}
	linear := func(name string, out, in int, bias bool) {
		draw(name+".weight", 0, 1/math.Sqrt(float64(in)), out, in)
		if bias {
			draw(name+".bias", 0, 0.2, out)
		}
	}
	norm := func(name string, n int) {
		draw(name+".weight", 1, 0.3, n)
		draw(name+".bias", 0, 0.2, n)
	}
	draw("class", 0, 0.5, 1, 1, s.dim)
	if s.registers > 0 {
		draw("registers", 0, 0.5, 1, s.registers, s.dim)
	}
	draw("positions", 0, 0.5, 1, s.positionPrefix+s.rows*s.columns, s.dim)
	draw("patches.weight", 0, 1/math.Sqrt(float64(3*s.patch*s.patch)), s.dim, 3, s.patch, s.patch)
	draw("patches.bias", 0, 0.2, s.dim)
	norm("norm", s.dim)
	for n := range s.depth {
		name := func(part string) string { return fmt.Sprintf("%d.%s", n, part) }
		norm(name("norm1"), s.dim)
		norm(name("norm2"), s.dim)
		linear(name("query"), s.dim, s.dim, !s.noQKVBias)
		linear(name("key"), s.dim, s.dim, !s.noQKVBias && !s.rotary)
		linear(name("value"), s.dim, s.dim, !s.noQKVBias)
		linear(name("projection"), s.dim, s.dim, true)
		linear(name("up"), s.hidden, s.dim, true)
		linear(name("down"), s.dim, s.hidden, true)
		if s.swiglu {
			linear(name("gate"), s.hidden, s.dim, true)
		}
		if s.innerNorm {
			norm(name("inner"), s.hidden)
		}
		if s.layerScale {
			draw(name("scale1"), 1, 0.3, s.dim)
			draw(name("scale2"), 1, 0.3, s.dim)
		}
	}
	return all
}

// style is a publisher's way of naming and packing tensors.
type style struct {
	prefix, block string
	names         map[string]string // from the tests' own, without .weight and .bias; absent ones are packed
	packed        map[string][]string
}

var (
	transformers4 = map[string]string{
		"class": "embeddings.cls_token", "registers": "embeddings.register_tokens", "positions": "embeddings.position_embeddings",
		"patches": "embeddings.patch_embeddings.projection", "norm": "layernorm", "norm1": "norm1", "norm2": "norm2",
		"query": "attention.attention.query", "key": "attention.attention.key", "value": "attention.attention.value", "projection": "attention.output.dense",
		"scale1": "layer_scale1.lambda1", "scale2": "layer_scale2.lambda1", "up": "mlp.fc1", "down": "mlp.fc2",
	}
	transformers5 = with(transformers4, "query", "attention.q_proj", "key", "attention.k_proj", "value", "attention.v_proj", "projection", "attention.o_proj")
	giant         = with(transformers4, "up", "", "down", "mlp.weights_out")
	giant5        = with(transformers5, "gate", "mlp.gate_proj", "up", "mlp.up_proj", "down", "mlp.down_proj")
	plainViT      = with(transformers4, "norm1", "layernorm_before", "norm2", "layernorm_after", "up", "intermediate.dense", "down", "output.dense")
	timm          = map[string]string{
		"class": "cls_token", "registers": "reg_token", "positions": "pos_embed", "patches": "patch_embed.proj", "norm": "norm", "norm1": "norm1", "norm2": "norm2",
		"projection": "attn.proj", "scale1": "ls1.gamma", "scale2": "ls2.gamma", "up": "mlp.fc1", "down": "mlp.fc2",
	}
	timmPacked = map[string][]string{"attn.qkv": {"query", "key", "value"}}
)

func with(names map[string]string, changes ...string) map[string]string {
	changed := map[string]string{}
	for k, v := range names {
		changed[k] = v
	}
	for i := 0; i < len(changes); i += 2 {
		changed[changes[i]] = changes[i+1]
		if changes[i+1] == "" {
			delete(changed, changes[i])
		}
	}
	return changed
}

// timmStyle is how timm names such a model.
func timmStyle(s spec) style {
	st := style{block: "blocks.", names: timm, packed: timmPacked}
	if s.rotary {
		st.names = with(st.names, "query", "attn.q_proj", "key", "attn.k_proj", "value", "attn.v_proj")
		st.packed = map[string][]string{}
	}
	if s.pooledNorm {
		st.names = with(st.names, "norm", "fc_norm")
	}
	switch {
	case s.separateGate:
		st.names = with(st.names, "up", "mlp.fc1_x", "gate", "mlp.fc1_g", "inner", "mlp.norm")
	case s.swiglu:
		st.names = with(st.names, "up", "", "inner", "mlp.norm")
		st.packed = map[string][]string{"mlp.fc1": {"gate", "up"}}
		if !s.rotary {
			st.packed["attn.qkv"] = timmPacked["attn.qkv"]
		}
	}
	return st
}

// transformersStyles are how transformers names such a model, if it can.
func transformersStyles(s spec) []style {
	packed := map[string][]string{}
	switch {
	case s.rotary || s.pooledNorm || s.innerNorm || s.separateGate || s.positionPrefix != 1:
		return nil
	case s.swiglu:
		packed["mlp.weights_in"] = []string{"gate", "up"}
		return []style{{block: "encoder.layer.", names: giant, packed: packed}, {block: "encoder.layer.", names: giant5}}
	case !s.layerScale && s.registers == 0:
		return []style{{block: "encoder.layer.", names: plainViT}, {prefix: "vit.", block: "encoder.layer.", names: plainViT}, {block: "layers.", names: transformers5}}
	}
	return []style{{block: "encoder.layer.", names: transformers4}, {block: "encoder.layer.", names: transformers5}, {prefix: "dinov2.", block: "encoder.layer.", names: transformers4}}
}

// tensors gives the parameters under a style's names.
func (st style) tensors(all map[string]parameter) []safetensors.Values {
	var out []safetensors.Values
	place := func(name string) (prefix, rest string) {
		if number, part, found := strings.Cut(name, "."); found {
			if _, err := strconv.Atoi(number); err == nil {
				return st.prefix + st.block + number + ".", part
			}
		}
		return st.prefix, name
	}
	for name, p := range all {
		prefix, rest := place(name)
		stem, ending, _ := strings.Cut(rest, ".")
		if ending != "" {
			ending = "." + ending
		}
		if theirs, found := st.names[stem]; found {
			out = append(out, safetensors.Values{Name: prefix + theirs + ending, Shape: p.shape, Data: p.values})
		}
		for packed, parts := range st.packed {
			if parts[0] != stem {
				continue
			}
			v := safetensors.Values{Name: prefix + packed + ending, Shape: append([]int64{0}, p.shape[1:]...)}
			for _, part := range parts {
				other := all[strings.TrimSuffix(name, rest)+part+ending]
				v.Data = append(v.Data, other.values...)
				v.Shape[0] += other.shape[0]
			}
			out = append(out, v)
		}
	}
	return out
}

// memoryFile writes tensors as a file in memory.
func memoryFile(t testing.TB, tensors []safetensors.Values) *safetensors.File {
	t.Helper()
	var content bytes.Buffer
	if err := safetensors.Write(&content, tensors, nil); err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Open(bytes.NewReader(content.Bytes()), int64(content.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

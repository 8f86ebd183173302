package vit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/safetensors"
)

// ForTimm is a model as timm publishes such models: tensors under timm's names,
// in its shapes and packing, without a classifier, and config.json, by which
// timm builds the model and Inspect reads it.
type ForTimm struct {
	Architecture string // timm's name; what differs from it stands in the configuration
	Tensors      []safetensors.Values
	// Config is nil where the tensors are under timm's names already and were
	// copied as they are: what was published with them holds.
	Config []byte
}

// writtenForTimm reports whether WriteForTimm knows what all parts are called:
// those of the models that have a training form, and of such without a class
// token.
func (a Architecture) writtenForTimm() bool {
	known := a
	known.ClassToken = true
	return slices.Contains(trainable, a.Family) && known.ordinary()
}

// WriteForTimm gives a model of the kinds that can be fine-tuned as timm has it, for the input, fit, pool and resampling of o; its position
// embedding is brought to that size. PoolBoth, which timm has not, is written
// as PoolClass.
//
// A model or a fit that timm can't be told of is palate.ErrInvalid.
func WriteForTimm(ctx context.Context, file Tensors, a Architecture, o Options) (ForTimm, error) {
	o = o.Fill(a)
	if !a.writtenForTimm() && a.Naming == NamingTimm && a.tensors.prefix == "" {
		return copyForTimm(ctx, file, a, o)
	}
	if !a.writtenForTimm() {
		return ForTimm{}, fmt.Errorf("the tensors of a model of the family %q, under names of %s, have no form under timm's names here: %w", a.Family, a.Naming, palate.ErrInvalid)
	}
	if o.Fit != embedder.FitCrop && o.Fit != embedder.FitStretch {
		return ForTimm{}, fmt.Errorf("timm has no word for the fit %q: choose crop or stretch: %w", o.Fit, palate.ErrInvalid)
	}
	if err := errors.Join(a.Validate(), o.validate(a)); err != nil {
		return ForTimm{}, err
	}
	a.Resampling = o.Resampling
	if err := checkFile(file, a); err != nil {
		return ForTimm{}, err
	}
	w := &timmWriter{r: &reader{file: file, a: a}, a: a, dim: int64(a.Dim)}
	w.tokens(o.Height/a.PatchSize, o.Width/a.PatchSize)
	for n := range a.Depth {
		if err := ctx.Err(); err != nil {
			return ForTimm{}, err
		}
		if err := w.block(n); err != nil {
			return ForTimm{}, err
		}
	}
	last, name := finalNorm, "norm"
	if a.PooledNorm {
		last, name = pooledNorm, "fc_norm"
	}
	w.norm(name, w.r.norm(-1, last))
	if w.r.err != nil {
		return ForTimm{}, w.r.err
	}
	out := ForTimm{Architecture: w.architecture(), Tensors: w.out}
	var err error
	out.Config, err = json.MarshalIndent(w.config(out.Architecture, o), "", "  ")
	return out, err
}

// copyForTimm copies what has timm's names, as it was published.
func copyForTimm(ctx context.Context, file Tensors, a Architecture, o Options) (ForTimm, error) {
	if published := (Options{}).Fill(a); o.Fit != published.Fit || o.Pool != published.Pool || o.Width != a.GridColumns*a.PatchSize || o.Height != a.GridRows*a.PatchSize {
		return ForTimm{}, fmt.Errorf("a model of the family %q is written under timm's names as it was published alone, for %d×%d pixels, fit %s and pool %s: %w",
			a.Family, a.GridColumns*a.PatchSize, a.GridRows*a.PatchSize, published.Fit, published.Pool, palate.ErrInvalid)
	}
	var out ForTimm
	for _, t := range file.Tensors() {
		if err := ctx.Err(); err != nil {
			return ForTimm{}, err
		}
		if a.ignores(t.Name) {
			continue
		}
		values, err := file.Float32s(t.Name)
		if err != nil {
			return ForTimm{}, err
		}
		out.Tensors = append(out.Tensors, safetensors.Values{Name: t.Name, Shape: t.Shape, Data: values})
	}
	return out, nil
}

// timmWriter writes one model.
type timmWriter struct {
	r      *reader
	a      Architecture
	dim    int64
	out    []safetensors.Values
	folded bool // the class token's position is added to the token
	bias   bool // queries and values have one
}

func (w *timmWriter) add(name string, data []float32, shape ...int64) {
	w.out = append(w.out, safetensors.Values{Name: name, Shape: shape, Data: data})
}

func (w *timmWriter) norm(name string, n norm) {
	w.add(name+".weight", n.scale, int64(len(n.scale)))
	w.add(name+".bias", n.shift, int64(len(n.shift)))
}

// linear writes maps below each other as one.
func (w *timmWriter) linear(name string, parts ...linear) {
	var weight, bias []float32
	out, biased := 0, false
	for _, l := range parts {
		weight, out, biased = append(weight, l.weight...), out+l.out, biased || l.bias != nil
	}
	w.add(name+".weight", weight, int64(out), int64(parts[0].in))
	if !biased {
		return
	}
	for _, l := range parts {
		if l.bias == nil {
			l.bias = make([]float32, l.out)
		}
		bias = append(bias, l.bias...)
	}
	w.add(name+".bias", bias, int64(out))
}

// tokens writes what makes the tokens of a picture. DINOv2 with registers has
// a position for the class token and none for registers, where timm has
// positions for all of them or for none: it is then added to the token.
func (w *timmWriter) tokens(rows, columns int) {
	a, r := w.a, w.r
	var class []float32
	if a.ClassToken {
		class = r.vector(-1, classToken)
	}
	stored, embedding := r.vector(-1, positions), r.linear(-1, patches)
	if r.err != nil {
		return
	}
	before := a.positionPrefix * a.Dim
	prefix, grid := stored[:before], a.Resampling.resample(stored[before:], a.Dim, a.GridRows, a.GridColumns, rows, columns)
	if w.folded = a.ClassToken && a.positionPrefix == 1 && a.Registers > 0; w.folded {
		class = slices.Clone(class)
		for i, p := range prefix {
			class[i] += p
		}
		prefix = nil
	}
	if a.ClassToken {
		w.add("cls_token", class, 1, 1, w.dim)
	}
	if a.Registers > 0 {
		w.add("reg_token", r.vector(-1, registers), 1, int64(a.Registers), w.dim)
	}
	w.add("pos_embed", slices.Concat(prefix, grid), 1, int64(len(prefix)/a.Dim+rows*columns), w.dim)
	w.add("patch_embed.proj.weight", embedding.weight, w.dim, 3, int64(a.PatchSize), int64(a.PatchSize))
	w.add("patch_embed.proj.bias", embedding.bias, w.dim)
}

func (w *timmWriter) block(n int) error {
	b, name := w.r.block(n), fmt.Sprintf("blocks.%d.", n)
	if w.r.err != nil {
		return w.r.err
	}
	w.bias = b.query.bias != nil
	w.norm(name+"norm1", b.norm1)
	if w.a.Rotary {
		if slices.ContainsFunc(b.key.bias, func(v float32) bool { return v != 0 }) {
			return fmt.Errorf("block %d: its keys have a bias, which EVA-02 has not in timm: %w", n, palate.ErrInvalid)
		}
		b.key.bias = nil
		w.linear(name+"attn.q_proj", b.query)
		w.linear(name+"attn.k_proj", b.key)
		w.linear(name+"attn.v_proj", b.value)
	} else {
		w.linear(name+"attn.qkv", b.query, b.key, b.value)
	}
	w.linear(name+"attn.proj", b.projection)
	if w.a.LayerScale {
		names := []string{"ls1.gamma", "ls2.gamma"}
		if w.a.Rotary {
			names = []string{"gamma_1", "gamma_2"}
		}
		w.add(name+names[0], b.scale1, w.dim)
		w.add(name+names[1], b.scale2, w.dim)
	}
	w.norm(name+"norm2", b.norm2)
	switch {
	case w.a.MLP != SwiGLU:
		w.linear(name+"mlp.fc1", b.up)
	case w.a.Rotary && w.a.InnerNorm:
		w.linear(name+"mlp.fc1_g", b.gate)
		w.linear(name+"mlp.fc1_x", b.up)
	default:
		w.linear(name+"mlp.fc1", b.gate, b.up)
	}
	if w.a.InnerNorm {
		w.norm(name+"mlp.norm", b.inner)
	}
	w.linear(name+"mlp.fc2", b.down)
	return nil
}

// architecture is the name of the nearest model of timm's. All that it says is
// said again in the configuration: another would do as well, but for the kind
// of its MLP, which is no number.
func (w *timmWriter) architecture() string {
	a, size := w.a, "base"
	for _, s := range []struct {
		name                   string
		dim, depth, heads, mlp int
	}{{"tiny", 192, 12, 3, 768}, {"small", 384, 12, 6, 1536}, {"base", 768, 12, 12, 3072}, {"large", 1024, 24, 16, 4096}} {
		if a.Dim == s.dim && a.Depth == s.depth && a.Heads == s.heads && a.Hidden == s.mlp {
			size = s.name
		}
	}
	switch {
	case a.Rotary:
		return "eva02_base_patch14_224"
	case a.MLP == SwiGLU && a.Registers == 4:
		return "vit_giant_patch14_reg4_dinov2"
	case a.MLP == SwiGLU:
		return "vit_giant_patch14_dinov2"
	case a.LayerScale && a.Family == "vit": // DeiT 3
		return "deit3_base_patch16_224"
	case a.LayerScale && size != "tiny" && a.Registers == 4:
		return "vit_" + size + "_patch14_reg4_dinov2"
	case a.LayerScale && size != "tiny":
		return "vit_" + size + "_patch14_dinov2"
	}
	return "vit_" + size + "_patch16_224"
}

// config is config.json: the model's parts as arguments of timm's function of
// that name, and how pictures come to it.
func (w *timmWriter) config(architecture string, o Options) map[string]any {
	a, word := w.a, "token"
	if o.Pool == PoolMean {
		word = "avg"
	}
	var initial any
	if a.LayerScale {
		initial = 1e-5
	}
	hidden := a.Hidden
	if a.MLP == SwiGLU && !a.Rotary {
		hidden *= 2 // of gate and up together
	}
	args := map[string]any{"img_size": []int{o.Height, o.Width}, "patch_size": a.PatchSize, "embed_dim": a.Dim, "depth": a.Depth, "num_heads": a.Heads,
		"mlp_ratio": ratioFor(a.Dim, hidden), "qkv_bias": w.bias, "class_token": a.ClassToken, "init_values": initial, "no_embed_class": a.positionPrefix == 0 || w.folded, "global_pool": word}
	if a.Rotary {
		args["qkv_fused"], args["swiglu_mlp"], args["scale_mlp"] = false, a.MLP == SwiGLU, a.InnerNorm
		args["use_fc_norm"], args["num_reg_tokens"] = a.PooledNorm, a.Registers
		args["use_rot_pos_emb"], args["ref_feat_shape"] = true, []int{rotaryGrid, rotaryGrid}
	} else {
		args["scale_mlp_norm"], args["fc_norm"], args["reg_tokens"] = a.InnerNorm, a.PooledNorm, a.Registers
	}
	p, mode, ratio := a.Preprocessing, "center", 1.
	if o.Fit == embedder.FitStretch {
		mode = "squash"
	}
	if o.ShortSide > 0 {
		ratio = float64(o.Width) / float64(o.ShortSide)
	}
	pretrained := map[string]any{"tag": "palate", "custom_load": false, "input_size": []int{3, o.Height, o.Width}, "fixed_input_size": true, "interpolation": p.Interpolation,
		"crop_pct": ratio, "crop_mode": mode, "mean": p.Mean, "std": p.Std, "num_classes": 0, "pool_size": nil, "first_conv": "patch_embed.proj", "classifier": "head"}
	if o.Licence != "" {
		pretrained["license"] = o.Licence
	}
	return map[string]any{"architecture": architecture, "num_classes": 0, "num_features": a.Dim, "layer_norm_eps": a.Epsilon, "model_args": args, "pretrained_cfg": pretrained}
}

// ratioFor is the ratio of which timm makes the width: int(dim · ratio).
func ratioFor(dim, hidden int) float64 {
	ratio := float64(hidden) / float64(dim)
	if int(float64(dim)*ratio) != hidden {
		ratio = (float64(hidden) + .5) / float64(dim)
	}
	return ratio
}

package vit_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/safetensors"
	"github.com/palate-art/palate/internal/vit"
)

// tiny is a DINOv2 of one block.
var tiny = spec{dim: 16, depth: 1, heads: 2, hidden: 12, patch: 2, rows: 3, columns: 3, positionPrefix: 1, layerScale: true, epsilon: 1e-6}

func tensorsOf(s spec, st style) []safetensors.Values {
	return st.tensors(randomParameters(s, rand.New(rand.NewPCG(9, 9))))
}

const twoHeads = `{"num_heads": 2}`

func TestPublishedArchitecturesAreRecognised(t *testing.T) {
	imageNet, clip := [3]float64{.485, .456, .406}, [3]float64{.48145466, .4578275, .40821073}
	small := spec{dim: 128, depth: 2, heads: 2, hidden: 512, patch: 14, rows: 4, columns: 4, positionPrefix: 1, layerScale: true, epsilon: 1e-6}
	change := func(f func(s *spec)) spec { s := small; f(&s); return s }
	eva := change(func(s *spec) {
		s.layerScale, s.rotary, s.swiglu, s.separateGate, s.innerNorm, s.pooledNorm = false, true, true, true, true, true
	})
	dino := change(func(s *spec) { s.layerScale, s.patch = false, 16 })
	registers := change(func(s *spec) { s.registers, s.positionPrefix = 4, 0 })
	for name, test := range map[string]struct {
		spec    spec
		style   func(spec) style
		configs []string
		want    vit.Architecture
	}{
		"timm DINOv2": {small, timmStyle, []string{`{"architecture": "vit_small_patch14_dinov2", "num_features": 128, "pretrained_cfg": {"input_size": [3, 518, 518], "fixed_input_size": true,
			"interpolation": "bicubic", "crop_pct": 1.0, "crop_mode": "center", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "num_classes": 0, "license": "apache-2.0"}}`},
			vit.Architecture{Family: "dinov2", Naming: vit.NamingTimm, MLP: vit.GELU, LayerScale: true, Resampling: vit.ResampleAntialias, Epsilon: 1e-6,
				Preprocessing: vit.Preprocessing{Size: 518, CropRatio: 1, Mean: imageNet}}},
		"timm DINOv2 with registers": {registers, timmStyle, nil,
			vit.Architecture{Family: "dinov2", Naming: vit.NamingTimm, MLP: vit.GELU, LayerScale: true, Registers: 4, Resampling: vit.ResampleAntialias, Epsilon: 1e-6,
				Preprocessing: vit.Preprocessing{Size: 56, CropRatio: 1, Mean: imageNet}}},
		"timm DINO": {dino, timmStyle, nil,
			vit.Architecture{Family: "vit", Naming: vit.NamingTimm, MLP: vit.GELU, Resampling: vit.ResampleAntialias, Epsilon: 1e-6,
				Preprocessing: vit.Preprocessing{Size: 64, CropRatio: .9, Mean: imageNet}}},
		"timm EVA-02": {eva, timmStyle, []string{`{"architecture": "eva02_base_patch14_224", "model_args": {"img_size": 56}}`},
			vit.Architecture{Family: "eva02", Naming: vit.NamingTimm, MLP: vit.SwiGLU, InnerNorm: true, Rotary: true, PooledNorm: true, Resampling: vit.ResampleAntialias, Epsilon: 1e-6,
				Preprocessing: vit.Preprocessing{Size: 56, CropRatio: .9, Mean: clip}}},
		"transformers DINOv2": {small, func(s spec) style { return transformersStyles(s)[0] }, []string{
			`{"architectures": ["Dinov2Model"], "model_type": "dinov2", "hidden_act": "gelu", "hidden_size": 128, "image_size": 518, "layer_norm_eps": 1e-06, "num_attention_heads": 2,
			"num_hidden_layers": 2, "patch_size": 14, "use_swiglu_ffn": false}`,
			`{"crop_size": {"height": 224, "width": 224}, "do_resize": true, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "resample": 3, "size": {"shortest_edge": 256}}`},
			vit.Architecture{Family: "dinov2", Naming: vit.NamingTransformers, MLP: vit.GELU, LayerScale: true, Resampling: vit.ResampleCubic, Epsilon: 1e-6,
				Preprocessing: vit.Preprocessing{Size: 224, CropRatio: .875, Mean: imageNet}}},
		"transformers DINO": {dino, func(s spec) style { return transformersStyles(s)[0] }, []string{`{"model_type": "vit"}`},
			vit.Architecture{Family: "vit", Naming: vit.NamingTransformers, MLP: vit.GELU, Resampling: vit.ResampleCubic, Epsilon: 1e-12,
				Preprocessing: vit.Preprocessing{Size: 64, CropRatio: .9, Mean: imageNet}}},
	} {
		t.Run(name, func(t *testing.T) {
			file := memoryFile(t, tensorsOf(test.spec, test.style(test.spec)))
			var configs [][]byte
			for _, c := range test.configs {
				configs = append(configs, []byte(c))
			}
			configs = append(configs, []byte(twoHeads))
			got, err := vit.Inspect(file, configs...)
			if err != nil {
				t.Fatal(err)
			}
			want := test.want
			if want.MLP == vit.GELU {
				want.Activation = vit.GELUErf
			}
			s := test.spec
			want.Dim, want.Depth, want.Heads, want.Hidden, want.PatchSize, want.GridRows, want.GridColumns = s.dim, s.depth, s.heads, s.hidden, s.patch, s.rows, s.columns
			if got.String() != want.String() {
				t.Errorf("got %s, want %s", got, want)
			}
			p, q := got.Preprocessing, want.Preprocessing
			if p.Size != q.Size || p.CropRatio != q.CropRatio || p.Mean != q.Mean || p.Std[0] < .2 || p.Interpolation != "bicubic" {
				t.Errorf("preprocessing: got %+v, want %+v", p, q)
			}
			if got.Resampling != want.Resampling || got.Epsilon != want.Epsilon || got.Rotary != want.Rotary || got.PooledNorm != want.PooledNorm ||
				got.InnerNorm != want.InnerNorm || got.LayerScale != want.LayerScale {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestModelsThatAreNotWhatTheySeemAreRefused(t *testing.T) {
	type values = map[string]safetensors.Values
	zeros := func(shape ...int64) safetensors.Values {
		n := int64(1)
		for _, d := range shape {
			n *= d
		}
		return safetensors.Values{Shape: shape, Data: make([]float32, n)}
	}
	for name, test := range map[string]struct {
		change func(v values)
		config string
		want   string // in the error; empty for none
	}{
		"as it is": {func(v values) {}, twoHeads, ""},
		"a mask token and a head": {func(v values) {
			v["mask_token"], v["head.weight"], v["head.bias"] = zeros(1, 16), zeros(5, 16), zeros(5)
		}, twoHeads, ""},
		"another kind of model":        {func(v values) { delete(v, "patch_embed.proj.weight") }, twoHeads, "there is no patch embedding"},
		"no patch bias":                {func(v values) { delete(v, "patch_embed.proj.bias") }, twoHeads, `tensor "patch_embed.proj.bias" is missing`},
		"a flat patch embedding":       {func(v values) { v["patch_embed.proj.weight"] = zeros(16, 12) }, twoHeads, "want 4 dimensions"},
		"an oblong patch":              {func(v values) { v["patch_embed.proj.weight"] = zeros(16, 3, 2, 4) }, twoHeads, "want [16 3 2 2]"},
		"pictures of four channels":    {func(v values) { v["patch_embed.proj.weight"] = zeros(16, 4, 2, 2) }, twoHeads, "want [16 3 2 2]"},
		"a patch of nothing":           {func(v values) { v["patch_embed.proj.weight"] = zeros(16, 3, 0, 0) }, twoHeads, "has shape [16 3 0 0]"},
		"no class token":               {func(v values) { delete(v, "cls_token") }, twoHeads, `"pos_embed" is for 10 places`},
		"no positions":                 {func(v values) { delete(v, "pos_embed") }, twoHeads, `no position embedding`},
		"positions that are no square": {func(v values) { v["pos_embed"] = zeros(1, 8, 16) }, twoHeads, "no square of patches"},
		"oblong positions, said so":    {func(v values) { v["pos_embed"] = zeros(1, 9, 16) }, `{"num_heads": 2, "img_size": [4, 8]}`, ""},
		"positions of another width":   {func(v values) { v["pos_embed"] = zeros(1, 10, 8) }, twoHeads, "want [1 10 16]"},
		"no final norm":                {func(v values) { delete(v, "norm.weight") }, twoHeads, `"norm.weight" is missing`},
		"two final norms":              {func(v values) { v["fc_norm.weight"], v["fc_norm.bias"] = zeros(16), zeros(16) }, twoHeads, `"norm.bias", "norm.weight"`},
		"no blocks": {func(v values) {
			maps.DeleteFunc(v, func(k string, _ safetensors.Values) bool { return strings.HasPrefix(k, "blocks.") })
		}, twoHeads, "no block 0"},
		"a gap between blocks":       {func(v values) { v["blocks.2.norm1.weight"] = zeros(16) }, twoHeads, "block 1 is missing"},
		"a block that is not whole":  {func(v values) { v["blocks.1.norm1.weight"] = zeros(16) }, twoHeads, `tensor "blocks.1.`},
		"no MLP":                     {func(v values) { delete(v, "blocks.0.mlp.fc2.weight") }, twoHeads, "block 0 has no MLP"},
		"no attention":               {func(v values) { delete(v, "blocks.0.attn.qkv.weight") }, twoHeads, `"blocks.0.attn.q_proj.weight" is missing`},
		"no bias in attention":       {func(v values) { delete(v, "blocks.0.attn.qkv.bias") }, twoHeads, `"blocks.0.attn.qkv.bias" is missing`},
		"a bias against config.json": {func(v values) {}, `{"num_heads": 2, "qkv_bias": false}`, `"blocks.0.attn.qkv.bias"`},
		"half a LayerScale":          {func(v values) { delete(v, "blocks.0.ls2.gamma") }, twoHeads, `"blocks.0.ls2.gamma" is missing`},
		"an MLP that doesn't fit":    {func(v values) { v["blocks.0.mlp.fc1.weight"] = zeros(13, 16) }, twoHeads, "want [12 16]"},
		"what palate doesn't know":   {func(v values) { v["blocks.0.attn.q_norm.weight"] = zeros(8) }, twoHeads, `"blocks.0.attn.q_norm.weight"`},
		"a distillation token":       {func(v values) { v["dist_token"] = zeros(1, 1, 16) }, twoHeads, `"pos_embed" is for 10 places`},
		"a head in a block":          {func(v values) { v["blocks.0.head.weight"] = zeros(1) }, twoHeads, `"blocks.0.head.weight"`},
		"heads that nobody knows":    {func(v values) {}, "", "say it with --heads"},
		"heads that don't divide":    {func(v values) {}, `{"num_heads": 3}`, "3 attention heads don't divide a width of 16"},
		"heads without number":       {func(v values) {}, `{"num_heads": "two"}`, "num_heads"},
		"negative heads":             {func(v values) {}, `{"num_heads": -2}`, "negative"},
		"a config that is no object": {func(v values) {}, `[]`, "no JSON object"},
		"a config that is cut":       {func(v values) {}, `{"num_heads": 2`, "no JSON object"},
		"a config of a megabyte":     {func(v values) {}, `{"a": "` + strings.Repeat("a", 1<<20) + `"}`, "at most 1048576"},
		"a config of another width":  {func(v values) {}, `{"num_heads": 2, "embed_dim": 384}`, "a width of 384, the tensors have 16"},
		"a config of another depth":  {func(v values) {}, `{"num_heads": 2, "depth": 12}`, "blocks of 12, the tensors have 1"},
		"a config with registers":    {func(v values) {}, `{"num_heads": 2, "reg_tokens": 4}`, "registers of 4, the tensors have 0"},
		"another activation":         {func(v values) {}, `{"num_heads": 2, "hidden_act": "relu"}`, `the activation "relu"`},
		"another activation by name": {func(v values) {}, `{"num_heads": 2, "architecture": "vit_base_patch16_clip_quickgelu_224"}`, "quickgelu"},
		"a config of EVA-02":         {func(v values) {}, `{"num_heads": 2, "architecture": "eva02_base_patch14_224"}`, "are those of dinov2"},
		"mitchell pictures":          {func(v values) {}, `{"num_heads": 2, "pretrained_cfg": {"interpolation": "mitchell"}}`, `"mitchell", which palate can't`},
		"an epsilon of 1":            {func(v values) {}, `{"num_heads": 2, "layer_norm_eps": 1}`, "epsilon"},
		"a deviation of 0":           {func(v values) {}, `{"num_heads": 2, "std": [1, 1, 0]}`, "std above 0"},
		"a size of 0":                {func(v values) {}, `{"num_heads": 2, "img_size": 0}`, "img_size"},
		"a size of words":            {func(v values) {}, `{"num_heads": 2, "img_size": "large"}`, "img_size"},
	} {
		t.Run(name, func(t *testing.T) {
			all := values{}
			for _, v := range tensorsOf(tiny, timmStyle(tiny)) {
				all[v.Name] = v
			}
			test.change(all)
			var list []safetensors.Values
			for name, v := range all {
				v.Name = name
				list = append(list, v)
			}
			_, err := vit.Inspect(memoryFile(t, list), []byte(test.config))
			switch {
			case test.want == "" && err != nil:
				t.Errorf("got %v, want none", err)
			case test.want != "" && (!errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want palate.ErrInvalid with %q", err, test.want)
			}
		})
	}
}

// load takes a file as far as it goes.
func load(content []byte) error {
	file, err := safetensors.Open(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return err
	}
	a, err := vit.Inspect(file, []byte(twoHeads))
	if err != nil {
		return err
	}
	_, err = vit.Build(context.Background(), file, a, vit.Options{})
	return err
}

// Whatever byte of a header is flipped, and wherever the file is cut, the
// outcome is a graph or a sentence.
func TestDamagedFilesAreRefusedOrHarmless(t *testing.T) {
	var content bytes.Buffer
	if err := safetensors.Write(&content, tensorsOf(tiny, timmStyle(tiny)), map[string]string{"format": "pt"}); err != nil {
		t.Fatal(err)
	}
	file := content.Bytes()
	header := 8 + int(binary.LittleEndian.Uint64(file))
	if err := load(file); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(3, 3))
	refused := 0
	for at := range header {
		damaged := slices.Clone(file)
		damaged[at] ^= 1 << random.IntN(8)
		if at%2 == 0 {
			damaged[at] = `0123456789"{}[],:-.e`[random.IntN(20)]
		}
		if err := load(damaged); err != nil {
			refused++
			if !errors.Is(err, palate.ErrInvalid) || strings.ContainsAny(err.Error(), "\x00") {
				t.Errorf("byte %d made %q: got %v, want palate.ErrInvalid", at, damaged[at], err)
			}
		}
	}
	if refused < header*9/10 {
		t.Errorf("only %d of %d damaged headers were refused", refused, header)
	}
	for cut := 0; cut < len(file); cut += 1 + cut/100 {
		if err := load(file[:cut]); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("cut at byte %d: got %v, want palate.ErrInvalid", cut, err)
		}
	}
	if err := load(append(slices.Clone(file), 0)); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("a byte too many: got %v, want palate.ErrInvalid", err)
	}
}

// FuzzConfigurations: whatever stands beside a model, it is refused or gives
// an architecture that a graph can be described for, or whose size can't be.
func FuzzConfigurations(f *testing.F) {
	f.Add(`{"num_heads": 2}`)
	f.Add(`{"config": {"num_heads": 2, "img_size": [6, 6]}, "pretrained_cfg": {"crop_pct": 0.9, "mean": [0.5, 0.5, 0.5], "interpolation": "bicubic"}}`)
	f.Add(`{"num_attention_heads": 2, "crop_size": {"height": 6, "width": 6}, "size": {"shortest_edge": 8}, "resample": 3, "layer_norm_eps": 1e-300}`)
	var content bytes.Buffer
	if err := safetensors.Write(&content, tensorsOf(tiny, timmStyle(tiny)), nil); err != nil {
		f.Fatal(err)
	}
	file, err := safetensors.Open(bytes.NewReader(content.Bytes()), int64(content.Len()))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, config string) {
		before := allocated()
		defer func() {
			if took := allocated() - before; took > 64*uint64(len(config))+8<<20 {
				t.Errorf("%d bytes of configuration took %d bytes of memory", len(config), took)
			}
		}()
		a, err := vit.Inspect(file, []byte(config), []byte(twoHeads))
		if err == nil {
			err = a.Validate()
			if err != nil {
				t.Fatalf("got an architecture that is not valid: %v", err)
			}
			_, err = vit.Describe([32]byte{}, a, vit.Options{})
		}
		if err != nil && !errors.Is(err, palate.ErrInvalid) {
			t.Fatalf("got %v, want palate.ErrInvalid", err)
		}
	})
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

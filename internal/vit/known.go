package vit

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
)

// Activation is the nonlinearity of an MLP.
type Activation string

// The activations. GELUErf is x/2 · (1 + erf(x/√2)), GELUTanh its
// approximation by a tanh, QuickGELU x · sigmoid(1.702 x). That of SwiGLU's
// gate is always SiLU.
const (
	GELUErf   Activation = "gelu"
	GELUTanh  Activation = "gelu_tanh"
	QuickGELU Activation = "quick_gelu"
)

// Rotation is how queries and keys are turned by the place of their patch.
type Rotation string

// The rotations. EVA-02's are of places scaled to a grid of 16, in
// neighbouring pairs; DINOv3's of places from -1 to 1, in the halves of a head.
const (
	RotationEVA    Rotation = "eva"
	RotationDINOv3 Rotation = "dinov3"
)

// facts are what tensors don't tell of a model.
type facts struct {
	dim        int // that the heads go with
	heads      int
	activation string // as the publisher writes it
	epsilon    float64
	pool       string // timm's word
	postNorm   bool
	rotation   Rotation
	base       float64 // of DINOv3's periods
}

//go:embed timm.txt
var timmTable string

// timmArchitectures are the architectures that timm names; nil is one that
// palate can't compute.
var timmArchitectures = sync.OnceValue(func() map[string]*facts {
	all := map[string]*facts{}
	for line := range strings.Lines(timmTable) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		var f facts
		var name, norms string
		if n, err := fmt.Sscan(line, &name, &f.dim, &f.heads, &f.activation, &f.epsilon, &f.pool, &norms, (*string)(&f.rotation)); err != nil || n != 8 {
			all[name] = nil
			continue
		}
		f.postNorm = norms == "post"
		if f.rotation == "-" {
			f.rotation = ""
		}
		f.base = dinov3Base
		all[name] = &f
	}
	return all
})

// timmFacts gives what is known of an architecture by timm's name, which may
// have a tag behind a dot. known is false for a name that is new here.
func timmFacts(architecture string) (f *facts, known bool) {
	name, _, _ := strings.Cut(architecture, ".")
	f, known = timmArchitectures()[name]
	return f, known
}

// transformersDefaults are the values of transformers' configurations by
// model_type: a configuration may leave out what is as in these.
var transformersDefaults = map[string]facts{
	"vit":                   {heads: 12, activation: "gelu", epsilon: 1e-12, pool: "token"},
	"vit_mae":               {heads: 12, activation: "gelu", epsilon: 1e-12, pool: "token"},
	"vit_msn":               {heads: 12, activation: "gelu", epsilon: 1e-6, pool: "token"},
	"ijepa":                 {heads: 12, activation: "gelu", epsilon: 1e-12, pool: "avg"},
	"deit":                  {heads: 12, activation: "gelu", epsilon: 1e-12, pool: "dist"},
	"beit":                  {heads: 12, activation: "gelu", epsilon: 1e-12},
	"dinov2":                {heads: 12, activation: "gelu", epsilon: 1e-6, pool: "token"},
	"dinov2_with_registers": {heads: 12, activation: "gelu", epsilon: 1e-6, pool: "token"},
	"dinov3_vit":            {heads: 6, activation: "gelu", epsilon: 1e-5, pool: "token", rotation: RotationDINOv3, base: dinov3Base},
	"clip":                  {heads: 12, activation: "quick_gelu", epsilon: 1e-5, pool: "token"},
	"clip_vision_model":     {heads: 12, activation: "quick_gelu", epsilon: 1e-5, pool: "token"},
	"siglip":                {heads: 12, activation: "gelu_pytorch_tanh", epsilon: 1e-6, pool: "map"},
	"siglip_vision_model":   {heads: 12, activation: "gelu_pytorch_tanh", epsilon: 1e-6, pool: "map"},
}

// publishedHeads are the attention heads of architectures that timm does not
// list itself, by a part of the name and the width that goes with it.
var publishedHeads = []struct {
	part  string
	dim   int
	heads int
}{
	{"tiny", 192, 3}, {"small", 384, 6}, {"base", 768, 12}, {"large", 1024, 16},
	{"huge", 1280, 16}, {"gigantic", 1664, 16}, {"giant", 1408, 16}, {"giant", 1536, 24},
}

// partHeads gives the heads of an architecture that is called like a known
// one; 0 if it is not.
func partHeads(architecture string, dim int) int {
	for part := range strings.SplitSeq(architecture, "_") {
		for _, p := range publishedHeads {
			if part == p.part && dim == p.dim {
				return p.heads
			}
		}
	}
	return 0
}

// Families are those of models that can be computed, as Architecture.Family
// calls them.
func Families() []string {
	return []string{"dinov2", "dinov3", "vit", "deit", "ijepa", "beit", "eva02", "clip", "siglip"}
}

// activationOf reads the words that publishers have for the activations; SiLU
// is SwiGLU's and no word for another.
func activationOf(word string) (Activation, bool) {
	switch word {
	case "gelu", "GELU":
		return GELUErf, true
	case "gelu_tanh", "gelu_pytorch_tanh", "gelu_new":
		return GELUTanh, true
	case "quick_gelu", "quickgelu":
		return QuickGELU, true
	}
	return "", false
}

// withoutQKVBias reports whether timm has this architecture without biases in
// attention; that stands in no configuration of timm's.
func withoutQKVBias(architecture string) bool {
	for _, beginning := range []string{"vit_medium_patch16_gap_", "vit_betwixt_patch16_gap_", "vit_base_patch16_224_miil", "vit_so150m2_patch16_reg1_gap_"} {
		if strings.HasPrefix(architecture, beginning) {
			return true
		}
	}
	return false
}

package vit

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/picture"
)

// Pool is what of the last tokens is the embedding.
type Pool string

// The pools: the class token, the mean of the patches' tokens, and the class
// token followed by the mean.
const (
	PoolClass Pool = "cls"
	PoolMean  Pool = "mean"
	PoolBoth  Pool = "both"
	// PoolHead is the feature that a model was published with a head of its
	// own for: CLIP's projection, SigLIP's attention pooling, the mean of the
	// class and the distillation token of DeiT.
	PoolHead Pool = "head"
)

// Precision is what a graph computes in. Input and output are float32.
type Precision string

// The precisions. Float16 is meant for GPUs: on a CPU it is right, and slow.
// Int8 multiplies whole numbers in the linear maps (weights of eight bits with
// a scale for each output, activations with a scale for each call) and is
// another function than the floats.
const (
	Float32 Precision = "float32"
	Float16 Precision = "float16"
	Int8    Precision = "int8"
)

// Form is which operators a graph is written in, see the package's comment.
type Form string

// The forms.
const (
	Fused Form = "fused"
	Plain Form = "plain"
)

// Options choose a graph of a model. Zero values are filled by Fill.
type Options struct {
	// Name and Licence go into the description.
	Name, Licence string

	// Width and Height are the input's, in pixels, multiples of a patch's
	// side. For FitWhole they are that of a picture of their ratio, and the
	// graph takes any size.
	Width, Height int
	// Fit is how pictures come to the input: FitCrop, FitPad and FitStretch
	// make a graph for one size, FitWhole one for every size.
	Fit embedder.Fit
	// ShortSide is for FitCrop, see embedder.Description.
	ShortSide int

	// Rules are how picture files become pixels; empty is by the present ones.
	Rules picture.Rules

	Pool Pool
	// Tokens asks for another output, TokensName, with all tokens after the
	// last LayerNorm before pooling: class token, registers, patches row by
	// row. Its cost is that no work on them can be left out.
	Tokens bool

	Precision Precision
	Form      Form
	// GPU writes the fused form for a GPU: in operators that run there, with
	// the attention that in float16 is flash attention on CUDA.
	GPU bool
	// Resampling overrides the publisher's.
	Resampling Resampling
}

// The names of a graph's picture and outputs.
const (
	PixelsName    = "pixels"    // [batch, 3, height, width]
	EmbeddingName = "embedding" // [batch, dim]
	TokensName    = "tokens"    // [batch, tokens, dim]
)

// Fill gives o with what is zero filled in: the publisher's size, FitCrop
// with the publisher's ratio, the publisher's own feature, float32, fused.
//
// A DINOv2 at less than its own size is given pictures whose shorter side is
// 8/7 of the input's, 256 for 224, as its authors evaluate it.
func (o Options) Fill(a Architecture) Options {
	set := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	p := a.Preprocessing
	set(&o.Name, "model")
	if o.Width == 0 && o.Height == 0 {
		o.Width, o.Height = p.Size, p.Size
	}
	set((*string)(&o.Fit), string(p.Fit))
	set((*string)(&o.Fit), string(embedder.FitCrop))
	if o.Fit == embedder.FitStretch && p.Fit == embedder.FitStretch && p.CropRatio < 1 && o.ShortSide == 0 {
		o.ShortSide = int(math.Floor(float64(o.Width)/p.CropRatio + 1e-9))
	}
	if o.Fit == embedder.FitCrop && o.ShortSide == 0 {
		ratio := p.CropRatio
		if a.Family == "dinov2" && ratio == 1 && o.Width < p.Size {
			ratio = 7. / 8
		}
		o.ShortSide = int(math.Floor(float64(o.Width)/ratio + 1e-9))
	}
	if o.Pool == "" {
		o.Pool = a.Pool
		if o.Pool == "" {
			o.Pool = PoolClass
		}
		if a.PooledNorm {
			o.Pool = PoolMean
		}
	}
	set((*string)(&o.Precision), string(Float32))
	set((*string)(&o.Form), string(Fused))
	set((*string)(&o.Resampling), string(a.Resampling))
	return o
}

// validate reports what is wrong with filled options for a model.
func (o Options) validate(a Architecture) error {
	var problems []error
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if err := checkSize(a, o.Width, o.Height); err != nil {
		problems = append(problems, err)
	}
	if !slices.Contains([]Pool{PoolClass, PoolMean, PoolBoth, PoolHead}, o.Pool) {
		wrong("pool %q is none of %q, %q, %q, %q", o.Pool, PoolClass, PoolMean, PoolBoth, PoolHead)
	} else if o.Pool == PoolHead && !a.hasHead() {
		wrong("pool %q: this model has no head of its own, it is pooled by %q", o.Pool, a.Pool)
	} else if !a.ClassToken && (o.Pool == PoolClass || o.Pool == PoolBoth) {
		wrong("pool %q: this model has no class token", o.Pool)
	} else if a.PooledNorm && o.Pool != PoolMean {
		wrong("pool %q: this model was trained to be pooled by %q alone", o.Pool, PoolMean)
	}
	if !slices.Contains([]Precision{Float32, Float16, Int8}, o.Precision) {
		wrong("precision %q is none of %q, %q, %q", o.Precision, Float32, Float16, Int8)
	}
	if o.Form != Fused && o.Form != Plain {
		wrong("form %q is none of %q, %q", o.Form, Fused, Plain)
	} else if o.Form == Plain && o.Precision != Float32 {
		wrong("the form %q is written in %q alone", Plain, Float32)
	}
	if o.GPU && o.Precision == Int8 {
		wrong("precision %q is for CPUs: on a GPU %q is the fast one", Int8, Float16)
	}
	if err := o.Resampling.validate(); err != nil {
		problems = append(problems, err)
	}
	if elsewhere := o.free() || o.Width != a.GridColumns*a.PatchSize || o.Height != a.GridRows*a.PatchSize; a.RelativeBias && elsewhere && a.Naming == NamingTimm {
		wrong("an input of %d×%d: palate doesn't bring relative positions to another size as timm does; this model takes %d×%d alone, with fit crop or stretch", o.Width, o.Height, a.GridColumns*a.PatchSize, a.GridRows*a.PatchSize)
	}
	if len(problems) > 0 {
		return fmt.Errorf("vision transformer options: %w: %w", palate.ErrInvalid, errors.Join(problems...))
	}
	return nil
}

// free reports whether the graph takes inputs of any size.
func (o Options) free() bool { return o.Fit == embedder.FitWhole }

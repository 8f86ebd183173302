package vit

import (
	"errors"
	"fmt"
	"slices"

	"github.com/palate-art/palate/embedder"
)

var (
	imageNetMean, imageNetStd = [3]float64{.485, .456, .406}, [3]float64{.229, .224, .225}
	clipMean, clipStd         = [3]float64{.48145466, .4578275, .40821073}, [3]float64{.26862954, .26130258, .27577711}
)

// settle fills what tensors don't tell: what the configuration says, or what is
// known of an architecture of its name, or else, called guessed, what holds for
// most.
func (a *Architecture) settle(c configuration, i *inspection) error {
	f, err := a.facts(c)
	if err != nil {
		return err
	}
	guess := func(what string) { a.Guessed = append(a.Guessed, what) }
	a.settleHeads(c, f, guess)
	a.QKVBias = !c.noQKVBias
	if a.tensors.has(packedQKV) && a.Naming == NamingTimm && (a.PostNorm || a.Rotary || withoutQKVBias(c.architecture)) {
		a.QKVBias = i.has(biasOf(a.tensors.of(0, packedQKV)))
	}
	a.Epsilon = 1e-6
	if a.Naming == NamingTransformers && !a.LayerScale {
		a.Epsilon = 1e-12
	}
	if f.epsilon > 0 && !c.former {
		a.Epsilon = f.epsilon
	}
	if c.epsilon > 0 {
		a.Epsilon = c.epsilon
	}
	if err := a.settleActivation(c, f, guess); err != nil {
		return err
	}
	if err := a.settlePool(c, f, i); err != nil {
		return err
	}
	a.Family = a.family(c)
	a.settlePreprocessing(c, guess)
	return nil
}

// facts are what is known of an architecture by its name.
func (a *Architecture) facts(c configuration) (facts, error) {
	var f facts
	if d, found := transformersDefaults[c.modelType]; found && a.Naming == NamingTransformers {
		f = d
	}
	if known, found := timmFacts(c.architecture); found && a.Naming == NamingTimm && !c.former {
		if known == nil {
			return f, fmt.Errorf("the architecture is %q, which palate can't compute; export the model to ONNX and describe it: palate model describe FILE.onnx", c.architecture)
		}
		f = *known
		if (f.rotation != "") != a.Rotary && !a.tensors.has(queryBias) {
			return f, fmt.Errorf("the architecture is %q, the tensors are those of %s", c.architecture, a.family(configuration{}))
		}
		a.Rotary = f.rotation != ""
	}
	if a.Naming == NamingOpenAI {
		f = facts{epsilon: 1e-5, pool: "token"}
		f.rotation = ""
	}
	a.PostNorm = f.postNorm
	_, named := timmFacts(c.architecture)
	switch {
	case f.rotation != "":
		a.Rotation = f.rotation
	case a.Rotary && a.tensors.has(query) && a.Positions:
		a.Rotation = RotationEVA // timm's own names for EVA-02 alone
	case a.tensors.has(periods):
		a.Rotation, f.base, f.pool, f.epsilon = RotationDINOv3, dinov3Base, "token", 1e-5
		f.activation = "gelu"
	case a.tensors.has(queryBias) && a.Positions && !named:
		a.Rotary = true // or not: Validate says what to do
	}
	if a.RotationBase = f.base; c.ropeTheta > 0 {
		a.RotationBase = c.ropeTheta
	}
	if a.Rotation != RotationDINOv3 {
		a.RotationBase = 0
	}
	return f, nil
}

func (a *Architecture) settleHeads(c configuration, f facts, guess func(string)) {
	a.Heads = c.heads
	if a.RelativeBias {
		a.Heads = 0 // it is the table's width
	}
	switch _, named := timmFacts(c.architecture); {
	case a.Heads != 0:
	case a.RelativeBias:
		a.Heads = a.relativeHeads
	case c.former:
		if a.Dim%64 == 0 {
			a.Heads = a.Dim / 64
			guess("heads")
		}
	case f.heads != 0 && (f.dim == 0 || f.dim == a.Dim):
		a.Heads = f.heads
	case a.Naming == NamingOpenAI:
		width := 64 // CLIP's own rule: it has no other
		if c.headWidth > 0 {
			width = c.headWidth
		}
		if a.Dim%width == 0 {
			a.Heads = a.Dim / width
		}
	case !named:
		a.Heads = partHeads(c.architecture, a.Dim)
	}
}

// settleActivation says what the MLPs compute.
func (a *Architecture) settleActivation(c configuration, f facts, guess func(string)) error {
	if a.MLP == SwiGLU || c.former {
		a.Activation = GELUErf
		return nil
	}
	word := c.activation
	if word == "" && c.quickGELU != nil {
		word = map[bool]string{true: "quick_gelu", false: "gelu"}[*c.quickGELU]
	}
	if word == "" {
		word = f.activation
	}
	known := false
	if a.Activation, known = activationOf(word); known {
		return nil
	}
	if word != "" {
		return fmt.Errorf("the activation %q is none that palate computes (gelu, gelu_tanh, quick_gelu)", word)
	}
	if !a.TokenNorm && !a.Attending { // CLIP and SigLIP have several
		a.Activation = GELUErf
		guess("activation")
	}
	return nil
}

// settlePool says what of the tokens is the feature.
func (a *Architecture) settlePool(c configuration, f facts, i *inspection) error {
	word := f.pool
	if a.Naming == NamingTimm && c.pool != "" {
		word = c.pool
	}
	n := a.tensors
	switch {
	case c.former:
		a.Pool = PoolClass
	case a.Attending && (word == "map" || word == ""), a.Distilled:
		a.Pool = PoolHead
	case word == "avg" || a.PooledNorm || !a.ClassToken:
		a.Pool = PoolMean
	case word == "token" || word == "" || word == "dist":
		a.Pool = PoolClass
	default:
		return fmt.Errorf("global_pool is %q, which palate doesn't compute (token, avg, map)", word)
	}
	if a.PooledNorm {
		a.Pool = PoolMean
		if word == "token" {
			return fmt.Errorf("it is said to be pooled by its class token, and its LayerNorm %q is of the mean of the patches", n.of(-1, pooledNorm))
		}
	}
	a.headOf = a.Pool
	switch {
	case a.Attending && a.Pool != PoolHead:
		a.Attending = false
		return errors.New("it has a pooling head and is said not to be pooled by it: that is another model than its tensors are of")
	case n.has(outProjectionT):
		shape, err := i.shape(n.of(-1, outProjectionT), 2)
		if err != nil {
			return err
		}
		a.Projected, a.Pool = shape[1], PoolHead
	case n.has(outProjection) && !slices.Contains(c.classes, "CLIPVisionModel"):
		shape, err := i.shape(weightOf(n.of(-1, outProjection)), 2)
		if err != nil {
			return err
		}
		a.Projected, a.Pool = shape[0], PoolHead
	}
	return nil
}

// settlePreprocessing says how pictures come to the model.
func (a *Architecture) settlePreprocessing(c configuration, guess func(string)) {
	a.Resampling = ResampleAntialias
	if a.Naming == NamingTransformers && (a.Registers == 0 || a.Distilled) {
		a.Resampling = ResampleCubic
	}
	p := Preprocessing{Size: a.PatchSize * min(a.GridRows, a.GridColumns), CropRatio: .9, Mean: imageNetMean, Std: imageNetStd, Interpolation: "bicubic"}
	switch a.Family {
	case "dinov2":
		p.CropRatio = 1
	case "eva02", "clip":
		p.Mean, p.Std = clipMean, clipStd
	}
	if len(c.size) == 2 {
		p.Size = min(c.size[0], c.size[1])
	}
	if c.shown > 0 {
		p.Size = c.shown
	}
	if c.shortSide >= p.Size && c.shown > 0 && (c.former || c.cropRatio == 0) {
		p.CropRatio = float64(p.Size) / float64(c.shortSide)
	}
	if c.cropRatio > 0 {
		p.CropRatio = c.cropRatio
	} else if c.shortSide == 0 {
		guess("crop")
	}
	if c.mean != nil {
		p.Mean = *c.mean
	} else {
		guess("mean")
	}
	if c.std != nil {
		p.Std = *c.std
	} else {
		guess("std")
	}
	if c.interpolation != "" {
		p.Interpolation = c.interpolation
	} else {
		guess("interpolation")
	}
	if p.Fit = c.fit; p.Fit == "" {
		p.Fit = embedder.FitCrop
		guess("fit")
	}
	a.Preprocessing = p
}

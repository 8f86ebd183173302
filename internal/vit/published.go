package vit

import "github.com/palate-art/palate/embedder"

var (
	imageNetMean, imageNetStd = [3]float64{.485, .456, .406}, [3]float64{.229, .224, .225}
	clipMean, clipStd         = [3]float64{.48145466, .4578275, .40821073}, [3]float64{.26862954, .26130258, .27577711}
)

// settle fills what tensors don't tell: what the configuration says, or else
// what holds for the published models of the family.
func (a *Architecture) settle(c configuration) {
	a.Heads = c.heads
	guess := func(what string) { a.Guessed = append(a.Guessed, what) }
	if a.Heads == 0 && !c.former {
		a.Heads = knownHeads(c.architecture, a.Dim)
	}
	if a.Heads == 0 && c.former && a.Dim%64 == 0 {
		a.Heads = a.Dim / 64
		guess("heads")
	}
	a.QKVBias = !c.noQKVBias
	a.Epsilon = 1e-6
	if a.Naming == NamingTransformers && a.Family == "vit" {
		a.Epsilon = 1e-12
	}
	if c.epsilon > 0 {
		a.Epsilon = c.epsilon
	}
	a.Resampling = ResampleAntialias
	if a.Naming == NamingTransformers && a.Registers == 0 {
		a.Resampling = ResampleCubic
	}
	p := Preprocessing{Size: a.PatchSize * min(a.GridRows, a.GridColumns), CropRatio: .9, Mean: imageNetMean, Std: imageNetStd, Interpolation: "bicubic"}
	switch a.Family {
	case "dinov2":
		p.CropRatio = 1
	case "eva02":
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

package models

import (
	"encoding/json"

	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/vit"
)

// Preprocessing is how pictures come to a model as it was published.
type Preprocessing struct {
	// Size is the side of the square input in pixels.
	Size int `json:"size"`
	// CropRatio is Size over what the shorter side is resized to, timm's
	// crop_pct.
	CropRatio float64 `json:"crop_ratio"`
	// Mean and Std are per channel, of values in 0..1.
	Mean [3]float64 `json:"mean"`
	Std  [3]float64 `json:"std"`
	// Fit and Interpolation are those of embedder.Description; empty is
	// "crop" and "bicubic".
	Fit           embedder.Fit `json:"fit,omitempty"`
	Interpolation string       `json:"interpolation,omitempty"`
}

func preprocessingOf(a vit.Architecture) *Preprocessing {
	p := a.Preprocessing
	own := &Preprocessing{Size: p.Size, CropRatio: p.CropRatio, Mean: p.Mean, Std: p.Std, Fit: p.Fit, Interpolation: p.Interpolation}
	if own.Fit == embedder.FitCrop {
		own.Fit = ""
	}
	if own.Interpolation == embedder.Bicubic {
		own.Interpolation = ""
	}
	return own
}

// said is what someone says of a model beside its tensors, in the words of
// config.json, which package vit reads.
type said struct {
	Heads int `json:"num_heads,omitempty"`
	// Architecture is timm's name of the model.
	Architecture string `json:"architecture,omitempty"`
	// ModelType is transformers' name of its kind.
	ModelType string      `json:"model_type,omitempty"`
	CropRatio float64     `json:"crop_pct,omitempty"`
	Mean      *[3]float64 `json:"mean,omitempty"`
	Std       *[3]float64 `json:"std,omitempty"`
	// Size is that of the input itself. Where it is said, what a
	// configuration before resizes the shorter side to ("size") is moot.
	Size int `json:"crop_size,omitempty"`
}

// config is the text; none if nothing is said.
func (s said) config() []byte {
	if s == (said{}) {
		return nil
	}
	text, err := json.Marshal(s)
	if err != nil {
		panic("models: what can't be written as JSON was said: " + err.Error()) // numbers are checked before
	}
	if s.Size != 0 {
		text = append([]byte(`{"size":null,`), text[1:]...)
	}
	return text
}

// config is the catalogue's word on a model of what timm calls architecture
// and transformers modelType.
func (p Preprocessing) config(heads int, architecture, modelType string) []byte {
	return said{Heads: heads, Architecture: architecture, ModelType: modelType, CropRatio: p.CropRatio, Mean: &p.Mean, Std: &p.Std, Size: p.Size}.config()
}

package models

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/vit"
)

// The names of models that are no known and no added one.
const (
	// Auto leaves the choice open.
	Auto = "auto"
	// Baseline is the built-in model.
	Baseline = "baseline"
)

// IsFile reports whether a model is named by its file.
func IsFile(name string) bool {
	return strings.EqualFold(filepath.Ext(name), ".onnx") || strings.ContainsRune(name, os.PathSeparator)
}

// maxSize bounds what is asked of a model in pixels a side.
const maxSize = 4096

// Settings choose one function of a model: what of a picture it sees, at what
// size, and what of its output is the embedding. Zero values are not chosen.
// As JSON they stand in a catalog beside the embeddings that they made.
type Settings struct {
	// Model is a name, or the path of an .onnx file.
	Model string `json:"model"`
	// Size is the side in pixels of the square input, or of a square of the
	// same area.
	Size int `json:"size,omitempty"`
	// Fit is FitCrop, FitWhole or FitStretch.
	Fit embedder.Fit `json:"fit,omitempty"`
	// Pool is what of the transformer's output is the embedding.
	Pool vit.Pool `json:"pool,omitempty"`
	// Resample is the rule by which the position embedding comes to another
	// size.
	Resample vit.Resampling `json:"resample,omitempty"`
	// Numeric is NumericInt8 for whole numbers in the multiplications.
	Numeric embedder.NumericClass `json:"numeric_class,omitempty"`
	// Rules are how picture files become pixels.
	Rules picture.Rules `json:"preprocessing,omitempty"`
}

// Validate reports everything that is wrong with s, as ErrInvalid.
func (s Settings) Validate() error {
	var problems []error
	oneOf := func(what, value string, values ...string) {
		if value != "" && !slices.Contains(values, value) {
			problems = append(problems, fmt.Errorf("%s %q is none of %q", what, value, values))
		}
	}
	if s.Size < 0 || s.Size > maxSize {
		problems = append(problems, fmt.Errorf("size %d, want 1 to %d", s.Size, maxSize))
	}
	oneOf("fit", string(s.Fit), string(embedder.FitCrop), string(embedder.FitWhole), string(embedder.FitStretch))
	oneOf("pool", string(s.Pool), string(vit.PoolClass), string(vit.PoolMean), string(vit.PoolBoth), string(vit.PoolHead))
	oneOf("resampling", string(s.Resample), string(vit.ResampleAntialias), string(vit.ResampleCubic))
	oneOf("numeric class", string(s.Numeric), string(embedder.NumericFloat), string(embedder.NumericInt8))
	if s.Rules != "" {
		if _, err := picture.ParseRules(string(s.Rules)); err != nil {
			problems = append(problems, err)
		}
	}
	if len(problems) > 0 {
		return fmt.Errorf("model settings: %w: %w", palate.ErrInvalid, errors.Join(problems...))
	}
	return nil
}

// Or fills what s leaves open from other.
func (s Settings) Or(other Settings) Settings {
	if s.Model == "" {
		s.Model = other.Model
	}
	if s.Size == 0 {
		s.Size = other.Size
	}
	if s.Fit == "" {
		s.Fit = other.Fit
	}
	if s.Pool == "" {
		s.Pool = other.Pool
	}
	if s.Resample == "" {
		s.Resample = other.Resample
	}
	if s.Numeric == "" {
		s.Numeric = other.Numeric
	}
	if s.Rules == "" {
		s.Rules = other.Rules
	}
	return s
}

// Agrees reports whether other chooses nothing else than s where s chooses.
func (s Settings) Agrees(other Settings) bool { return s.Or(other) == other }

// SettingsByName completes settings by the words that people have for the rest:
// a model's name or file (Auto is open; a file is kept by its whole path, since
// the collection may be used from another folder later), how JPEG is decoded
// ("full", "fast" or "", which is open), and a precision, of which int8 alone
// makes other embeddings.
func SettingsByName(model, decode string, precision vit.Precision, s Settings) Settings {
	if s.Model = model; model == Auto {
		s.Model = ""
	}
	switch decode {
	case "full":
		s.Rules = picture.Current()
	case "fast":
		s.Rules = picture.Current().Without(picture.JPEGWhole)
	}
	if IsFile(s.Model) {
		if path, err := filepath.Abs(s.Model); err == nil {
			s.Model = path
		}
	}
	switch precision {
	case vit.Int8:
		s.Numeric = embedder.NumericInt8
	case vit.Float32, vit.Float16:
		s.Numeric = embedder.NumericFloat
	}
	return s
}

package models

import (
	"context"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/vit"
)

// Trainable is a model that is opened for fine-tuning.
type Trainable struct {
	*vit.Trainable
	// Settings have what was left open filled in.
	Settings Settings
	// Description says how pictures come to it, and which function it is
	// before it is trained.
	Description embedder.Description
}

// Trainable opens the weights for fine-tuning, with what settings leave open
// filled in as for embedding on a CPU. A model that has no weights to train,
// an .onnx file, and a family or a fit without a training form are
// palate.ErrInvalid.
func (m Weights) Trainable(ctx context.Context, settings Settings) (Trainable, error) {
	settings.Model = m.Name
	settings = settings.Or(m.Defaults)
	if err := settings.Validate(); err != nil {
		return Trainable{}, err
	}
	if m.Kind == KindONNX {
		return Trainable{}, UntrainableONNX(m.Name)
	}
	file, err := m.open(ctx)
	if err != nil {
		return Trainable{}, err
	}
	defer file.Close()
	a, err := vit.Inspect(file, m.Configs...)
	if err != nil {
		return Trainable{}, fmt.Errorf("model %s: %s: %w", m.Name, m.File, err)
	}
	o := vit.Options{Name: m.Name, Licence: m.Licence.Name, Width: settings.Size, Height: settings.Size, Fit: settings.Fit,
		Pool: settings.Pool, Rules: settings.Rules.OrCurrent(), Resampling: settings.Resample}
	if size := defaultSize(a, "cpu"); settings.Size == 0 {
		o.Width, o.Height = size, size
	}
	o = o.Fill(a)
	if o.Fit == embedder.FitWhole {
		return Trainable{}, fmt.Errorf("fit whole shows every picture in its own shape, and training takes pictures of one size: choose fit crop: %w", palate.ErrInvalid)
	}
	settings.Size, settings.Fit, settings.Pool, settings.Resample, settings.Rules = o.Width, o.Fit, o.Pool, o.Resampling, o.Rules
	settings.Numeric = embedder.NumericFloat
	a.Resampling = o.Resampling
	trainable, err := vit.OpenTrainable(ctx, file, a, o.Width, o.Height)
	if err != nil {
		return Trainable{}, fmt.Errorf("model %s: %w", m.Name, err)
	}
	trainable.Licence = m.Licence.Text()
	sum, err := file.SHA256(ctx)
	if err != nil {
		return Trainable{}, fmt.Errorf("model %s: %w", m.Name, err)
	}
	description, err := vit.Describe(sum, a, o)
	if err != nil {
		return Trainable{}, fmt.Errorf("model %s: %w", m.Name, err)
	}
	return Trainable{trainable, settings, description}, nil
}

// UntrainableONNX is palate.ErrInvalid: why a model that is an .onnx file can't be
// fine-tuned, and what can be done instead.
func UntrainableONNX(name string) error {
	return fmt.Errorf("model %s is an .onnx file, whose weights can't be told from its operators: fine-tuning takes a .safetensors file; a probe can be learned on its embeddings: %w", name, palate.ErrInvalid)
}

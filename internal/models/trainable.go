package models

import (
	"context"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/vit"
)

// Trainable opens the weights for fine-tuning, with what settings leave open
// filled in as for embedding on a CPU. A model that has no weights to train,
// an .onnx file, and a family or a fit without a training form are
// palate.ErrInvalid.
func (m Weights) Trainable(ctx context.Context, settings Settings) (*vit.Trainable, Settings, error) {
	settings.Model = m.Name
	if err := settings.Validate(); err != nil {
		return nil, settings, err
	}
	if m.Kind == KindONNX {
		return nil, settings, fmt.Errorf("model %s is an .onnx file, whose weights can't be told from its operators: fine-tuning takes a .safetensors file; a probe can be learned on its embeddings: %w", m.Name, palate.ErrInvalid)
	}
	file, err := m.open(ctx)
	if err != nil {
		return nil, settings, err
	}
	defer file.Close()
	a, err := vit.Inspect(file, m.Configs...)
	if err != nil {
		return nil, settings, fmt.Errorf("model %s: %s: %w", m.Name, m.File, err)
	}
	o := vit.Options{Name: m.Name, Width: settings.Size, Height: settings.Size, Fit: settings.Fit, Pool: settings.Pool, Resampling: settings.Resample}
	if size := defaultSize(a, "cpu"); settings.Size == 0 {
		o.Width, o.Height = size, size
	}
	o = o.Fill(a)
	if o.Fit == embedder.FitWhole {
		return nil, settings, fmt.Errorf("fit whole shows every picture in its own shape, and training takes pictures of one size: choose fit crop: %w", palate.ErrInvalid)
	}
	settings.Size, settings.Fit, settings.Pool, settings.Resample = o.Width, o.Fit, o.Pool, o.Resampling
	a.Resampling = o.Resampling
	trainable, err := vit.OpenTrainable(ctx, file, a, o.Width, o.Height)
	if err != nil {
		return nil, settings, fmt.Errorf("model %s: %w", m.Name, err)
	}
	return trainable, settings, nil
}

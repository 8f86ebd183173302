package collection

import (
	"cmp"
	"context"
	"path/filepath"

	"github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/tuning"
)

// tuningFolder is where the trainings of a collection's models have their
// folders.
const tuningFolder = "finetune"

// Tuner gives what fine-tunes models on the collection's ratings. What can't be
// asked for here is an AskedError.
func (c *Collection) Tuner(ctx context.Context) (*tuning.Tuner, error) {
	d, err := c.Loader.device()
	if err != nil {
		return nil, err
	}
	if d.Kind != ort.DeviceAuto && d.Kind != ort.DeviceCPU {
		return nil, askedf("the device %s was asked for: fine-tuning computes on the CPU alone for now", d.Kind)
	}
	if err := finetune.Precision(c.Loader.config.Precision).Available(); err != nil {
		return nil, AskedError{err}
	}
	rt, err := c.Loader.runtime(ctx)
	if err != nil {
		return nil, err
	}
	return &tuning.Tuner{Catalog: c.Catalog, Collection: c.Pictures, Runtime: rt, Models: c.Loader.Store(), Folder: filepath.Join(c.config.Folder, tuningFolder)}, nil
}

// PrepareTuning prepares a fine-tuning of the model of that name. The request may
// leave its Weights open, which are that model's, and its Name, which is chosen then.
func (c *Collection) PrepareTuning(ctx context.Context, model string, request tuning.Request) (*tuning.Training, error) {
	weights, err := c.Loader.TrainableSource(ctx, model)
	if err != nil {
		return nil, err
	}
	tuner, err := c.Tuner(ctx)
	if err != nil {
		return nil, err
	}
	if p := finetune.Precision(c.Loader.config.Precision); p != "" && request.Asked.Precision == nil {
		request.Asked.Precision = &p
	}
	request.Weights = weights
	request.Name = cmp.Or(request.Name, tuning.DefaultName(weights.Name, request.Profile))
	return tuner.Prepare(ctx, request)
}

// TrainableSource finds the weights of a model that is to be trained. One that
// has none is an AskedError.
func (l *Loader) TrainableSource(ctx context.Context, name string) (models.Weights, error) {
	if name == models.Auto || name == models.Baseline || models.IsFile(name) {
		return models.Weights{}, askedf("--model is %s: name a model whose weights can be trained, see palate model list; for others palate train learns a probe on their embeddings", name)
	}
	return l.Source(ctx, name)
}

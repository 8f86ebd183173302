package tuning

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/ort"
)

// Reader reads the pictures of a collection for a training.
type Reader struct{ collection *ingest.Collection }

// NewReader reads those of a collection.
func NewReader(c *ingest.Collection) *Reader { return &Reader{c} }

// Pictures gives the named ones as a model takes them.
func (r *Reader) Pictures(d embedder.Description, ids []palate.ImageID) finetune.Pictures {
	return newPictures(r.collection, d, ids)
}

// UsedMemory gives what this process has in memory now and had at most, in
// bytes; 0 is not known.
func UsedMemory() (now, peak int64) { return usedMemory() }

// Trial is a training of which no model is made. It must be closed.
type Trial struct {
	Fitted          finetune.Fitted
	PicturesASecond float64 // while it trained

	trainer *finetune.Trainer
	recipe  Recipe
}

// Fit trains a model by a recipe from a probe, in memory alone.
func Fit(ctx context.Context, rt *ort.Runtime, m models.Trainable, recipe Recipe, head finetune.Head, data finetune.Data) (*Trial, error) {
	trainer, recipe, err := opened(rt, m, recipe)
	if err != nil {
		return nil, err
	}
	t := &Trial{trainer: trainer, recipe: recipe}
	if err := trainer.SetHead(head); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	t.Fitted, err = trainer.Fit(ctx, data, recipe.Config, "", func(p finetune.Progress) {
		if p.PicturesASecond > 0 {
			t.PicturesASecond = p.PicturesASecond
		}
	})
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// opened settles what of a recipe goes by the model, and opens its graphs.
func opened(rt *ort.Runtime, m models.Trainable, recipe Recipe) (*finetune.Trainer, Recipe, error) {
	recipe.Plan.Pool, recipe.Plan.Batch = m.Settings.Pool, 1
	if err := recipe.validate(m.Trainable); err != nil {
		return nil, recipe, err
	}
	recipe.Plan = Asked{}.fitted(recipe.Plan, m.Trainable, recipe.Config.BatchSize, availableMemory())
	config := ort.DefaultSessionConfig()
	config.IntraOpThreads = 0 // one run at a time, on all cores
	zero := finetune.Head{Weights: make([]float32, recipe.Plan.Features(m.Trainable))}
	trainer, err := finetune.NewTrainer(rt, m.Trainable, recipe.Plan, zero, config)
	return trainer, recipe, err
}

// Close frees the model.
func (t *Trial) Close() error { return t.trainer.Close() }

// Logits scores pictures.
func (t *Trial) Logits(ctx context.Context, pictures finetune.Pictures, numbers []int) ([]float64, error) {
	var out []float64
	for part := range slices.Chunk(numbers, t.recipe.Plan.Batch) {
		inputs := make([][]float32, len(part))
		var err error
		for k, i := range part {
			if inputs[k], err = pictures.Pixels(ctx, i); err != nil {
				return nil, err
			}
		}
		if t.recipe.Plan.Tokens {
			if inputs, err = t.trainer.Tokens(ctx, inputs); err != nil {
				return nil, err
			}
		}
		logits, err := t.trainer.Logits(ctx, inputs)
		if err != nil {
			return nil, err
		}
		out = append(out, logits...)
	}
	return out, nil
}

// Estimate measures what a training on so many pictures takes at most, by one
// batch.
func Estimate(ctx context.Context, rt *ort.Runtime, m models.Trainable, recipe Recipe, pictures int) (time.Duration, error) {
	trainer, recipe, err := opened(rt, m, recipe)
	if err != nil {
		return 0, err
	}
	trial, err := trainer.Trial(ctx)
	if err = errors.Join(err, trainer.Close()); err != nil {
		return 0, err
	}
	c := recipe.Config
	runs := math.Ceil(float64(min(c.BatchSize, pictures)) / float64(recipe.Plan.Batch))
	steps := math.Ceil(float64(pictures) / float64(c.BatchSize))
	one := steps * (runs*trial.Run.Seconds() + trial.Optimize.Seconds())
	one += float64(pictures) / 8 * trial.Forward.Seconds() / float64(recipe.Plan.Batch)
	return time.Duration(float64(c.Epochs) * one * float64(time.Second)), nil
}

package arena

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/palate-art/palate"
	tune "github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/tuning"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

// heldParts: one of so many parts of a fold's training part chooses the epoch.
const heldParts = 8

// tuned fine-tunes a model once for each fold.
func (c *Contest) tuned(ctx context.Context, e Entrant, recipe tuning.Recipe, cell *Cell, told func(fold int)) error {
	if e.Trainable == nil {
		return fmt.Errorf("%s has no weights that can be trained: %w", e.Name, palate.ErrInvalid)
	}
	begun := time.Now()
	limited, cancel := ctx, context.CancelFunc(func() {})
	if c.config.Budget > 0 {
		limited, cancel = context.WithTimeout(ctx, c.config.Budget)
	}
	defer cancel()
	var before float64 // seconds of folds that were measured earlier
	for fold := range min(c.config.Folds, c.split.Folds) {
		told(fold)
		one := Cell{Version: 1, Model: e.Name, Method: cell.Method}
		key := c.key(e, cell.Method, fmt.Sprint(fold, mustJSON(recipe)))
		if c.read(key, &one) {
			before += one.Seconds
		} else {
			model, err := e.Trainable(ctx) // each training changes the weights that it has
			if err != nil {
				return err
			}
			err = c.fold(limited, e, model, recipe, fold, &one)
			if ctx.Err() == nil && (errors.Is(err, context.DeadlineExceeded) || limited.Err() != nil) {
				cell.Cut = true
				break
			}
			if err != nil {
				return err
			}
			if err := c.write(key, &one); err != nil {
				return err
			}
		}
		cell.Folds = append(cell.Folds, fold)
		cell.Predictions = append(cell.Predictions, one.Predictions...)
		cell.Seconds += one.Seconds
		cell.PicturesASecond, cell.MemoryBytes, cell.Kept = one.PicturesASecond, max(cell.MemoryBytes, one.MemoryBytes), one.Kept
		if c.config.Budget > 0 && time.Since(begun).Seconds()+before > c.config.Budget.Seconds() && fold+1 < min(c.config.Folds, c.split.Folds) {
			cell.Cut = true
			break
		}
	}
	return nil
}

// fold trains on what a fold may learn from, and predicts what it holds out.
func (c *Contest) fold(ctx context.Context, e Entrant, m models.Trainable, recipe tuning.Recipe, fold int, cell *Cell) error {
	begun := time.Now()
	numbers := c.split.Train(fold)
	random := rand.New(rand.NewPCG(uint64(c.config.Seed), uint64(fold)|1<<40))
	part, n := c.set.Part(numbers, heldParts, random)
	if n == 0 {
		return judge.TooFewToSplit()
	}
	data := tune.Data{Fingerprint: "arena"}
	for i, number := range numbers {
		if part[i] == 0 {
			data.Held = append(data.Held, number)
		} else {
			data.Train = append(data.Train, number)
		}
	}
	trial, err := c.fit(ctx, e, m, recipe, &data)
	if err != nil {
		return err
	}
	defer trial.Close()
	held := c.split.Held(fold)
	chose, err := trial.Logits(ctx, data.Pictures, data.Held)
	if err != nil {
		return err
	}
	liked := make([]bool, len(data.Held))
	for i, number := range data.Held {
		liked[i] = data.Liked[number]
	}
	calibration := judge.Platt(chose, liked)
	logits, err := trial.Logits(ctx, data.Pictures, held)
	if err != nil {
		return err
	}
	for i, number := range held {
		cell.Predictions = append(cell.Predictions, Prediction{number, fold, logits[i], calibration.Probability(logits[i]), logits[i] > 0})
	}
	cell.Seconds = time.Since(begun).Seconds()
	cell.PicturesASecond = trial.PicturesASecond
	_, cell.MemoryBytes = tuning.UsedMemory()
	return nil
}

// fit fills in the rest of the data, and trains from the probe of what is
// trained on.
func (c *Contest) fit(ctx context.Context, e Entrant, m models.Trainable, recipe tuning.Recipe, data *tune.Data) (*tuning.Trial, error) {
	examples := c.examples(e)
	ids := make([]palate.ImageID, len(examples))
	for i, x := range examples {
		ids[i] = x.Image
		data.Liked, data.Weights = append(data.Liked, x.Liked), append(data.Weights, c.set.Weight(i))
	}
	data.Pictures = c.reader.Pictures(m.Description, ids)
	var learned []probe.Example
	for _, number := range data.Train {
		learned = append(learned, examples[number])
	}
	config := learning(c.config.Seed)
	config.NearDuplicates, config.MinPerClass = false, probe.DefaultConfig().MinPerClass
	begins, _, err := probe.Train(ctx, learned, e.ID, config)
	if err != nil {
		return nil, err
	}
	return tuning.Fit(ctx, c.runtime, m, recipe, tune.Head{Weights: begins.Weights, Bias: begins.Bias}, *data)
}

// estimate measures one batch of each model and method that is not measured.
func (c *Contest) estimate(ctx context.Context) (time.Duration, error) {
	var total time.Duration
	for _, e := range c.entrants {
		for _, method := range c.config.Methods {
			recipe, tuned := c.recipe(method)
			if !tuned || e.Trainable == nil {
				continue
			}
			missing := 0
			for fold := range min(c.config.Folds, c.split.Folds) {
				if !c.read(c.key(e, method, fmt.Sprint(fold, mustJSON(recipe))), &Cell{}) {
					missing++
				}
			}
			if missing == 0 {
				continue
			}
			m, err := e.Trainable(ctx)
			if errors.Is(err, palate.ErrInvalid) {
				continue // its cell will say why
			}
			if err != nil {
				return 0, err
			}
			one, err := tuning.Estimate(ctx, c.runtime, m, recipe, len(c.rated)*(parts-1)/parts)
			if errors.Is(err, palate.ErrInvalid) {
				continue
			}
			if err != nil {
				return 0, err
			}
			whole := time.Duration(missing) * one
			if c.config.Budget > 0 {
				whole = min(whole, c.config.Budget)
			}
			total += whole
		}
	}
	return total, nil
}

package tuning

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

// begin settles what is learned from: as it was begun, or the features of all
// pictures, their places, and the probe of those that are trained on.
func (tr *Training) begin(ctx context.Context, told func(Status)) error {
	if tr.begun != nil {
		tr.kept = tr.begun
		return nil
	}
	seen, features, err := tr.features(ctx, told)
	if err != nil {
		return err
	}
	all := make([]probe.Example, len(seen))
	for i, r := range seen {
		all[i] = probe.Example{Image: r.Image, Embedding: features[i], Liked: r.Liked,
			Sketch: func() []byte { // a picture without is told from others by its feature alone
				sketch, err := tr.tuner.Collection.Sketch(ctx, r.Image)
				if err != nil {
					return nil
				}
				return sketch
			}}
	}
	config := learning(tr.Recipe.Config.Seed)
	set, err := probe.Set(ctx, all, true)
	if err != nil {
		return fmt.Errorf("fine-tuning: %w", err)
	}
	if likes, dislikes := set.Count(); min(likes, dislikes) < minPerClass {
		return tooFew(likes, dislikes)
	}
	splits, err := set.Splits(judge.Plan{Folds: parts, Repeats: 1, Seed: config.Seed})
	if err != nil {
		return fmt.Errorf("fine-tuning: %w", err)
	}
	k := &kept{Profile: tr.request.Profile, Model: tr.model.Description.Identity, Settings: tr.model.Settings, Recipe: tr.Recipe,
		Unreadable: len(tr.rated) - len(seen)}
	var trained []probe.Example
	for number, r := range seen { // both are in the order of images
		held := splits[0].Fold(number) == 0
		k.Examples = append(k.Examples, example{r, held, set.Weight(number)})
		if !held {
			trained = append(trained, all[number])
		}
	}
	config.MinPerClass = probe.DefaultConfig().MinPerClass
	learned, _, err := probe.Train(ctx, trained, k.Model, config)
	if err != nil {
		return fmt.Errorf("fine-tuning: the probe to begin at: %w", err)
	}
	k.Head = finetune.Head{Weights: learned.Weights, Bias: learned.Bias}
	tr.kept = k
	return k.write(tr.folder)
}

// features gives those of all pictures that can be read.
func (tr *Training) features(ctx context.Context, told func(Status)) (seen []rated, features []palate.Embedding, err error) {
	ids := make([]palate.ImageID, len(tr.rated))
	for i, r := range tr.rated {
		ids[i] = r.Image
	}
	source := newPictures(tr.tuner.Collection, tr.model.Description, ids)
	var batch [][]float32
	flush := func() error {
		inputs := batch
		if tr.Recipe.Plan.Tokens && len(batch) > 0 {
			if inputs, err = tr.trainer.Tokens(ctx, batch); err != nil {
				return err
			}
		}
		got, err := tr.trainer.Features(ctx, inputs)
		features, batch = append(features, got...), batch[:0]
		return err
	}
	for i, r := range tr.rated {
		pixels, err := source.Pixels(ctx, i)
		if unreadable(ctx, err) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		seen, batch = append(seen, r), append(batch, pixels)
		if len(batch) == tr.Recipe.Plan.Batch {
			if err := flush(); err != nil {
				return nil, nil, err
			}
			told(Status{Stage: StageFeatures, Done: len(features), Pictures: len(tr.rated)})
		}
	}
	if err := flush(); err != nil {
		return nil, nil, err
	}
	return seen, features, enough(seen)
}

// data is what the trainer learns from.
func (tr *Training) data() (finetune.Data, error) {
	var d finetune.Data
	ids := make([]palate.ImageID, len(tr.kept.Examples))
	for i, e := range tr.kept.Examples {
		ids[i] = e.Image
		d.Liked, d.Weights = append(d.Liked, e.Liked), append(d.Weights, e.Weight)
		if e.Held {
			d.Held = append(d.Held, i)
		} else {
			d.Train = append(d.Train, i)
		}
	}
	d.Pictures = newPictures(tr.tuner.Collection, tr.model.Description, ids)
	text, err := json.Marshal(tr.kept)
	sum := sha256.Sum256(text)
	d.Fingerprint = hex.EncodeToString(sum[:])
	return d, err
}

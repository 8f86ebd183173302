package arena

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/palate-art/palate"
	tune "github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

// Single is a figure of the way that many published comparisons go: one random
// split, and the best epoch on the part that judges.
type Single struct {
	Model            string  `json:"model"`
	Method           string  `json:"method"`
	BalancedAccuracy float64 `json:"balanced_accuracy"`
	Epoch            int     `json:"epoch,omitempty"` // of a fine-tuning
	Failed           string  `json:"failed,omitempty"`
}

// Flatters says why figures of a single split do.
const Flatters = "These figures flatter: the epoch and the threshold were chosen on the pictures that judge, copies of one work may stand on both sides, and one split says little. A contest by folds, which is the default, does none of this"

// heldShare of the pictures judges: one in so many.
const heldShare = 5

// SingleSplit judges every model and method in that way. Nothing of it is kept.
func (c *Contest) SingleSplit(ctx context.Context, told func(done, total int, what string)) ([]Single, error) {
	order := rand.New(rand.NewPCG(uint64(c.config.Seed), 5)).Perm(len(c.rated))
	var data tune.Data
	seen := [2]int{}
	for _, number := range order { // each class by the same share
		class := 0
		if c.rated[number].Liked {
			class = 1
		}
		if seen[class]++; seen[class]%heldShare == 0 {
			data.Held = append(data.Held, number)
		} else {
			data.Train = append(data.Train, number)
		}
	}
	var out []Single
	for i, e := range c.entrants {
		for k, method := range c.config.Methods {
			told(i*len(c.config.Methods)+k, len(c.entrants)*len(c.config.Methods), e.Name+", "+method)
			one := Single{Model: e.Name, Method: method}
			if err := c.single(ctx, e, &one, data); ctx.Err() != nil {
				return nil, ctx.Err()
			} else if err != nil {
				one.Failed = palate.Message(err)
			}
			out = append(out, one)
		}
	}
	return out, nil
}

func (c *Contest) single(ctx context.Context, e Entrant, one *Single, data tune.Data) error {
	if recipe, tuned := c.recipe(one.Method); tuned {
		if e.Trainable == nil {
			return fmt.Errorf("%s has no weights that can be trained", e.Name)
		}
		m, err := e.Trainable(ctx)
		if err != nil {
			return err
		}
		trial, err := c.fit(ctx, e, m, recipe, &data)
		if err != nil {
			return err
		}
		one.BalancedAccuracy, one.Epoch = trial.Fitted.Best.BalancedAccuracy, trial.Fitted.Best.Number
		return trial.Close()
	}
	if one.Method == KNN {
		return fmt.Errorf("nearest neighbours have no score by themselves; judge them by folds")
	}
	examples := c.examples(e)
	var learned []probe.Example
	for _, number := range data.Train {
		learned = append(learned, examples[number])
	}
	config := learning(c.config.Seed)
	config.NearDuplicates, config.MinPerClass = false, probe.DefaultConfig().MinPerClass
	if strings.HasPrefix(one.Method, Centroid) {
		config.Kind = probe.Centroid
	}
	p, _, err := probe.Train(ctx, learned, e.ID, config)
	if err != nil {
		return err
	}
	var scores []float64
	var liked []bool
	for _, number := range data.Held {
		scores, liked = append(scores, p.Score(examples[number].Embedding)), append(liked, examples[number].Liked)
	}
	for _, at := range scores { // the best threshold on what judges
		confusion, err := judge.NewConfusion(scores, liked, at)
		if err != nil {
			return err
		}
		one.BalancedAccuracy = max(one.BalancedAccuracy, confusion.BalancedAccuracy())
	}
	return nil
}

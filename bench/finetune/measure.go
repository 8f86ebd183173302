package main

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/palate-art/palate/bench/dinov2"
	"github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/vit"
)

// bench measures one model.
type bench struct {
	rt     *ort.Runtime
	model  *vit.Trainable // its shapes
	open   func() (*vit.Trainable, error)
	rounds int
}

func (b *bench) trainer(plan finetune.Plan) (*finetune.Trainer, error) {
	model, err := b.open() // each training changes the weights that it has
	if err != nil {
		return nil, err
	}
	config := ort.DefaultSessionConfig()
	config.IntraOpThreads = 0 // all cores
	return finetune.NewTrainer(b.rt, model, plan, finetune.Head{Weights: make([]float32, plan.Features(b.model))}, config)
}

// step measures the way forward, the gradients and the optimizer, one after
// the other in each round.
func (b *bench) step(ctx context.Context, plan finetune.Plan, r *result) (err error) {
	t, err := b.trainer(plan)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	if b.rounds > 1 { // what is prepared at the first run is left out
		if _, err := t.Trial(ctx); err != nil {
			return err
		}
	}
	var forward, gradients, steps, ratios, back []float64
	for range b.rounds {
		trial, err := t.Trial(ctx)
		if err != nil {
			return err
		}
		f, g := trial.Forward.Seconds(), trial.Run.Seconds()
		forward, gradients, steps = append(forward, f), append(gradients, g), append(steps, g+trial.Optimize.Seconds())
		ratios, back = append(ratios, (g+trial.Optimize.Seconds())/f), append(back, g/f)
	}
	r.Forward, r.Run, r.Step, r.Ratio, r.Back = median(forward), median(gradients), median(steps), median(ratios), median(back)
	r.Rate = float64(plan.Batch) / r.Step
	return nil
}

// noise is pictures of noise.
type noise [][]float32

// Pixels gives one.
func (n noise) Pixels(_ context.Context, i int) ([]float32, error) { return n[i], nil }

// kept measures epochs of training everything, and of the last two blocks on
// kept tokens; no picture is mirrored, so that the first epoch sees all views.
func (b *bench) kept(ctx context.Context, plan finetune.Plan) (*kept, error) {
	const trained, held = 24, 8
	data := finetune.Data{}
	random := rand.New(rand.NewPCG(1, 1))
	var pictures noise
	for i := range trained + held {
		pictures = append(pictures, dinov2.Normal(random, 3*b.model.Height*b.model.Width, 1))
		data.Liked = append(data.Liked, i%3 == 0)
		if i < trained {
			data.Train = append(data.Train, i)
		} else {
			data.Held = append(data.Held, i)
		}
	}
	data.Pictures = pictures
	config := finetune.DefaultConfig()
	config.Epochs, config.BatchSize, config.Mirror, config.Patience, config.DropPath = 4, plan.Batch, false, 0, 0
	rates := func(plan finetune.Plan) (first, later float64, err error) {
		t, err := b.trainer(plan)
		if err != nil {
			return 0, 0, err
		}
		defer func() { err = errors.Join(err, t.Close()) }()
		fitted, err := t.Fit(ctx, data, config, "", nil)
		if err != nil {
			return 0, 0, err
		}
		var all []float64
		for _, e := range fitted.History[1:] {
			all = append(all, trained/e.Seconds)
		}
		return all[0], median(all[1:]), nil
	}
	var k kept
	var err error
	if _, k.Whole, err = rates(plan); err != nil {
		return nil, err
	}
	plan.LastBlocks, plan.Tokens = 2, true
	if k.First, k.Later, err = rates(plan); err != nil {
		return nil, err
	}
	k.Gain = k.Later / k.Whole
	return &k, nil
}

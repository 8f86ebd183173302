package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/show"
	"github.com/palate-art/palate/internal/terminal"
	"github.com/palate-art/palate/internal/tuning"
)

type finetuneTrainCommand struct {
	Name        string   `help:"Name of the model that is made (default: MODEL-PROFILE)." placeholder:"NAME"`
	Method      string   `help:"Which weights: full, last:N (the last N blocks) or lora:R (a change of rank R beside the frozen weights; default full)." placeholder:"METHOD"`
	Epochs      *int     `help:"Passes over the pictures, at most (default 15; it stops early)." placeholder:"N"`
	Batch       string   `help:"Pictures a step, or auto: 16. As many of them at a time as there is memory for." placeholder:"N|auto"`
	LR          *float64 `help:"Learning rate (default 2e-5 for full, 5e-5 for last, 5e-4 for lora)." name:"lr" placeholder:"RATE"`
	LayerDecay  *float64 `help:"Factor of the learning rate from each layer to the one below it (default .75, 1 for lora)." placeholder:"FACTOR"`
	WeightDecay *float64 `help:"Weight decay (default .05)." placeholder:"X"`
	DropPath    *float64 `help:"Share of branches that are left out in the last block (default .1, 0 for lora)." placeholder:"SHARE"`
	WarmUp      *float64 `help:"Share of the steps over which the rate grows (default .1)." placeholder:"SHARE"`
	Clip        *float64 `help:"Bound on the norm of all gradients together; 0 is none (default 1)." placeholder:"X"`
	Patience    *int     `help:"Epochs without a better one before it stops; 0 goes to the end (default 4)." placeholder:"N"`
	Augment     string   `help:"How pictures are varied: mirror, mirror,crop, crop or none (default mirror; nothing is cropped, for what stands at a painting's edges is part of what is judged)." placeholder:"LIST"`
	Seed        *uint64  `help:"Draws the order and the variations (default 1)." placeholder:"N"`
	TokenCache  *int     `help:"Mebibytes for what frozen blocks make of the pictures, for last:N; 0 computes it anew each time (default 4096)." placeholder:"MIB"`
	Checkpoint  *bool    `help:"Compute each block twice, in a third to a half more time, and keep only what is between blocks: a fraction of the memory (default: where else not one picture fits)." name:"checkpoint-blocks" negatable:""`
	Resume      bool     `help:"Go on with a training that was stopped, with its pictures and settings."`
}

// asked reads the flags.
func (c *finetuneTrainCommand) asked() (a tuning.Asked, err error) {
	a = tuning.Asked{Epochs: c.Epochs, LearningRate: c.LR, LayerDecay: c.LayerDecay, WeightDecay: c.WeightDecay, DropPath: c.DropPath,
		WarmUp: c.WarmUp, Clip: c.Clip, Patience: c.Patience, Seed: c.Seed, CheckpointBlocks: c.Checkpoint}
	if c.Method != "" {
		m, err := tuning.ParseMethod(c.Method)
		if err != nil {
			return a, usage(err)
		}
		a.Method = &m
	}
	if c.Batch != "" && c.Batch != "auto" {
		n, err := strconv.Atoi(c.Batch)
		if err != nil {
			return a, usagef("--batch is %q, want a number of pictures or auto", c.Batch)
		}
		a.Batch = &n
	}
	if c.Augment != "" && a.Vary(c.Augment) != nil {
		return a, usagef("--augment is %q, want mirror, crop, both with a comma between them, or none", c.Augment)
	}
	return a, nil
}

// Run trains a model on the profile's ratings.
func (c *finetuneTrainCommand) Run(ctx context.Context, s *session) error {
	profile, err := s.profile()
	if err != nil {
		return err
	}
	asked, err := c.asked()
	if err != nil {
		return err
	}
	return s.withHome(ctx, func(h *collection.Collection) error { return c.train(ctx, s, h, profile, asked) })
}

func (c *finetuneTrainCommand) train(ctx context.Context, s *session, h *collection.Collection, profile palate.Profile, asked tuning.Asked) error {
	request := tuning.Request{Profile: profile, Settings: s.settings(), Name: c.Name, Asked: asked, Resume: c.Resume, Flags: true}
	if c.TokenCache != nil {
		request.KeepTokens(*c.TokenCache)
	}
	training, err := h.PrepareTuning(ctx, s.Model, request)
	if err != nil {
		return err
	}
	for _, words := range training.Words() {
		s.Notef("%s", words)
	}
	result, err := training.Run(ctx, (&tuningTeller{session: s}).tell)
	if err = errors.Join(err, training.Close()); err != nil {
		if errors.Is(err, job.ErrCancelled) {
			err = fmt.Errorf("%w (go on with it by --resume)", err)
		} else if ctx.Err() != nil {
			s.Notef("Go on with: palate finetune %s --resume", training.Flags())
		}
		return err
	}
	return show.Tuning(s.Terminal, result)
}

// tuningTeller shows how far a training is.
type tuningTeller struct {
	*session
	last time.Time
}

func (t *tuningTeller) tell(p tuning.Status) {
	switch {
	case p.Stage == tuning.StageFeatures:
		t.Progress("features", "img", int64(p.Done), int64(p.Pictures))
	case p.Ended != nil:
		t.Notef("%s", p.Words())
	case time.Since(t.last) >= terminal.LineInterval:
		t.last = time.Now()
		t.Notef("%s", p.Words())
	}
}

package main

import (
	"context"
	"strings"

	"github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/internal/collection"
)

type finetuneCommand struct {
	Train     finetuneTrainCommand     `cmd:"" default:"withargs" help:"Train a model on the profile's likes and dislikes, and make a model of its own of it."`
	Takeover  finetuneTakeoverCommand  `cmd:"" help:"Let a fine-tuned model serve the collection, if its head is better on ratings that neither it nor the probe had seen."`
	Artifacts finetuneArtifactsCommand `cmd:"" help:"Write the training artifacts of a model, which any ONNX Runtime runs."`
}

type finetuneArtifactsCommand struct {
	Out        string  `required:"" help:"Folder to write into; it is made." type:"path" placeholder:"DIR"`
	Batch      int     `help:"Pictures in one run of the graphs." default:"8"`
	LastBlocks int     `help:"Train only the last so many blocks and the head; 0 trains everything." default:"0" placeholder:"N"`
	DropPath   bool    `help:"Add an input that leaves out branches of blocks."`
	Clip       float64 `help:"Bound on the norm of all gradients together; 0 is none." default:"1"`
	Decay      float64 `help:"Weight decay." default:"0.05"`
	LayerDecay float64 `help:"Factor of the learning rate from each layer to the one below it." default:"0.75"`
}

// Run writes the artifacts.
func (c *finetuneArtifactsCommand) Run(ctx context.Context, s *session) error {
	weights, err := s.loader().TrainableSource(ctx, s.Model)
	if err != nil {
		return err
	}
	model, err := weights.Trainable(ctx, s.settings())
	if err != nil {
		return err
	}
	plan, settings := finetune.DefaultPlan(), model.Settings
	plan.Pool, plan.Batch, plan.LastBlocks, plan.DropPath = settings.Pool, c.Batch, c.LastBlocks, c.DropPath
	plan.Clip, plan.WeightDecay, plan.LayerDecay = c.Clip, c.Decay, c.LayerDecay
	written, err := finetune.WriteArtifacts(ctx, c.Out, model.Trainable, plan)
	if err != nil {
		return err
	}
	return s.Done(written, "%s at %d×%d, pool %s: %d numbers are trained, %d frozen.\n%s has %s.\nREADME.md there says how any ONNX Runtime runs them.",
		s.Model, settings.Size, settings.Size, settings.Pool, written.Trained, written.Frozen, written.Folder, strings.Join(written.Files, ", "))
}

type finetuneTakeoverCommand struct {
	Name string `arg:"" help:"Name of the fine-tuned model."`
}

// Run compares the fine-tuned model with what serves.
func (c *finetuneTakeoverCommand) Run(ctx context.Context, s *session) error {
	profile, err := s.profile()
	if err != nil {
		return err
	}
	return s.withHome(ctx, func(h *collection.Collection) error {
		t, err := h.TakeOver(ctx, profile, c.Name)
		if err != nil {
			return err
		}
		if t.Serves {
			return s.Done(t, "%s serves the collection: %s.", c.Name, t.Reason)
		}
		return s.Done(t, "What served goes on: %s.", t.Reason)
	})
}

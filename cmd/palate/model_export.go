package main

import (
	"cmp"
	"context"
	"strings"
)

type modelExportCommand struct {
	Name string   `arg:"" help:"Name of an added, a pulled or a fine-tuned model."`
	Out  string   `required:"" help:"Folder to write into; it is made." type:"path" placeholder:"DIR"`
	As   []string `help:"What to write: safetensors (tensors under timm's names, with config.json), onnx (a graph of standard operators, with its description)." default:"safetensors,onnx" placeholder:"LIST"`
}

// Run writes a model's files for other programs. --size, --fit and --pool choose
// what of the model, as everywhere.
func (c *modelExportCommand) Run(ctx context.Context, s *session) error {
	weights, err := s.loader().Source(ctx, c.Name)
	if err != nil {
		return err
	}
	settings := s.settings()
	settings.Model = ""
	e, err := weights.Export(ctx, c.Out, settings, c.As)
	if err != nil {
		return err
	}
	return s.Done(e, "%s at %d×%d, fit %s, pool %s: %s has %s.\nLicence of the weights: %s.\nREADME.md there says how other programs use them.",
		e.Model, e.Settings.Size, e.Settings.Size, e.Settings.Fit, e.Settings.Pool, e.Folder, strings.Join(e.Files, ", "), cmp.Or(e.Licence, "nobody said which"))
}

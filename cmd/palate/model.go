package main

import (
	"context"
	"errors"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/terminal"
)

// modelCommand is about models, not about a collection.
type modelCommand struct {
	List     modelListCommand     `cmd:"" help:"Show the models that palate knows, and where they are."`
	Show     modelShowCommand     `cmd:"" help:"Show what is known of a model."`
	Pull     modelPullCommand     `cmd:"" help:"Download a model's weights."`
	Add      modelAddCommand      `cmd:"" help:"Add a model of your own from a .safetensors, .pth, .bin or .onnx file."`
	Describe modelDescribeCommand `cmd:"" help:"Say what a model's file is; beside an .onnx file write a description to fill in."`
	Export   modelExportCommand   `cmd:"" help:"Write a model for other programs: tensors under timm's names, and ONNX."`
	Verify   modelVerifyCommand   `cmd:"" help:"Read the files of models and hold them against what they must be."`
	Compare  modelCompareCommand  `cmd:"" help:"Measure how near a precision's embeddings are to those of float32."`
	Forget   modelForgetCommand   `cmd:"" help:"Remove a model's embeddings, and the tastes learned on them, from the collection."`
	Rm       modelRmCommand       `cmd:"" help:"Remove an added model, or forget a pulled one."`
}

// modelEntry is what list and show print of a model.
type modelEntry = collection.KnownOfModel

type modelListCommand struct {
	Here bool `help:"Only those whose files are on this machine."`
}

// Run lists the models.
func (c *modelListCommand) Run(ctx context.Context, s *session) error {
	all, err := s.loader().AboutModels()
	entries := make([]modelEntry, 0, len(all))
	for _, e := range all {
		if !c.Here || e.State == collection.ModelHere {
			entries = append(entries, e)
		}
	}
	if s.JSON {
		used, e := s.collectionModelEntries(ctx)
		err = errors.Join(err, e)
		for i := range entries {
			for _, u := range used {
				if u.Settings.Model == entries[i].Name {
					entries[i].Collection = append(entries[i].Collection, u)
				}
			}
		}
		return errors.Join(s.Print(entries), err)
	}
	terminal.Rows(s.Terminal, entries, "", []string{"MODEL", "WHAT", "SIZE", "LICENCE", "STATE", "DEFAULT"}, func(e modelEntry) []string {
		on := ""
		if e.DefaultOn != "" {
			on = "on a " + map[string]string{"gpu": "GPU", "cpu": "CPU"}[e.DefaultOn]
		}
		return []string{e.Name, e.What, terminal.Bytes(e.Bytes), e.Licence.Name, e.StateText(), on}
	})
	err = errors.Join(err, s.sayCollection(ctx))
	if client, err := s.loader().Hub(); err == nil {
		s.Say("\nWeights from the hub are in %s, what was added is noted in %s.", client.CacheDir(), s.loader().Store().Folder())
	}
	return err
}

type modelShowCommand struct {
	Name string `arg:"" help:"Name of the model."`
}

// Run shows one model.
func (c *modelShowCommand) Run(s *session) error {
	e, err := s.loader().AboutModel(c.Name)
	if err != nil {
		return err
	}
	if s.JSON {
		return s.Print(e)
	}
	lines, err := s.loader().ModelWords(e)
	s.SayAll(lines)
	return err
}

type modelPullCommand struct {
	Names []string `arg:"" name:"name" help:"Names of models, see palate model list."`
}

// Run downloads weights.
func (c *modelPullCommand) Run(ctx context.Context, s *session) error {
	for _, name := range c.Names {
		e, err := s.loader().PullNamed(ctx, name)
		if err != nil {
			return err
		}
		if !s.JSON {
			s.Say("%s is here: %s, SHA-256 %s, %s", e.Name, terminal.Bytes(e.Bytes), e.SHA256, e.File)
		} else if err := s.Print(e); err != nil {
			return err
		}
	}
	return nil
}

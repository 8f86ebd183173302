package main

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/terminal"
)

type modelAddCommand struct {
	Name string `arg:"" help:"What to call it; left out, it is called as the file is, and as the folder of a model.safetensors." name:"name"`
	File string `arg:"" optional:"" help:"A model on the hub, as ORG/NAME, by timm's name of it or as palate model list offers it; or a vision transformer's .safetensors file, the index of several, or PyTorch's .pth or .bin, which are read as data (a config.json beside it is read; --size says what input it was published for); a folder with one as the hub lays it out; or an .onnx file with a .json description beside it."`

	Copy    bool `help:"Keep a copy; otherwise the file is used where it is."`
	Replace bool `help:"Let the name stand for another file than before."`

	Heads        int     `help:"Attention heads (default: from config.json, or by the name of the architecture in it; else the model is refused)." placeholder:"N"`
	Architecture string  `help:"Which model it is, by timm's name of the architecture, such as vit_base_patch16_clip_quickgelu_224: it says what tensors don't tell." placeholder:"NAME"`
	CropPct      float64 `help:"Part of the shorter side that the input shows, 0 to 1." placeholder:"RATIO"`
	Mean         string  `help:"Mean of red, green, blue, of values from 0 to 1." placeholder:"R,G,B"`
	Std          string  `help:"Standard deviation of red, green, blue." placeholder:"R,G,B"`
	LicenceName  string  `help:"Licence of the weights, to be shown with them." name:"licence" placeholder:"NAME"`
}

// Run adds the model.
func (c *modelAddCommand) Run(ctx context.Context, s *session) error {
	ref, fromHub := models.ParseReference(cmp.Or(c.File, c.Name))
	if fromHub && c.File == "" {
		c.Name = ref.Name()
	} else if c.File == "" {
		var err error
		if c.File, c.Name, err = models.NameByFile(c.Name); err != nil {
			return usagef("%v: palate model add [NAME] FILE", err)
		}
	}
	a := models.Addition{Name: c.Name, File: c.File, Copy: c.Copy, Replace: c.Replace, Heads: c.Heads, Architecture: c.Architecture, Size: s.Size,
		CropRatio: c.CropPct, Licence: c.LicenceName}
	var err error
	if a.Mean, err = models.ParseColour(c.Mean); err != nil {
		return usagef("--mean is %w", err)
	}
	if a.Std, err = models.ParseColour(c.Std); err != nil {
		return usagef("--std is %w", err)
	}
	var r models.Record
	switch {
	case fromHub && c.Copy:
		return usagef("%s comes into the hub's cache, which other programs share: add it without --copy", ref)
	case fromHub:
		r, err = s.loader().AddFromHub(ctx, ref, a)
	default:
		r, err = s.loader().Store().Add(ctx, a)
	}
	if err != nil {
		return err
	}
	if s.JSON {
		return s.Print(collection.AboutLocal(r))
	}
	s.Say("%s is added: %s, %s, SHA-256 %s", r.Name, r.Architecture, terminal.Bytes(r.Size), r.SHA256)
	if r.Hub != nil {
		s.Say("It is %s at commit %s, and is held to that.", r.Hub.Repository, r.Hub.Commit)
	}
	if p := r.Preprocessing; p != nil {
		s.Say("It is made for %d×%d, crop ratio %g, mean %v, deviation %v.", p.Size, p.Size, p.CropRatio, p.Mean, p.Std)
		used, err := s.loader().UsedText(r.Name)
		if err != nil {
			return err
		}
		s.Say("Pictures come to it on a CPU as %s.", used)
	}
	if guessed, err := r.Guesses(); err == nil && len(guessed) > 0 {
		s.Say("Nobody says its %s: these are guessed, by what holds for most models. A config.json or preprocessor_config.json beside the file, or flags, say them.", strings.Join(guessed, ", "))
	}
	s.Say("Use it with --model %s.", r.Name)
	return nil
}

type modelDescribeCommand struct {
	File string `arg:"" help:"A model's file, or the folder that holds it." type:"path"`
}

// Run says what a model's file is.
func (c *modelDescribeCommand) Run(s *session) error {
	told, err := models.Describe(c.File)
	if err != nil {
		return err
	}
	return s.Done(told.Value, "%s", strings.Join(told.Lines, "\n"))
}

type modelRmCommand struct {
	Name    string `arg:"" help:"Name of the model."`
	Weights bool   `help:"Take a pulled model's weights out of the hub's cache too, which other programs share."`
}

// Run removes an added model, or forgets a pulled one.
func (c *modelRmCommand) Run(ctx context.Context, s *session) error {
	removed, err := s.loader().Remove(ctx, c.Name, c.Weights)
	if err != nil {
		return err
	}
	switch removed {
	case collection.RemovedAdded:
		s.Say("%s is removed.", c.Name)
	case collection.RemovedWeights:
		s.Say("The weights of %s are removed from the hub's cache.", c.Name)
	case collection.RemovedRecord:
		s.Say("%s is forgotten; its weights stay in the hub's cache (take them out with --weights).", c.Name)
	}
	return nil
}

type modelVerifyCommand struct {
	Names []string `arg:"" optional:"" name:"name" help:"Names of models (default: all that are here)."`
}

// Run reads the files again and fails if any is not what it must be.
func (c *modelVerifyCommand) Run(ctx context.Context, s *session) error {
	results, err := s.loader().VerifyAll(ctx, c.Names)
	if results == nil {
		return err
	}
	return errors.Join(terminal.List(s.Terminal, results, "", []string{"MODEL", "STATE", "SHA-256", "WHAT"}, func(v collection.Verified) []string {
		state := "good"
		if !v.OK {
			state = v.Problem
		}
		return []string{v.Name, state, terminal.Shorten(v.SHA256, 13), v.Architecture}
	}), err)
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/palate-art/palate"
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
	if a.Mean, err = threeNumbers("--mean", c.Mean); err != nil {
		return err
	}
	if a.Std, err = threeNumbers("--std", c.Std); err != nil {
		return err
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
	if err == nil && s.JSON {
		return s.Print(told.Value)
	}
	if err == nil {
		s.Say("%s", strings.Join(told.Lines, "\n"))
	}
	return err
}

// threeNumbers reads a flag of three numbers; none is nil.
func threeNumbers(flag, text string) (*[3]float64, error) {
	if text == "" {
		return nil, nil
	}
	parts := strings.Split(text, ",")
	if len(parts) != 3 {
		return nil, usagef("%s is %q, want three numbers with commas between", flag, text)
	}
	var numbers [3]float64
	for i, part := range parts {
		n, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil {
			return nil, usagef("%s is %q, want three numbers with commas between", flag, text)
		}
		numbers[i] = n
	}
	return &numbers, nil
}

type modelRmCommand struct {
	Name    string `arg:"" help:"Name of the model."`
	Weights bool   `help:"Take a pulled model's weights out of the hub's cache too, which other programs share."`
}

// Run removes an added model, or forgets a pulled one.
func (c *modelRmCommand) Run(ctx context.Context, s *session) error {
	store := s.loader().Store()
	err := store.Remove(c.Name)
	if err == nil {
		s.Say("%s is removed.", c.Name)
		return nil
	}
	if !errors.Is(err, palate.ErrNotFound) {
		return err
	}
	k, err := models.KnownModel(c.Name)
	if err != nil {
		return err
	}
	if c.Weights {
		client, err := s.loader().Hub()
		if err != nil {
			return err
		}
		file, err := store.Pinned(k)
		if err != nil {
			return err
		}
		if err := client.Remove(ctx, file); err != nil {
			return err
		}
	}
	if err := store.Forget(c.Name); err != nil {
		return err
	}
	if c.Weights {
		s.Say("The weights of %s are removed from the hub's cache.", c.Name)
	} else {
		s.Say("%s is forgotten; its weights stay in the hub's cache (take them out with --weights).", c.Name)
	}
	return nil
}

type modelVerifyCommand struct {
	Names []string `arg:"" optional:"" name:"name" help:"Names of models (default: all that are here)."`
}

// Run reads the files again and fails if any is not what it must be.
func (c *modelVerifyCommand) Run(ctx context.Context, s *session) error {
	names := c.Names
	var unreadable error
	if len(names) == 0 {
		var entries []modelEntry
		if entries, unreadable = s.loader().AboutModels(); entries == nil {
			return unreadable
		}
		for _, e := range entries {
			if e.Source != "built-in" && e.State != collection.ModelNotPulled {
				names = append(names, e.Name)
			}
		}
	}
	bad, loader := 0, s.loader()
	results := make([]collection.Verified, 0, len(names))
	for _, name := range names {
		s.Progress("verify "+name, "", 0, 0)
		v, err := loader.Verify(ctx, name)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if v.OK = err == nil; err != nil {
			v.Problem = err.Error()
			bad++
		}
		results = append(results, v)
	}
	s.EndProgress()
	if s.JSON {
		if err := s.Print(results); err != nil {
			return err
		}
	} else {
		rows := [][]string{{"MODEL", "STATE", "SHA-256", "WHAT"}}
		for _, v := range results {
			state := "good"
			if !v.OK {
				state = v.Problem
			}
			rows = append(rows, []string{v.Name, state, terminal.Shorten(v.SHA256, 13), v.Architecture})
		}
		s.Table(rows...)
	}
	if bad > 0 {
		unreadable = errors.Join(fmt.Errorf("%d of %d models are not what they must be", bad, len(results)), unreadable)
	}
	return unreadable
}

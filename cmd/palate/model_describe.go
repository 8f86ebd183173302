package main

import (
	"path/filepath"
	"strings"

	"github.com/palate-art/palate/internal/models"
)

type modelDescribeCommand struct {
	File string `arg:"" help:"A model's file, or the folder that holds it." type:"path"`
}

// Run says what a model's file is. Of an .onnx file it writes what its graph
// tells beside it, for a person to fill in the rest.
func (c *modelDescribeCommand) Run(s *session) error {
	file, err := models.FileIn(c.File)
	if err != nil {
		return err
	}
	if !strings.EqualFold(filepath.Ext(file), ".onnx") {
		return s.describeTensors(file)
	}
	draft, err := models.DescribeONNX(file)
	if err != nil {
		return err
	}
	if err := draft.Write(); err != nil {
		return err
	}
	if s.JSON {
		return s.print(draft)
	}
	for _, found := range draft.Found {
		s.say("Found: %s", found)
	}
	s.say("Written to %s. Before the model can be added, fill in or look at:", draft.File)
	for _, open := range draft.Open {
		s.say("- %s", open)
	}
	s.say("Then: palate model add NAME %s", file)
	return nil
}

func (s *session) describeTensors(file string) error {
	architecture, p, guessed, err := models.DescribeTensors(file)
	if err != nil {
		return err
	}
	if s.JSON {
		return s.print(map[string]any{"file": file, "architecture": architecture, "preprocessing": p, "guessed": guessed})
	}
	s.say("%s: %s", file, architecture)
	s.say("It is made for %d×%d, crop ratio %g, mean %v, deviation %v.", p.Size, p.Size, p.CropRatio, p.Mean, p.Std)
	if len(guessed) > 0 {
		s.say("Nobody says its %s: these are guessed, by what holds for most models.", strings.Join(guessed, ", "))
	}
	s.say("Add it with: palate model add NAME %s", file)
	return nil
}

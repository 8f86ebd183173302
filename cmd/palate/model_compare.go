package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/vit"
)

type modelCompareCommand struct {
	Name  string   `arg:"" help:"Name of the model."`
	Files []string `arg:"" name:"file" help:"Pictures to compare on." type:"path"`
}

// Run embeds the files twice and prints the cosines.
func (c *modelCompareCommand) Run(ctx context.Context, s *session) error {
	if s.Precision == "" || s.Precision == string(vit.Float32) {
		return usagef("say what to compare with float32: --precision int8 or --precision float16")
	}
	s.Model = c.Name
	if c.Name == models.Auto {
		return usagef("name a model, see palate model list")
	}
	loader := s.loader()
	tested, err := loader.Load(ctx, nil, true)
	if err != nil {
		return err
	}
	result, failed, err := loader.CompareFiles(ctx, tested, c.Files)
	if err := errors.Join(err, tested.Close()); err != nil {
		return err
	}
	if result.Pictures == 0 {
		return errors.Join(failed...)
	}
	if s.JSON {
		return errors.Join(s.Print(result), errors.Join(failed...))
	}
	rows := [][]string{{"COSINE", "PICTURE"}}
	for _, f := range result.Files {
		rows = append(rows, []string{fmt.Sprintf("%.6f", f.Cosine), f.File})
	}
	s.Table(rows...)
	s.Say("\n%s", result.Text())
	return errors.Join(failed...)
}

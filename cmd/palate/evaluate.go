package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/atomicfile"
	"github.com/palate-art/palate/internal/features"
	"github.com/palate-art/palate/internal/report"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

// learning are the flags that say how a probe is trained.
type learning struct {
	Kind        string `help:"What learns: logistic or centroid." default:"logistic" placeholder:"NAME"`
	Weights     string `help:"How much a like and a dislike count: balanced, none, or LIKE:DISLIKE as 2:1." default:"balanced"`
	Calibration string `help:"How scores become chances: best, platt or isotonic." default:"best"`
	Threshold   string `help:"What counts as liked: balanced, f1, precision:P as precision:0.9, or top:N%." default:"balanced"`
	Seed        int64  `help:"Draws the folds." default:"1"`
}

// config reads the flags.
func (l learning) config() (probe.Config, error) {
	c := probe.DefaultConfig()
	var errs [3]error
	c.Kind, errs[0] = probe.ParseKind(l.Kind)
	c.ClassWeights, errs[1] = parseWeights(l.Weights)
	c.Threshold, errs[2] = judge.ParseThreshold(l.Threshold)
	c.Calibration, c.Seed = judge.CalibrationMethod(l.Calibration), l.Seed
	err := errors.Join(errs[:]...)
	if err == nil {
		err = c.Validate()
	}
	if err != nil {
		return c, usage(err)
	}
	return c, nil
}

func parseWeights(s string) (probe.ClassWeights, error) {
	switch s {
	case "balanced":
		return probe.Balanced(), nil
	case "none":
		return probe.Unweighted(), nil
	}
	like, dislike, two := strings.Cut(s, ":")
	l, errLike := strconv.ParseFloat(like, 64)
	d, errDislike := strconv.ParseFloat(dislike, 64)
	if !two || errLike != nil || errDislike != nil {
		return probe.ClassWeights{}, fmt.Errorf("--weights is %q, want balanced, none or LIKE:DISLIKE: %w", s, palate.ErrInvalid)
	}
	return probe.ClassWeights{Like: l, Dislike: d}, nil
}

type evaluateCommand struct {
	Features string `help:"Embeddings, one row for each image: .npy, .npz, .parquet, or a folder that clip-retrieval wrote." required:"" type:"path" placeholder:"FILE"`
	Labels   string `help:"1 for a like and 0 for a dislike, one for each row: .npy, .npz or .parquet; may be left out where they are beside the features." type:"path" placeholder:"FILE"`
	Patches  string `help:"Mean patch tokens of the same images, to learn from both." type:"path" placeholder:"FILE"`
	Baseline string `help:"Embeddings of the same images by a simpler model, as a baseline." type:"path" placeholder:"FILE"`
	HTML     string `help:"Write the report with its plots as one HTML page." type:"path" placeholder:"FILE" name:"html"`
	learning `embed:""`
}

// Run judges embeddings by labels. It needs no collection and no pictures.
func (c *evaluateCommand) Run(ctx context.Context, s *session) error {
	config, err := c.config()
	if err != nil {
		return err
	}
	began := time.Now()
	examples, err := c.examples()
	if err != nil {
		return err
	}
	_, r, err := probe.Train(ctx, examples, "", config.Thorough(examples))
	var missing *probe.NotEnoughError
	if errors.As(err, &missing) { // nothing to rate here, as elsewhere
		return fmt.Errorf("the labels are too few or of one kind: %v (rows that show one work count once): %w", missing, palate.ErrConflict)
	}
	if err != nil {
		return err
	}
	r.Seconds = time.Since(began).Seconds()
	if c.HTML != "" {
		if err := writeReport(c.HTML, "How well "+filepath.Base(c.Features)+" tells the taste", r); err != nil {
			return err
		}
	}
	if s.JSON {
		return s.Print(r)
	}
	s.showReport(r)
	s.Say("\n%.2f s.", r.Seconds)
	return nil
}

// examples reads the files.
func (c *evaluateCommand) examples() ([]probe.Example, error) {
	table, err := features.Load(c.Features, c.Labels)
	if err != nil {
		return nil, err
	}
	examples := make([]probe.Example, len(table.Rows))
	for i, row := range table.Rows {
		if err := normalise(row, i, c.Features); err != nil {
			return nil, err
		}
		examples[i] = probe.Example{Row: i, Embedding: row, Liked: table.Labels[i]}
		if table.Artists != nil {
			examples[i].Artist = table.Artists[i]
		}
		if table.Sites != nil {
			examples[i].Site = table.Sites[i]
		}
	}
	for _, more := range []struct {
		path string
		name string
	}{
		{c.Patches, probe.MeanPatch},
		{c.Baseline, probe.Baseline},
	} {
		if more.path == "" {
			continue
		}
		rows, err := features.LoadRows(more.path)
		if err != nil {
			return nil, err
		}
		if len(rows) != len(examples) {
			return nil, fmt.Errorf("%s has %d rows, but %s has %d: %w", more.path, len(rows), c.Features, len(examples), palate.ErrInvalid)
		}
		for i, row := range rows {
			if err := normalise(row, i, more.path); err != nil {
				return nil, err
			}
			if examples[i].Features == nil {
				examples[i].Features = make(map[string]palate.Embedding)
			}
			examples[i].Features[more.name] = row
		}
	}
	return examples, nil
}

// normalise brings a row to length 1, in place.
func normalise(row []float32, i int, path string) error {
	var square float64
	for _, v := range row {
		square += float64(v) * float64(v)
	}
	if square == 0 {
		return fmt.Errorf("row %d of %s is all zeros, which is no embedding: leave it out: %w", i, path, palate.ErrInvalid)
	}
	scale := 1 / math.Sqrt(square)
	for j, v := range row {
		row[j] = float32(float64(v) * scale)
	}
	return nil
}

// showReport prints a report's tables.
func (s *session) showReport(r *judge.Report) {
	for i, section := range report.Sections(r) {
		if i > 0 {
			s.Say("")
		}
		s.Say("%s", section.Title)
		if section.Note != "" {
			s.Say("%s", section.Note)
		}
		s.Table(section.Rows...)
	}
	s.showWarnings(r)
}

// showWarnings says what to keep in mind of a report.
func (s *session) showWarnings(r *judge.Report) {
	for _, w := range r.Warnings {
		s.Say("\nMind: %s.", w)
	}
}

// writeReport writes a page and leaves no half of one.
func writeReport(path, title string, r *judge.Report) error {
	return atomicfile.Write(path, 0o644, func(w io.Writer) error { return report.HTML(w, title, r) })
}

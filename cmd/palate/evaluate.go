package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/palate-art/palate/internal/atomicfile"
	"github.com/palate-art/palate/internal/features"
	"github.com/palate-art/palate/internal/report"
	"github.com/palate-art/palate/internal/show"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

// learning are the flags that say how a probe is trained.
type learning struct {
	Kind        string `help:"What learns: logistic, centroid, knn (nearness to likes less nearness to dislikes), blend, or auto, which takes what judges best, or a blend where that is not sure; if left out, train goes on as the serving version was trained, at first with auto, and evaluate takes logistic." placeholder:"NAME"`
	Weights     string `help:"How much a like and a dislike count: balanced, none, or LIKE:DISLIKE as 2:1." default:"balanced"`
	Calibration string `help:"How scores become chances: best, platt or isotonic." default:"best"`
	Threshold   string `help:"What counts as liked: balanced, f1, precision:P as precision:0.9, or top:N%." default:"balanced"`
	Seed        int64  `help:"Draws the folds." default:"1"`
}

// config reads the flags.
func (l learning) config() (probe.Config, error) {
	c := probe.DefaultConfig()
	var errs [3]error
	if l.Kind != "" {
		c.Kind, errs[0] = probe.ParseKind(l.Kind)
	}
	if c.ClassWeights, errs[1] = probe.ParseClassWeights(l.Weights); errs[1] != nil {
		errs[1] = fmt.Errorf("--weights is %q, want balanced, none or LIKE:DISLIKE", l.Weights)
	}
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

type evaluateCommand struct {
	Features string `help:"Embeddings, one row for each image: .npy, .npz, .parquet, or a folder that clip-retrieval wrote." required:"" type:"path" placeholder:"FILE"`
	Labels   string `help:"1 for a like and 0 for a dislike, or grades such as stars (three or more different ones), one for each row: .npy, .npz or .parquet; may be left out where they are beside the features." type:"path" placeholder:"FILE" xor:"labels"`
	Raters   string `help:"Ratings by several people, with columns rater, rating, and row (from 0) or image: .csv, .ndjson or .parquet. Each rater's are foretold from 10 and 100 of them." type:"path" placeholder:"FILE" xor:"labels"`
	Draws    int    `help:"How often the pictures to learn from are drawn for each rater, with --raters." default:"10"`
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
	files := features.Files{Features: c.Features, Labels: c.Labels, Patches: c.Patches, Baseline: c.Baseline}
	if c.Raters != "" {
		return c.raters(ctx, s, files)
	}
	graded, err := files.Graded()
	if err != nil {
		return err
	}
	if graded {
		return c.graded(ctx, s, files)
	}
	r, err := files.Evaluate(ctx, config)
	if err != nil {
		return err
	}
	if c.HTML != "" {
		if err := writeReport(c.HTML, "How well "+filepath.Base(c.Features)+" tells the taste", r); err != nil {
			return err
		}
	}
	return s.Show(r, func() {
		show.Report(s.Terminal, r)
		s.Say("\n%.2f s.", r.Seconds)
	})
}

// graded judges embeddings by grades.
func (c *evaluateCommand) graded(ctx context.Context, s *session, files features.Files) error {
	if err := c.plain("grades"); err != nil {
		return err
	}
	r, err := files.EvaluateGrades(ctx, c.Seed)
	if err != nil {
		return err
	}
	return show.Graded(s.Terminal, r)
}

// raters judges embeddings by what several people said.
func (c *evaluateCommand) raters(ctx context.Context, s *session, files features.Files) error {
	if err := c.plain("raters"); err != nil {
		return err
	}
	config := probe.DefaultRatersConfig()
	if config.Draws, config.Seed = c.Draws, c.Seed; c.Draws < 1 {
		return usage(fmt.Errorf("--draws is %d, want 1 or more", c.Draws))
	}
	r, err := files.EvaluateRaters(ctx, c.Raters, config)
	if err != nil {
		return err
	}
	return show.Raters(s.Terminal, r)
}

// plain refuses what only likes and dislikes have.
func (c *evaluateCommand) plain(what string) error {
	if c.Patches != "" || c.Baseline != "" || c.HTML != "" || c.Kind != "" {
		return usage(fmt.Errorf("--patches, --baseline, --html and --kind are for likes and dislikes, not for %s", what))
	}
	return nil
}

// writeReport writes a page and leaves no half of one.
func writeReport(path, title string, r *judge.Report) error {
	return atomicfile.Write(path, 0o644, func(w io.Writer) error { return report.HTML(w, title, r) })
}

package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/palate-art/palate/internal/arena"
	"github.com/palate-art/palate/internal/atomicfile"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/show"
	"github.com/palate-art/palate/internal/terminal"
)

type arenaCommand struct {
	Contestant []string      `help:"Model that takes part, as --model takes them; may be repeated (default: --model)." placeholder:"NAME" name:"with"`
	Methods    []string      `help:"How the taste is learned: probe, knn, centroid, and by fine-tuning full, last:N, lora:R." default:"probe,knn,centroid" placeholder:"LIST"`
	Folds      int           `help:"Folds of five that each fine-tuning is judged on." default:"5" placeholder:"1..5"`
	Seed       int64         `help:"Draws the folds and what is drawn while training." default:"1"`
	Budget     time.Duration `help:"Time that each model may be fine-tuned by a method; what is cut by it is not ranked." placeholder:"DURATION"`
	Epochs     *int          `help:"Passes over the pictures of a fine-tuning, at most." placeholder:"N"`
	Batch      *int          `help:"Pictures a step of a fine-tuning." placeholder:"N"`
	LR         *float64      `help:"Learning rate of a fine-tuning." name:"lr" placeholder:"RATE"`
	Protocol   string        `help:"folds, or single-split: one random split and the best epoch on it, as many published figures are made, and why they flatter." enum:"folds,single-split" default:"folds"`
	HTML       string        `help:"Write the result with its plot as one HTML page." type:"path" placeholder:"FILE" name:"html"`
	Yes        bool          `help:"Begin without asking, however long it takes." short:"y"`
}

// quickContest is how long a contest is that is begun without asking.
const quickContest = time.Minute

// Run holds a contest.
func (c *arenaCommand) Run(ctx context.Context, s *session) error {
	profile, err := s.profile()
	if err != nil {
		return err
	}
	config := arena.Config{Profile: profile, Folds: c.Folds, Seed: c.Seed, Budget: c.Budget}
	config.Asked.Epochs, config.Asked.Batch, config.Asked.LearningRate = c.Epochs, c.Batch, c.LR
	for _, text := range c.Methods {
		method, err := arena.ParseMethod(text)
		if err != nil {
			return usage(err)
		}
		config.Methods = append(config.Methods, method)
	}
	names := c.Contestant
	if len(names) == 0 {
		names = []string{s.Model}
	}
	return s.withHome(ctx, func(h *collection.Collection) error {
		contest, left, err := h.Contest(ctx, names, config)
		if err != nil {
			return err
		}
		if left > 0 {
			s.Notef("%d rated pictures can't be read by every model and are left out for all.", left)
		}
		s.Notef("What is not measured yet will take %s at most.", terminal.About(contest.Estimate))
		if contest.Estimate > quickContest {
			if err := s.confirm(c.Yes, "Begin?"); err != nil {
				return err
			}
		}
		if c.Protocol == "single-split" {
			return c.single(ctx, s, contest)
		}
		r, err := h.RunContest(ctx, contest, profile)
		if err != nil {
			return err
		}
		return c.show(s, r)
	})
}

func (c *arenaCommand) single(ctx context.Context, s *session, contest *arena.Contest) error {
	figures, err := contest.SingleSplit(ctx, func(_, _ int, what string) { s.Notef("%s", what) })
	if err != nil {
		return err
	}
	return s.Show(map[string]any{"protocol": "single-split", "figures": figures, "mind": arena.Flatters}, func() {
		terminal.Rows(s.Terminal, figures, "", []string{"MODEL", "METHOD", "BALANCED ACCURACY", ""}, func(f arena.Single) []string {
			return []string{f.Model, f.Method, fmt.Sprintf("%.3f", f.BalancedAccuracy), f.Failed}
		})
		s.Say("\n%s.", arena.Flatters)
	})
}

func (c *arenaCommand) show(s *session, r *arena.Report) error {
	page := r.Page()
	if c.HTML != "" {
		if err := atomicfile.Write(c.HTML, 0o644, func(w io.Writer) error { return page.Write(w) }); err != nil {
			return err
		}
	}
	return s.Show(r, func() {
		s.Say("%s.\n", page.Summary)
		show.Sections(s.Terminal, page.Sections)
		s.Say("")
		for _, v := range r.Verdicts {
			s.Say("%s.", strings.ToUpper(v[:1])+v[1:])
		}
	})
}

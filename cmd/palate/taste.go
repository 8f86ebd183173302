package main

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/show"
	"github.com/palate-art/palate/internal/taste"
)

type trainCommand struct {
	Thorough bool   `help:"Judge it in more rounds, with baselines and a learning curve, and print the whole report."`
	HTML     string `help:"Write the thorough report with its plots as one HTML page." type:"path" placeholder:"FILE" name:"html"`
	learning `embed:""`
}

// Run trains the probe of the profile.
func (c *trainCommand) Run(ctx context.Context, s *session) error {
	config, err := c.config()
	if err != nil {
		return err
	}
	return withTastes(ctx, s, func(h *collection.Model, profile palate.Profile) error {
		outcome, err := h.Tastes.TrainWith(ctx, profile, config, c.Thorough || c.HTML != "")
		if err != nil {
			return err
		}
		if c.HTML != "" {
			if err := writeReport(c.HTML, fmt.Sprintf("The taste of %s, version %d", profile, outcome.Version.Version), outcome.Report); err != nil {
				return err
			}
		}
		return show.Outcome(s.Terminal, profile, h.Embedder.Name(), outcome, c.Thorough)
	})
}

type scoresCommand struct {
	Files      []string `arg:"" optional:"" name:"file" help:"Pictures to score; without any, the collection is ranked." type:"path"`
	Limit      int      `help:"Images to show." default:"20" short:"n"`
	All        bool     `help:"Show all images, however many there are."`
	Min        float64  `help:"Show only images with a higher chance of a like, 0 to 1." default:"-1" placeholder:"P"`
	Unrated    bool     `help:"Show only images that are not judged yet."`
	collapsing `embed:""`
}

// mostListed bounds a --limit, which may be as large as one likes.
const mostListed = 1_000_000_000

// collapsing is what the lists of images share.
type collapsing struct {
	Collapse float32 `help:"Show one of every group of images that are at least this similar: crops and copies of one work, .97 say." placeholder:"SIMILARITY"`
}

func (c collapsing) check() error {
	if c.Collapse != 0 && !(c.Collapse >= index.MinCollapse && c.Collapse <= index.MaxCollapse) {
		return usagef("--collapse is %v, want %v to %v", c.Collapse, index.MinCollapse, index.MaxCollapse)
	}
	return nil
}

// Run ranks the collection, or scores files.
func (c *scoresCommand) Run(ctx context.Context, s *session) error {
	profile, err := s.profile()
	if err != nil {
		return err
	}
	switch {
	case c.Limit < 1 || c.Limit > mostListed:
		return usagef("--limit is %d, want 1 to %d; --all shows all", c.Limit, mostListed)
	case (c.All || c.Limit > index.MaxLimit) && c.Collapse != 0:
		return usagef("--collapse goes with a --limit of 1 to %d, and without --all", index.MaxLimit)
	}
	if err := c.check(); err != nil {
		return err
	}
	return withModel(ctx, s, func(h *collection.Model) error { return c.score(ctx, s, h, profile) })
}

func (c *scoresCommand) score(ctx context.Context, s *session, h *collection.Model, profile palate.Profile) error {
	var scored []collection.Scored
	var err error
	if len(c.Files) > 0 {
		scored, err = h.ScoredFiles(ctx, profile, c.Files)
	} else {
		query := taste.RankQuery{Limit: c.Limit, Collapse: c.Collapse}
		if c.All {
			query.Limit = math.MaxInt
		}
		if c.Min >= 0 {
			query.MinProbability = &c.Min
		}
		if c.Unrated {
			query.Filter.NotJudgedBy = profile
		}
		scored, err = h.Ranked(ctx, profile, query)
	}
	if errors.Is(err, palate.ErrNotFound) {
		err = fmt.Errorf("%w (like some images, with palate rate or on the page, for an order; with dislikes too, palate train learns a taste)", err)
	}
	if err != nil {
		return err
	}
	return show.Scores(s.Terminal, scored)
}

type similarCommand struct {
	To         string  `arg:"" name:"image" help:"An image, by id, its beginning, file or address; or any picture file."`
	Limit      int     `help:"Images to show." default:"10" short:"n"`
	Min        float32 `help:"Show only images that are at least this similar, -1 to 1." default:"-1" placeholder:"SIMILARITY"`
	collapsing `embed:""`
}

// Run searches by an image or by a file.
func (c *similarCommand) Run(ctx context.Context, s *session) error {
	if c.Limit < 1 || c.Limit > index.MaxLimit {
		return usagef("--limit is %d, want 1 to %d", c.Limit, index.MaxLimit)
	}
	if err := c.check(); err != nil {
		return err
	}
	return withModel(ctx, s, func(h *collection.Model) error {
		near, err := h.Similar(ctx, c.To, index.Query{Limit: c.Limit, Collapse: c.Collapse}, c.Min)
		if err != nil {
			return err
		}
		return show.Near(s.Terminal, near)
	})
}

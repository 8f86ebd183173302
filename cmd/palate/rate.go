package main

import (
	"context"
	"os"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/show"
	"github.com/palate-art/palate/internal/terminal"
)

type rateCommand struct {
	Verdict string   `arg:"" help:"like, dislike or skip; clear makes images unrated; undo takes the last rating back." enum:"like,dislike,skip,clear,undo"`
	Images  []string `arg:"" optional:"" name:"image" help:"Images, by id, its beginning, file or address; - reads them from standard input, one on each line."`
}

// Run appends to the log of ratings.
func (c *rateCommand) Run(ctx context.Context, s *session) error {
	profile, err := s.profile()
	if err != nil {
		return err
	}
	if (c.Verdict == "undo") != (len(c.Images) == 0) {
		return usagef("name the images, palate rate like|dislike|skip|clear IMAGE…, and none for palate rate undo")
	}
	verdict := palate.Verdict(c.Verdict)
	if c.Verdict == "clear" {
		verdict = ""
	}
	return s.withHome(ctx, func(h *collection.Collection) error {
		if c.Verdict != "undo" {
			names, err := terminal.Names(c.Images, os.Stdin)
			if err != nil {
				return usage(err)
			}
			return h.Rate(ctx, profile, verdict, names, func(r collection.Rated) error { return show.Rated(s.Terminal, r) })
		}
		undone, err := h.Unrate(ctx, profile)
		if err != nil {
			return err
		}
		return show.Rated(s.Terminal, undone)
	})
}

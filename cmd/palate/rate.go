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
	Verdict string   `arg:"" help:"like, dislike or skip; clear makes images unrated; undo takes back what was said or cleared last. With --stars it may be left out."`
	Images  []string `arg:"" optional:"" name:"image" help:"Images, by id, its beginning, file or address; - reads them from standard input, one on each line."`
	Stars   int      `help:"A grade from 1 to 5, kept beside the verdict; without one 4 and 5 are a like, 1 and 2 a dislike, 3 a skip." placeholder:"N"`
}

// Run appends to the log of ratings.
func (c *rateCommand) Run(ctx context.Context, s *session) error {
	profile, err := s.profile()
	if err != nil {
		return err
	}
	verdict, images, err := c.said()
	if err != nil {
		return err
	}
	return s.withHome(ctx, func(h *collection.Collection) error {
		if c.Verdict != "undo" {
			names, err := terminal.Names(images, os.Stdin)
			if err != nil {
				return usage(err)
			}
			return h.Rate(ctx, profile, verdict, palate.Stars(c.Stars), names, func(r collection.Rated) error { return show.Rated(s.Terminal, r) })
		}
		undone, err := h.Unrate(ctx, profile)
		if err != nil {
			return err
		}
		return show.Rated(s.Terminal, undone)
	})
}

// said is the verdict, empty for clear and undo, and the images.
func (c *rateCommand) said() (verdict palate.Verdict, images []string, err error) {
	stars := palate.Stars(c.Stars)
	if err := stars.Validate(); err != nil {
		return "", nil, usagef("--stars is %d, want 1 to %d", c.Stars, palate.MostStars)
	}
	images = c.Images
	switch c.Verdict {
	case "like", "dislike", "skip":
		verdict = palate.Verdict(c.Verdict)
	case "clear", "undo":
		if stars != 0 {
			return "", nil, usagef("--stars grades images; palate rate %s goes without", c.Verdict)
		}
	default:
		if stars == 0 {
			return "", nil, usagef("%q is none of like, dislike, skip, clear and undo; --stars N grades images without a word", c.Verdict)
		}
		verdict, images = stars.Verdict(), append([]string{c.Verdict}, images...)
	}
	if (c.Verdict == "undo") != (len(images) == 0) {
		return "", nil, usagef("name the images, palate rate like|dislike|skip|clear IMAGE… or palate rate --stars N IMAGE…, and none for palate rate undo")
	}
	return verdict, images, nil
}

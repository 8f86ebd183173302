package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/collection"
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
	return s.withHome(ctx, func(h *collection.Collection) error { return c.rate(ctx, s, h, profile) })
}

// ratingLine is what rate prints of one image.
type ratingLine struct {
	Image   palate.ImageID `json:"image_id"`
	Profile palate.Profile `json:"profile"`
	Verdict palate.Verdict `json:"verdict,omitempty"`
	Undone  palate.Verdict `json:"undone,omitempty"`
}

func (c *rateCommand) rate(ctx context.Context, s *session, h *collection.Collection, profile palate.Profile) error {
	if c.Verdict == "undo" {
		undone, err := h.Catalog.UndoRating(ctx, profile, 0)
		if err != nil {
			return err
		}
		return s.printRating(ratingLine{Image: undone.Image, Profile: profile, Undone: undone.Verdict})
	}
	names, err := c.names(os.Stdin)
	if err != nil {
		return err
	}
	ids, err := h.ImagesNamed(ctx, names)
	if err != nil {
		return err
	}
	for _, id := range ids {
		line := ratingLine{Image: id, Profile: profile}
		var err error
		if c.Verdict == "clear" {
			err = h.Catalog.ClearRating(ctx, profile, id)
		} else {
			line.Verdict = palate.Verdict(c.Verdict)
			_, err = h.Catalog.Rate(ctx, catalog.Rating{Profile: profile, Image: id, Verdict: line.Verdict, Shown: palate.ShownAPI})
		}
		if err == nil {
			err = s.printRating(line)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *session) printRating(line ratingLine) error {
	if s.JSON {
		return s.Print(line)
	}
	switch {
	case line.Undone != "":
		s.Say("%s: %s undone", line.Image, line.Undone)
	case line.Verdict == "":
		s.Say("%s: unrated", line.Image)
	default:
		s.Say("%s: %s", line.Image, line.Verdict)
	}
	return nil
}

// names reads what was named, from standard input where that is asked for.
func (c *rateCommand) names(in io.Reader) (names []string, err error) {
	for _, name := range c.Images {
		if name != "-" {
			names = append(names, name)
			continue
		}
		lines := bufio.NewScanner(in)
		for lines.Scan() {
			if line := strings.TrimSpace(lines.Text()); line != "" {
				names = append(names, line)
			}
		}
		if err := lines.Err(); err != nil {
			return nil, usagef("standard input can't be read as names of images, one on each line: %v", err)
		}
	}
	return names, nil
}

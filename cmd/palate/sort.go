package main

import (
	"context"
	"fmt"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/folder"
	"github.com/palate-art/palate/internal/show"
)

type sortCommand struct {
	Folder     string   `arg:"" help:"Folder of pictures; they need not be in the collection." type:"path"`
	Out        string   `help:"Where to make liked/, disliked/ and unsure/ (default: the folder itself)." type:"path" placeholder:"DIR"`
	How        string   `help:"Copy the pictures, move them, or make links." enum:"copy,move,link" default:"copy"`
	LikedFrom  *float64 `help:"Chance of a like, 0 to 1, from which a picture is liked (default: two thirds)." placeholder:"P"`
	DislikedTo *float64 `help:"Chance of a like up to which it is disliked; between the two it is unsure (default: one third)." placeholder:"P"`
	DryRun     bool     `help:"Only say what would be done."`
}

// Run sorts the folder by the probe of the profile.
func (c *sortCommand) Run(ctx context.Context, s *session) error {
	profile, err := s.profile()
	if err != nil {
		return err
	}
	piles, err := collection.PilesAt(c.LikedFrom, c.DislikedTo)
	if err != nil {
		return usage(err)
	}
	return withModel(ctx, s, func(h *collection.Model) error {
		sorting := collection.Sorting{Folder: c.Folder, Out: c.Out, How: folder.How(c.How), Piles: piles, DryRun: c.DryRun}
		sums, err := h.Sort(ctx, profile, sorting, func(one collection.Sorted) error { return show.Sorted(s.Terminal, one) })
		if err != nil {
			return err
		}
		s.SayAll(sums.Words(piles))
		if sums.Liked+sums.Disliked+sums.Unsure == 0 && sums.PassedBy > 0 {
			return fmt.Errorf("none of %d files could be sorted", sums.PassedBy)
		}
		return nil
	})
}

package main

import (
	"context"
	"fmt"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/folder"
	"github.com/palate-art/palate/internal/show"
)

type sortCommand struct {
	Folder    string  `arg:"" help:"Folder of pictures; they need not be in the collection." type:"path"`
	Out       string  `help:"Where to make liked/ and disliked/ (default: the folder itself)." type:"path" placeholder:"DIR"`
	How       string  `help:"Copy the pictures, move them, or make links." enum:"copy,move,link" default:"copy"`
	Threshold float64 `help:"Chance of a like from which a picture is liked (default: the probe's own)." default:"-1" placeholder:"P"`
	DryRun    bool    `help:"Only say what would be done." short:"n"`
}

// Run sorts the folder by the probe of the profile.
func (c *sortCommand) Run(ctx context.Context, s *session) error {
	profile, err := s.profile()
	if err != nil {
		return err
	}
	if c.Threshold > 1 {
		return usagef("--threshold is %g, want 0 to 1", c.Threshold)
	}
	return withModel(ctx, s, func(h *collection.Model) error {
		sorting := collection.Sorting{Folder: c.Folder, Out: c.Out, How: folder.How(c.How), Threshold: c.Threshold, DryRun: c.DryRun}
		sums, err := h.Sort(ctx, profile, sorting, func(one collection.Sorted) error { return show.Sorted(s.Terminal, one) })
		if err != nil {
			return err
		}
		s.Say("%d liked, %d disliked, %d passed by", sums.Liked, sums.Disliked, sums.PassedBy)
		if sums.Liked+sums.Disliked == 0 && sums.PassedBy > 0 {
			return fmt.Errorf("none of %d files could be sorted", sums.PassedBy)
		}
		return nil
	})
}

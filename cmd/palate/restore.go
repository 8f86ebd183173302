package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/collection"
)

type restoreCommand struct {
	Path         string `arg:"" help:"The backup: a folder or a .tar archive." type:"path"`
	Snapshot     string `help:"Which backup of a folder (palate backup --list): the newest if none is named." placeholder:"NAME"`
	Replace      bool   `help:"Where there is a catalog: set it aside and put the backup's in its place. Pictures stay."`
	MergeRatings bool   `help:"Leave the collection as it is and add the ratings that it lacks. Again adds nothing."`
}

// Run brings a backup back into the folder of --data.
func (c *restoreCommand) Run(ctx context.Context, s *session) error {
	if c.MergeRatings && c.Replace {
		return usagef("--merge-ratings leaves the catalog, and --replace sets it aside: give one of them")
	}
	if c.MergeRatings {
		return c.mergeRatings(ctx, s)
	}
	restored, err := collection.Restore(ctx, s.collectionConfig(), c.Path, c.Snapshot, c.Replace, s, s.logger)
	if err != nil {
		return err
	}
	err = s.Show(restored, func() { s.SayAll(restored.Words(s.Data)) })
	return errors.Join(err, restored.Err())
}

// mergeRatings adds the ratings of a backup to the collection.
func (c *restoreCommand) mergeRatings(ctx context.Context, s *session) error {
	if !collection.HasCatalog(s.Data) {
		return fmt.Errorf("there is no collection in %s whose ratings could be added to; without --merge-ratings the whole backup is restored there: %w", s.Data, palate.ErrNotFound)
	}
	return s.withHome(ctx, func(h *collection.Collection) error {
		merged, err := h.MergeRatings(ctx, c.Path, c.Snapshot)
		if err != nil {
			return err
		}
		return s.Show(merged, func() { s.SayAll(merged.Words()) })
	})
}

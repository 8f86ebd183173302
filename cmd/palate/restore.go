package main

import (
	"context"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/backup"
	"github.com/palate-art/palate/internal/catalog"
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
	return s.printRestored(restored)
}

func (s *session) printRestored(r backup.Restored) error {
	if s.JSON {
		if err := s.Print(r); err != nil {
			return err
		}
	} else {
		s.Say("%s: %d pictures with their ratings are back in %s; %d files were written, %d were there", r.Manifest.Name(), r.Images, s.Data, r.Files, r.Present)
		if r.Trashed > 0 {
			s.Say("%d more are in the trash, as they were", r.Trashed)
		}
		if r.TrashWithout > 0 {
			s.Say("%d are in the trash without their file, which the backup does not have: they can't be restored from there", r.TrashWithout)
		}
		if n := len(r.Manifest.Referenced); n > 0 {
			s.Say("%d pictures lie outside the collection, such as %s, and are not in the backup", n, r.Manifest.Referenced[0].Path)
		}
	}
	if n := len(r.Without); n > 0 {
		return fmt.Errorf("%d pictures are back without their file, which the backup does not have whole, such as image %s; import them again", n, r.Without[0])
	}
	return nil
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
		return s.printMerged(merged)
	})
}

func (s *session) printMerged(m catalog.Merged) error {
	if s.JSON {
		return s.Print(m)
	}
	s.Say("%d entries of the log of ratings were added, %d were there", m.Added, m.Known)
	if m.Older > 0 {
		s.Say("%d of these are older than what was said here since, which stands", m.Older)
	}
	if m.Absent > 0 {
		s.Say("%d of these are of pictures that are not here; they count as soon as these come", m.Absent)
	}
	return nil
}

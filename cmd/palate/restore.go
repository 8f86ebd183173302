package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/backup"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/imagestore/disk"
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
	if err := collection.PrepareFolder(s.collectionConfig(), s, s.logger); err != nil {
		return err
	}
	path := filepath.Join(s.Data, collection.CatalogFile)
	if err := c.makeRoom(ctx, s, path); err != nil {
		return err
	}
	store, err := disk.Open(filepath.Join(s.Data, collection.ImagesFolder))
	if err != nil {
		return err
	}
	restored, err := backup.Restore(ctx, c.Path, c.Snapshot, backup.Place{Catalog: path, Store: store, Open: openStaged},
		func(done, total int) { s.progress("restore", "img", int64(done), int64(total)) })
	s.finishProgress()
	if err != nil {
		return err
	}
	return s.printRestored(restored)
}

func openStaged(ctx context.Context, path string) (backup.Staged, error) {
	return sqlite.Open(ctx, path, sqlite.DefaultConfig())
}

// makeRoom sets aside what would be in the way of the backup's catalog.
func (c *restoreCommand) makeRoom(ctx context.Context, s *session, path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return err
	case info.Size() > 0 && !c.Replace:
		return fmt.Errorf("there is a collection in %s: restore into another folder (--data), add the backup's ratings to it (--merge-ratings), or set its catalog aside (--replace): %w", s.Data, palate.ErrConflict)
	}
	aside, err := sqlite.SetAside(ctx, path, time.Now())
	if err != nil {
		return err
	}
	if aside != "" {
		s.note("The catalog that was there is kept at %s.", aside)
	}
	// What is derived from it follows its numbers, which begin anew.
	if err := os.RemoveAll(filepath.Join(s.Data, collection.IndexFolder)); err != nil {
		return err
	}
	if s.IndexAddress != collection.EmbeddedIndex {
		s.note("Run palate reindex afterwards: the index server holds what the collection was before.")
	}
	return nil
}

func (s *session) printRestored(r backup.Restored) error {
	if s.JSON {
		if err := s.print(r); err != nil {
			return err
		}
	} else {
		s.say("%s: %d pictures with their ratings are back in %s; %d files were written, %d were there", r.Manifest.Name(), r.Images, s.Data, r.Files, r.Present)
		if r.Trashed > 0 {
			s.say("%d more are in the trash, as they were", r.Trashed)
		}
		if r.TrashWithout > 0 {
			s.say("%d are in the trash without their file, which the backup does not have: they can't be restored from there", r.TrashWithout)
		}
		if n := len(r.Manifest.Referenced); n > 0 {
			s.say("%d pictures lie outside the collection, such as %s, and are not in the backup", n, r.Manifest.Referenced[0].Path)
		}
	}
	if n := len(r.Without); n > 0 {
		return fmt.Errorf("%d pictures are back without their file, which the backup does not have whole, such as image %s; import them again", n, r.Without[0])
	}
	return nil
}

// mergeRatings adds the ratings of a backup to the collection.
func (c *restoreCommand) mergeRatings(ctx context.Context, s *session) error {
	if _, err := os.Stat(filepath.Join(s.Data, collection.CatalogFile)); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no collection in %s whose ratings could be added to; without --merge-ratings the whole backup is restored there: %w", s.Data, palate.ErrNotFound)
	}
	log, err := ratingsOf(ctx, c.Path, c.Snapshot)
	if err != nil {
		return err
	}
	h, err := openHome(ctx, s)
	if err != nil {
		return err
	}
	merged, err := h.Catalog.MergeRatings(ctx, log)
	if err == nil {
		err = s.printMerged(merged)
	}
	return errors.Join(err, h.Close())
}

func (s *session) printMerged(m catalog.Merged) error {
	if s.JSON {
		return s.print(m)
	}
	s.say("%d entries of the log of ratings were added, %d were there", m.Added, m.Known)
	if m.Older > 0 {
		s.say("%d of these are older than what was said here since, which stands", m.Older)
	}
	if m.Absent > 0 {
		s.say("%d of these are of pictures that are not here; they count as soon as these come", m.Absent)
	}
	return nil
}

// ratingsOf reads the log of ratings in a backup, of all profiles.
func ratingsOf(ctx context.Context, path, snapshot string) (log []catalog.LogEntry, err error) {
	folder, err := os.MkdirTemp("", "palate-restore-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	copied := filepath.Join(folder, collection.CatalogFile)
	if err := backup.CatalogOf(ctx, path, snapshot, copied); err != nil {
		return nil, err
	}
	c, err := sqlite.OpenReadOnly(ctx, copied, sqlite.DefaultConfig())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	profiles, err := c.Profiles(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range profiles {
		for after := int64(0); ; {
			page, err := c.RatingLog(ctx, p.Profile, after, logPage)
			if err != nil {
				return nil, err
			}
			if log = append(log, page...); len(page) < logPage {
				break
			}
			after = page[len(page)-1].Entry
		}
	}
	return log, nil
}

// logPage is how many entries of the log are read at once.
const logPage = 1000

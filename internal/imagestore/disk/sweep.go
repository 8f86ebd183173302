package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/imagestore"
)

// Walk implements imagestore.Store.
func (s *Store) Walk(ctx context.Context, visit func(palate.ImageID) error) error {
	err := s.walk(ctx, filesFolder, visit)
	if err != nil {
		return err
	}
	return s.walk(ctx, refsFolder, func(id palate.ImageID) error {
		if _, err := os.Lstat(s.path(filesFolder, id, "")); err == nil {
			return nil // visited as a file
		}
		return visit(id)
	})
}

// walk visits what a folder keeps, by the id that names begin with. Files
// whose names do not are not the store's and are passed over.
func (s *Store) walk(ctx context.Context, folder string, visit func(palate.ImageID) error) error {
	return s.walkNames(ctx, folder, func(id palate.ImageID, _ string) error { return visit(id) })
}

func (s *Store) walkNames(ctx context.Context, folder string, visit func(id palate.ImageID, name string) error) error {
	return filepath.WalkDir(filepath.Join(s.root, folder), func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // deleted meanwhile
		case err != nil:
			return s.unavailable("list images", err)
		case ctx.Err() != nil:
			return ctx.Err()
		case entry.IsDir():
			return nil
		}
		id, ok := idOf(folder, entry.Name())
		if !ok {
			return nil
		}
		return visit(id, entry.Name())
	})
}

// idOf reads the name of a file in one of the folders.
func idOf(folder, name string) (palate.ImageID, bool) {
	ok := true
	switch folder {
	case refsFolder:
		name, ok = strings.CutSuffix(name, refSuffix)
	case thumbsFolder:
		const digits = len("00000000-0000-0000-0000-000000000000")
		if ok = len(name) > digits && name[digits] == '-'; ok {
			name = name[:digits]
		}
	}
	id, err := palate.ParseImageID(name)
	return id, ok && err == nil
}

// sweepBatch is how many files are asked about at once.
const sweepBatch = 500

// Sweep implements imagestore.Store.
func (s *Store) Sweep(ctx context.Context, rules imagestore.SweepRules, fate func(context.Context, []palate.ImageID) ([]imagestore.Fate, error)) (swept imagestore.Swept, err error) {
	before := time.Now().Add(-rules.OlderThan)
	unfinished, err := os.ReadDir(filepath.Join(s.root, tmpFolder))
	if err != nil {
		return swept, s.unavailable("sweep", err)
	}
	for _, entry := range unfinished {
		name := filepath.Join(s.root, tmpFolder, entry.Name())
		if isOlder(before, name) && os.Remove(name) == nil {
			swept.Unfinished++
		}
	}
	found, err := s.fates(ctx, before, fate)
	if err != nil {
		return swept, err
	}
	for _, id := range found[imagestore.Discarded] {
		if !s.isOlder(before, id) {
			continue // stored again meanwhile
		}
		if err := s.Delete(ctx, id); err != nil {
			return swept, err
		}
		swept.Discarded++
	}
	if swept.Expired, err = s.expireAside(rules.KeepOrphans); err != nil {
		return swept, err
	}
	orphans := found[imagestore.Orphaned]
	if swept.Orphans = len(orphans); swept.Orphans > 0 && swept.Orphans <= rules.MaxOrphans {
		swept.Folder, swept.Moved, err = s.moveAside(ctx, before, orphans, fate)
		if err != nil {
			return swept, err
		}
	}
	// Thumbnails whose image was deleted by a process that was killed then.
	return swept, s.walk(ctx, thumbsFolder, func(id palate.ImageID) error {
		if has, err := s.Has(ctx, id); err != nil || has {
			return err
		}
		swept.Thumbnails++
		return s.removeThumbnails(id)
	})
}

// fates asks about every file that arrived before a time.
func (s *Store) fates(ctx context.Context, before time.Time, fate func(context.Context, []palate.ImageID) ([]imagestore.Fate, error)) (map[imagestore.Fate][]palate.ImageID, error) {
	found := make(map[imagestore.Fate][]palate.ImageID)
	var batch []palate.ImageID
	ask := func() error {
		fates, err := fate(ctx, batch)
		if err == nil && len(fates) != len(batch) {
			err = fmt.Errorf("sweep: %d answers to %d questions", len(fates), len(batch))
		}
		if err != nil {
			return err
		}
		for i, f := range fates {
			if f != imagestore.Wanted {
				found[f] = append(found[f], batch[i])
			}
		}
		batch = batch[:0]
		return nil
	}
	err := s.Walk(ctx, func(id palate.ImageID) error {
		if !s.isOlder(before, id) {
			return nil
		}
		if batch = append(batch, id); len(batch) == sweepBatch {
			return ask()
		}
		return nil
	})
	if err == nil && len(batch) > 0 {
		err = ask()
	}
	return found, err
}

// Older implements imagestore.Store.
func (s *Store) Older(ctx context.Context, than time.Duration, ids []palate.ImageID) ([]palate.ImageID, error) {
	before := time.Now().Add(-than)
	var older []palate.ImageID
	for _, id := range ids {
		if s.isOlder(before, id) {
			older = append(older, id)
		}
	}
	return older, ctx.Err()
}

// isOlder reports whether everything kept of an image arrived before a time.
func (s *Store) isOlder(before time.Time, id palate.ImageID) bool {
	file, ref := s.path(filesFolder, id, ""), s.path(refsFolder, id, refSuffix)
	return isOlder(before, file) && isOlder(before, ref)
}

// isOlder reports whether a file arrived before a time, or is not there.
func isOlder(before time.Time, path string) bool {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	return err == nil && arrivedAt(info).Before(before)
}

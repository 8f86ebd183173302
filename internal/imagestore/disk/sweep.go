package disk

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/palate-art/palate"
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
		return visit(id)
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

// Sweep implements imagestore.Store.
func (s *Store) Sweep(ctx context.Context, olderThan time.Duration, wanted func(palate.ImageID) (bool, error)) (int, error) {
	before := time.Now().Add(-olderThan)
	unfinished, err := os.ReadDir(filepath.Join(s.root, tmpFolder))
	if err != nil {
		return 0, s.unavailable("sweep", err)
	}
	removed := 0
	for _, entry := range unfinished {
		name := filepath.Join(s.root, tmpFolder, entry.Name())
		if isOlder(before, name) && os.Remove(name) == nil {
			removed++
		}
	}
	err = s.Walk(ctx, func(id palate.ImageID) error {
		if !s.isOlder(before, id) {
			return nil
		}
		known, err := wanted(id)
		// Who stores it again meanwhile renews it first, so its age is asked
		// for once more after that.
		if err != nil || known || !s.isOlder(before, id) {
			return err
		}
		removed++
		return s.Delete(ctx, id)
	})
	if err != nil {
		return removed, err
	}
	// Thumbnails whose image was deleted by a process that was killed then.
	return removed, s.walk(ctx, thumbsFolder, func(id palate.ImageID) error {
		if has, err := s.Has(ctx, id); err != nil || has {
			return err
		}
		removed++
		return s.removeThumbnails(id)
	})
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

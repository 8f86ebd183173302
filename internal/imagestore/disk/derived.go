package disk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/palate-art/palate"
)

func (s *Store) thumbnail(id palate.ImageID, width int) string {
	return s.path(thumbsFolder, id, fmt.Sprintf("-%d.jpg", width))
}

// PutThumbnail implements imagestore.Store.
func (s *Store) PutThumbnail(ctx context.Context, id palate.ImageID, width int, jpeg []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.writeFile(s.thumbnail(id, width), jpeg)
}

// OpenThumbnail implements imagestore.Store.
func (s *Store) OpenThumbnail(ctx context.Context, id palate.ImageID, width int) (io.ReadSeekCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := os.Open(s.thumbnail(id, width))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("thumbnail of image %s, %d wide: %w", id, width, palate.ErrNotFound)
	}
	if err != nil {
		return nil, s.unavailable("open thumbnail", err)
	}
	return f, nil
}

// Walk implements imagestore.Store.
func (s *Store) Walk(ctx context.Context, visit func(palate.ImageID) error) error {
	return s.walk(ctx, func(id palate.ImageID, _ string) error { return visit(id) })
}

// walk visits every file and reference with its path. Files whose names are no
// ids are not the store's and are passed over.
func (s *Store) walk(ctx context.Context, visit func(id palate.ImageID, path string) error) error {
	for _, folder := range []string{filesFolder, refsFolder} {
		err := filepath.WalkDir(filepath.Join(s.root, folder), func(path string, entry fs.DirEntry, err error) error {
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
			id, err := palate.ParseImageID(strings.TrimSuffix(entry.Name(), ".json"))
			if err != nil {
				return nil
			}
			return visit(id, path)
		})
		if err != nil {
			return err
		}
	}
	return nil
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
		if isOlder(entry, before) && os.Remove(filepath.Join(s.root, tmpFolder, entry.Name())) == nil {
			removed++
		}
	}
	err = s.walk(ctx, func(id palate.ImageID, path string) error {
		info, err := os.Lstat(path)
		if err != nil || !info.ModTime().Before(before) {
			return nil // gone, or work under way
		}
		known, err := wanted(id)
		if err != nil || known {
			return err
		}
		removed++
		return s.Delete(ctx, id)
	})
	return removed, err
}

func isOlder(entry fs.DirEntry, before time.Time) bool {
	info, err := entry.Info()
	return err == nil && info.ModTime().Before(before)
}

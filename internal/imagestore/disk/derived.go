package disk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/imagestore"
)

func (s *Store) thumbnail(id palate.ImageID, width int) string {
	return s.path(thumbsFolder, id, fmt.Sprintf("-%d-v%d.jpg", width, imagestore.ThumbnailVersion))
}

// formerThumbnail is what it was called before there were versions.
func (s *Store) formerThumbnail(id palate.ImageID, width int) string {
	return s.path(thumbsFolder, id, fmt.Sprintf("-%d.jpg", width))
}

// PutThumbnail implements imagestore.Store.
func (s *Store) PutThumbnail(ctx context.Context, id palate.ImageID, width int, jpeg []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.writeFile(s.thumbnail(id, width), jpeg); err != nil {
		return err
	}
	if err := os.Remove(s.formerThumbnail(id, width)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s.unavailable("replace thumbnail", err)
	}
	// Delete removes the image before its thumbnails: whoever comes between
	// sees here that the image is gone.
	has, err := s.Has(ctx, id)
	if err != nil || has {
		return err
	}
	return errors.Join(fmt.Errorf("keep thumbnail of image %s: %w", id, palate.ErrNotFound), s.removeThumbnails(id))
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

func (s *Store) removeThumbnails(id palate.ImageID) error {
	// Not filepath.Glob, to which the name of the root may be a pattern.
	folder := filepath.Dir(s.path(thumbsFolder, id, ""))
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s.unavailable("delete thumbnails", err)
	}
	for _, entry := range entries {
		if of, ok := idOf(thumbsFolder, entry.Name()); !ok || of != id {
			continue
		}
		if err := os.Remove(filepath.Join(folder, entry.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return s.unavailable("delete thumbnails", err)
		}
	}
	return nil
}

// WalkThumbnails implements imagestore.Store.
func (s *Store) WalkThumbnails(ctx context.Context, visit func(palate.ImageID, int) error) error {
	return s.walkNames(ctx, thumbsFolder, func(id palate.ImageID, name string) error {
		width, version, versioned := strings.Cut(strings.TrimSuffix(name[len(id.String())+1:], ".jpg"), "-v")
		pixels, err := strconv.Atoi(width)
		if err != nil || versioned && version != strconv.Itoa(imagestore.ThumbnailVersion) {
			return nil // not one of ours
		}
		return visit(id, pixels)
	})
}

// DeleteThumbnail implements imagestore.Store.
func (s *Store) DeleteThumbnail(ctx context.Context, id palate.ImageID, width int) error {
	for _, path := range []string{s.thumbnail(id, width), s.formerThumbnail(id, width)} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return s.unavailable("delete thumbnail", err)
		}
	}
	return ctx.Err()
}

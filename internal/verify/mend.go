package verify

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/imagestore"
	"github.com/palate-art/palate/internal/regular"
)

// mendFile brings a whole copy of an image's file into the store, from what
// earlier sweeps moved aside or from an original on this machine that a source
// names. It says from where, and nothing if there is none.
func (r *run) mendFile(ctx context.Context, image catalog.Image) (from string, err error) {
	found, err := r.Store.BringBack(ctx, image.ID)
	if err != nil || found {
		return "brought back from where a sweep had moved it", err
	}
	for _, source := range image.Sources {
		path := source.Address
		if !filepath.IsAbs(path) || !isOriginal(path, image) {
			continue
		}
		if err := r.store(ctx, path, image); err != nil {
			return "", err
		}
		// It may have been another one a moment ago.
		if _, wrong, err := r.inspect(ctx, image); err != nil || wrong {
			return "", err
		}
		return "stored again from " + path, nil
	}
	return "", nil
}

// isOriginal reports whether a file is the picture, byte for byte.
func isOriginal(path string, image catalog.Image) bool {
	content, err := regular.ReadFile(path, image.Bytes)
	return err == nil && sha256.Sum256(content) == image.SHA256
}

// store keeps a file as the store keeps the image: by reference, or a copy.
func (r *run) store(ctx context.Context, path string, image catalog.Image) error {
	if store, can := r.Store.(imagestore.InPlace); can {
		if _, err := store.ReferenceOf(ctx, image.ID); err == nil || errors.Is(err, palate.ErrConflict) {
			_, err := store.Reference(ctx, path)
			return err
		}
	}
	file, err := os.Open(path)
	if err != nil {
		return nil // gone since: nothing is mended
	}
	defer file.Close()
	_, err = r.Store.Put(ctx, file, image.Bytes)
	if errors.Is(err, palate.ErrInvalid) {
		return nil // longer since
	}
	return err
}

// originOf says where an image may be had again.
func originOf(image catalog.Image) string {
	if found := image.Found(); len(found) > 0 {
		return found[0].Address
	}
	return "nobody knows where"
}

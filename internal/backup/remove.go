package backup

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/atomicfile"
	"github.com/palate-art/palate/internal/catalog"
)

// removeOld lets the oldest snapshots beyond keep go, with the pictures that
// no other one names. A snapshot that knows much more than the newest is
// spared: the collection may have been lost in between, and nobody noticed.
func (c Collection) removeOld(ctx context.Context, f *folder, keep int, r *Report) error {
	names, err := f.snapshots()
	if err != nil || keep < 1 || len(names) <= keep {
		return err
	}
	for _, name := range names[:len(names)-keep] {
		m, err := f.manifest(name)
		if err != nil || m.LastChange > r.Manifest.LastChange || m.Images > 2*r.Manifest.Images {
			r.Spared = append(r.Spared, name) // one that can't be read too
			continue
		}
		if err := os.Rename(f.path(snapshotsFolder, name), f.path(tmpFolder, removingPrefix+name)); err != nil {
			return err
		}
		r.Removed = append(r.Removed, name)
	}
	if len(r.Removed) == 0 {
		return nil
	}
	return errors.Join(atomicfile.SyncFolder(f.path(snapshotsFolder)), c.finishRemoving(ctx, f))
}

// finishRemoving removes the pictures that only snapshots under way to their
// removal name, and then these.
func (c Collection) finishRemoving(ctx context.Context, f *folder) error {
	entries, err := os.ReadDir(f.path(tmpFolder))
	if err != nil {
		return err
	}
	var kept map[palate.ImageID]bool
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), removingPrefix) {
			continue
		}
		if kept == nil {
			if kept, err = c.named(ctx, f); err != nil {
				return err
			}
		}
		going := f.path(tmpFolder, entry.Name())
		err := c.visit(ctx, filepath.Join(going, catalogName), func(image catalog.Image) error {
			if kept[image.ID] {
				return nil
			}
			if err := os.Remove(f.file(image.ID)); !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return nil
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // removed in part before
			return err
		}
		if err := os.RemoveAll(going); err != nil {
			return err
		}
	}
	return nil
}

// named is the set of pictures that snapshots name.
func (c Collection) named(ctx context.Context, f *folder) (map[palate.ImageID]bool, error) {
	names, err := f.snapshots()
	if err != nil {
		return nil, err
	}
	kept := map[palate.ImageID]bool{}
	for _, name := range names {
		err := c.visit(ctx, f.path(snapshotsFolder, name, catalogName), func(image catalog.Image) error {
			kept[image.ID] = true
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return kept, nil
}

func (c Collection) visit(ctx context.Context, path string, visit func(catalog.Image) error) error {
	s, err := c.Open(ctx, path)
	if err != nil {
		return err
	}
	return errors.Join(eachKept(ctx, s, visit), s.Close())
}

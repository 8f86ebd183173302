package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/palate-art/palate"
)

// List gives the manifests of a folder's snapshots, oldest first.
func List(root string) ([]Manifest, error) {
	f, _, _, err := openFolder(root, "")
	if err != nil {
		return nil, err
	}
	names, err := f.snapshots()
	if err != nil {
		return nil, err
	}
	var all []Manifest
	for _, name := range names {
		m, err := f.manifest(name)
		if err != nil {
			return all, err
		}
		all = append(all, m)
	}
	return all, nil
}

// CatalogOf copies the catalog of a backup, of the named snapshot or the
// newest, into a file, for what needs no pictures.
func CatalogOf(ctx context.Context, from, snapshot, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return fmt.Errorf("the backup %s can't be read: %w: %w", from, palate.ErrNotFound, err)
	}
	if info.IsDir() {
		f, name, m, err := openFolder(from, snapshot)
		if err != nil {
			return err
		}
		return f.copyCatalog(ctx, name, m, to)
	}
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	var sum string
	var size int64
	m, err := readArchive(ctx, f, archiveVisitor{
		catalog: func(r io.Reader) (err error) { sum, size, err = writeHashed(r, to); return err },
		file:    func(palate.ImageID, io.Reader) error { return nil },
	})
	if err != nil {
		return err
	}
	return checkCatalog(m, sum, size)
}

// IsArchive reports whether a backup at that path is, or would be, one file.
func IsArchive(path string) bool {
	info, err := os.Stat(path)
	if err == nil {
		return !info.IsDir()
	}
	return errors.Is(err, os.ErrNotExist) && filepath.Ext(path) == ".tar"
}

package export

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// ToTar writes Clip's folder as a tar, which unpacks into what ToFolder writes.
// An array's file begins with how many rows it has, so that the folder is made
// in a temporary place first; nothing is sent before it is whole.
func ToTar(ctx context.Context, w io.Writer, c Catalog, q Query) (rows int, err error) {
	folder, err := os.MkdirTemp("", "palate-export")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if rows, err = ToFolder(ctx, folder, c, q); err != nil {
		return 0, err
	}
	out := tar.NewWriter(w)
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return addFile(ctx, out, folder, path)
	})
	return rows, errors.Join(err, out.Close())
}

// addFile adds one file under its path within the folder, and as nobody's.
func addFile(ctx context.Context, out *tar.Writer, folder, path string) error {
	name, err := filepath.Rel(folder, path)
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if err := out.WriteHeader(&tar.Header{Name: filepath.ToSlash(name), Size: info.Size(), Mode: 0o644, ModTime: info.ModTime().Truncate(time.Second)}); err != nil {
		return err
	}
	if _, err := io.Copy(out, file); err != nil {
		return err
	}
	return ctx.Err()
}

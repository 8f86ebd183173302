// Package atomicfile writes files that are there whole or not at all, however the
// process or the machine ends: beside their place first, synced to the disk, and
// moved there when they are whole.
package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// Write puts what write writes into the file at path, in the place of one that
// is there, with these permissions. On any error path is as it was and nothing
// is left beside it. A process that is killed meanwhile leaves a file whose name
// begins with a dot and path's own name.
func Write(path string, mode os.FileMode, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	if err = write(f); err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return SyncFolder(filepath.Dir(path))
}

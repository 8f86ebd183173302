// Package atomicfile writes files that are there whole or not at all, however the
// process or the machine ends: beside their place first, synced to the disk, and
// moved there when they are whole.
package atomicfile

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// bufferBytes is how much is written at once.
const bufferBytes = 256 << 10

// WriteBytes is Write of what is there already.
func WriteBytes(path string, mode os.FileMode, content []byte) error {
	return Write(path, mode, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// Half reports whether a file's name is of one that Write has not finished, and
// which file it was to be.
func Half(name string) (of string, half bool) {
	rest, hidden := strings.CutPrefix(name, ".")
	i := strings.LastIndexByte(rest, '-')
	if !hidden || i < 1 || i == len(rest)-1 || strings.Trim(rest[i+1:], "0123456789") != "" {
		return "", false
	}
	return rest[:i], true
}

// Write puts what write writes into the file at path, in the place of one that
// is there, with these permissions. On any error path is as it was and nothing
// is left beside it; what a killed process leaves is known by Half.
func Write(path string, mode os.FileMode, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(f, bufferBytes)
	if err = write(out); err == nil {
		err = errors.Join(out.Flush(), f.Chmod(mode))
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

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
		err = out.Flush()
	}
	if err == nil {
		err = Finish(f, mode)
	} else {
		err = errors.Join(err, f.Close())
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return SyncFolder(filepath.Dir(path))
}

// Finish gives an open file its permissions, and closes it when all of it is on
// the disk: the first half of Write, for a file whose place is known only when
// it is whole. It is closed on an error too.
func Finish(f *os.File, mode os.FileMode) error {
	var err error
	if info, e := f.Stat(); e != nil || info.Mode().Perm() != mode {
		err = errors.Join(e, f.Chmod(mode))
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// Move puts a finished file, or a folder of such, into its place on the same
// disk, and makes that durable: the second half of Write.
func Move(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return SyncFolder(filepath.Dir(to))
}

// Package regular opens files that a person names, and nothing but files: a
// named pipe, a socket, a terminal or another device would keep a command
// waiting for ever or never end, and a folder has nothing to read.
package regular

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/palate-art/palate"
)

// Open opens a regular file for reading, following links. Anything else at
// that path is palate.ErrInvalid, told by what it is; the path is in every
// error. It never waits for somebody at the other end.
func Open(path string) (*os.File, error) {
	// Opening some devices has effects, so what is known not to be a file is
	// not opened; what it is in the end is told by what was opened.
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := Check(path, info.Mode()); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		return nil, err
	}
	return checked(f, path)
}

// OpenIn is Open of a name below a root; path is what errors call it.
func OpenIn(root *os.Root, name, path string) (*os.File, error) {
	info, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	if err := Check(path, info.Mode()); err != nil {
		return nil, err
	}
	f, err := root.OpenFile(name, os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		return nil, err
	}
	return checked(f, path)
}

func checked(f *os.File, path string) (*os.File, error) {
	info, err := f.Stat()
	if err == nil {
		err = Check(path, info.Mode())
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// ReadFile reads a regular file of at most maxBytes; a larger one is
// palate.ErrInvalid.
func ReadFile(path string, maxBytes int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, err
	}
	if int64(len(content)) > maxBytes {
		return nil, refusal(fmt.Sprintf("%s has more than %d bytes, which is too large", path, maxBytes))
	}
	return content, nil
}

// refusal is a palate.ErrInvalid whose text is for whoever named the path, and
// so without the word for the kind.
type refusal string

func (r refusal) Error() string { return string(r) }
func (r refusal) Unwrap() error { return palate.ErrInvalid }

// Check says why what has this mode can't be read as a file, nil if it can.
func Check(path string, mode fs.FileMode) error {
	kind := ""
	switch {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		kind = "a folder"
	case mode&fs.ModeNamedPipe != 0:
		kind = "a named pipe"
	case mode&fs.ModeSocket != 0:
		kind = "a socket"
	case mode&fs.ModeDevice != 0:
		kind = "a device"
	default:
		kind = "something else"
	}
	return refusal(fmt.Sprintf("%s is %s, and a regular file is needed", path, kind))
}

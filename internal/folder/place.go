package folder

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/regular"
)

// How says what Place does with a file.
type How string

// The ways.
const (
	Copy How = "copy"
	Move How = "move"
	Link How = "link"
)

// Place copies, moves or links a file to a path, whose folder it makes, without
// ever overwriting another: where a different file has the name, a number is
// added to it. It returns where the file is; one of the same content that is
// there is left. Only regular files are read.
func Place(from, to string, how How) (string, error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return "", err
	}
	ext := filepath.Ext(to)
	stem := to[:len(to)-len(ext)]
	for n := 2; ; n++ {
		err := linkOrCopy(from, to, how)
		if err == nil && how == Move {
			err = os.Remove(from)
		}
		if !errors.Is(err, fs.ErrExist) {
			return to, err
		}
		if same, err := sameContent(from, to); err != nil || same {
			return to, err
		}
		to = fmt.Sprintf("%s (%d)%s", stem, n, ext)
	}
}

func linkOrCopy(from, to string, how How) error {
	if how != Copy {
		err := os.Link(from, to)
		if err == nil || errors.Is(err, fs.ErrExist) || how == Link {
			return err
		}
	}
	source, err := regular.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	if err = errors.Join(err, target.Close()); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	return nil
}

func sameContent(a, b string) (bool, error) {
	x, err := ImageID(a)
	if err != nil {
		return false, err
	}
	y, err := ImageID(b)
	return x == y, err
}

// ImageID gives the id that a file has, or would have, in a collection: that of
// its content.
func ImageID(name string) (palate.ImageID, error) {
	f, err := regular.Open(name)
	if err != nil {
		return palate.ImageID{}, err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return palate.ImageID{}, err
	}
	return palate.NewImageID([sha256.Size]byte(hash.Sum(nil))), nil
}

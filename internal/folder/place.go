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
	"github.com/palate-art/palate/internal/atomicfile"
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

// mark is the file in a folder that palate sort filled. Its first line has the
// version of its form; what follows is for people.
const mark = ".palate-sorted"

// Mark makes a folder, if need be, and marks it as filled by palate sort: Scan
// tells its pictures from those that a person put somewhere.
func Mark(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if _, err := os.Lstat(filepath.Join(dir, mark)); err == nil {
		return nil
	}
	return atomicfile.Write(filepath.Join(dir, mark), 0o644, func(w io.Writer) error {
		_, err := io.WriteString(w, "palate sort 1\nPalate put these pictures here by the chance that they are liked. It sorts them no more, and does not take them for judged while this file is here.\n")
		return err
	})
}

// Place copies, moves or links a file to a path, whose folder it makes, without
// ever overwriting another: where a different file has the name, a number is
// added to it. It returns where the file is; one of the same content that is
// there is left, and where the file was to be moved there it goes from where it
// was. Of a symbolic link the file that it leads to is copied or linked; moved it
// goes on leading there. Only regular files are read.
func Place(from, to string, how How) (string, error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return "", err
	}
	if one, err := oneName(from, to); err != nil || one {
		return to, err
	}
	ext := filepath.Ext(to)
	stem := to[:len(to)-len(ext)]
	for n := 2; ; n++ {
		err := linkOrCopy(from, to, how)
		same := err == nil
		if errors.Is(err, fs.ErrExist) {
			same, err = sameContent(from, to)
		}
		if err == nil && same && how == Move {
			err = remove(from, to)
		}
		if err != nil || same {
			return to, err
		}
		to = fmt.Sprintf("%s (%d)%s", stem, n, ext)
	}
}

// oneName reports whether two paths are one name of one file, of which there is
// nothing to place: folders may be reached by links.
func oneName(from, to string) (bool, error) {
	if filepath.Base(from) != filepath.Base(to) {
		return false, nil
	}
	a, err := os.Stat(filepath.Dir(from))
	if err != nil {
		return false, err
	}
	b, err := os.Stat(filepath.Dir(to))
	return err == nil && os.SameFile(a, b), err
}

// remove takes a name away whose content another has. It keeps the name that the
// other is only a link to.
func remove(from, to string) error {
	info, err := os.Lstat(to)
	if err != nil {
		return err
	}
	if info.Mode().IsRegular() {
		return os.Remove(from)
	}
	source, err := os.Lstat(from)
	if err != nil {
		return err
	}
	if source.Mode().IsRegular() {
		return fmt.Errorf("%s is not moved: %s is only a link", from, to)
	}
	return os.Remove(from)
}

func linkOrCopy(from, to string, how How) error {
	info, err := os.Lstat(from)
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		if from, err = filepath.EvalSymlinks(from); err != nil {
			return err
		}
		if from, err = filepath.Abs(from); err != nil {
			return err
		}
		if how == Move {
			return os.Symlink(from, to)
		}
	}
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

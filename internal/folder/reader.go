package folder

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/regular"
)

// Reader reads files by their absolute paths: those of one root, if it has one,
// else all that this process may read. The operating system holds every access
// to the root, so that no link that is changed meanwhile leads out of it.
type Reader struct {
	root *os.Root
	base string
}

// OpenRoot gives a Reader of what is below a folder. It must be closed.
func OpenRoot(folder string) (Reader, error) {
	base, err := filepath.Abs(folder)
	if err != nil {
		return Reader{}, fmt.Errorf("folder %s: %w", folder, err)
	}
	root, err := os.OpenRoot(base)
	if err != nil {
		return Reader{}, fmt.Errorf("folder %s: %w (%w)", folder, palate.ErrUnavailable, err)
	}
	return Reader{root, base}, nil
}

// Close ends its use.
func (r Reader) Close() error {
	if r.root == nil {
		return nil
	}
	return r.root.Close()
}

// Open opens a regular file to read it; see regular.Open.
func (r Reader) Open(path string) (*os.File, error) {
	if r.root == nil {
		return regular.Open(path)
	}
	name, err := r.below(path)
	if err != nil {
		return nil, err
	}
	return regular.OpenIn(r.root, name, path)
}

func (r Reader) stat(path string) (fs.FileInfo, error) {
	if r.root == nil {
		return os.Stat(path)
	}
	name, err := r.below(path)
	if err != nil {
		return nil, err
	}
	return r.root.Stat(name)
}

func (r Reader) readDir(path string) ([]fs.DirEntry, error) {
	if r.root == nil {
		return os.ReadDir(path)
	}
	name, err := r.below(path)
	if err != nil {
		return nil, err
	}
	return fs.ReadDir(r.root.FS(), filepath.ToSlash(name))
}

func (r Reader) below(path string) (string, error) {
	name, err := filepath.Rel(r.base, path)
	if err != nil || !filepath.IsLocal(name) {
		return "", fmt.Errorf("%s is not below %s: %w", path, r.base, palate.ErrForbidden)
	}
	return name, nil
}

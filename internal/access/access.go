// Package access says who may read the files of a collection: their owner
// alone, or the owner's group too. Nobody else may, as titles, ratings and
// pictures tell much about a person.
//
// The folder of the collection decides: one of mode 0750 is for owner and
// group, any other for the owner. What is made in it follows.
package access

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The modes of a collection's folders and files.
const (
	OwnFolder   fs.FileMode = 0o700
	OwnFile     fs.FileMode = 0o600
	GroupFolder fs.FileMode = 0o750
	GroupFile   fs.FileMode = 0o640
)

// FolderIn is the mode of a folder that is made in a folder.
func FolderIn(folder string) fs.FileMode {
	if forGroup(folder) {
		return GroupFolder
	}
	return OwnFolder
}

// FileIn is the mode of a file that is made in a folder.
func FileIn(folder string) fs.FileMode {
	if forGroup(folder) {
		return GroupFile
	}
	return OwnFile
}

func forGroup(folder string) bool {
	info, err := os.Stat(folder)
	return err == nil && info.Mode().Perm() == GroupFolder
}

// MakeFolders makes a folder and those above it that are missing, for whom
// the lowest one that is there is for. A folder that is there stays as it is.
func MakeFolders(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return nil
	}
	if err == nil {
		return &fs.PathError{Op: "mkdir", Path: path, Err: errors.New("a file of that name is there")}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(path)
	if parent == path {
		return err
	}
	if err := MakeFolders(parent); err != nil {
		return err
	}
	err = MakeFolder(path)
	if errors.Is(err, fs.ErrExist) { // another process was quicker
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return nil
		}
	}
	return err
}

// MakeFolder makes one folder for whom the one above it is for. If it is
// there already, the error is fs.ErrExist.
func MakeFolder(path string) error {
	mode := FolderIn(filepath.Dir(path))
	if err := os.Mkdir(path, mode); err != nil {
		return err
	}
	return chmod(path, mode) // whatever the umask took away
}

// Follow gives a file that was just made the mode that its folder wants.
func Follow(path string) error { return chmod(path, FileIn(filepath.Dir(path))) }

func chmod(path string, mode fs.FileMode) error {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() == mode {
		return err
	}
	return os.Chmod(path, mode)
}

// Tightened says what Tighten did.
type Tightened struct {
	Folder  fs.FileMode // that the folder had; 0 if it was as wanted
	Changed int         // files and folders in it whose mode was another
	Kept    int         // of these, how many could not be changed
}

// Tighten lets nobody but the owner of a folder, and with group the owner's
// group, read it, and what it holds under the names given. It looks at these
// only if the folder itself has another mode than wanted: without group, one
// of mode 0750 is as wanted too. Symbolic links are left alone, and so are
// files that have a second name, which may lie in another folder for others
// to read: nobody else comes to them by way of this one.
func Tighten(root string, group bool, names []string) (Tightened, error) {
	var t Tightened
	info, err := os.Stat(root)
	if err != nil {
		return t, err
	}
	mode := info.Mode().Perm()
	if mode == wanted(info, group) || (!group && mode == wanted(info, true)) {
		return t, nil
	}
	if err := os.Chmod(root, wanted(info, group)); err != nil {
		return t, fmt.Errorf("let nobody else read %s: %w", root, err)
	}
	t.Folder = mode
	for _, name := range names {
		err := filepath.WalkDir(filepath.Join(root, name), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.Type()&^fs.ModeDir != 0 {
				return nil // gone meanwhile, or nothing that is ours
			}
			info, err := entry.Info()
			if err != nil || hasSecondName(info) {
				return nil
			}
			if info.Mode().Perm() == wanted(info, group) {
				return nil
			}
			t.Changed++
			if os.Chmod(path, wanted(info, group)) != nil {
				t.Kept++
			}
			return nil
		})
		if err != nil {
			return t, err
		}
	}
	return t, nil
}

// wanted is the mode that what is there should have. The owner gets no right
// that was not there: who took away the right to write meant it.
func wanted(info fs.FileInfo, group bool) fs.FileMode {
	mode := info.Mode().Perm() & OwnFile
	if info.IsDir() {
		mode = info.Mode().Perm() & OwnFolder
	}
	if group {
		mode |= mode & 0o500 >> 3
	}
	return mode
}

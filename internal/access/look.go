package access

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Fault is a kind of what Look finds.
type Fault string

// The faults.
const (
	ForOthers  Fault = "others can read it"         // beyond what Tighten would leave
	Strangers  Fault = "it belongs to another user" // so that its mode can't be set
	Unreadable Fault = "it can't be read"           // by this user
	Unwritable Fault = "it can't be written"        // by this user
)

// Seen is what Look found.
type Seen struct {
	Folders int // all looked at
	Files   int // looked at
	Found   map[Fault]int
	First   map[Fault]string // one path of each
}

// Look says of which files and folders of a collection the rights are not as
// they should be: of the folder itself, of what it holds under the names
// given, and of up to perFolder files of each folder below. It changes
// nothing. Symbolic links, and the modes of files that have a second name, are
// passed over as Tighten does.
func Look(root string, names []string, perFolder int) (Seen, error) {
	s := Seen{Found: map[Fault]int{}, First: map[Fault]string{}}
	group := forGroup(root)
	if err := s.look(root, group); err != nil {
		return s, err
	}
	for _, name := range names {
		if err := s.below(filepath.Join(root, name), group, perFolder); err != nil {
			return s, err
		}
	}
	return s, nil
}

// below looks at a file or a folder and what is in it.
func (s *Seen) below(path string, group bool, perFolder int) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().Type()&^fs.ModeDir != 0 {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.look(path, group); err != nil || !info.IsDir() {
		return err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) {
		return nil // told
	}
	if err != nil {
		return err
	}
	defer f.Close()
	// Of a folder with very many files only the first are listed at all.
	for files := 0; files < perFolder; {
		entries, err := f.ReadDir(256)
		for _, entry := range entries {
			if !entry.IsDir() {
				if files++; files > perFolder {
					continue
				}
			}
			if err := s.below(filepath.Join(path, entry.Name()), group, perFolder); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// look looks at one file or folder.
func (s *Seen) look(path string, group bool) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // gone meanwhile
	}
	if err != nil {
		return err
	}
	if s.Files++; info.IsDir() {
		s.Files--
		s.Folders++
	}
	mode := info.Mode().Perm()
	found := func(f Fault, is bool) {
		if !is {
			return
		}
		if s.Found[f]++; s.First[f] == "" {
			s.First[f] = path
		}
	}
	found(ForOthers, mode&^wanted(info, group)&0o077 != 0 && !hasSecondName(info))
	found(Strangers, !isOurs(info))
	found(Unreadable, !may(path, info, false))
	found(Unwritable, info.IsDir() && !may(path, info, true))
	return nil
}

// advice says what to do about what Look finds.
var advice = map[Fault]string{
	ForOthers:  "chmod -R go= FOLDER lets nobody but you read it",
	Strangers:  "let palate run as the user that it belongs to, or give it to this one (chown -R)",
	Unreadable: "give this user the right to read it (chmod -R u+rX FOLDER), or run palate as the user that it belongs to",
	Unwritable: "give this user the right to write there (chmod -R u+w FOLDER); until then the collection can be looked at and not changed",
}

// Advice says what to do about a fault in a collection's folder.
func (f Fault) Advice(folder string) string { return strings.ReplaceAll(advice[f], "FOLDER", folder) }

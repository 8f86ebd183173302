package access_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate/internal/access"
)

func TestLookFindsWhatOthersCanRead(t *testing.T) {
	root := filepath.Join(t.TempDir(), "collection")
	write := func(mode, folderMode fs.FileMode, names ...string) string {
		t.Helper()
		path := filepath.Join(append([]string{root}, names...)...)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		for path, mode := range map[string]fs.FileMode{path: mode, filepath.Dir(path): folderMode} {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	write(0o600, 0o700, "catalog.db")
	write(0o600, 0o700, "images", "files", "ab", "one")
	look := func(perFolder int) access.Seen {
		t.Helper()
		s, err := access.Look(root, []string{"catalog.db", "images", "index"}, perFolder)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := look(8); s.Folders != 4 || s.Files != 2 || len(s.Found) > 0 {
		t.Errorf("as it should be: got %+v, want 4 folders, 2 files and nothing found", s)
	}
	loose := write(0o644, 0o700, "images", "files", "ab", "two")
	write(0o644, 0o755, "notes", "mine") // not the collection's
	linked := write(0o644, 0o700, "images", "files", "ab", "three")
	if err := os.Link(linked, filepath.Join(t.TempDir(), "original")); err != nil {
		t.Fatal(err)
	}
	if s := look(8); s.Found[access.ForOthers] != 1 || s.First[access.ForOthers] != loose || s.Files != 4 {
		t.Errorf("got %+v, want one file that others can read, %s", s, loose)
	}
	if s := look(2); s.Files != 3 || s.Folders != 4 {
		t.Errorf("two of each folder: got %+v, want 3 files", s)
	}
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	if s := look(8); s.Found[access.ForOthers] != 2 {
		t.Errorf("with a folder that others enter: got %+v, want it found too", s)
	}
	if err := os.Chmod(root, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(loose, 0o640); err != nil {
		t.Fatal(err)
	}
	if s := look(8); len(s.Found) > 0 {
		t.Errorf("for the group: got %+v, want nothing found", s)
	}
}

//go:build unix

package access_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate/internal/access"
)

func write(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("x"), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func modeOf(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func TestTighten(t *testing.T) {
	for _, tt := range []struct {
		name                     string
		before                   fs.FileMode
		group                    bool
		folder, inner, file      fs.FileMode
		changed                  int
		linked, foreign, further fs.FileMode
	}{
		{"open to all", 0o755, false, 0o700, 0o700, 0o600, 3, 0o644, 0o644, 0o700},
		{"open to all, for the group", 0o755, true, 0o750, 0o750, 0o640, 3, 0o644, 0o644, 0o750},
		{"the owner's already", 0o700, false, 0o700, 0o755, 0o644, 0, 0o644, 0o644, 0o700},
		{"the group's, which was said once", 0o750, false, 0o750, 0o755, 0o644, 0, 0o644, 0o644, 0o750},
		{"read-only", 0o555, false, 0o500, 0o700, 0o600, 3, 0o644, 0o644, 0},
		{"the owner's, for the group now", 0o700, true, 0o750, 0o750, 0o640, 3, 0o644, 0o644, 0o750},
	} {
		t.Run(tt.name, func(t *testing.T) {
			outside, root := t.TempDir(), filepath.Join(t.TempDir(), "collection")
			write(t, filepath.Join(root, "images", "ab", "one"), 0o644)
			write(t, filepath.Join(root, "notes.txt"), 0o644)
			write(t, filepath.Join(outside, "original"), 0o644)
			if err := os.Link(filepath.Join(outside, "original"), filepath.Join(root, "images", "ab", "linked")); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(filepath.Join(outside, "original"), filepath.Join(root, "images", "ab", "pointer")); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(root, tt.before); err != nil {
				t.Fatal(err)
			}
			done, err := access.Tighten(root, tt.group, []string{"images", "not there"})
			if err != nil || done.Changed != tt.changed || done.Kept != 0 || (done.Folder != 0) != (tt.before != tt.folder) {
				t.Errorf("got %+v and %v, want %d changed", done, err, tt.changed)
			}
			for path, want := range map[string]fs.FileMode{
				root: tt.folder, filepath.Join(root, "images"): tt.inner, filepath.Join(root, "images", "ab", "one"): tt.file,
				filepath.Join(root, "images", "ab", "linked"): tt.linked, filepath.Join(root, "notes.txt"): tt.foreign,
			} {
				if got := modeOf(t, path); got != want {
					t.Errorf("%s: got mode %o, want %o", path, got, want)
				}
			}
			if tt.further == 0 {
				return
			}
			further := filepath.Join(root, "further", "below")
			if err := access.MakeFolders(further); err != nil {
				t.Fatal(err)
			}
			if got := modeOf(t, further); got != tt.further {
				t.Errorf("a new folder: got mode %o, want %o", got, tt.further)
			}
		})
	}
}

func TestMakeFoldersWhereAFileIs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, 0o600)
	if err := access.MakeFolders(filepath.Join(file, "below")); err == nil {
		t.Error("got no error for a folder below a file")
	}
}

package folder_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate/internal/folder"
)

func TestPlaceOverwritesNothing(t *testing.T) {
	for _, how := range []folder.How{folder.Copy, folder.Move, folder.Link} {
		t.Run(string(how), func(t *testing.T) {
			in := t.TempDir()
			from, to := filepath.Join(in, "a.jpg"), filepath.Join(in, "liked", "a.jpg")
			put := func(path, content string) {
				t.Helper()
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			put(to, "another picture of that name")
			for range 2 { // the second time it is there already
				put(from, "a picture")
				got, err := folder.Place(from, to, how)
				want := filepath.Join(in, "liked", "a (2).jpg")
				if err != nil || got != want {
					t.Fatalf("got %s, %v, want %s", got, err, want)
				}
				if content, err := os.ReadFile(want); err != nil || string(content) != "a picture" {
					t.Errorf("got %q, %v", content, err)
				}
			}
			if content, err := os.ReadFile(to); err != nil || string(content) != "another picture of that name" {
				t.Errorf("what was there: got %q, %v", content, err)
			}
			entries, err := os.ReadDir(filepath.Dir(to))
			if err != nil || len(entries) != 2 {
				t.Errorf("got %d files, %v, want 2", len(entries), err)
			}
		})
	}
}

// A move after a copy moves: the content is there already, so the name goes from
// where it was, unless that would be the only one.
func TestWhatWasCopiedIsMoved(t *testing.T) {
	in := t.TempDir()
	from, to := filepath.Join(in, "a.jpg"), filepath.Join(in, "liked", "a.jpg")
	if err := os.WriteFile(from, []byte("a picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	place := func(from, to string, how folder.How) {
		t.Helper()
		got, err := folder.Place(from, to, how)
		if err != nil || got != to {
			t.Fatalf("%s of %s: got %s, %v", how, from, got, err)
		}
	}
	place(from, to, folder.Copy)
	place(from, to, folder.Move)
	if _, err := os.Lstat(from); !os.IsNotExist(err) {
		t.Errorf("after a move %s is still there: %v", from, err)
	}
	// The same name, reached by a link to the folder, is left.
	must(os.Symlink(filepath.Join(in, "liked"), filepath.Join(in, "again")))
	place(to, filepath.Join(in, "again", "a.jpg"), folder.Move)
	place(to, to, folder.Move)
	if content, err := os.ReadFile(to); err != nil || string(content) != "a picture" {
		t.Fatalf("got %q, %v", content, err)
	}
	// A link goes on leading to its picture; a picture that only a link would be
	// left of is not moved.
	must(os.Symlink(filepath.Join("liked", "a.jpg"), from))
	moved := filepath.Join(in, "other", "a.jpg")
	place(from, moved, folder.Move)
	if content, err := os.ReadFile(moved); err != nil || string(content) != "a picture" {
		t.Errorf("a link that was moved: got %q, %v", content, err)
	}
	if _, err := folder.Place(to, moved, folder.Move); err == nil {
		t.Error("a picture was moved to a link to it")
	}
	if content, err := os.ReadFile(to); err != nil || string(content) != "a picture" {
		t.Errorf("got %q, %v", content, err)
	}
}

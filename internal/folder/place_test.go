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

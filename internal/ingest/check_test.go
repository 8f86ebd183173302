package ingest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/ingest"
)

// Every kind of damage is found, each by its name, and importing the pictures
// once more mends what a copy can mend.
func TestDamageIsFoundByKindAndMendedByAnImport(t *testing.T) {
	f := newFixture(t)
	dir := pictures(t, 0, 1, 2, 3)
	job := func() ingest.Import {
		return ingest.Import{Files: scan(t, dir), Mode: ingest.Copy, Profile: "me"}
	}
	_, err := f.collection.Import(t.Context(), job())
	f.ok("Import", err)
	file := func(n int) string {
		id := palate.NewImageID(sum(painting(n))).String()
		return filepath.Join(f.images(), "files", id[:2], id)
	}
	whole, err := f.collection.CheckFiles(t.Context(), true, nil)
	f.ok("CheckFiles", err)
	if !whole.Well() || whole.Rows != 4 || whole.Files != 4 || whole.Read != 4 {
		t.Fatalf("got %+v of a whole collection, want 4 of each and nothing wrong", whole)
	}

	f.ok("remove", os.Remove(file(0)))
	f.ok("truncate", os.Truncate(file(1), 10))
	content, err := os.ReadFile(file(2))
	f.ok("read", err)
	content[len(content)/2] ^= 1
	f.ok("write", os.WriteFile(file(2), content, 0o600))
	stray := filepath.Join(f.images(), "files", "00", "00000000-0000-8000-8000-000000000001")
	f.ok("folder", os.MkdirAll(filepath.Dir(stray), 0o700))
	f.ok("stray", os.WriteFile(stray, []byte("x"), 0o600))

	shallow, err := f.collection.CheckFiles(t.Context(), false, nil)
	f.ok("CheckFiles", err)
	for damage, want := range map[ingest.Damage]int{ingest.FileMissing: 1, ingest.FileResized: 1, ingest.FileDamaged: 0, ingest.FileOrphaned: 1} {
		if got := shallow.Found[damage]; got != want {
			t.Errorf("%s: %d found, want %d", damage, got, want)
		}
	}
	deep, err := f.collection.CheckFiles(t.Context(), true, nil)
	f.ok("CheckFiles", err)
	if deep.Found[ingest.FileDamaged] != 1 || deep.Read != 2 || deep.Well() {
		t.Errorf("got %+v, want the flipped bit found among 2 files read", deep)
	}

	_, err = f.collection.Import(t.Context(), job())
	f.ok("Import", err)
	f.ok("remove", os.Remove(stray))
	mended, err := f.collection.CheckFiles(t.Context(), true, nil)
	f.ok("CheckFiles", err)
	if !mended.Well() || mended.Read != 4 {
		t.Errorf("got %+v after an import, want everything mended", mended)
	}
}

func TestAChangedOriginalIsFound(t *testing.T) {
	f := newFixture(t)
	changed, gone := filepath.Join(t.TempDir(), "changed.png"), filepath.Join(t.TempDir(), "gone.png")
	writeFile(t, changed, painting(0))
	writeFile(t, gone, painting(1))
	for _, path := range []string{changed, gone} {
		_, err := f.collection.Import(t.Context(), ingest.Import{Files: scan(t, path), Mode: ingest.Reference, Profile: "me"})
		f.ok("Import", err)
	}
	writeFile(t, changed, painting(2))
	f.ok("remove", os.Remove(gone))
	check, err := f.collection.CheckFiles(t.Context(), false, nil)
	f.ok("CheckFiles", err)
	if check.Found[ingest.ReferenceChanged] != 1 || check.Found[ingest.FileMissing] != 1 || len(check.Found) != 2 {
		t.Errorf("got %+v, want one changed and one missing", check.Found)
	}
}

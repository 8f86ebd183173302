package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
)

func readOnly(t *testing.T, path string) *sqlite.Catalog {
	t.Helper()
	c, err := sqlite.OpenReadOnly(t.Context(), path, sqlite.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func addPictures(t *testing.T, c *sqlite.Catalog, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if _, err := c.AddImage(t.Context(), picture(n), palate.Source{Address: fmt.Sprint(n)}, nil); err != nil {
			t.Error(err)
			return
		}
	}
}

// Every snapshot is of one moment: images are added one after the other, so
// it has the first n and nothing else.
func TestSnapshotsWhileOthersWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	c := open(t, path)
	var writing sync.WaitGroup
	writing.Go(func() { addPictures(t, c, 0, 200) })
	for i := range 5 {
		copied := filepath.Join(t.TempDir(), "copy.db")
		if err := c.SnapshotTo(t.Context(), copied); err != nil {
			t.Fatal(err)
		}
		s := readOnly(t, copied)
		if problems, err := s.Check(t.Context()); err != nil || len(problems) > 0 {
			t.Errorf("Check: got %q and %v", problems, err)
		}
		n, err := s.CountImages(t.Context(), index.Filter{})
		last, lastErr := s.LastChange(t.Context())
		if err != nil || lastErr != nil || int(last) != n {
			t.Errorf("snapshot %d: got %d images, change %d and %v, %v", i, n, last, err, lastErr)
		}
		if n > 0 {
			if _, err := s.Image(t.Context(), picture(n-1).ID); err != nil {
				t.Errorf("snapshot of %d images lacks the last: %v", n, err)
			}
		}
		if err := c.SnapshotTo(t.Context(), copied); !errors.Is(err, palate.ErrConflict) {
			t.Errorf("onto a file: got %v, want ErrConflict", err)
		}
	}
	writing.Wait()
}

func TestReadingAloneLeavesNothing(t *testing.T) {
	c := open(t, filepath.Join(t.TempDir(), "catalog.db"))
	addPictures(t, c, 0, 3)
	folder := t.TempDir()
	copied := filepath.Join(folder, "copy.db")
	if err := c.SnapshotTo(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(copied)
	if err != nil {
		t.Fatal(err)
	}
	s := readOnly(t, copied)
	if n, err := s.CountImages(t.Context(), index.Filter{}); err != nil || n != 3 {
		t.Errorf("got %d images and %v, want 3", n, err)
	}
	writes := map[string]error{
		"Writable":    s.Writable(t.Context()),
		"ReadOnly":    s.ReadOnly(),
		"DeleteImage": s.DeleteImage(t.Context(), picture(0).ID, "no"),
	}
	_, writes["Rate"] = s.Rate(t.Context(), catalog.Rating{Profile: "me", Image: picture(0).ID, Verdict: palate.Like, Shown: palate.ShownGallery})
	_, writes["AcquireLease"] = s.AcquireLease(t.Context(), "mine")
	for what, err := range writes {
		wantError(t, fmt.Errorf("%s: %w", what, err), palate.ErrUnavailable, "looked at and not changed")
	}
	after, err := os.ReadFile(copied)
	if err != nil || string(after) != string(before) {
		t.Errorf("the file was changed, or %v", err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 {
		t.Errorf("got %v and %v beside it", entries, err)
	}
	if err := c.Writable(t.Context()); err != nil || c.ReadOnly() != nil {
		t.Errorf("of one that can be written: got %v and %v", err, c.ReadOnly())
	}
	if last, err := c.LastChange(t.Context()); err != nil || last != 3 {
		t.Errorf("trying to write: got change %d and %v, want 3 still", last, err)
	}
}

// A log that a killed process left is read though nothing can be written.
func TestReadingAloneSeesTheLog(t *testing.T) {
	folder := t.TempDir()
	c := open(t, filepath.Join(folder, "catalog.db"))
	addPictures(t, c, 0, 3)
	left := t.TempDir()
	for _, suffix := range []string{"", "-wal"} { // as a kill leaves them
		text, err := os.ReadFile(filepath.Join(folder, "catalog.db"+suffix))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(left, "catalog.db"+suffix), text, 0o400); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(left, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(left, 0o700) })
	s := readOnly(t, filepath.Join(left, "catalog.db"))
	if n, err := s.CountImages(t.Context(), index.Filter{}); err != nil || n != 3 {
		t.Errorf("got %d images and %v, want 3", n, err)
	}
}

func TestAMigrationKeepsACopyFirst(t *testing.T) {
	path := versionOne(t)
	copies := filepath.Join(filepath.Dir(path), "before-migration")
	for _, older := range []string{"catalog-v1-20200101T000000Z.db", "catalog-v1-20210101T000000Z.db", "catalog-v2-20220101T000000Z.db", "notes.txt"} {
		if err := os.MkdirAll(copies, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(copies, older), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := open(t, path)
	m := c.Migrated()
	if m.From != 1 || m.To < 3 || !strings.HasPrefix(filepath.Base(m.Copy), "catalog-v1-2") {
		t.Fatalf("got %+v, want a copy of version 1", m)
	}
	entries, err := os.ReadDir(copies)
	if err != nil || len(entries) != 4 { // three copies and what is no copy
		t.Errorf("got %v and %v, want three copies", entries, err)
	}
	db := raw(t, m.Copy)
	var version, ratings int
	if err := db.QueryRow("SELECT (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM ratings)").Scan(&version, &ratings); err != nil || version != 1 || ratings != 5 {
		t.Errorf("the copy: got version %d, %d ratings and %v", version, ratings, err)
	}
	if again := open(t, path).Migrated(); again != (sqlite.Migration{}) {
		t.Errorf("opened again: got %+v, want nothing", again)
	}
}

func TestWithoutItsCopyNothingIsMigrated(t *testing.T) {
	path := versionOne(t)
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "before-migration"), []byte("a file is in the way"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := sqlite.Open(t.Context(), path, sqlite.DefaultConfig())
	wantError(t, err, palate.ErrUnavailable, path, "before-migration", "as it was")
	db := raw(t, path)
	var version int
	if err := db.QueryRow("PRAGMA user_version").Scan(&version); err != nil || version != 1 {
		t.Errorf("got version %d and %v, want 1", version, err)
	}
	// It can be looked at all the same, from a copy.
	c := readOnly(t, path)
	if rating, err := c.StandingRating(t.Context(), "me", picture(0).ID); err != nil || rating.Verdict != palate.Like {
		t.Errorf("got %+v and %v", rating, err)
	}
}

func TestACatalogIsSetAsideWithItsLog(t *testing.T) {
	ctx, path, now := context.Background(), filepath.Join(t.TempDir(), "catalog.db"), time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	c, err := sqlite.Open(ctx, path, sqlite.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	addPictures(t, c, 0, 3)
	if _, err := sqlite.SetAside(ctx, path, now); !errors.Is(err, palate.ErrConflict) {
		t.Errorf("while it is open: got %v, want ErrConflict", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	aside, err := sqlite.SetAside(ctx, path, now)
	if err != nil || aside != path+".before-20261128T120000Z" {
		t.Fatalf("got %q and %v", aside, err)
	}
	if n, err := open(t, path).CountImages(ctx, index.Filter{}); err != nil || n != 0 {
		t.Errorf("in its place: got %d images and %v, want a new catalog", n, err)
	}
	if n, err := readOnly(t, aside).CountImages(ctx, index.Filter{}); err != nil || n != 3 {
		t.Errorf("set aside: got %d images and %v, want 3", n, err)
	}
}

package ingest_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/imagestore/disk"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/test/race"
)

// beside is a collection of the fixture's store and another catalog file.
func (f *fixture) beside(catalogFile string) (*ingest.Collection, *sqlite.Catalog) {
	f.t.Helper()
	store, err := disk.Open(f.images())
	f.ok("store", err)
	c, err := sqlite.Open(f.t.Context(), catalogFile, sqlite.DefaultConfig())
	f.ok("catalog", err)
	f.t.Cleanup(func() { _ = c.Close() }) // the test may have closed it
	return ingest.NewCollection(c, store, picture.DefaultLimits()), c
}

// copyOfCatalog is the catalog as it is now, in another folder.
func (f *fixture) copyOfCatalog() string {
	f.t.Helper()
	f.ok("close", f.catalog.Close())
	content, err := os.ReadFile(filepath.Join(f.folder, "catalog.db"))
	f.ok("read", err)
	path := filepath.Join(f.t.TempDir(), "catalog.db")
	writeFile(f.t, path, content)
	f.catalog = f.again()
	f.collection = ingest.NewCollection(f.catalog, f.store, picture.DefaultLimits())
	return path
}

func (f *fixture) strayFiles(from, to int) {
	f.t.Helper()
	for n := from; n < to; n++ {
		_, err := f.store.Put(f.t.Context(), bytes.NewReader(painting(n)), 1<<20)
		f.ok("Put", err)
	}
}

func mustRefuse(t *testing.T, c *ingest.Collection, texts ...string) {
	t.Helper()
	err := c.Recognise(t.Context())
	if !errors.Is(err, palate.ErrConflict) {
		t.Fatalf("got %v, want ErrConflict", err)
	}
	for _, text := range append(texts, "palate restore", "palate import --adopt") {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("got %q, want %q in it", err, text)
		}
	}
	if swept, err := c.Sweep(t.Context(), anyAge()); !errors.Is(err, palate.ErrConflict) {
		t.Errorf("a sweep of a refused collection: got %+v and %v, want ErrConflict", swept, err)
	}
}

func (f *fixture) mustHoldFiles(want int) {
	f.t.Helper()
	got := 0
	f.ok("Walk", f.store.Walk(f.t.Context(), func(palate.ImageID) error { got++; return nil }))
	if got != want {
		f.t.Errorf("the store holds %d files, want %d", got, want)
	}
}

func TestACatalogThatIsNotTheStoresIsRefused(t *testing.T) {
	t.Run("a new one", func(t *testing.T) {
		f := newFixture(t)
		f.ok("Recognise", f.collection.Recognise(t.Context()))
		f.add(0, 5)
		c, _ := f.beside(filepath.Join(t.TempDir(), "catalog.db"))
		mustRefuse(t, c, "empty", "5 picture files")
		f.mustHoldFiles(5)
	})
	t.Run("an older one", func(t *testing.T) {
		f := newFixture(t)
		f.ok("Recognise", f.collection.Recognise(t.Context()))
		f.add(0, 3)
		older := f.copyOfCatalog()
		f.ok("Recognise", f.collection.Recognise(t.Context()))
		f.add(3, 5)
		f.ok("Note", f.collection.Note(t.Context()))
		c, _ := f.beside(older)
		mustRefuse(t, c, "older")
		f.mustHoldFiles(5)
		f.ok("the right one", f.collection.Recognise(t.Context()))
	})
	t.Run("an older one that lacks a rating alone", func(t *testing.T) {
		f := newFixture(t)
		f.ok("Recognise", f.collection.Recognise(t.Context()))
		ids := f.add(0, 3)
		older := f.copyOfCatalog()
		f.ok("Recognise", f.collection.Recognise(t.Context()))
		f.rate(ids[0], "me", palate.Like)
		f.ok("Note", f.collection.Note(t.Context()))
		c, _ := f.beside(older)
		mustRefuse(t, c, "older", "ratings")
	})
	t.Run("another one", func(t *testing.T) {
		f, other := newFixture(t), newFixture(t)
		f.ok("Recognise", f.collection.Recognise(t.Context()))
		f.add(0, 5)
		other.ok("Recognise", other.collection.Recognise(t.Context()))
		other.add(0, 5) // the same pictures, with titles and ratings of their own
		c, _ := f.beside(other.copyOfCatalog())
		mustRefuse(t, c, "another image store")
	})
	t.Run("one whose pictures are away", func(t *testing.T) {
		f := newFixture(t)
		f.ok("Recognise", f.collection.Recognise(t.Context()))
		f.add(0, 5)
		f.ok("unmount", os.Rename(f.images(), f.images()+"-elsewhere"))
		c, _ := f.beside(filepath.Join(f.folder, "catalog.db"))
		mustRefuse(t, c, "5 images", "mounted")
	})
}

func TestACollectionWithoutMarks(t *testing.T) {
	race.Long(t)
	for _, c := range []struct {
		name          string
		rows, strays  int
		wantRecognise bool
	}{
		{"nothing yet", 0, 0, true},
		{"all files have rows", 20, 0, true},
		{"99 of 100 have rows", 99, 1, true},
		{"98 of 100 have rows", 98, 2, false},
		{"no rows", 0, 3, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			f.add(0, c.rows)
			f.strayFiles(c.rows, c.rows+c.strays)
			if !c.wantRecognise {
				mustRefuse(t, f.collection)
				f.mustHoldFiles(c.rows + c.strays)
				return
			}
			f.ok("Recognise", f.collection.Recognise(t.Context()))
			mark, err := f.store.Mark(t.Context())
			f.ok("Mark", err)
			id, err := f.catalog.Identity(t.Context())
			f.ok("Identity", err)
			if mark.Catalog != id.Catalog || mark.Store != id.Store || id.Store == "" {
				t.Errorf("got the marks %+v and %+v, want each other's", mark, id)
			}
		})
	}
}

// The store was marked by a process that was killed before it marked the
// catalog.
func TestMarkingGoesOnWhereItWasKilled(t *testing.T) {
	f := newFixture(t)
	f.add(0, 3)
	id, err := f.catalog.Identity(t.Context())
	f.ok("Identity", err)
	last, err := f.catalog.LastChange(t.Context())
	f.ok("LastChange", err)
	_, err = f.store.SetMark(t.Context(), id.Catalog, last)
	f.ok("SetMark", err)
	f.ok("Recognise", f.collection.Recognise(t.Context()))
	if _, err := f.collection.Sweep(t.Context(), anyAge()); err != nil {
		t.Error(err)
	}
}

// Several processes mark a new collection at once, work and tell the store
// how far they have come; each may open it again at any moment.
func TestManyProcessesRecogniseOneCollection(t *testing.T) {
	f := newFixture(t)
	var group errgroup.Group
	for process := range 4 {
		c, _ := f.beside(filepath.Join(f.folder, "catalog.db"))
		group.Go(func() error {
			for n := range 10 {
				if err := c.Recognise(t.Context()); err != nil {
					return err
				}
				if _, err := c.Add(t.Context(), painting(10*process+n), sourceOf(10*process+n)); err != nil {
					return err
				}
				if err := c.Note(t.Context()); err != nil {
					return err
				}
			}
			return nil
		})
	}
	f.ok("together", group.Wait())
	f.ok("Recognise", f.collection.Recognise(t.Context()))
	mark, err := f.store.Mark(t.Context())
	f.ok("Mark", err)
	if last, err := f.catalog.LastChange(t.Context()); err != nil || mark.Change != last {
		t.Errorf("the store has seen %d, the catalog ends at %d (%v)", mark.Change, last, err)
	}
}

func TestAdoptingFilesWhoseCatalogWasLost(t *testing.T) {
	f := newFixture(t)
	f.ok("Recognise", f.collection.Recognise(t.Context()))
	ids := f.add(0, 4)
	writeFile(t, f.fileOf(ids[3]), painting(9)) // another picture under its name
	c, lost := f.beside(filepath.Join(t.TempDir(), "catalog.db"))
	mustRefuse(t, c)
	report, err := c.Adopt(t.Context(), nil)
	if err != nil || report.Files != 4 || report.Adopted != 3 || report.Known != 0 || report.Lost["unreadable"] != 1 {
		t.Fatalf("got %+v and %v, want three adopted and one told", report, err)
	}
	f.ok("Recognise", c.Recognise(t.Context()))
	if n, err := lost.CountImages(t.Context(), index.Filter{}); err != nil || n != 3 {
		t.Errorf("got %d images and %v, want 3", n, err)
	}
	mustRefuse(t, f.collection, "another image store")
	report, err = c.Adopt(t.Context(), nil)
	if err != nil || report.Known != 3 || report.Adopted != 0 {
		t.Errorf("a second time: got %+v and %v, want nothing new", report, err)
	}
	f.mustHoldFiles(4)
}

// What a killed process leaves is moved aside and not destroyed; many files
// without rows are left where they are.
func TestOrphansAreNotDestroyed(t *testing.T) {
	f := newFixture(t)
	f.add(0, 2)
	f.ok("Recognise", f.collection.Recognise(t.Context()))
	f.strayFiles(2, 5)
	swept, err := f.collection.Sweep(t.Context(), anyAge())
	if err != nil || swept.Orphans != 3 || swept.Moved != 3 {
		t.Fatalf("got %+v and %v, want 3 moved aside", swept, err)
	}
	for n := 2; n < 5; n++ {
		aside, err := os.ReadFile(filepath.Join(swept.Folder, palate.NewImageID(sum(painting(n))).String()))
		if err != nil || !bytes.Equal(aside, painting(n)) {
			t.Errorf("painting %d: got %d bytes and %v, want it whole in %s", n, len(aside), err, swept.Folder)
		}
	}
	f.strayFiles(2, 3+ingest.MaxOrphans)
	swept, err = f.collection.Sweep(t.Context(), anyAge())
	if err != nil || swept.Orphans != ingest.MaxOrphans+1 || swept.Moved != 0 {
		t.Errorf("got %+v and %v, want %d told and left", swept, err, ingest.MaxOrphans+1)
	}
	f.mustHoldFiles(2 + ingest.MaxOrphans + 1)
}

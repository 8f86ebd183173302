package ingest_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/picture"
)

// What is known is not decoded again: a collection that decodes nothing finds
// it all the same.
func TestAKnownPictureIsNotDecodedAgain(t *testing.T) {
	for _, mode := range []ingest.StoreMode{ingest.Copy, ingest.Link, ingest.Reference} {
		t.Run(string(mode), func(t *testing.T) {
			f := newFixture(t)
			dir := pictures(t, 0, 1, 2)
			first, err := f.collection.Import(t.Context(), ingest.Import{Files: scan(t, dir), Mode: mode, Profile: "me"})
			f.ok("Import", err)
			wantReport(t, first, ingest.ImportReport{Seen: 3, Kept: 3})
			before, err := f.catalog.LastChange(t.Context())
			f.ok("LastChange", err)

			limits := picture.DefaultLimits()
			limits.MaxPixels = 1
			blind := ingest.NewCollection(f.catalog, f.store, limits)
			again, err := blind.Import(t.Context(), ingest.Import{Files: scan(t, dir), Mode: mode, Profile: "me"})
			f.ok("Import", err)
			wantReport(t, again, ingest.ImportReport{Seen: 3, Known: 3})
			if after, err := f.catalog.LastChange(t.Context()); err != nil || after != before {
				t.Errorf("got change %d and %v, want %d still: there was nothing new", after, err, before)
			}

			// The same picture elsewhere is known, and has a further source.
			elsewhere := filepath.Join(t.TempDir(), "copy.png")
			writeFile(t, elsewhere, painting(1))
			again, err = blind.Import(t.Context(), ingest.Import{Files: scan(t, elsewhere), Mode: mode, Profile: "me"})
			f.ok("Import", err)
			wantReport(t, again, ingest.ImportReport{Seen: 1, Known: 1})
			image, err := f.catalog.Image(t.Context(), palate.NewImageID(sum(painting(1))))
			if err != nil || len(image.Sources) != 2 {
				t.Errorf("got %+v and %v, want two sources", image, err)
			}
		})
	}
}

// A file that is lost from the store is brought again by importing it.
func TestAKnownPictureWithoutItsFileIsStoredAgain(t *testing.T) {
	f := newFixture(t)
	dir := pictures(t, 0)
	job := ingest.Import{Files: scan(t, dir), Mode: ingest.Copy, Profile: "me"}
	_, err := f.collection.Import(t.Context(), job)
	f.ok("Import", err)
	id := palate.NewImageID(sum(painting(0)))
	f.ok("remove", os.Remove(filepath.Join(f.images(), "files", id.String()[:2], id.String())))
	report, err := f.collection.Import(t.Context(), job)
	f.ok("Import", err)
	wantReport(t, report, ingest.ImportReport{Seen: 1, Known: 1})
	if has, err := f.store.Has(t.Context(), id); err != nil || !has {
		t.Errorf("got %v and %v, want the file back", has, err)
	}
}

// A referenced file of the same size and time is not read; with another time
// it is.
func TestAReferencedFileIsKnownBySizeAndTime(t *testing.T) {
	f := newFixture(t)
	path := filepath.Join(t.TempDir(), "original.png")
	writeFile(t, path, painting(0))
	job := func() ingest.Import {
		return ingest.Import{Files: scan(t, path), Mode: ingest.Reference, Profile: "me"}
	}
	_, err := f.collection.Import(t.Context(), job())
	f.ok("Import", err)
	info, err := os.Stat(path)
	f.ok("Stat", err)
	writeFile(t, path, make([]byte, info.Size()))
	f.ok("Chtimes", os.Chtimes(path, time.Time{}, info.ModTime()))
	report, err := f.collection.Import(t.Context(), job())
	f.ok("Import", err)
	wantReport(t, report, ingest.ImportReport{Seen: 1, Known: 1})
	f.ok("Chtimes", os.Chtimes(path, time.Time{}, info.ModTime().Add(time.Second)))
	report, err = f.collection.Import(t.Context(), job())
	f.ok("Import", err)
	wantReport(t, report, ingest.ImportReport{Seen: 1, Lost: map[string]int{"not_an_image": 1}})
}

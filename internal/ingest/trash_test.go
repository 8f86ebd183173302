package ingest_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/picture"
)

// What was deleted comes back with its file, its embedding, its rating and its
// place in the index; nothing of it is swept meanwhile.
func TestADeletedImageIsRestored(t *testing.T) {
	f := newFixture(t)
	f.ok("Recognise", f.collection.Recognise(t.Context()))
	ids := f.add(0, 4)
	f.embed()
	f.rate(ids[1], "me", palate.Like)
	ix, follower := f.index()
	f.catchUp(follower)
	image, err := f.catalog.Image(t.Context(), ids[1])
	f.ok("Image", err)

	f.ok("Remove", f.collection.Remove(t.Context(), ids[1], "a slip"))
	f.catchUp(follower)
	if n, err := ix.Count(t.Context(), index.Filter{}); err != nil || n != 3 {
		t.Errorf("the index without it: got %d and %v, want 3", n, err)
	}
	if swept, err := f.collection.Sweep(t.Context(), anyAge()); err != nil || swept.Discarded+swept.Orphans != 0 {
		t.Errorf("got %+v and %v, want the trash left alone", swept, err)
	}
	_, err = f.collection.Add(t.Context(), painting(1), sourceOf(1))
	if !errors.Is(err, palate.ErrConflict) || !strings.Contains(err.Error(), "palate images restore "+ids[1].String()) {
		t.Errorf("added again: got %v, want how it comes back", err)
	}
	if has, err := f.store.Has(t.Context(), ids[1]); err != nil || !has {
		t.Fatalf("adding it again took its file: %v", err)
	}

	f.ok("Restore", f.collection.Restore(t.Context(), ids[1]))
	f.catchUp(follower)
	points, err := ix.Get(t.Context(), ids[1:2])
	if err != nil || len(points) != 1 || points[0].Attributes.Verdicts["me"] != palate.Like {
		t.Errorf("the index with it again: got %+v and %v, want it liked", points, err)
	}
	if report := f.embed(); report.Total != 0 {
		t.Errorf("got %+v embedded anew, want its embedding back", report)
	}
	again, err := f.catalog.Image(t.Context(), ids[1])
	if err != nil || again.Title() != image.Title() || !again.AddedAt.Equal(image.AddedAt) {
		t.Errorf("got %+v and %v, want %+v", again, err, image)
	}
	if err := f.collection.Restore(t.Context(), ids[1]); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("restored again: got %v, want ErrNotFound", err)
	}
}

func TestPurgingAndEmptyingTheTrash(t *testing.T) {
	f := newFixture(t)
	ids := f.add(0, 4)
	for _, id := range ids[:2] {
		f.ok("Remove", f.collection.Remove(t.Context(), id, "old"))
	}
	f.ok("Purge", f.collection.Purge(t.Context(), ids[2], "taken down"))
	f.mustHoldFiles(3)
	err := f.collection.Restore(t.Context(), ids[2])
	if !errors.Is(err, palate.ErrNotFound) || !strings.Contains(err.Error(), "taken down") {
		t.Errorf("got %v, want that it was deleted for good", err)
	}
	if n, err := f.collection.EmptyTrash(t.Context(), time.Now().Add(-ingest.KeptFor)); err != nil || n != 0 {
		t.Errorf("what is new in the trash: got %d purged and %v, want none", n, err)
	}
	f.mustHoldFiles(3)
	if n, err := f.collection.EmptyTrash(t.Context(), time.Now().Add(time.Minute)); err != nil || n != 2 {
		t.Errorf("got %d purged and %v, want 2", n, err)
	}
	f.mustHoldFiles(1)
}

// An address of a deleted picture that now serves one that is kept must not
// take the kept one's file.
func TestADeletedAddressTakesNoKeptFile(t *testing.T) {
	f := newFixture(t)
	ids := f.add(0, 2)
	f.ok("Remove", f.collection.Remove(t.Context(), ids[1], "not art"))
	_, err := f.collection.Add(t.Context(), painting(0), sourceOf(1))
	if !errors.Is(err, palate.ErrConflict) || !strings.Contains(err.Error(), sourceOf(1).Address) {
		t.Errorf("added from the deleted address: got %v, want ErrConflict that names it", err)
	}
	if has, err := f.store.Has(t.Context(), ids[0]); err != nil || !has {
		t.Errorf("the kept image's file is gone (%v)", err)
	}
}

// longStory takes pages of the catalog.
func longStory() []string {
	story := make([]string, 130)
	for i := range story {
		story[i] = fmt.Sprint(i, " ", strings.Repeat("a long story ", 75))
	}
	return story
}

// On a full disk the reserve goes for a deletion, then the oldest of the trash.
func TestDeletingOnAFullDisk(t *testing.T) {
	f := newFixture(t)
	f.ok("Recognise", f.collection.Recognise(t.Context()))
	var ids []palate.ImageID
	for n := range 12 {
		source := sourceOf(n)
		source.Categories = longStory()
		added, err := f.collection.Add(t.Context(), painting(n), source)
		f.ok("Add", err)
		ids = append(ids, added.ID)
	}
	for _, id := range ids[:3] {
		f.ok("Remove", f.collection.Remove(t.Context(), id, "old"))
	}
	for n := 20; n < 32; n++ { // takes the pages that became free
		source := sourceOf(n)
		source.Categories = longStory()
		_, err := f.collection.Add(t.Context(), painting(n), source)
		f.ok("Add", err)
	}
	f.ok("close", f.catalog.Close())
	info, err := os.Stat(filepath.Join(f.folder, "catalog.db"))
	f.ok("Stat", err)
	config := sqlite.DefaultConfig()
	config.MaxBytes = info.Size()
	full, err := sqlite.Open(t.Context(), filepath.Join(f.folder, "catalog.db"), config)
	f.ok("open", err)
	t.Cleanup(func() { _ = full.Close() })
	path := filepath.Join(f.folder, "reserve")
	reserve := ingest.NewReserve(path)
	reserve.Fill()
	if info, err := os.Stat(path); err != nil || info.Size() < 1<<20 {
		t.Fatalf("the reserve: got %v and %v, want a file", info, err)
	}
	c := ingest.NewCollection(full, f.store, picture.DefaultLimits())
	c.UseReserve(reserve)
	deleted := 3
	for _, id := range ids[3:] { // until the reserve had to go, and some of the trash
		f.ok("Remove on a full disk", c.Remove(t.Context(), id, "room"))
		deleted++
	}
	thrown, err := full.Trash(t.Context(), time.Time{}, 1000)
	f.ok("Trash", err)
	if len(thrown) == deleted || thrown[0].ID == ids[0] {
		t.Errorf("got all %d in the trash, the oldest too: the disk was never full", len(thrown))
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the reserve is still there: %v", err)
	}
	if thrown[len(thrown)-1].ID != ids[11] {
		t.Errorf("the newest of the trash is %v, want the last deleted", thrown[len(thrown)-1].ID)
	}
	f.mustHoldFiles(12 + len(thrown))
}

package backup_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/backup"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/picture"
)

// What is in the trash travels with its file, and can be brought back from
// what was restored.
func TestTheTrashTravels(t *testing.T) {
	for name, to := range map[string]func(backup.Collection, context.Context, string, backup.Options) (backup.Report, error){
		"backup": backup.Collection.ToFolder, "backup.tar": backup.Collection.ToArchive,
	} {
		t.Run(name, func(t *testing.T) {
			c, place := open(t, t.TempDir()), filepath.Join(t.TempDir(), name)
			c.add(1, 2, 3)
			for n := range 2 {
				if err := c.catalog.DeleteImage(t.Context(), imageOf(content(n+1)).ID, "by mistake"); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 {
				r, err := to(c.source(), t.Context(), place, backup.Options{})
				if err != nil || r.Manifest.Images != 1 || r.Manifest.Trashed != 2 || r.Manifest.Files != 3 || len(r.Manifest.Missing)+len(r.Manifest.Deleted) > 0 {
					t.Fatalf("got %+v and %v, want one picture and two in the trash", r.Manifest, err)
				}
			}
			folder := t.TempDir()
			restored, err := restore(t, place, "", folder)
			if err != nil || restored.Images != 1 || restored.Files != 3 || restored.Trashed != 2 || restored.TrashWithout != 0 {
				t.Fatalf("restored: got %+v and %v", restored, err)
			}
			again := open(t, folder)
			pictures := ingest.NewCollection(again.catalog, again.store, picture.DefaultLimits())
			for n := range 2 {
				if err := pictures.Restore(t.Context(), imageOf(content(n+1)).ID); err != nil {
					t.Error(err)
				}
			}
			again.mustHold(1, 2, 3)
		})
	}
}

// A row of the trash whose file no backup has is not brought back without it.
func TestATrashedPictureWithoutItsFileIsNotRestored(t *testing.T) {
	c, place := open(t, t.TempDir()), filepath.Join(t.TempDir(), "backup")
	c.add(1, 2)
	id := imageOf(content(1)).ID
	if err := errors.Join(c.catalog.DeleteImage(t.Context(), id, "by mistake"), c.store.Delete(t.Context(), id)); err != nil {
		t.Fatal(err)
	}
	r := c.toFolder(place, backup.Options{})
	if r.Manifest.Trashed != 1 || len(r.Manifest.Missing) != 1 || r.Manifest.Missing[0].ID != id {
		t.Errorf("got %+v, want the picture missing", r.Manifest)
	}
	folder := t.TempDir()
	restored, err := restore(t, place, "", folder)
	if err != nil || restored.Trashed != 0 || restored.TrashWithout != 1 || len(restored.Without) != 0 {
		t.Errorf("restored: got %+v and %v", restored, err)
	}
	again := open(t, folder)
	pictures := ingest.NewCollection(again.catalog, again.store, picture.DefaultLimits())
	if err := pictures.Restore(t.Context(), id); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("got %v, want it refused", err)
	}
	if states, err := again.catalog.ImageStates(t.Context(), []palate.ImageID{id}); err != nil || states[0] != catalog.TrashedImage {
		t.Errorf("got %v and %v, want it left in the trash", states, err)
	}
	again.mustHold(2)
}

// A second backup of a trash that was emptied lets its files go with the
// backup that named them.
func TestAnEmptiedTrashLeavesOldBackups(t *testing.T) {
	c, place := open(t, t.TempDir()), filepath.Join(t.TempDir(), "backup")
	c.add(1, 2)
	id := imageOf(content(1)).ID
	if err := c.catalog.DeleteImage(t.Context(), id, "unloved"); err != nil {
		t.Fatal(err)
	}
	c.toFolder(place, backup.Options{})
	c.toFolder(place, backup.Options{Keep: 1})
	if _, err := os.Stat(fileIn(place, 1)); err != nil {
		t.Errorf("while a backup names it: %v", err)
	}
	if err := errors.Join(c.catalog.PurgeImage(t.Context(), id, "unloved"), c.store.Delete(t.Context(), id)); err != nil {
		t.Fatal(err)
	}
	c.toFolder(place, backup.Options{Keep: 1})
	if _, err := os.Stat(fileIn(place, 1)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("when none names it any more: got %v, want it gone", err)
	}
}

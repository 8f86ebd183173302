package backup_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/backup"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/imagestore/disk"
)

// collection is one with pictures, which are any bytes here.
type collection struct {
	t       *testing.T
	folder  string
	catalog *sqlite.Catalog
	store   *disk.Store
}

func open(t *testing.T, folder string) collection {
	t.Helper()
	store, err := disk.Open(filepath.Join(folder, "images"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := sqlite.Open(t.Context(), filepath.Join(folder, "catalog.db"), sqlite.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return collection{t, folder, c, store}
}

func content(n int) []byte { return bytes.Repeat(fmt.Append(nil, "picture ", n, " "), 50) }

func imageOf(content []byte) catalog.Image {
	sum := sha256.Sum256(content)
	return catalog.Image{ID: palate.NewImageID(sum), SHA256: sum, Bytes: int64(len(content)), Format: "png", Width: 2, Height: 2}
}

// add puts pictures into the collection and likes them.
func (c collection) add(numbers ...int) {
	c.t.Helper()
	ctx := c.t.Context()
	for _, n := range numbers {
		image := imageOf(content(n))
		_, err := c.store.Put(ctx, bytes.NewReader(content(n)), 1<<20)
		if err == nil {
			_, err = c.catalog.AddImage(ctx, image, palate.Source{Address: fmt.Sprint("file:", n), Site: "folder", Title: fmt.Sprint("Title ", n)}, nil)
		}
		if err == nil {
			_, err = c.catalog.Rate(ctx, catalog.Rating{Profile: "me", Image: image.ID, Verdict: palate.Like, Shown: palate.ShownGallery})
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c collection) source() backup.Collection {
	return backup.Collection{Catalog: c.catalog, Store: c.store, Open: func(ctx context.Context, path string) (backup.Snapshot, error) {
		return sqlite.OpenReadOnly(ctx, path, sqlite.DefaultConfig())
	}}
}

func (c collection) toFolder(root string, o backup.Options) backup.Report {
	c.t.Helper()
	r, err := c.source().ToFolder(c.t.Context(), root, o)
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

func restore(t *testing.T, from, snapshot, folder string) (backup.Restored, error) {
	t.Helper()
	store, err := disk.Open(filepath.Join(folder, "images"))
	if err != nil {
		t.Fatal(err)
	}
	return backup.Restore(t.Context(), from, snapshot, backup.Place{Catalog: filepath.Join(folder, "catalog.db"), Store: store,
		Open: func(ctx context.Context, path string) (backup.Staged, error) {
			return sqlite.Open(ctx, path, sqlite.DefaultConfig())
		}}, nil)
}

// mustHold checks that a collection has exactly these pictures, each with its
// file, title and like.
func (c collection) mustHold(numbers ...int) {
	c.t.Helper()
	ctx := c.t.Context()
	page, err := c.catalog.ListImages(ctx, catalog.ImageQuery{Limit: 1000})
	if err != nil || len(page.Images) != len(numbers) {
		c.t.Fatalf("got %d images and %v, want %d", len(page.Images), err, len(numbers))
	}
	for _, n := range numbers {
		want := imageOf(content(n))
		image, err := c.catalog.Image(ctx, want.ID)
		if err != nil || image.Title() != fmt.Sprint("Title ", n) {
			c.t.Errorf("picture %d: got %+v and %v", n, image, err)
		}
		if rating, err := c.catalog.StandingRating(ctx, "me", want.ID); err != nil || rating.Verdict != palate.Like {
			c.t.Errorf("picture %d: got %+v and %v, want a like", n, rating, err)
		}
		f, err := c.store.Open(ctx, want.ID)
		if err != nil {
			c.t.Errorf("picture %d: %v", n, err)
			continue
		}
		var got bytes.Buffer
		_, err = got.ReadFrom(f)
		if err = errors.Join(err, f.Close()); err != nil || !bytes.Equal(got.Bytes(), content(n)) {
			c.t.Errorf("picture %d: got %d bytes and %v", n, got.Len(), err)
		}
	}
}

func fileIn(root string, n int) string {
	name := imageOf(content(n)).ID.String()
	return filepath.Join(root, "files", name[:2], name)
}

func TestABackupBringsEverythingBack(t *testing.T) {
	for name, to := range map[string]func(backup.Collection, context.Context, string, backup.Options) (backup.Report, error){
		"backup": backup.Collection.ToFolder, "backup.tar": backup.Collection.ToArchive,
	} {
		t.Run(name, func(t *testing.T) {
			c, place := open(t, t.TempDir()), filepath.Join(t.TempDir(), name)
			c.add(1, 2, 3)
			for range 2 { // the second in place of, or beside, the first
				r, err := to(c.source(), t.Context(), place, backup.Options{Program: "test"})
				if err != nil || r.Manifest.Files != 3 || len(r.Manifest.Missing) != 0 {
					t.Fatalf("got %+v and %v", r, err)
				}
			}
			folder := t.TempDir()
			r, err := restore(t, place, "", folder)
			if err != nil || r.Files != 3 || r.Images != 3 || len(r.Without) != 0 {
				t.Fatalf("restored: got %+v and %v", r, err)
			}
			open(t, folder).mustHold(1, 2, 3)
			left, err := filepath.Glob(filepath.Join(filepath.Dir(place), "*.partial"))
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
			if _, err := restore(t, place, "", folder); !errors.Is(err, palate.ErrConflict) {
				t.Errorf("over a catalog: got %v, want ErrConflict", err)
			}
		})
	}
}

func TestASecondBackupIsSmallAndTheFirstStays(t *testing.T) {
	c, place := open(t, t.TempDir()), filepath.Join(t.TempDir(), "backup")
	c.add(1, 2)
	first := c.toFolder(place, backup.Options{})
	c.add(3)
	if err := c.catalog.DeleteImage(t.Context(), imageOf(content(1)).ID, "unloved"); err != nil {
		t.Fatal(err)
	}
	second := c.toFolder(place, backup.Options{})
	if second.New != 1 || second.Manifest.Files != 3 || second.Manifest.Images != 2 {
		t.Errorf("got %+v, want one new picture of two, and one in the trash", second)
	}
	for _, at := range []struct {
		snapshot string
		want     []int
	}{{first.Snapshot, []int{1, 2}}, {second.Snapshot, []int{2, 3}}, {"", []int{2, 3}}} {
		folder := t.TempDir()
		if _, err := restore(t, place, at.snapshot, folder); err != nil {
			t.Fatal(err)
		}
		open(t, folder).mustHold(at.want...)
	}
	if _, err := restore(t, place, "20010101T000000.000Z", t.TempDir()); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("no such snapshot: got %v", err)
	}
	list, err := backup.List(place)
	if err != nil || len(list) != 2 || list[0].Name() != first.Snapshot {
		t.Errorf("listed: got %+v and %v", list, err)
	}
}

func TestOldBackupsGoAndKeepWhatOthersName(t *testing.T) {
	c, place := open(t, t.TempDir()), filepath.Join(t.TempDir(), "backup")
	c.add(1, 2)
	first := c.toFolder(place, backup.Options{})
	if err := c.catalog.PurgeImage(t.Context(), imageOf(content(1)).ID, "unloved"); err != nil {
		t.Fatal(err)
	}
	r := c.toFolder(place, backup.Options{Keep: 1})
	if !slices.Equal(r.Removed, []string{first.Snapshot}) {
		t.Errorf("got %+v, want the first removed", r)
	}
	if _, err := os.Stat(fileIn(place, 1)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a picture that no backup names: got %v, want none", err)
	}
	folder := t.TempDir()
	if _, err := restore(t, place, "", folder); err != nil {
		t.Fatal(err)
	}
	open(t, folder).mustHold(2)

	// A collection that was lost and begun anew must not use up the old ones.
	anew := open(t, t.TempDir())
	anew.add(7)
	r = anew.toFolder(place, backup.Options{Keep: 1})
	if len(r.Removed) != 0 || len(r.Spared) != 1 {
		t.Errorf("of a collection that was begun anew: got %+v, want the older one spared", r)
	}
}

func TestWhatIsDamagedIsToldAndMended(t *testing.T) {
	ctx := t.Context()
	c, place := open(t, t.TempDir()), filepath.Join(t.TempDir(), "backup")
	c.add(1, 2, 3)
	images := filepath.Join(c.folder, "images")
	flip(t, fileIn(images, 1))
	if err := os.Remove(fileIn(images, 2)); err != nil {
		t.Fatal(err)
	}
	r := c.toFolder(place, backup.Options{})
	if r.Manifest.Files != 1 || len(r.Manifest.Missing) != 2 || r.Manifest.Images != 3 {
		t.Errorf("of a damaged collection: got %+v, want one file and two missing", r.Manifest)
	}
	if err := os.Remove(fileIn(images, 1)); err != nil {
		t.Fatal(err)
	}
	c.add(1, 2)
	if r = c.toFolder(place, backup.Options{}); r.Manifest.Files != 3 {
		t.Fatalf("of the mended one: got %+v", r.Manifest)
	}
	flip(t, fileIn(place, 3))
	folder := t.TempDir()
	restored, err := restore(t, place, "", folder)
	if err != nil || len(restored.Without) != 1 || restored.Files != 2 {
		t.Errorf("of a damaged backup: got %+v and %v, want one picture without its file", restored, err)
	}
	if r = c.toFolder(place, backup.Options{Deep: true}); r.Mended != 1 {
		t.Errorf("a deep one: got %+v, want one mended", r)
	}
	if restored, err = restore(t, place, "", t.TempDir()); err != nil || len(restored.Without) != 0 {
		t.Errorf("after it: got %+v and %v", restored, err)
	}
	snapshot := filepath.Join(place, "snapshots", r.Snapshot)
	flip(t, filepath.Join(snapshot, "catalog.db"))
	if _, err := restore(t, place, "", t.TempDir()); !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), "--snapshot") {
		t.Errorf("a damaged catalog: got %v, want ErrInvalid that names another way", err)
	}
	if err := ctx.Err(); err != nil {
		t.Fatal(err)
	}
}

// flip changes a byte in the middle of a file.
func flip(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)/2] ^= 1
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestReferencedPicturesAreToldOrTaken(t *testing.T) {
	c := open(t, t.TempDir())
	original := filepath.Join(t.TempDir(), "original.png")
	if err := os.WriteFile(original, content(9), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.store.Reference(t.Context(), original); err != nil {
		t.Fatal(err)
	}
	image := imageOf(content(9))
	if _, err := c.catalog.AddImage(t.Context(), image, palate.Source{Address: "file:9", Title: "Title 9"}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.catalog.Rate(t.Context(), catalog.Rating{Profile: "me", Image: image.ID, Verdict: palate.Like, Shown: palate.ShownGallery}); err != nil {
		t.Fatal(err)
	}
	for _, taken := range []bool{false, true} {
		place, folder := filepath.Join(t.TempDir(), "backup.tar"), t.TempDir()
		r, err := c.source().ToArchive(t.Context(), place, backup.Options{WithReferenced: taken})
		if err != nil || (len(r.Manifest.Referenced) == 1) == taken || (r.Manifest.Files == 1) != taken {
			t.Fatalf("taken %v: got %+v and %v", taken, r.Manifest, err)
		}
		if _, err := restore(t, place, "", folder); err != nil {
			t.Fatal(err)
		}
		back := open(t, folder)
		back.mustHold(9)
		ref, err := back.store.ReferenceOf(t.Context(), image.ID)
		if taken != errors.Is(err, palate.ErrNotFound) || (!taken && ref.Path != original) {
			t.Errorf("taken %v: restored as %+v, %v", taken, ref, err)
		}
	}
}

// deleting deletes a picture at the moment when the catalog was copied.
type deleting struct {
	*sqlite.Catalog
	delete func()
}

func (d deleting) SnapshotTo(ctx context.Context, path string) error {
	err := d.Catalog.SnapshotTo(ctx, path)
	d.delete()
	return err
}

func TestAPictureThatIsDeletedMeanwhile(t *testing.T) {
	c, place := open(t, t.TempDir()), filepath.Join(t.TempDir(), "backup")
	c.add(1, 2)
	source := c.source()
	source.Catalog = deleting{c.catalog, func() {
		id := imageOf(content(1)).ID
		if err := errors.Join(c.catalog.PurgeImage(t.Context(), id, "unloved"), c.store.Delete(t.Context(), id)); err != nil {
			t.Error(err)
		}
	}}
	r, err := source.ToFolder(t.Context(), place, backup.Options{})
	if err != nil || len(r.Manifest.Deleted) != 1 || len(r.Manifest.Missing) != 0 {
		t.Fatalf("got %+v and %v, want one deleted", r.Manifest, err)
	}
	folder := t.TempDir()
	if restored, err := restore(t, place, "", folder); err != nil || len(restored.Without) != 0 {
		t.Errorf("restored: got %+v and %v", restored, err)
	}
	open(t, folder).mustHold(2)
}

func TestWhatIsNoBackupIsLeftAlone(t *testing.T) {
	c, folder := open(t, t.TempDir()), t.TempDir()
	c.add(1)
	notes := filepath.Join(folder, "notes.tar")
	if err := os.WriteFile(notes, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.source().ToFolder(t.Context(), folder, backup.Options{}); !errors.Is(err, palate.ErrConflict) {
		t.Errorf("into a folder of something else: got %v, want ErrConflict", err)
	}
	if _, err := c.source().ToArchive(t.Context(), notes, backup.Options{}); !errors.Is(err, palate.ErrConflict) {
		t.Errorf("over a file of something else: got %v, want ErrConflict", err)
	}
	for _, from := range []string{folder, notes} {
		if _, err := restore(t, from, "", t.TempDir()); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("restore %s: got %v, want ErrInvalid", from, err)
		}
	}
	if _, err := restore(t, filepath.Join(folder, "nothing"), "", t.TempDir()); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("restore nothing: got %v, want ErrNotFound", err)
	}
	if text, err := os.ReadFile(notes); err != nil || string(text) != "mine" {
		t.Errorf("got %q and %v, want it as it was", text, err)
	}
}

func TestACutArchiveIsRefused(t *testing.T) {
	c, place := open(t, t.TempDir()), filepath.Join(t.TempDir(), "backup.tar")
	c.add(1, 2, 3)
	if _, err := c.source().ToArchive(t.Context(), place, backup.Options{}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(place)
	if err != nil {
		t.Fatal(err)
	}
	for size := info.Size() - 3000; size > 0; size -= info.Size() / 7 {
		if err := os.Truncate(place, size); err != nil {
			t.Fatal(err)
		}
		folder := t.TempDir()
		if _, err := restore(t, place, "", folder); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("cut to %d of %d bytes: got %v, want ErrInvalid", size, info.Size(), err)
		}
		if _, err := os.Stat(filepath.Join(folder, "catalog.db")); err == nil {
			t.Errorf("cut to %d bytes: there is a catalog", size)
		}
	}
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(`{"palate_backup":1,"catalog_bytes":1,"catalog_sha256":"` + strings.Repeat("ab", 32) + `","referenced":[{"id":"00000000-0000-8000-8000-000000000000","path":"/a"}]}`))
	f.Add([]byte(`{"palate_backup":2,"images":"many"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := backup.ParseManifest(text)
		if err == nil && (m.Version != backup.Version || len(m.CatalogSHA256) != 64) {
			t.Errorf("got %+v", m)
		}
		if err != nil && !errors.Is(err, palate.ErrInvalid) && !errors.Is(err, palate.ErrConflict) {
			t.Errorf("got %v, want a kind", err)
		}
	})
}

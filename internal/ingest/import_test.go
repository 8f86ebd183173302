package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/folder"
	"github.com/palate-art/palate/internal/imagestore"
	"github.com/palate-art/palate/internal/imagestore/disk"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/picture"
)

// pictures makes a folder of paintings, named by their numbers.
func pictures(t *testing.T, numbers ...int) string {
	t.Helper()
	dir := t.TempDir()
	for _, n := range numbers {
		writeFile(t, filepath.Join(dir, fmt.Sprintf("%03d.png", n)), painting(n))
	}
	return dir
}

func scan(t *testing.T, dir string) []folder.File {
	t.Helper()
	listing, err := folder.Scan(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return listing.Files
}

func wantReport(t *testing.T, got, want ingest.ImportReport) {
	t.Helper()
	lost := 0
	for reason, n := range got.Lost {
		lost += n
		if !strings.Contains(got.Examples[reason], string(filepath.Separator)) {
			t.Errorf("lost %q: got the example %q, want one with a path", reason, got.Examples[reason])
		}
	}
	if got.Seen != want.Seen || got.Kept != want.Kept || got.Known != want.Known || got.Rated != want.Rated || !maps.Equal(got.Lost, want.Lost) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got.Seen != got.Kept+got.Known+lost {
		t.Errorf("seen %d is not kept %d + known %d + lost %d", got.Seen, got.Kept, got.Known, lost)
	}
}

func TestImportCountsEveryFileWithItsReason(t *testing.T) {
	for _, mode := range []ingest.StoreMode{ingest.Copy, ingest.Link, ingest.Reference} {
		t.Run(string(mode), func(t *testing.T) {
			f := newFixture(t)
			deleted := f.add(50, 51)[0]
			f.ok("Remove", f.collection.Remove(t.Context(), deleted, "not mine"))
			dir := pictures(t, 0, 1, 2, 50)
			writeFile(t, filepath.Join(dir, "bad", "again.png"), painting(2))
			writeFile(t, filepath.Join(dir, "bad", "cut.png"), painting(3)[:len(painting(3))/2])
			writeFile(t, filepath.Join(dir, "good", "4.png"), painting(4))
			writeFile(t, filepath.Join(dir, "notes.txt"), []byte("about my pictures"))
			if os.WriteFile(filepath.Join(dir, "B\xe4ume.png"), painting(5), 0o644) != nil {
				writeFile(t, filepath.Join(dir, "Bäume.png"), painting(5)) // not every file system has such names
			}
			f.ok("symbolic link", os.Symlink(filepath.Join(dir, "nowhere"), filepath.Join(dir, "dangling.png")))
			job := ingest.Import{Files: scan(t, dir), Mode: mode, Profile: "me"}
			steps := 0
			job.Progress = func(done, total int) {
				if steps++; done != steps || total != len(job.Files) {
					t.Errorf("progress told %d of %d at step %d", done, total, steps)
				}
			}
			report, err := f.collection.Import(t.Context(), job)
			f.ok("Import", err)
			lost := map[string]int{"broken": 1, "not_an_image": 1, "unreadable": 1, "deleted": 1}
			wantReport(t, report, ingest.ImportReport{Seen: 10, Kept: 5, Known: 1, Rated: 2, Lost: lost})

			steps = 0
			report, err = f.collection.Import(t.Context(), job)
			f.ok("Import", err)
			wantReport(t, report, ingest.ImportReport{Seen: 10, Kept: 0, Known: 6, Rated: 0, Lost: lost})
			verdicts, err := f.catalog.StandingVerdicts(t.Context(), "me", nil)
			f.ok("StandingVerdicts", err)
			want := map[palate.ImageID]palate.Verdict{palate.NewImageID(sum(painting(2))): palate.Dislike, palate.NewImageID(sum(painting(4))): palate.Like}
			if !maps.Equal(verdicts, want) {
				t.Errorf("got ratings %v, want %v", verdicts, want)
			}
			log, err := f.catalog.RatingLog(t.Context(), "me", 0, 100)
			if err != nil || len(log) != 2 || log[0].Shown != palate.ShownImport {
				t.Errorf("got the log %+v and %v, want one entry of each", log, err)
			}
			if report := f.embed(); report.Embedded != 5 || report.Failed != 0 {
				t.Errorf("got %+v, want all 5 embedded", report)
			}
			if mode != ingest.Copy {
				return
			}
			f.ok("remove", os.RemoveAll(dir))
			for n := range 6 {
				if n == 3 {
					continue
				}
				if _, err := os.Stat(f.fileOf(palate.NewImageID(sum(painting(n))))); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestAnInterruptedImportGoesOn(t *testing.T) {
	f := newFixture(t)
	var numbers []int
	for n := range 20 {
		numbers = append(numbers, n)
	}
	job := ingest.Import{Files: scan(t, pictures(t, numbers...)), Mode: ingest.Copy, Profile: "me"}
	ctx, stop := context.WithCancel(t.Context())
	job.Progress = func(done, _ int) {
		if done == 7 {
			stop()
		}
	}
	first, err := f.collection.Import(ctx, job)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
	wantReport(t, first, ingest.ImportReport{Seen: 7, Kept: 7})
	second, err := f.collection.Import(t.Context(), job)
	f.ok("Import", err)
	wantReport(t, second, ingest.ImportReport{Seen: 20, Kept: 13, Known: 7})
}

// brokenStore refuses to store, as a full disk does.
type brokenStore struct{ *disk.Store }

func (brokenStore) Reference(context.Context, string) (imagestore.Stored, error) {
	return imagestore.Stored{}, fmt.Errorf("store image: the disk is full: %w", palate.ErrUnavailable)
}

func TestAStoreThatCanNotBeWrittenEndsTheImport(t *testing.T) {
	f := newFixture(t)
	job := ingest.Import{Files: scan(t, pictures(t, 0, 1, 2)), Mode: ingest.Reference, Profile: "me"}
	report, err := ingest.NewCollection(f.catalog, brokenStore{f.store}, picture.DefaultLimits()).Import(t.Context(), job)
	if !errors.Is(err, palate.ErrUnavailable) || !strings.Contains(err.Error(), job.Files[0].Path) || report.Seen != 1 {
		t.Errorf("got %+v and %v, want the end at the first file, named", report, err)
	}
	copiesOnly := struct{ imagestore.Store }{f.store}
	_, err = ingest.NewCollection(f.catalog, copiesOnly, picture.DefaultLimits()).Import(t.Context(), job)
	if !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), "can only copy") {
		t.Errorf("a store that can only copy: got %v, want ErrInvalid that says so", err)
	}
	if page, err := f.catalog.CountImages(t.Context(), noFilter); err != nil || page != 0 {
		t.Errorf("got %d rows and %v, want none without a file", page, err)
	}
}

// hastyStore is a store whose files are written anew just before it looks.
type hastyStore struct {
	*disk.Store
	meanwhile func(path string)
}

func (s hastyStore) Link(ctx context.Context, path string) (imagestore.Stored, error) {
	s.meanwhile(path)
	return s.Store.Link(ctx, path)
}

func (s hastyStore) Reference(ctx context.Context, path string) (imagestore.Stored, error) {
	s.meanwhile(path)
	return s.Store.Reference(ctx, path)
}

func TestAFileThatChangesWhileItIsReadIsALoss(t *testing.T) {
	for name, c := range map[string]struct {
		mode      ingest.StoreMode
		meanwhile func(t *testing.T, path string)
	}{
		"changes under a link":      {ingest.Link, func(t *testing.T, path string) { writeFile(t, path, painting(9)) }},
		"changes under a reference": {ingest.Reference, func(t *testing.T, path string) { writeFile(t, path, painting(9)) }},
		"goes": {ingest.Reference, func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Error(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			dir := pictures(t, 0, 1)
			store := hastyStore{f.store, func(path string) {
				if strings.HasSuffix(path, "000.png") {
					c.meanwhile(t, path)
				}
			}}
			report, err := ingest.NewCollection(f.catalog, store, picture.DefaultLimits()).Import(t.Context(), ingest.Import{Files: scan(t, dir), Mode: c.mode})
			f.ok("Import", err)
			wantReport(t, report, ingest.ImportReport{Seen: 2, Kept: 1, Lost: map[string]int{"unreadable": 1}})
			// There is a file of every row.
			if report := f.embed(); report.Embedded != 1 || report.Failed != 0 {
				t.Errorf("got %+v, want 1 embedded", report)
			}
		})
	}
}

func TestTheSourceOfAnImportSaysWhereItWas(t *testing.T) {
	f := newFixture(t)
	one, two := pictures(t, 0), pictures(t, 0)
	writeFile(t, filepath.Join(one, "metadata.csv"), []byte("file,title,artist\n000.png,Étude,Ōkubo\n"))
	for range 2 {
		for _, dir := range []string{one, two} {
			_, err := f.collection.Import(t.Context(), ingest.Import{Files: scan(t, dir), Mode: ingest.Copy})
			f.ok("Import", err)
		}
	}
	image, err := f.catalog.Image(t.Context(), palate.NewImageID(sum(painting(0))))
	f.ok("Image", err)
	var addresses []string
	for _, s := range image.Sources {
		addresses = append(addresses, s.Address)
	}
	want := []string{filepath.Join(one, "000.png"), filepath.Join(two, "000.png")}
	if !slices.Equal(addresses, want) || image.Title() != "Étude" || image.Artist() != "Ōkubo" {
		t.Errorf("got sources %v of %q by %q, want %v", addresses, image.Title(), image.Artist(), want)
	}
	stored, err := os.ReadFile(f.fileOf(image.ID))
	if err != nil || !bytes.Equal(stored, painting(0)) {
		t.Errorf("got %d bytes and %v, want the file as it was", len(stored), err)
	}
}

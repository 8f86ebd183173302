package ingest_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/imagestore"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/picture"
)

var noFilter index.Filter

func TestAnUploadHasAnAddressOfItsOwn(t *testing.T) {
	f := newFixture(t)
	upload := palate.Source{Site: "upload", OriginalName: "Bild №1.png"}
	for _, wantNew := range []bool{true, false} {
		added, err := f.collection.Add(t.Context(), painting(0), upload)
		if err != nil || added.New != wantNew {
			t.Errorf("got %+v and %v, want New %v", added, err, wantNew)
		}
	}
	upload.OriginalName = "B\xe4r.png" // which a client is free to send
	_, err := f.collection.Add(t.Context(), painting(1), upload)
	f.ok("Add", err)
	for n := range 2 {
		image, err := f.catalog.Image(t.Context(), palate.NewImageID(sum(painting(n))))
		f.ok("Image", err)
		if len(image.Sources) != 1 || !strings.Contains(image.Sources[0].Address, image.ID.String()) {
			t.Errorf("upload %d: got sources %+v, want one with an address of its own", n, image.Sources)
		}
		if image.Width != 48 || image.Height != 40 || image.Format != "png" || image.Bytes != int64(len(painting(n))) {
			t.Errorf("upload %d: got %+v", n, image)
		}
	}
	var corrupt *picture.CorruptError
	if _, err := f.collection.Add(t.Context(), painting(2)[:len(painting(2))/2], upload); !errors.As(err, &corrupt) || !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("a cut picture: got %v, want that it is corrupt", err)
	}
	if got, err := f.catalog.CountImages(t.Context(), noFilter); err != nil || got != 2 {
		t.Errorf("got %d rows and %v, want 2", got, err)
	}
}

func TestWhatWasDeletedStaysAwayWithEverythingOfIt(t *testing.T) {
	f := newFixture(t)
	ids := f.add(0, 2)
	f.embed()
	thumbnail, err := f.collection.Thumbnail(t.Context(), ids[0], 32)
	f.ok("Thumbnail", err)
	f.ok("Close", thumbnail.Close())
	f.ok("Purge", f.collection.Purge(t.Context(), ids[0], "no licence"))
	_, err = f.collection.Add(t.Context(), painting(0), sourceOf(0))
	if !errors.Is(err, palate.ErrConflict) || !strings.Contains(err.Error(), "no licence") {
		t.Errorf("got %v, want ErrConflict with the reason", err)
	}
	if err := f.collection.Purge(t.Context(), ids[0], "again"); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("Purge of what is gone: got %v, want ErrNotFound", err)
	}
	left := 0
	err = filepath.WalkDir(f.images(), func(path string, _ os.DirEntry, err error) error {
		if strings.Contains(path, ids[0].String()) {
			left++
			t.Errorf("left behind: %s", path)
		}
		return err
	})
	if err != nil || left > 0 {
		t.Errorf("got %d files left and %v", left, err)
	}
	if _, err := f.collection.Thumbnail(t.Context(), ids[0], 32); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("its thumbnail: got %v, want ErrNotFound", err)
	}
	f.wantEmbedded(1)
}

func TestThumbnailsAreMadeOnceAndNeverLarger(t *testing.T) {
	f := newFixture(t)
	id := f.add(0, 1)[0]
	sizes := map[int]image.Point{24: {24, 20}, 1: {1, 1}, 48: {48, 40}, 320: {48, 40}}
	for _, pass := range []string{"made", "kept"} {
		for width, want := range sizes {
			file, err := f.collection.Thumbnail(t.Context(), id, width)
			f.ok("Thumbnail", err)
			content, err := io.ReadAll(file)
			f.ok("read", errors.Join(err, file.Close()))
			config, err := jpeg.DecodeConfig(bytes.NewReader(content))
			if got := (image.Point{config.Width, config.Height}); err != nil || got != want {
				t.Errorf("%s, %d wide: got %v and %v, want %v", pass, width, got, err, want)
			}
		}
		f.ok("damage", os.WriteFile(f.fileOf(id), []byte("gone bad"), 0o644)) // what is kept needs no original
	}
	if _, err := f.collection.Thumbnail(t.Context(), id, 100); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("of a damaged file: got %v, want ErrInvalid", err)
	}
}

// anyAge are rules for files of any age.
func anyAge() imagestore.SweepRules {
	rules := ingest.DefaultSweepRules()
	rules.OlderThan = -time.Hour
	return rules
}

// A process may be killed between any two steps; what it leaves is adopted or
// swept, and what another is at is left alone.
func TestSweepingWhatAKilledProcessLeft(t *testing.T) {
	f := newFixture(t)
	f.ok("Recognise", f.collection.Recognise(t.Context()))
	ids := f.add(0, 2)
	for n := 2; n < 4; n++ { // stored, without a row
		_, err := f.store.Put(t.Context(), bytes.NewReader(painting(n)), 1<<20)
		f.ok("Put", err)
	}
	f.ok("PurgeImage", f.catalog.PurgeImage(t.Context(), ids[1], "no licence")) // the file is still there
	writeFile(t, filepath.Join(f.images(), "tmp", "put-123"), painting(5)[:50])
	if swept, err := f.collection.Sweep(t.Context(), ingest.DefaultSweepRules()); err != nil || swept != (imagestore.Swept{}) {
		t.Errorf("what is new may be work under way: got %+v and %v, want nothing done", swept, err)
	}
	added, err := f.collection.Add(t.Context(), painting(2), sourceOf(2)) // adopted
	if err != nil || !added.New {
		t.Errorf("got %+v and %v, want a new image", added, err)
	}
	swept, err := f.collection.Sweep(t.Context(), anyAge())
	if err != nil || swept.Discarded != 1 || swept.Moved != 1 || swept.Unfinished != 1 {
		t.Errorf("got %+v and %v, want a deleted image, one without a row and an unfinished file", swept, err)
	}
	if report := f.embed(); report.Embedded != 2 || report.Failed != 0 {
		t.Errorf("got %+v, want the two images with rows embedded", report)
	}
}

func TestACrawlIsToldWhatBecameOfAPicture(t *testing.T) {
	f := newFixture(t)
	f.add(0, 2)
	f.ok("Purge", f.collection.Purge(t.Context(), palate.NewImageID(sum(painting(1))), "not art"))
	steps := []struct {
		painting int
		want     crawler.Keeping
	}{{0, crawler.KeptKnown}, {1, crawler.KeptDeleted}, {2, crawler.KeptNew}, {2, crawler.KeptDuplicate}}
	var seeds []crawler.Task
	for i := range steps {
		seeds = append(seeds, crawler.Task{Kind: crawler.Image, URL: fmt.Sprintf("https://museum.example/found/%d.png", i)})
	}
	_, err := f.catalog.BeginCrawl(t.Context(), "crawl", seeds)
	f.ok("BeginCrawl", err)
	tasks, _, err := f.catalog.NextTasks(t.Context(), "crawl", len(steps))
	f.ok("NextTasks", err)
	for i, step := range steps {
		source := sourceOf(step.painting)
		source.Address = tasks[i].URL
		got, id, err := f.collection.Keep(t.Context(), "crawl", tasks[i], crawler.Find{
			Content: painting(step.painting), Source: source, Format: "png", Width: 48, Height: 40,
		})
		if err != nil || got != step.want || id != palate.NewImageID(sum(painting(step.painting))) {
			t.Errorf("step %d: got %q, %s and %v, want %q", i, got, id, err, step.want)
		}
		if has, err := f.store.Has(t.Context(), id); err != nil || has != (step.want != crawler.KeptDeleted) {
			t.Errorf("step %d: got a file %v (%v)", i, has, err)
		}
	}
	progress, err := f.catalog.CrawlProgress(t.Context(), "crawl")
	if err != nil || progress.Pending != 0 || progress.Kept != 1 || progress.Known != 1 || progress.Lost["deleted"] != 1 || progress.Lost["duplicate"] != 1 {
		t.Errorf("got %+v and %v, want every task finished as it was kept", progress, err)
	}
	asked := []string{sourceOf(0).Address, "https://nowhere.example/", sourceOf(1).Address, tasks[2].URL}
	standing, err := f.collection.Standing(t.Context(), asked)
	want := []crawler.Standing{crawler.StandingKept, crawler.StandingNew, crawler.StandingDeleted, crawler.StandingKept}
	if err != nil || !slices.Equal(standing, want) {
		t.Errorf("got %q and %v, want %q", standing, err, want)
	}
}

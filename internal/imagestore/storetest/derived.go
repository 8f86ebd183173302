package storetest

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/imagestore"
)

func wantThumbnail(t *testing.T, s imagestore.Store, id palate.ImageID, width int, want string) {
	t.Helper()
	f, err := s.OpenThumbnail(t.Context(), id, width)
	if want == "" {
		wantKind(t, "OpenThumbnail of what is not kept", err, palate.ErrNotFound)
		return
	}
	if err != nil {
		t.Errorf("OpenThumbnail: %v", err)
		return
	}
	got, err := io.ReadAll(f)
	if err = errors.Join(err, f.Close()); err != nil || string(got) != want {
		t.Errorf("thumbnail %d wide: got %q and %v, want %q", width, got, err, want)
	}
}

func putThumbnail(t *testing.T, s imagestore.Store, id palate.ImageID, width int, jpeg string) {
	t.Helper()
	ok(t, "PutThumbnail", s.PutThumbnail(t.Context(), id, width, []byte(jpeg)))
}

func testThumbnails(t *testing.T, s imagestore.Store, again func() imagestore.Store) {
	one, two := put(t, s, content(1)), put(t, s, content(2))
	wantThumbnail(t, s, one, 320, "")
	putThumbnail(t, s, one, 320, "small one")
	putThumbnail(t, s, one, 32, "tiny one")
	putThumbnail(t, s, two, 320, "small two")
	putThumbnail(t, again(), two, 320, "small two, better")
	wantThumbnail(t, s, one, 320, "small one")
	wantThumbnail(t, s, one, 32, "tiny one")
	wantThumbnail(t, s, one, 3, "")
	wantThumbnail(t, s, two, 320, "small two, better")
	wantIDs(t, s, one, two)
	wantFile(t, s, content(1))
}

func testThumbnailsGo(t *testing.T, s imagestore.Store, _ func() imagestore.Store) {
	one, two := put(t, s, content(1)), put(t, s, content(2))
	for _, width := range []int{32, 320, 1024} {
		putThumbnail(t, s, one, width, "one")
		putThumbnail(t, s, two, width, "two")
	}
	ok(t, "Delete", s.Delete(t.Context(), one))
	// Somebody has opened the image before, and keeps its thumbnail now.
	err := s.PutThumbnail(t.Context(), one, 640, []byte("late"))
	wantKind(t, "PutThumbnail of a deleted image", err, palate.ErrNotFound)
	for _, width := range []int{32, 320, 640, 1024} {
		wantThumbnail(t, s, one, width, "")
	}
	wantThumbnail(t, s, two, 320, "two")
	if swept := sweepAll(t, s, two); swept != 0 {
		t.Errorf("%d files were left behind", swept)
	}
	put(t, s, content(1))
	wantThumbnail(t, s, one, 320, "")
}

func testSweep(t *testing.T, s imagestore.Store, again func() imagestore.Store) {
	wanted, unwanted := put(t, s, content(1)), put(t, s, content(2))
	putThumbnail(t, s, wanted, 320, "wanted")
	putThumbnail(t, s, unwanted, 320, "unwanted")
	asked := 0
	removed, err := again().Sweep(t.Context(), time.Hour, func(palate.ImageID) (bool, error) { asked++; return false, nil })
	if err != nil || removed != 0 {
		t.Errorf("a sweep of what is an hour old: got %d removed and %v, want none", removed, err)
	}
	unknown := errors.New("the catalog is away")
	removed, err = s.Sweep(t.Context(), every, func(palate.ImageID) (bool, error) { return false, unknown })
	if !errors.Is(err, unknown) || removed != 0 {
		t.Errorf("when nobody knows: got %d removed and %v, want none and the error", removed, err)
	}
	wantIDs(t, s, wanted, unwanted)
	if swept := sweepAll(t, s, wanted); swept != 1 {
		t.Errorf("got %d removed, want 1", swept)
	}
	wantIDs(t, s, wanted)
	wantFile(t, s, content(1))
	wantNoFile(t, s, unwanted)
	wantThumbnail(t, s, wanted, 320, "wanted")
	wantThumbnail(t, s, unwanted, 320, "")
}

// A file without a row, which a killed process left, is put again while a
// sweep asks about it: its row comes a moment later.
func testSweepMeanwhile(t *testing.T, s imagestore.Store, _ func() imagestore.Store) {
	id := put(t, s, content(1))
	tick(time.Now())
	removed, err := s.Sweep(t.Context(), 0, func(palate.ImageID) (bool, error) {
		tick(time.Now())
		stored, err := s.Put(t.Context(), bytes.NewReader(content(1)), enough)
		if err == nil && !stored.Existed {
			t.Error("the file was gone before anybody was asked")
		}
		return false, err
	})
	if err != nil || removed != 0 {
		t.Errorf("got %d removed and %v, want what was stored again left alone", removed, err)
	}
	wantIDs(t, s, id)
}

// tick returns when the clock that dates files, which may go in steps of some
// milliseconds, has certainly gone on.
func tick(since time.Time) {
	for time.Since(since) < 30*time.Millisecond {
	}
}

package storetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
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
	if swept := sweepAll(t, s, two); swept != (imagestore.Swept{}) {
		t.Errorf("left behind: %+v", swept)
	}
	put(t, s, content(1))
	wantThumbnail(t, s, one, 320, "")
}

func testSweep(t *testing.T, s imagestore.Store, again func() imagestore.Store) {
	wanted, unwanted := put(t, s, content(1)), put(t, s, content(2))
	putThumbnail(t, s, wanted, 320, "wanted")
	putThumbnail(t, s, unwanted, 320, "unwanted")
	asked := 0
	swept, err := again().Sweep(t.Context(), rules(time.Hour), func(context.Context, []palate.ImageID) ([]imagestore.Fate, error) {
		asked++
		return nil, nil
	})
	if err != nil || swept != (imagestore.Swept{}) || asked != 0 {
		t.Errorf("a sweep of what is an hour old: got %+v, %v and %d questions, want none", swept, err, asked)
	}
	unknown := errors.New("the catalog is away")
	swept, err = s.Sweep(t.Context(), rules(every), func(context.Context, []palate.ImageID) ([]imagestore.Fate, error) { return nil, unknown })
	if !errors.Is(err, unknown) || swept != (imagestore.Swept{}) {
		t.Errorf("when nobody knows: got %+v and %v, want nothing done and the error", swept, err)
	}
	wantIDs(t, s, wanted, unwanted)
	if swept := sweepAll(t, s, wanted); swept.Orphans != 1 || swept.Moved != 1 || swept.Folder == "" {
		t.Errorf("got %+v, want one orphan moved to a folder", swept)
	}
	wantIDs(t, s, wanted)
	wantFile(t, s, content(1))
	wantNoFile(t, s, unwanted)
	wantThumbnail(t, s, wanted, 320, "wanted")
	wantThumbnail(t, s, unwanted, 320, "")
	if swept := sweepAll(t, s, wanted); swept.Expired != 0 {
		t.Errorf("got %d files expired at once, want them kept for an hour", swept.Expired)
	}
	soon := rules(every)
	soon.KeepOrphans = -48 * time.Hour
	if swept, err := s.Sweep(t.Context(), soon, fates(nil, imagestore.Wanted)); err != nil || swept.Expired != 1 {
		t.Errorf("when its time has come: got %+v and %v, want the file expired", swept, err)
	}
	put(t, s, content(2))
	wantFile(t, s, content(2))
}

func testSweepTooMany(t *testing.T, s imagestore.Store, _ func() imagestore.Store) {
	var all []palate.ImageID
	for n := range 5 {
		all = append(all, put(t, s, content(n)))
	}
	four := rules(every)
	four.MaxOrphans = 4
	swept, err := s.Sweep(t.Context(), four, fates(nil, imagestore.Orphaned))
	if err != nil || swept.Orphans != 5 || swept.Moved != 0 {
		t.Errorf("got %+v and %v, want 5 orphans told and left", swept, err)
	}
	wantIDs(t, s, all...)
	swept, err = s.Sweep(t.Context(), four, fates(all[:1], imagestore.Orphaned))
	if err != nil || swept.Orphans != 4 || swept.Moved != 4 {
		t.Errorf("got %+v and %v, want 4 orphans moved", swept, err)
	}
	wantIDs(t, s, all[0])
}

func testSweepDiscarded(t *testing.T, s imagestore.Store, _ func() imagestore.Store) {
	wanted, discarded := put(t, s, content(1)), put(t, s, content(2))
	none := rules(every)
	none.MaxOrphans = 0
	swept, err := s.Sweep(t.Context(), none, fates([]palate.ImageID{wanted}, imagestore.Discarded))
	if err != nil || swept != (imagestore.Swept{Discarded: 1}) {
		t.Errorf("got %+v and %v, want one file removed", swept, err)
	}
	wantIDs(t, s, wanted)
	wantNoFile(t, s, discarded)
}

func testBringBack(t *testing.T, s imagestore.Store, again func() imagestore.Store) {
	id, other := put(t, s, content(1)), put(t, s, content(2))
	tick(time.Now())
	for than, want := range map[time.Duration][]palate.ImageID{0: {other, id}, time.Hour: nil} {
		if older, err := s.Older(t.Context(), than, []palate.ImageID{other, id}); err != nil || !slices.Equal(older, want) {
			t.Errorf("older than %v: got %v and %v, want %v", than, older, err, want)
		}
	}
	found, err := s.BringBack(t.Context(), id)
	if err != nil || found {
		t.Errorf("of what was never moved aside: got %v and %v", found, err)
	}
	sweepAll(t, s, other)
	wantNoFile(t, s, id)
	if found, err = again().BringBack(t.Context(), id); err != nil || !found {
		t.Errorf("got %v and %v, want the file found", found, err)
	}
	wantFile(t, s, content(1))
	if found, err = s.BringBack(t.Context(), id); err != nil || found {
		t.Errorf("a second time: got %v and %v", found, err)
	}
	wantIDs(t, s, id, other)
}

func testWalkThumbnails(t *testing.T, s imagestore.Store, _ func() imagestore.Store) {
	type thumb struct {
		id    palate.ImageID
		width int
	}
	one, two := put(t, s, content(1)), put(t, s, content(2))
	want := map[thumb]int{{one, 320}: 1, {one, 32}: 1, {two, 1024}: 1}
	for th := range want {
		putThumbnail(t, s, th.id, th.width, "small")
	}
	visited := func() map[thumb]int {
		got := map[thumb]int{}
		ok(t, "WalkThumbnails", s.WalkThumbnails(t.Context(), func(id palate.ImageID, width int) error {
			got[thumb{id, width}]++
			return nil
		}))
		return got
	}
	if got := visited(); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	ok(t, "DeleteThumbnail", s.DeleteThumbnail(t.Context(), one, 320))
	ok(t, "DeleteThumbnail again", s.DeleteThumbnail(t.Context(), one, 320))
	delete(want, thumb{one, 320})
	if got := visited(); !maps.Equal(got, want) {
		t.Errorf("after a deletion: got %v, want %v", got, want)
	}
	stop := errors.New("stop")
	if err := s.WalkThumbnails(t.Context(), func(palate.ImageID, int) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("a visit that fails: got %v, want its error", err)
	}
}

func testMark(t *testing.T, s imagestore.Store, again func() imagestore.Store) {
	want := func(what string, got imagestore.Mark, err error, want imagestore.Mark) {
		t.Helper()
		if err != nil || got != want {
			t.Errorf("%s: got %+v and %v, want %+v", what, got, err, want)
		}
	}
	got, err := s.Mark(t.Context())
	want("a new store", got, err, imagestore.Mark{})
	first, err := s.SetMark(t.Context(), "catalog one", 7)
	if err != nil || first.Store == "" || first.Catalog != "catalog one" || first.Change != 7 {
		t.Fatalf("SetMark: got %+v and %v, want an identity of its own", first, err)
	}
	got, err = again().Mark(t.Context())
	want("marked", got, err, first)
	for _, step := range []struct{ saw, want uint64 }{{9, 9}, {8, 9}, {9, 9}, {1 << 63, 1 << 63}} {
		ok(t, "Saw", s.Saw(t.Context(), step.saw))
		got, err = again().Mark(t.Context())
		want("raised", got, err, imagestore.Mark{Store: first.Store, Catalog: "catalog one", Change: step.want})
	}
	second, err := again().SetMark(t.Context(), "catalog two", 3)
	want("marked anew", second, err, imagestore.Mark{Store: first.Store, Catalog: "catalog two", Change: 3})
	_, err = s.SetMark(t.Context(), "", 3)
	wantKind(t, "a catalog without a name", err, palate.ErrInvalid)
	got, err = s.Mark(t.Context())
	want("after a refusal", got, err, second)
	wantIDs(t, s)
}

// A file without a row, which a killed process left, is put again while a
// sweep asks about it: its row comes a moment later.
func testSweepMeanwhile(t *testing.T, s imagestore.Store, _ func() imagestore.Store) {
	id := put(t, s, content(1))
	tick(time.Now())
	swept, err := s.Sweep(t.Context(), rules(0), func(_ context.Context, ids []palate.ImageID) ([]imagestore.Fate, error) {
		tick(time.Now())
		stored, err := s.Put(t.Context(), bytes.NewReader(content(1)), enough)
		if err == nil && !stored.Existed {
			t.Error("the file was gone before anybody was asked")
		}
		return make([]imagestore.Fate, len(ids)), err
	})
	if err != nil || swept.Moved != 0 {
		t.Errorf("got %+v and %v, want what was stored again left alone", swept, err)
	}
	wantIDs(t, s, id)
}

// tick returns when the clock that dates files, which may go in steps of some
// milliseconds, has certainly gone on.
func tick(since time.Time) {
	for time.Since(since) < 30*time.Millisecond {
	}
}

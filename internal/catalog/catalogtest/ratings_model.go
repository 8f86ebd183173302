package catalogtest

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// ledger is the log of ratings as plain Go: what stands is worked out anew
// each time from the list of entries.
type ledger struct {
	entries []catalog.LogEntry
	gone    map[palate.ImageID]bool
}

func (l *ledger) undone(entry int64) bool {
	return slices.ContainsFunc(l.entries, func(e catalog.LogEntry) bool { return e.Undoes == entry })
}

// last finds the last rating or take-back that is not undone and passes the test.
func (l *ledger) last(pass func(catalog.LogEntry) bool) *catalog.LogEntry {
	for i := len(l.entries) - 1; i >= 0; i-- {
		if e := &l.entries[i]; e.Undoes == 0 && pass(*e) && !l.undone(e.Entry) {
			return e
		}
	}
	return nil
}

func (l *ledger) standing(p palate.Profile, ids []palate.ImageID) map[palate.ImageID]palate.Verdict {
	verdicts := map[palate.ImageID]palate.Verdict{}
	for _, id := range ids {
		if e := l.last(func(e catalog.LogEntry) bool { return e.Profile == p && e.Image == id }); e != nil && !e.TakesBack() && !l.gone[id] {
			verdicts[id] = e.Verdict
		}
	}
	return verdicts
}

// randomRatings does the same to a catalog and to a ledger, over two handles.
func randomRatings(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	r := rand.New(rand.NewPCG(3, 4))
	handles := []catalog.Catalog{c, again()}
	ids := fill(t, c, 8)
	l := &ledger{gone: map[palate.ImageID]bool{}}
	for step := range 400 {
		c := handles[r.IntN(2)]
		p, id := []palate.Profile{"me", "you"}[r.IntN(2)], ids[r.IntN(len(ids))]
		switch op := r.IntN(20); {
		case op < 10:
			l.rate(t, c, p, id, []palate.Verdict{palate.Like, palate.Dislike, palate.Skip}[r.IntN(3)])
		case op < 14:
			l.undo(t, c, p, 0)
		case op < 17 && len(l.entries) > 0:
			l.undo(t, c, p, l.entries[r.IntN(len(l.entries))].Entry)
		case op < 19:
			l.clear(t, c, p, id)
		case step%5 == 0 && !l.gone[id]:
			ok(t, "DeleteImage", c.DeleteImage(t.Context(), id, "x"))
			l.gone[id] = true
		}
		for _, p := range []palate.Profile{"me", "you"} {
			l.compare(t, handles[r.IntN(2)], p, ids)
		}
		if t.Failed() {
			t.Fatalf("after step %d", step)
		}
	}
}

func (l *ledger) rate(t *testing.T, c catalog.Catalog, p palate.Profile, id palate.ImageID, v palate.Verdict) {
	t.Helper()
	rating, err := c.Rate(t.Context(), catalog.Rating{Profile: p, Image: id, Verdict: v, Shown: palate.ShownGallery})
	if l.gone[id] {
		wantKind(t, "rating of a deleted image", err, palate.ErrNotFound)
		return
	}
	ok(t, "Rate", err)
	l.entries = append(l.entries, catalog.LogEntry{Rating: rating})
}

// read takes the newest entry, an undo, from the catalog's log.
func (l *ledger) read(t *testing.T, c catalog.Catalog, p palate.Profile) {
	t.Helper()
	var newest int64
	for _, e := range l.entries {
		newest = max(newest, e.Entry)
	}
	l.entries = append(l.entries, must(c.RatingLog(t.Context(), p, newest, 100))(t)...)
}

func (l *ledger) undo(t *testing.T, c catalog.Catalog, p palate.Profile, entry int64) {
	t.Helper()
	want := l.last(func(e catalog.LogEntry) bool { return e.Profile == p && (entry == 0 || e.Entry == entry) })
	got, err := c.UndoRating(t.Context(), p, entry)
	if want == nil {
		if !errors.Is(err, palate.ErrNotFound) && !errors.Is(err, palate.ErrConflict) {
			t.Errorf("undo of %d: got %v, want not found or conflict", entry, err)
		}
		return
	}
	ok(t, "UndoRating", err)
	equal(t, "undone entry", got.Entry, want.Entry)
	l.read(t, c, p)
	equal(t, "last entry undoes", l.entries[len(l.entries)-1].Undoes, got.Entry)
	var stands palate.Verdict
	if got.Stands != nil {
		stands = got.Stands.Verdict
	}
	equal(t, "stands since", stands, l.standing(p, []palate.ImageID{got.Image})[got.Image])
}

func (l *ledger) clear(t *testing.T, c catalog.Catalog, p palate.Profile, id palate.ImageID) {
	t.Helper()
	err := c.ClearRating(t.Context(), p, id)
	if l.standing(p, []palate.ImageID{id})[id] == "" {
		wantKind(t, "nothing to clear", err, palate.ErrNotFound)
		return
	}
	ok(t, "ClearRating", err)
	l.read(t, c, p)
}

func (l *ledger) compare(t *testing.T, c catalog.Catalog, p palate.Profile, ids []palate.ImageID) {
	t.Helper()
	want := l.standing(p, ids)
	if got := must(c.StandingVerdicts(t.Context(), p, nil))(t); !reflect.DeepEqual(got, want) {
		t.Errorf("verdicts of %s: got %v, want %v", p, got, want)
	}
	ratings := must(c.StandingRatings(t.Context(), p, catalog.RatingQuery{Limit: 1000}))(t)
	equal(t, "standing ratings", len(ratings), len(want))
	if !slices.IsSortedFunc(ratings, func(a, b catalog.Rating) int { return cmp.Compare(b.Entry, a.Entry) }) {
		t.Error("standing ratings are not the newest first")
	}
	counts := map[palate.Verdict]int{}
	for _, rating := range ratings {
		equal(t, "verdict", rating.Verdict, want[rating.Image])
		counts[rating.Verdict]++
	}
	for _, s := range must(c.Profiles(t.Context()))(t) {
		if s.Profile == p && (s.Likes != counts[palate.Like] || s.Dislikes != counts[palate.Dislike] || s.Skips != counts[palate.Skip]) {
			t.Errorf("summary %+v, want %v", s, counts)
		}
	}
}

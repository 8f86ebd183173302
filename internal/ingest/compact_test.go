package ingest_test

import (
	"errors"
	"testing"

	"github.com/palate-art/palate"
)

// The table of changes stops growing; who has seen what is kept goes on, who has
// not loads anew.
func TestOldChangesAreForgotten(t *testing.T) {
	f := newFixture(t)
	ix, follower := f.index()
	ids := f.add(0, 3)
	f.embed()
	f.ok("Compact", f.collection.Compact(t.Context(), 1000))
	if _, err := f.catalog.ChangesAfter(t.Context(), 0, 100); err != nil {
		t.Errorf("with fewer changes than are kept: %v", err)
	}
	f.catchUp(follower)
	f.ok("Compact", f.collection.Compact(t.Context(), 2))
	last, err := f.catalog.LastChange(t.Context())
	f.ok("LastChange", err)
	kept, err := f.catalog.ChangesAfter(t.Context(), last-2, 100)
	if err != nil || len(kept) != 2 {
		t.Errorf("kept %d changes, %v; want 2", len(kept), err)
	}
	if _, err := f.catalog.ChangesAfter(t.Context(), last-3, 100); !errors.Is(err, palate.ErrConflict) {
		t.Errorf("got %v, want that it is forgotten", err)
	}
	f.rate(ids[0], "me", palate.Like)
	f.catchUp(follower)
	liked := point(0)
	liked.Verdicts = map[palate.Profile]palate.Verdict{"me": palate.Like}
	wantIndex(t, ix, indexed{ids[0]: liked, ids[1]: point(1), ids[2]: point(2)})
}

// What an index on a server has not seen is kept, unless it is so far behind
// that nobody follows for it any more.
func TestChangesAreKeptForWhoHasNotSeenThem(t *testing.T) {
	f := newFixture(t)
	ids := f.add(0, 1)
	for i := range 60 { // a change each
		f.rate(ids[0], "me", []palate.Verdict{palate.Like, palate.Dislike}[i%2])
	}
	last, err := f.catalog.LastChange(t.Context())
	f.ok("LastChange", err)
	oldest := func() uint64 { // that can still be followed from
		for at := uint64(0); ; at++ {
			if _, err := f.catalog.ChangesAfter(t.Context(), at, 1); err == nil {
				return at
			}
		}
	}
	follow := func(name string, behind uint64) {
		f.ok("SetFollowedTo", f.catalog.SetFollowedTo(t.Context(), name, last-behind))
	}
	follow("server:now", 20)
	follow("server:before", 55)
	f.ok("SetFollowedTo", f.catalog.SetFollowedTo(t.Context(), "server:now:filled", 1))
	for _, step := range []struct{ behind, want uint64 }{
		{20, 20}, // the server's; the one before is out of sight
		{5, 5},
		{1, 5}, // what is kept in any case
	} {
		follow("server:now", step.behind)
		f.ok("Compact", f.collection.Compact(t.Context(), 5))
		if got := last - oldest(); got != step.want {
			t.Errorf("with an index %d behind the last %d are kept, want %d", step.behind, got, step.want)
		}
	}
}

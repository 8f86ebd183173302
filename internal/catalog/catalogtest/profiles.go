package catalogtest

import (
	"reflect"
	"slices"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

func testProfiles(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, catalog.Catalog, func() catalog.Catalog){
		"one can be created before its first rating": createdProfile,
		"a rename takes everything along":            renamedProfile,
		"a deleted one leaves nothing that counts":   deletedProfile,
		"what can't be":                     refusedProfiles,
		"the name of a deleted one is free": reusedProfile,
	})
}

// names lists the profiles.
func names(t *testing.T, c catalog.Catalog) []palate.Profile {
	t.Helper()
	var out []palate.Profile
	for _, p := range must(c.Profiles(t.Context()))(t) {
		out = append(out, p.Profile)
	}
	return out
}

func createdProfile(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ids := fill(t, c, 1)
	ok(t, "CreateProfile", c.CreateProfile(t.Context(), "new"))
	got := must(again().Profiles(t.Context()))(t)
	if len(got) != 1 || got[0] != (catalog.ProfileSummary{Profile: "new"}) {
		t.Errorf("got %+v, want an empty profile", got)
	}
	r := rate(t, c, "new", ids[0], palate.Like)
	got = must(c.Profiles(t.Context()))(t)
	if len(got) != 1 || got[0].Likes != 1 || !got[0].LastRatedAt.Equal(r.At) {
		t.Errorf("got %+v, want one like", got)
	}
}

func renamedProfile(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 4)
	score := .25
	kept := must(c.Rate(ctx, catalog.Rating{Profile: "old", Image: ids[0], Verdict: palate.Like, Shown: palate.ShownQueueTop, ProbeVersion: 2, Score: &score, At: day}))(t)
	rate(t, c, "old", ids[1], palate.Like)
	rate(t, c, "old", ids[1], palate.Dislike)
	must(c.UndoRating(ctx, "old", 0))(t)
	rate(t, c, "other", ids[0], palate.Dislike)
	trained := probeOf("old", "m", true)
	trained.LastEntry = kept.Entry
	must(c.AddProbe(ctx, trained))(t)
	must(c.AddProbe(ctx, probeOf("old", "m", false)))(t)
	rate(t, c, "old", ids[2], palate.Skip)
	before := must(c.LastChange(ctx))(t)
	ok(t, "RenameProfile", c.RenameProfile(ctx, "old", "new"))

	for _, c := range []catalog.Catalog{c, again()} {
		equalList(t, "profiles", names(t, c), []palate.Profile{"new", "other"})
		got := must(c.StandingRating(ctx, "new", ids[0]))(t)
		want := kept
		want.Profile, want.Entry = "new", got.Entry
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
		wantVerdict(t, c, "new", ids[1], palate.Like)
		wantVerdict(t, c, "new", ids[2], palate.Skip)
		wantVerdict(t, c, "other", ids[0], palate.Dislike)
		for _, id := range ids {
			wantVerdict(t, c, "old", id, "")
		}
		wantCurrent(t, c, "new", "m", 1)
		equal(t, "trained on", must(c.ProbeVersion(ctx, "new", 1))(t).LastEntry, got.Entry)
		equal(t, "versions", len(must(c.ListProbes(ctx, "new"))(t)), 2)
		equal(t, "of the old name", len(must(c.ListProbes(ctx, "old"))(t)), 0)
	}
	// Undos go on where they were.
	equal(t, "undone", must(c.UndoRating(ctx, "new", 0))(t).Image, ids[2])
	equal(t, "undone", must(c.UndoRating(ctx, "new", 0))(t).Image, ids[1])
	wantVerdict(t, c, "new", ids[1], "")
	// Whoever follows hears of both names.
	touched := map[palate.Profile]map[catalog.ChangeKind]bool{"old": {}, "new": {}}
	for _, change := range must(c.ChangesAfter(ctx, before, 100))(t) {
		touched[change.Profile][change.Kind] = true
	}
	for name, kinds := range touched {
		if !kinds[catalog.RatingChanged] || !kinds[catalog.ProbeChanged] {
			t.Errorf("changes of %s: %v, want of ratings and of the probe", name, kinds)
		}
	}
}

func deletedProfile(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 2)
	rate(t, c, "gone", ids[0], palate.Like)
	rate(t, c, "gone", ids[0], palate.Dislike)
	rate(t, c, "stays", ids[0], palate.Like)
	must(c.AddProbe(ctx, probeOf("gone", "m", true)))(t)
	must(c.AddProbe(ctx, probeOf("stays", "m", true)))(t)
	all := must(c.ChangesAfter(ctx, 0, 1000))(t)
	ok(t, "DeleteProfile", c.DeleteProfile(ctx, "gone"))
	for _, c := range []catalog.Catalog{c, again()} {
		equalList(t, "profiles", names(t, c), []palate.Profile{"stays"})
		wantVerdict(t, c, "gone", ids[0], "")
		wantVerdict(t, c, "stays", ids[0], palate.Like)
		_, err := c.CurrentProbe(ctx, "gone", "m")
		wantKind(t, "its probe", err, palate.ErrNotFound)
		wantCurrent(t, c, "stays", "m", 1)
		_, err = c.UndoRating(ctx, "gone", 0)
		wantKind(t, "its last rating", err, palate.ErrNotFound)
	}
	// The log keeps its entries, and earlier changes say what they said.
	if log := must(c.RatingLog(ctx, "gone", 0, 10))(t); len(log) != 4 || log[0].Verdict != palate.Like || log[3].Undoes == 0 {
		t.Errorf("log %+v, want two ratings and their undos", log)
	}
	after := must(c.ChangesAfter(ctx, 0, 1000))(t)
	for i, change := range all {
		if after[i].Number != change.Number || after[i].Profile != change.Profile || after[i].Kind != change.Kind {
			t.Errorf("change %d: got %+v, want %+v", i, after[i], change)
		}
	}
	if !slices.ContainsFunc(after[len(all):], func(ch catalog.Change) bool {
		return ch.Kind == catalog.RatingChanged && ch.Image == ids[0] && ch.Profile == "gone"
	}) {
		t.Errorf("changes %+v, want one of the rating", after[len(all):])
	}
}

func refusedProfiles(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 1)
	rate(t, c, "me", ids[0], palate.Like)
	ok(t, "CreateProfile", c.CreateProfile(ctx, "you"))
	unchanged(t, c, "refused", func() {
		wantKind(t, "create again", c.CreateProfile(ctx, "me"), palate.ErrConflict)
		wantKind(t, "create created", c.CreateProfile(ctx, "you"), palate.ErrConflict)
		wantKind(t, "create nonsense", c.CreateProfile(ctx, "No such name"), palate.ErrInvalid)
		wantKind(t, "rename nobody", c.RenameProfile(ctx, "nobody", "new"), palate.ErrNotFound)
		wantKind(t, "rename to another's", c.RenameProfile(ctx, "me", "you"), palate.ErrConflict)
		wantKind(t, "rename to itself", c.RenameProfile(ctx, "me", "me"), palate.ErrConflict)
		wantKind(t, "rename to nonsense", c.RenameProfile(ctx, "me", ""), palate.ErrInvalid)
		wantKind(t, "delete nobody", c.DeleteProfile(ctx, "nobody"), palate.ErrNotFound)
	})
}

func reusedProfile(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 2)
	rate(t, c, "a", ids[0], palate.Like)
	must(c.AddProbe(ctx, probeOf("a", "m", true)))(t)
	ok(t, "DeleteProfile", c.DeleteProfile(ctx, "a"))
	rate(t, c, "b", ids[1], palate.Dislike)
	must(c.AddProbe(ctx, probeOf("b", "m", true)))(t)
	ok(t, "RenameProfile", c.RenameProfile(ctx, "b", "a"))
	wantVerdict(t, c, "a", ids[0], "")
	wantVerdict(t, c, "a", ids[1], palate.Dislike)
	wantCurrent(t, c, "a", "m", 1)
	ok(t, "and back", c.RenameProfile(ctx, "a", "b"))
	wantVerdict(t, c, "b", ids[1], palate.Dislike)
	wantVerdict(t, c, "b", ids[0], "")
	equalList(t, "profiles", names(t, c), []palate.Profile{"b"})
}

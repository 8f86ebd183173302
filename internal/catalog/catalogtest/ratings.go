package catalogtest

import (
	"math"
	"reflect"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

func testRatings(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, catalog.Catalog, func() catalog.Catalog){
		"come back as they were given":               ratingsComeBack,
		"undo gives the one before":                  undoChain,
		"what can't be undone":                       undoRefused,
		"a take-back is an entry that undo reverses": clearing,
		"stars are kept as they were given":          stars,
		"ratings together are all or none":           rateAll,
		"what is said again is said once":            rateOnce,
		"many are cleared and undone at once":        ratingsInBulk,
		"bad ratings are refused":                    badRatings,
		"standing ratings come in pages":             standingPages,
		"the log holds undos and goes on":            ratingLog,
		"a profile stays when all is undone":         profileStays,
		"random operations agree with a model":       randomRatings,
		"a deleted image's ratings can be undone":    undoOfDeleted,
		"verdicts of named images and of profiles":   namedVerdicts,
	})
}

func rate(t *testing.T, c catalog.Catalog, p palate.Profile, id palate.ImageID, v palate.Verdict) catalog.Rating {
	t.Helper()
	return must(c.Rate(t.Context(), catalog.Rating{Profile: p, Image: id, Verdict: v, Shown: palate.ShownGallery}))(t)
}

// wantVerdict fails unless the standing verdict is v; "" is none.
func wantVerdict(t *testing.T, c catalog.Catalog, p palate.Profile, id palate.ImageID, v palate.Verdict) {
	t.Helper()
	if v == "" {
		_, err := c.StandingRating(t.Context(), p, id)
		wantKind(t, "StandingRating", err, palate.ErrNotFound)
	} else {
		equal(t, "standing verdict", must(c.StandingRating(t.Context(), p, id))(t).Verdict, v)
	}
	equal(t, "StandingVerdicts", must(c.StandingVerdicts(t.Context(), p, []palate.ImageID{id}))(t)[id], v)
}

func ratingsComeBack(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 2)
	score := -0.1234567890123
	want := catalog.Rating{Profile: "my-taste_1", Image: ids[0], Verdict: palate.Dislike, Shown: palate.ShownQueueUncertain, ProbeVersion: 7, Score: &score, At: day}
	got := must(c.Rate(ctx, want))(t)
	if got.Entry < 1 {
		t.Errorf("entry %d, want a positive one", got.Entry)
	}
	want.Entry = got.Entry
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Rate: got %+v, want %+v", got, want)
	}
	for _, c := range []catalog.Catalog{c, again()} {
		if got := must(c.StandingRating(ctx, "my-taste_1", ids[0]))(t); !reflect.DeepEqual(got, want) {
			t.Errorf("StandingRating: got %+v, want %+v", got, want)
		}
	}
	plain := rate(t, c, "me", ids[1], palate.Skip)
	if plain.At.IsZero() || plain.Score != nil || plain.Entry <= got.Entry {
		t.Errorf("second rating: got %+v", plain)
	}
	if got := must(c.StandingRating(ctx, "me", ids[1]))(t); !reflect.DeepEqual(got, plain) {
		t.Errorf("StandingRating: got %+v, want %+v", got, plain)
	}
	wantVerdict(t, c, "me", ids[0], "")
}

func undoChain(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 2)
	like, dislike := rate(t, c, "me", ids[0], palate.Like), rate(t, c, "me", ids[0], palate.Dislike)
	rate(t, c, "you", ids[0], palate.Skip)
	if got := must(c.UndoRating(ctx, "me", 0))(t); !reflect.DeepEqual(got, catalog.Undone{Rating: dislike, Stands: &like}) {
		t.Errorf("undone: got %+v, want %+v and that %+v stands", got, dislike, like)
	}
	wantVerdict(t, c, "me", ids[0], palate.Like)
	skip := rate(t, c, "me", ids[0], palate.Skip)
	wantVerdict(t, c, "me", ids[0], palate.Skip)
	// A named entry below the standing one.
	equal(t, "undone", must(c.UndoRating(ctx, "me", like.Entry))(t).Entry, like.Entry)
	wantVerdict(t, c, "me", ids[0], palate.Skip)
	equal(t, "undone", must(c.UndoRating(ctx, "me", 0))(t).Entry, skip.Entry)
	wantVerdict(t, c, "me", ids[0], "")
	_, err := c.UndoRating(ctx, "me", 0)
	wantKind(t, "nothing left", err, palate.ErrNotFound)
	wantVerdict(t, c, "you", ids[0], palate.Skip)
	rate(t, c, "me", ids[0], palate.Like)
	wantVerdict(t, c, "me", ids[0], palate.Like)
	// The last entry of the profile, whichever image it is of.
	other := rate(t, c, "me", ids[1], palate.Dislike)
	equal(t, "undone", must(c.UndoRating(ctx, "me", 0))(t).Image, other.Image)
	wantVerdict(t, c, "me", ids[0], palate.Like)
}

func undoRefused(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 1)
	r := rate(t, c, "me", ids[0], palate.Like)
	must(c.UndoRating(ctx, "me", r.Entry))(t)
	log := must(c.RatingLog(ctx, "me", 0, 10))(t)
	unchanged(t, c, "refused undos", func() {
		for what, test := range map[string]struct {
			profile palate.Profile
			entry   int64
			kind    error
		}{
			"twice":             {"me", r.Entry, palate.ErrConflict},
			"another's":         {"you", r.Entry, palate.ErrNotFound},
			"an undo":           {"me", log[1].Entry, palate.ErrNotFound},
			"no entry":          {"me", r.Entry + 100, palate.ErrNotFound},
			"negative":          {"me", -1, palate.ErrNotFound},
			"last of a nobody":  {"nobody", 0, palate.ErrNotFound},
			"last of all undos": {"me", 0, palate.ErrNotFound},
		} {
			_, err := c.UndoRating(ctx, test.profile, test.entry)
			wantKind(t, what, err, test.kind)
		}
	})
	equal(t, "log", len(must(c.RatingLog(ctx, "me", 0, 10))(t)), 2)
}

func clearing(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 2)
	var last catalog.Rating
	for _, v := range []palate.Verdict{palate.Like, palate.Dislike, palate.Like} {
		last = rate(t, c, "me", ids[0], v)
	}
	rate(t, c, "me", ids[1], palate.Dislike)
	rate(t, c, "you", ids[0], palate.Like)
	ok(t, "ClearRating", c.ClearRating(ctx, "me", ids[0]))
	for _, c := range []catalog.Catalog{c, again()} {
		wantVerdict(t, c, "me", ids[0], "")
		wantVerdict(t, c, "me", ids[1], palate.Dislike)
		wantVerdict(t, c, "you", ids[0], palate.Like)
		equal(t, "standing ratings", len(must(c.StandingRatings(ctx, "me", catalog.RatingQuery{Limit: 9}))(t)), 1)
	}
	unchanged(t, c, "nothing to clear", func() {
		wantKind(t, "second ClearRating", c.ClearRating(ctx, "me", ids[0]), palate.ErrNotFound)
		wantKind(t, "ClearRating of no image", c.ClearRating(ctx, "me", picture(9).ID), palate.ErrNotFound)
	})
	log := must(c.RatingLog(ctx, "me", 0, 100))(t)
	back := log[len(log)-1]
	if len(log) != 5 || !back.TakesBack() || back.Image != ids[0] || back.At.IsZero() || log[0].TakesBack() {
		t.Fatalf("log: got %+v, want four ratings and a take-back", log)
	}
	undone := must(c.UndoRating(ctx, "me", 0))(t)
	if !reflect.DeepEqual(undone, catalog.Undone{Rating: back.Rating, Stands: &last}) {
		t.Errorf("undone: got %+v, want the take-back, and that %+v stands", undone, last)
	}
	if got := must(c.StandingRating(ctx, "me", ids[0]))(t); !reflect.DeepEqual(got, last) {
		t.Errorf("standing again: got %+v, want %+v", got, last)
	}
	_, err := c.UndoRating(ctx, "me", back.Entry)
	wantKind(t, "the take-back undone twice", err, palate.ErrConflict)
	// The next undo goes on with what was said before it, the newest first.
	equal(t, "undone next", must(c.UndoRating(ctx, "me", 0))(t).Image, ids[1])
	ok(t, "ClearRating", c.ClearRating(ctx, "me", ids[0]))
	said := rate(t, c, "me", ids[0], palate.Skip)
	wantVerdict(t, c, "me", ids[0], palate.Skip)
	if undone := must(c.UndoRating(ctx, "me", said.Entry))(t); undone.Stands != nil {
		t.Errorf("undone: got %+v, want that nothing stands behind a take-back", undone)
	}
	wantVerdict(t, c, "me", ids[0], "")
	log = must(c.RatingLog(ctx, "me", 0, 100))(t)
	named := must(c.UndoRating(ctx, "me", log[len(log)-3].Entry))(t) // the take-back, by its number
	equal(t, "stands", named.Stands.Entry, last.Entry)
	ok(t, "ClearRating", c.ClearRating(ctx, "me", ids[0]))
	ok(t, "DeleteImage", c.DeleteImage(ctx, ids[0], "x"))
	ok(t, "RestoreImage", c.RestoreImage(ctx, ids[0]))
	wantVerdict(t, c, "me", ids[0], "")
	ok(t, "RestoreStandings", c.RestoreStandings(ctx, "me"))
	wantVerdict(t, c, "me", ids[0], "")
	ok(t, "RenameProfile", c.RenameProfile(ctx, "me", "new"))
	wantVerdict(t, c, "new", ids[0], "")
	equal(t, "undone under a new name", must(c.UndoRating(ctx, "new", 0))(t).Stands.Verdict, palate.Like)
	bad, _, err := c.InspectStandings(ctx, 9)
	ok(t, "InspectStandings", err)
	equal(t, "bad standings", len(bad), 0)
}

// stars holds that a grade stays what it was, beside whichever verdict.
func stars(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 5)
	for n, v := range []palate.Verdict{palate.Dislike, palate.Skip, palate.Like, palate.Like, ""} {
		r := catalog.Rating{Profile: "me", Image: ids[n], Verdict: v, Stars: palate.Stars(n + 1), Shown: palate.ShownGallery}
		if v == "" {
			r.Verdict = r.Stars.Verdict()
		}
		got := must(c.Rate(ctx, r))(t)
		equal(t, "stars", got.Stars, r.Stars)
		for _, c := range []catalog.Catalog{c, again()} {
			if stands := must(c.StandingRating(ctx, "me", ids[n]))(t); !reflect.DeepEqual(stands, got) {
				t.Errorf("StandingRating: got %+v, want %+v", stands, got)
			}
		}
	}
	wantVerdict(t, c, "me", ids[4], palate.Like)
	rate(t, c, "you", ids[0], palate.Like)
	for profile, want := range map[palate.Profile]map[palate.ImageID]palate.Stars{"me": {ids[1]: 2, ids[4]: 5}, "you": {}} {
		if got := must(c.StandingStars(ctx, profile, []palate.ImageID{ids[4], picture(9).ID, ids[1]}))(t); !reflect.DeepEqual(got, want) {
			t.Errorf("StandingStars of %s: got %v, want %v", profile, got, want)
		}
	}
	equal(t, "stars of no images", len(must(c.StandingStars(ctx, "me", nil))(t)), 0)
	four := catalog.Rating{Profile: "me", Image: ids[0], Verdict: palate.Like, Stars: 4, Shown: palate.ShownAPI}
	plain := four
	plain.Stars = 0
	first := must(c.RateOnce(ctx, []catalog.Rating{four, plain, four}))(t)
	equal(t, "stars of the second", first[1].Stars, 0)
	if first[0].Entry >= first[1].Entry || first[1].Entry >= first[2].Entry {
		t.Errorf("entries %d, %d and %d: other stars are another word", first[0].Entry, first[1].Entry, first[2].Entry)
	}
	unchanged(t, c, "the same stars again", func() { must(c.RateOnce(ctx, []catalog.Rating{four}))(t) })
	ok(t, "RateAll", c.RateAll(ctx, []catalog.Rating{plain}))
	equal(t, "stands since", must(c.UndoRating(ctx, "me", 0))(t).Stands.Stars, 4)
	ok(t, "ClearRating", c.ClearRating(ctx, "me", ids[0]))
	equal(t, "stands again", must(c.UndoRating(ctx, "me", 0))(t).Stands.Stars, 4)
	ok(t, "RenameProfile", c.RenameProfile(ctx, "me", "new"))
	for n, want := range []palate.Stars{4, 2, 3, 4, 5} {
		equal(t, "stars under a new name", must(c.StandingRating(ctx, "new", ids[n]))(t).Stars, want)
	}
	var log []palate.Stars
	for _, e := range must(c.RatingLog(ctx, "new", 0, 100))(t) {
		log = append(log, e.Stars)
	}
	equalList(t, "stars of the log", log, []palate.Stars{1, 2, 3, 4, 5, 4, 0, 4, 0, 0, 0, 0})
}

func rateAll(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 3)
	var all []catalog.Rating
	for _, id := range ids {
		all = append(all, catalog.Rating{Profile: "me", Image: id, Verdict: palate.Like, Shown: palate.ShownImport})
	}
	unchanged(t, c, "refused lists", func() {
		missing := append(all[:2:2], catalog.Rating{Profile: "me", Image: picture(9).ID, Verdict: palate.Like, Shown: palate.ShownImport})
		wantKind(t, "one image is missing", c.RateAll(ctx, missing), palate.ErrNotFound)
		bad := append(all[:2:2], catalog.Rating{Profile: "me", Image: ids[2], Verdict: "love", Shown: palate.ShownImport})
		wantKind(t, "one verdict is bad", c.RateAll(ctx, bad), palate.ErrInvalid)
		ok(t, "none", c.RateAll(ctx, nil))
	})
	equal(t, "profiles", len(must(c.Profiles(ctx))(t)), 0)
	ok(t, "RateAll", c.RateAll(ctx, append(all, catalog.Rating{Profile: "me", Image: ids[0], Verdict: palate.Dislike, Shown: palate.ShownImport})))
	wantVerdict(t, c, "me", ids[0], palate.Dislike)
	wantVerdict(t, c, "me", ids[2], palate.Like)
}

func badRatings(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	id := fill(t, c, 1)[0]
	nan := math.NaN()
	unchanged(t, c, "bad ratings", func() {
		for what, change := range map[string]func(*catalog.Rating){
			"no profile":       func(r *catalog.Rating) { r.Profile = "" },
			"bad profile":      func(r *catalog.Rating) { r.Profile = "a.b" },
			"no verdict":       func(r *catalog.Rating) { r.Verdict = "" },
			"bad verdict":      func(r *catalog.Rating) { r.Verdict = "LIKE" },
			"six stars":        func(r *catalog.Rating) { r.Stars = 6 },
			"negative stars":   func(r *catalog.Rating) { r.Stars = -1 },
			"stars alone":      func(r *catalog.Rating) { r.Verdict, r.Stars = "", 4 },
			"no way of show":   func(r *catalog.Rating) { r.Shown = "" },
			"score NaN":        func(r *catalog.Rating) { r.Score = &nan },
			"negative version": func(r *catalog.Rating) { r.ProbeVersion = -1 },
		} {
			r := catalog.Rating{Profile: "me", Image: id, Verdict: palate.Like, Shown: palate.ShownAPI}
			change(&r)
			_, err := c.Rate(t.Context(), r)
			wantKind(t, what, err, palate.ErrInvalid)
		}
		_, err := c.Rate(t.Context(), catalog.Rating{Profile: "me", Image: picture(9).ID, Verdict: palate.Like, Shown: palate.ShownAPI})
		wantKind(t, "no image", err, palate.ErrNotFound)
	})
}

func standingPages(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 9)
	for n, id := range ids {
		rate(t, c, "me", id, []palate.Verdict{palate.Like, palate.Dislike, palate.Skip}[n%3])
	}
	rate(t, c, "me", ids[0], palate.Like) // now the newest
	for _, test := range []struct {
		verdict palate.Verdict
		want    []int
	}{
		{"", []int{0, 8, 7, 6, 5, 4, 3, 2, 1}}, {palate.Like, []int{0, 6, 3}}, {palate.Dislike, []int{7, 4, 1}}, {palate.Skip, []int{8, 5, 2}},
	} {
		var got, want []palate.ImageID
		q := catalog.RatingQuery{Verdict: test.verdict, Limit: 2}
		for {
			page := must(c.StandingRatings(ctx, "me", q))(t)
			for _, r := range page {
				got = append(got, r.Image)
				q.Before = r.Entry
			}
			if len(page) < q.Limit {
				break
			}
		}
		for _, n := range test.want {
			want = append(want, ids[n])
		}
		equalList(t, "standing "+string(test.verdict), got, want)
	}
	for what, q := range map[string]catalog.RatingQuery{"no limit": {}, "limit 1001": {Limit: 1001}, "bad verdict": {Limit: 1, Verdict: "love"}} {
		_, err := c.StandingRatings(ctx, "me", q)
		wantKind(t, what, err, palate.ErrInvalid)
	}
	equal(t, "of nobody", len(must(c.StandingRatings(ctx, "nobody", catalog.RatingQuery{Limit: 5}))(t)), 0)
}

func ratingLog(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 2)
	first := rate(t, c, "me", ids[0], palate.Like)
	rate(t, c, "you", ids[0], palate.Like)
	second := rate(t, c, "me", ids[1], palate.Dislike)
	must(c.UndoRating(ctx, "me", first.Entry))(t)
	log := must(c.RatingLog(ctx, "me", 0, 10))(t)
	if len(log) != 3 {
		t.Fatalf("got %d entries, want 3", len(log))
	}
	if !reflect.DeepEqual(log[0], catalog.LogEntry{Rating: first}) || !reflect.DeepEqual(log[1], catalog.LogEntry{Rating: second}) {
		t.Errorf("ratings: got %+v", log[:2])
	}
	undo := log[2]
	if undo.Undoes != first.Entry || undo.Verdict != "" || undo.Profile != "me" || undo.Image != ids[0] || undo.At.IsZero() || undo.Entry <= second.Entry {
		t.Errorf("undo: got %+v", undo)
	}
	rest := must(c.RatingLog(ctx, "me", first.Entry, 1))(t)
	if len(rest) != 1 || rest[0].Entry != second.Entry {
		t.Errorf("one after the first: got %+v", rest)
	}
	equal(t, "after the last", len(must(c.RatingLog(ctx, "me", undo.Entry, 5))(t)), 0)
	_, err := c.RatingLog(ctx, "me", 0, 0)
	wantKind(t, "no limit", err, palate.ErrInvalid)
}

func profileStays(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	equal(t, "profiles at first", len(must(c.Profiles(ctx))(t)), 0)
	id := fill(t, c, 1)[0]
	rate(t, c, "zoe", id, palate.Like)
	at := rate(t, c, "adam", id, palate.Skip).At
	must(c.UndoRating(ctx, "adam", 0))(t)
	got := must(c.Profiles(ctx))(t)
	if len(got) != 2 || got[0] != (catalog.ProfileSummary{Profile: "adam", LastRatedAt: at}) || got[1].Profile != "zoe" || got[1].Likes != 1 {
		t.Errorf("got %+v", got)
	}
}

func undoOfDeleted(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	id := fill(t, c, 1)[0]
	r := rate(t, c, "me", id, palate.Like)
	ok(t, "DeleteImage", c.DeleteImage(ctx, id, "x"))
	equal(t, "undone", must(c.UndoRating(ctx, "me", r.Entry))(t).Entry, r.Entry)
	equal(t, "verdicts", len(must(c.StandingVerdicts(ctx, "me", nil))(t)), 0)
}

func namedVerdicts(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 4)
	rate(t, c, "me", ids[0], palate.Like)
	rate(t, c, "me", ids[1], palate.Skip)
	rate(t, c, "you", ids[2], palate.Like)
	many := []palate.ImageID{ids[1], ids[2]} // more than there are verdicts
	for n := range 300 {
		many = append(many, picture(1000+n).ID)
	}
	for what, test := range map[string]struct {
		ids  []palate.ImageID
		want map[palate.ImageID]palate.Verdict
	}{
		"all":        {nil, map[palate.ImageID]palate.Verdict{ids[0]: palate.Like, ids[1]: palate.Skip}},
		"empty list": {[]palate.ImageID{}, map[palate.ImageID]palate.Verdict{}},
		"some":       {[]palate.ImageID{ids[3], ids[1], ids[2], picture(9).ID}, map[palate.ImageID]palate.Verdict{ids[1]: palate.Skip}},
		"many":       {many, map[palate.ImageID]palate.Verdict{ids[1]: palate.Skip}},
	} {
		if got := must(c.StandingVerdicts(ctx, "me", test.ids))(t); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %v, want %v", what, got, test.want)
		}
	}
}

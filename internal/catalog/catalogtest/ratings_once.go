package catalogtest

import (
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// rateOnce holds that what is said again changes nothing, and that all of a
// list is kept or nothing.
func rateOnce(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 3)
	score := .5
	list := []catalog.Rating{
		{Profile: "me", Image: ids[0], Verdict: palate.Like, Shown: palate.ShownAPI},
		{Profile: "me", Image: ids[1], Verdict: palate.Dislike, Shown: palate.ShownQueueTop, ProbeVersion: 2, Score: &score},
	}
	first := must(c.RateOnce(ctx, list))(t)
	equal(t, "ratings", len(first), 2)
	equal(t, "the second's verdict", first[1].Verdict, palate.Dislike)
	unchanged(t, c, "the same again, and what is refused", func() {
		again := must(c.RateOnce(ctx, append(list, list[0])))(t)
		equal(t, "entry of the first", again[0].Entry, first[0].Entry)
		equal(t, "entry of the second", again[1].Entry, first[1].Entry)
		equal(t, "entry of the first, said twice", again[2].Entry, first[0].Entry)
		none := must(c.RateOnce(ctx, nil))(t)
		equal(t, "none", len(none), 0)
		_, err := c.RateOnce(ctx, []catalog.Rating{{Profile: "me", Image: ids[2], Verdict: palate.Like, Shown: palate.ShownAPI}, {Profile: "me", Image: picture(9).ID, Verdict: palate.Like, Shown: palate.ShownAPI}})
		wantKind(t, "one image is missing", err, palate.ErrNotFound)
		_, err = c.RateOnce(ctx, []catalog.Rating{{Profile: "me", Image: ids[2], Verdict: "love", Shown: palate.ShownAPI}})
		wantKind(t, "a bad verdict", err, palate.ErrInvalid)
	})
	for what, change := range map[string]func(*catalog.Rating){
		"verdict": func(r *catalog.Rating) { r.Verdict = palate.Skip },
		"shown":   func(r *catalog.Rating) { r.Shown = palate.ShownGallery },
		"probe":   func(r *catalog.Rating) { r.ProbeVersion = 3 },
		"score":   func(r *catalog.Rating) { r.Score = nil },
	} {
		must(c.RateOnce(ctx, list))(t)
		other := list[1]
		change(&other)
		before := must(c.StandingRating(ctx, "me", ids[1]))(t)
		got := must(c.RateOnce(ctx, []catalog.Rating{other}))(t)
		if got[0].Entry <= before.Entry {
			t.Errorf("another %s: entry %d is not new", what, got[0].Entry)
		}
	}
	must(c.UndoRating(ctx, "me", 0))(t)
	wantVerdict(t, c, "me", ids[0], palate.Like)
	must(c.UndoRating(ctx, "me", first[0].Entry))(t)
	said := must(c.RateOnce(ctx, list[:1]))(t)
	if said[0].Entry == first[0].Entry {
		t.Error("what was undone stands by its old entry")
	}
	wantVerdict(t, c, "me", ids[0], palate.Like)
}

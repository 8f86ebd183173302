package catalogtest

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

func logOf(t *testing.T, c catalog.Catalog, profiles ...palate.Profile) []catalog.LogEntry {
	t.Helper()
	var log []catalog.LogEntry
	for _, p := range profiles {
		log = append(log, must(c.RatingLog(context.Background(), p, 0, 1000))(t)...)
	}
	return log
}

func alike(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

func testMerging(t *testing.T, open Open) {
	ctx := context.Background()
	at := func(minutes int) time.Time { return day.Add(time.Duration(minutes) * time.Minute) }
	rate := func(t *testing.T, c catalog.Catalog, p palate.Profile, n int, v palate.Verdict, minutes int) catalog.Rating {
		t.Helper()
		return must(c.Rate(ctx, catalog.Rating{Profile: p, Image: picture(n).ID, Verdict: v, Shown: palate.ShownGallery, At: at(minutes)}))(t)
	}
	// two opens a catalog and another, both with the same pictures.
	two := func(t *testing.T) (here, there catalog.Catalog) {
		here, _ = open(t)
		there, _ = open(t)
		for n := range 4 {
			for _, c := range []catalog.Catalog{here, there} {
				must(c.AddImage(ctx, picture(n), sourceOf(n), nil))(t)
			}
		}
		return here, there
	}
	t.Run("the later word stands, and again adds nothing", func(t *testing.T) {
		here, there := two(t)
		rate(t, here, "me", 0, palate.Like, 10)
		rate(t, there, "me", 0, palate.Dislike, 5) // said before, elsewhere
		rate(t, here, "me", 1, palate.Like, 5)
		rate(t, there, "me", 1, palate.Dislike, 10)
		rate(t, there, "you", 2, palate.Skip, 1)
		both := rate(t, there, "me", 3, palate.Like, 7)
		rate(t, here, "me", 3, palate.Like, 7) // the same rating
		must(there.UndoRating(ctx, "me", both.Entry))(t)
		log := logOf(t, there, "me", "you")
		equal(t, "merged", must(here.MergeRatings(ctx, log))(t), catalog.Merged{Added: 4, Known: 1, Older: 1})
		want := map[palate.ImageID]palate.Verdict{picture(0).ID: palate.Like, picture(1).ID: palate.Dislike}
		alike(t, "verdicts", must(here.StandingVerdicts(ctx, "me", nil))(t), want)
		alike(t, "another profile's", must(here.StandingVerdicts(ctx, "you", nil))(t), map[palate.ImageID]palate.Verdict{picture(2).ID: palate.Skip})
		before := logOf(t, here, "me", "you")
		equal(t, "merged again", must(here.MergeRatings(ctx, log))(t), catalog.Merged{Known: len(log)})
		equal(t, "merged with itself", must(here.MergeRatings(ctx, before))(t), catalog.Merged{Known: len(before)})
		alike(t, "log", logOf(t, here, "me", "you"), before)
		equal(t, "back again", must(there.MergeRatings(ctx, before))(t).Older, 1)
		alike(t, "verdicts there", must(there.StandingVerdicts(ctx, "me", nil))(t), want)
	})
	t.Run("what was cleared later stays cleared", func(t *testing.T) {
		here, there := two(t)
		rate(t, here, "me", 0, palate.Like, 1)
		ok(t, "ClearRating", here.ClearRating(ctx, "me", picture(0).ID)) // now, years after
		rate(t, there, "me", 0, palate.Dislike, 2)
		equal(t, "merged", must(here.MergeRatings(ctx, logOf(t, there, "me")))(t), catalog.Merged{Added: 1, Older: 1})
		alike(t, "verdicts", must(here.StandingVerdicts(ctx, "me", nil))(t), map[palate.ImageID]palate.Verdict{})
	})
	t.Run("stars and take-backs come over, and once", func(t *testing.T) {
		here, there := two(t)
		five := catalog.Rating{Profile: "me", Image: picture(0).ID, Verdict: palate.Like, Shown: palate.ShownGallery, At: at(1)}
		must(here.Rate(ctx, five))(t) // the same but for its stars: another word
		five.Stars = 5
		must(there.Rate(ctx, five))(t)
		rate(t, here, "me", 1, palate.Like, 2)
		rate(t, there, "me", 1, palate.Like, 2)
		ok(t, "ClearRating", there.ClearRating(ctx, "me", picture(1).ID))
		rate(t, there, "me", 2, palate.Like, 3)
		ok(t, "ClearRating", there.ClearRating(ctx, "me", picture(2).ID))
		must(there.UndoRating(ctx, "me", 0))(t)
		log := logOf(t, there, "me")
		equal(t, "merged", must(here.MergeRatings(ctx, log))(t), catalog.Merged{Added: 5, Known: 1})
		alike(t, "verdicts", must(here.StandingVerdicts(ctx, "me", nil))(t), map[palate.ImageID]palate.Verdict{picture(0).ID: palate.Like, picture(2).ID: palate.Like})
		equal(t, "stars", must(here.StandingRating(ctx, "me", picture(0).ID))(t).Stars, 5)
		equal(t, "merged again", must(here.MergeRatings(ctx, log))(t), catalog.Merged{Known: 6})
		undone := must(here.UndoRating(ctx, "me", 0))(t)
		equal(t, "the last word of the merged log", undone.Image, picture(2).ID)
	})
	t.Run("a picture that comes later brings its ratings", func(t *testing.T) {
		here, there := two(t)
		must(there.AddImage(ctx, picture(9), sourceOf(9), nil))(t)
		rate(t, there, "me", 9, palate.Like, 3)
		equal(t, "merged", must(here.MergeRatings(ctx, logOf(t, there, "me")))(t), catalog.Merged{Added: 1, Absent: 1})
		alike(t, "verdicts", must(here.StandingVerdicts(ctx, "me", nil))(t), map[palate.ImageID]palate.Verdict{})
		must(here.AddImage(ctx, picture(9), sourceOf(9), nil))(t)
		alike(t, "verdicts then", must(here.StandingVerdicts(ctx, "me", nil))(t), map[palate.ImageID]palate.Verdict{picture(9).ID: palate.Like})
	})
	t.Run("two ratings that are alike are two", func(t *testing.T) {
		here, there := two(t)
		for range 2 {
			rate(t, there, "me", 0, palate.Like, 3)
		}
		rate(t, here, "me", 0, palate.Like, 3)
		equal(t, "merged", must(here.MergeRatings(ctx, logOf(t, there, "me")))(t), catalog.Merged{Added: 1, Known: 1})
		equal(t, "log", len(logOf(t, here, "me")), 2)
	})
	t.Run("nonsense changes nothing", func(t *testing.T) {
		here, there := two(t)
		rate(t, there, "me", 0, palate.Like, 3)
		log := logOf(t, there, "me")
		undo := catalog.LogEntry{Rating: catalog.Rating{Entry: 5, Profile: "me", Image: picture(0).ID, At: at(4)}, Undoes: 3}
		_, err := here.MergeRatings(ctx, append(log, undo))
		wantKind(t, "an undo of nothing", err, palate.ErrInvalid)
		log[0].Verdict = "adore"
		_, err = here.MergeRatings(ctx, log)
		wantKind(t, "a verdict that is none", err, palate.ErrInvalid)
		equal(t, "log", len(logOf(t, here, "me")), 0)
	})
}

package taste_test

import (
	"bytes"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// A training learns from stars, from three of them too, which are neither a
// like nor a dislike; skips without stars teach nothing.
func TestATrainingLearnsFromStars(t *testing.T) {
	f := newCollection(t)
	ids := f.add(60)
	f.rate("me", ids[:40])
	f.rateAs("me", ids[40:50], palate.Skip)
	plain := f.train("me").Version
	grade := func(id palate.ImageID, stars palate.Stars) (entry int64) {
		r, err := f.catalog.Rate(t.Context(), catalog.Rating{Profile: "me", Image: id, Verdict: stars.Verdict(), Stars: stars, Shown: palate.ShownGallery})
		f.ok("Rate", err)
		return r.Entry
	}
	for i, id := range ids[:40] {
		grade(id, []palate.Stars{4, 2, 5, 1}[i%4])
	}
	graded := f.train("me")
	if r := graded.Report; bytes.Equal(graded.Version.Weights, plain.Weights) || r.Likes != 20 || r.Dislikes != 20 {
		t.Errorf("stars change nothing, or the count: %d likes and %d dislikes", r.Likes, r.Dislikes)
	}
	last := grade(ids[55], 3)
	between := f.train("me")
	if r := between.Report; bytes.Equal(between.Version.Weights, graded.Version.Weights) || r.Likes != 20 || r.Dislikes != 20 {
		t.Errorf("three stars change nothing, or the count: %d likes and %d dislikes", r.Likes, r.Dislikes)
	}
	if got := between.Version.LastEntry; got != last {
		t.Errorf("trained up to entry %d, want %d, which three stars are", got, last)
	}
}

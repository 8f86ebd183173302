package taste_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/taste"
	"github.com/palate-art/palate/probe"
)

// inAMoment learns one kind of probe from little.
func inAMoment(kind probe.Kind) func(*taste.Config) {
	return func(c *taste.Config) {
		c.Probe.Kind, c.Probe.Strengths, c.Probe.Folds, c.Probe.InnerFolds = kind, []float64{1}, 2, 2
	}
}

// A ranking of named images is the whole ranking without the others, for every
// kind of probe, provisionally too; asked again it is the same.
func TestRankAmongIsAPartOfTheWholeRanking(t *testing.T) {
	for _, kind := range []probe.Kind{nil, probe.Logistic, probe.KNN} { // nil has no probe yet
		f := newFixture(t, 120, inAMoment(kind))
		f.rate(t, "me", f.ids[:40]...)
		if kind != nil {
			f.train(t, "me")
		}
		whole, err := f.tastes.RankWhole(t.Context(), "me", taste.RankQuery{})
		must(t, err)
		for _, asked := range [][]palate.ImageID{f.ids, f.ids[30:90], f.ids[60:], append([]palate.ImageID{{9}}, f.ids[:3]...)} {
			got, err := f.tastes.RankAmong(t.Context(), "me", asked, taste.Pin{})
			must(t, err)
			var want []palate.ImageID
			for _, score := range whole.Scores {
				if slices.Contains(asked, score.Image) {
					want = append(want, score.Image)
				}
			}
			if ids := rankedIDs(got); len(ids) != len(want) || agreeing(ids, want) < len(want)*95/100 {
				t.Errorf("%v, of %d: got %v, want %v", kind, len(asked), ids, want)
			}
			if (got.Provisional != nil) != (kind == nil) || got.Version.Version != whole.Version.Version || got.Newer != 0 {
				t.Errorf("%v: got version %d, provisional %v, newer %d", kind, got.Version.Version, got.Provisional, got.Newer)
			}
		}
	}
}

// agreeing counts the places that two rankings have in common: products that
// are all but equal may be turned.
func agreeing(a, b []palate.ImageID) (n int) {
	for i := range a {
		if a[i] == b[i] {
			n++
		}
	}
	return n
}

// What ranks stays what it was though it was learned anew, and is told apart
// from what serves.
func TestRankAmongGoesOnByThePinnedVersion(t *testing.T) {
	f := newFixture(t, 60, inAMoment(probe.KNN))
	f.rate(t, "me", f.ids[:20]...)
	f.train(t, "me")
	before, err := f.tastes.RankAmong(t.Context(), "me", f.ids, taste.Pin{})
	must(t, err)
	f.rate(t, "me", f.ids[20:40]...)
	f.train(t, "me")
	for range 2 {
		now, err := f.tastes.RankAmong(t.Context(), "me", f.ids, taste.Pin{})
		must(t, err)
		pinned, err := f.tastes.RankAmong(t.Context(), "me", f.ids, taste.Pin{Version: before.Version.Version})
		must(t, err)
		if !slices.Equal(pinned.Scores, before.Scores) || slices.Equal(now.Scores, before.Scores) {
			t.Error("the pinned ranking is another, or the present one is the same")
		}
		if now.Version.Version == before.Version.Version || pinned.Newer != now.Version.Version {
			t.Errorf("got the newer version %d, want %d", pinned.Newer, now.Version.Version)
		}
	}
	if _, err := f.tastes.RankAmong(t.Context(), "me", f.ids, taste.Pin{Version: 99}); !errors.Is(err, taste.ErrProbeChanged) {
		t.Errorf("a version that is gone: got %v, want ErrProbeChanged", err)
	}
	if _, err := f.tastes.RankAmong(t.Context(), "nobody", f.ids, taste.Pin{}); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("without judgements: got %v, want ErrNotFound", err)
	}
}

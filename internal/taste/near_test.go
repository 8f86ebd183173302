package taste_test

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/taste"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/test/race"
)

// trainAs trains with a kind.
func (f *fixture) trainAs(t *testing.T, p palate.Profile, kind probe.Kind) taste.Outcome {
	t.Helper()
	config := taste.DefaultConfig().Probe
	config.Kind, config.Resamples = kind, 0
	outcome, err := f.tastes.TrainWith(t.Context(), p, config, false)
	must(t, err)
	return outcome
}

// crowd adds pictures of many styles beside the six; a third of the new
// styles is liked.
func (f *fixture) crowd(t *testing.T, pictures, styles int) {
	t.Helper()
	random := rand.New(rand.NewPCG(5, 5))
	centres := make([]palate.Embedding, styles)
	for s := range centres {
		centres[s] = unit(random, nil, 1)
	}
	for i := range pictures {
		style := i % styles
		said := 2
		if style%3 == 0 {
			said = 0
		}
		f.add(t, 100_000+i, said, unit(random, centres[style], .17))
	}
	f.follow(t)
}

// A taste that goes by neighbours ranks by the searches of the index nearly as
// if every image were scored.
func TestNeighboursAreServedAsIfAllWereScored(t *testing.T) {
	race.Long(t)
	f := newFixture(t, 60, nil)
	f.crowd(t, 1500, 60)
	const p = palate.Profile("anna")
	f.rate(t, p, f.ids[:200]...)
	for _, kind := range []probe.Kind{probe.KNN, probe.Blend} {
		outcome := f.trainAs(t, p, kind)
		if !outcome.Version.Current || outcome.Version.Learned.Linear() || outcome.Version.Learned.Settings.Kind != kind.Name() {
			t.Fatalf("%s: %+v", kind.Name(), outcome.Version.Learned.Settings)
		}
		for name, filter := range map[string]index.Filter{"all": {}, "unjudged": {NotJudgedBy: p}, "one artist": {Artists: []string{"artist 3"}}} {
			whole, err := f.tastes.RankWhole(t.Context(), p, taste.RankQuery{Filter: filter})
			must(t, err)
			found, err := f.tastes.Rank(t.Context(), p, taste.RankQuery{Filter: filter, Limit: 100})
			must(t, err)
			want := make(map[palate.ImageID]float64)
			for _, score := range whole.Scores[:100] {
				want[score.Image] = score.Probability
			}
			hits := 0
			for _, score := range found.Scores {
				if probability, there := want[score.Image]; there {
					hits++
					if math.Abs(score.Probability-probability) > 1e-6 {
						t.Fatalf("%s, %s: %v has a chance of %v, scored alone %v", kind.Name(), name, score.Image, score.Probability, probability)
					}
				}
			}
			if len(found.Scores) != 100 || hits < 99 {
				t.Errorf("%s, %s: %d of the best 100 among %d", kind.Name(), name, hits, len(found.Scores))
			}
		}
	}
}

// Where far more pictures are close to the likes than are scored at first, the
// best of them are found all the same.
func TestTheBestOfManyThatAreAlikeAreFound(t *testing.T) {
	race.Long(t)
	f := newFixture(t, 60, nil)
	f.crowd(t, 900, 2)
	f.tastes.ScoreFully(10)
	const p = palate.Profile("anna")
	f.rate(t, p, f.ids[60:92]...)
	for _, kind := range []probe.Kind{probe.KNN, probe.Blend} {
		f.trainAs(t, p, kind)
		whole, err := f.tastes.RankWhole(t.Context(), p, taste.RankQuery{})
		must(t, err)
		found, err := f.tastes.Rank(t.Context(), p, taste.RankQuery{Limit: 20})
		must(t, err)
		for i, score := range found.Scores {
			if want := whole.Scores[i]; math.Abs(score.Logit-want.Logit) > 1e-5 {
				t.Errorf("%s: number %d scores %.5f, want %.5f", kind.Name(), i+1, score.Logit, want.Logit)
			}
		}
	}
}

// deepIndex notes how deep searches go.
type deepIndex struct {
	index.Index
	deepest atomic.Int64
}

func (d *deepIndex) SearchBatch(ctx context.Context, queries []index.Query) ([][]index.Hit, error) {
	for _, q := range queries {
		d.deepest.Store(max(d.deepest.Load(), int64(q.Offset+q.Limit)))
	}
	return d.Index.SearchBatch(ctx, queries)
}

// Where few images are likely enough, no more is looked at than for a page: what
// was found and is not likely enough says that nothing else is.
func TestALeastChanceEndsTheSearch(t *testing.T) {
	race.Long(t)
	f := newFixture(t, 60, nil)
	f.crowd(t, 600, 2)
	const p, few, page = palate.Profile("anna"), 5, 50
	f.rate(t, p, f.ids[60:120]...)
	f.trainAs(t, p, probe.KNN)
	whole, err := f.tastes.RankWhole(t.Context(), p, taste.RankQuery{})
	must(t, err)
	deep := &deepIndex{Index: f.index}
	tastes, err := taste.New(f.catalog, deep, taste.DefaultConfig(), slog.New(slog.DiscardHandler))
	must(t, err)
	tastes.ScoreWholeUpTo(0)
	found, err := tastes.Rank(t.Context(), p, taste.RankQuery{Limit: page, MinProbability: &whole.Scores[few].Probability})
	must(t, err)
	if len(found.Scores) != few || found.Scores[0].Image != whole.Scores[0].Image {
		t.Errorf("got %d images that are likely enough, want %d", len(found.Scores), few)
	}
	if got := deep.deepest.Load(); got > 3*page {
		t.Errorf("searches went %d deep for a page of %d", got, page)
	}
}

// Pages, a least chance, single scores and the queue agree with each other.
func TestNeighboursPageByPage(t *testing.T) {
	f := newFixture(t, 300, nil)
	const p = palate.Profile("anna")
	f.rate(t, p, f.ids[:120]...)
	f.trainAs(t, p, probe.KNN)
	for _, whole := range []int{0, 1000} {
		f.tastes.ScoreWholeUpTo(whole)
		all, err := f.tastes.Rank(t.Context(), p, taste.RankQuery{Limit: 300})
		must(t, err)
		var paged []taste.Score
		var after *index.Hit
		for len(paged) < 300 {
			page, err := f.tastes.Rank(t.Context(), p, taste.RankQuery{Limit: 50, Offset: len(paged), After: after, Version: all.Version.Version})
			must(t, err)
			if len(page.Scores) == 0 {
				break
			}
			paged = append(paged, page.Scores...)
			last := paged[len(paged)-1]
			after = &index.Hit{ID: last.Image, Score: last.Product}
		}
		if !slices.Equal(paged, all.Scores) || len(paged) != 300 {
			t.Errorf("%d pictures page by page, %d at once", len(paged), len(all.Scores))
		}
		half := .5
		likely, err := f.tastes.Rank(t.Context(), p, taste.RankQuery{Limit: 300, MinProbability: &half})
		must(t, err)
		want := slices.IndexFunc(all.Scores, func(s taste.Score) bool { return s.Probability <= half })
		if len(likely.Scores) != want || want < 50 || want > 150 {
			t.Errorf("%d pictures are more likely liked than not, want %d", len(likely.Scores), want)
		}
		ids := []palate.ImageID{f.ids[3], f.ids[200]}
		single, version, err := f.tastes.ScoresOf(t.Context(), p, ids)
		must(t, err)
		for _, s := range all.Scores {
			if slices.Contains(ids, s.Image) && single[s.Image] != s || version.Version != 1 {
				t.Errorf("alone %+v, in the ranking %+v", single[s.Image], s)
			}
		}
		queue, err := f.tastes.Queue(t.Context(), p, 20)
		must(t, err)
		for _, choice := range queue.Choices {
			if slices.Contains(f.ids[:120], choice.ID) {
				t.Error("a judged picture is asked about")
			}
		}
		if len(queue.Choices) != 20 {
			t.Errorf("%d pictures to ask about", len(queue.Choices))
		}
	}
}

// A version knows its neighbours by their pictures: it is small, is the same
// after it was read again, goes on without those that were deleted, and is
// whole where it is exported.
func TestAStoredTasteOfNeighbours(t *testing.T) {
	f := newFixture(t, 200, nil)
	const p = palate.Profile("anna")
	f.rate(t, p, f.ids[:100]...)
	f.trainAs(t, p, probe.Blend)
	stored, err := f.catalog.ProbeVersion(t.Context(), p, 1)
	must(t, err)
	if most := 4096 + 30*100 + 4*dim; len(stored.Weights) > most {
		t.Errorf("a version of 100 neighbours takes %d bytes, want at most %d", len(stored.Weights), most)
	}
	before, _, err := f.tastes.ScoresOf(t.Context(), p, f.ids)
	must(t, err)
	exported, err := f.tastes.Export(t.Context(), p, 1)
	must(t, err)
	if len(exported) < 100*4*dim {
		t.Errorf("exported in %d bytes: without its neighbours", len(exported))
	}
	_, err = f.tastes.Import(t.Context(), "berta", exported)
	must(t, err)
	if _, err := f.tastes.Import(t.Context(), "berta", stored.Weights); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("without its neighbours: got %v, want ErrInvalid", err)
	}
	again := newTastes(t, f, nil)
	for who, same := range map[palate.Profile]*taste.Tastes{p: again, "berta": f.tastes} {
		scores, _, err := same.ScoresOf(t.Context(), who, f.ids)
		must(t, err)
		for id, score := range before {
			if scores[id] != score {
				t.Fatalf("%s: %v has %+v, want %+v", who, id, scores[id], score)
			}
		}
	}
	must(t, f.catalog.DeleteImage(t.Context(), f.ids[0], "a test"))
	f.follow(t)
	scores, _, err := newTastes(t, f, nil).ScoresOf(t.Context(), p, f.ids)
	must(t, err)
	if len(scores) != 199 {
		t.Errorf("%d scores after one of 200 pictures was deleted", len(scores))
	}
}

// Who chose a kind does not choose it again after every rating.
func TestLaterTrainingsKeepToTheKindThatWasAskedFor(t *testing.T) {
	f := newFixture(t, 120, nil)
	const p = palate.Profile("anna")
	f.rate(t, p, f.ids[:60]...)
	if asked := f.train(t, p).Version.Learned.Settings.Asked; asked != "auto" {
		t.Errorf("at first %q was asked for, want auto", asked)
	}
	for _, kind := range []probe.Kind{probe.Centroid, probe.Auto} {
		if outcome := f.trainAs(t, p, kind); !outcome.Version.Current {
			t.Fatalf("%s does not serve: %s", kind.Name(), outcome.Version.Reason)
		}
		if asked := f.train(t, p).Version.Learned.Settings.Asked; asked != kind.Name() {
			t.Errorf("after %s the next training asked for %q", kind.Name(), asked)
		}
	}
}

package taste_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/sketch"
	"github.com/palate-art/palate/internal/taste"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
	"github.com/palate-art/palate/test/copies"
)

func (f *fixture) current(t *testing.T, p palate.Profile) int {
	t.Helper()
	v, err := f.tastes.Current(t.Context(), p)
	must(t, err)
	return v.Version
}

func TestScoresFromTheIndexAreTheProbesOwn(t *testing.T) {
	f := newFixture(t, 150, nil)
	f.rate(t, "me", f.ids[:80]...)
	learned := f.train(t, "me").Version.Learned
	ranking, err := f.tastes.Rank(t.Context(), "me", taste.RankQuery{Limit: 150})
	must(t, err)
	if len(ranking.Scores) != 150 {
		t.Fatalf("%d scores, want 150", len(ranking.Scores))
	}
	for i, s := range ranking.Scores {
		want := learned.ScoreOf(s.Image, f.vector[s.Image])
		if math.Abs(s.Logit-want) > 1e-5 || math.Abs(s.Probability-learned.Probability(want)) > 1e-5 {
			t.Errorf("%v: %v and %v from the index, %v and %v by the probe", s.Image, s.Logit, s.Probability, want, learned.Probability(want))
		}
		if i > 0 && s.Logit > ranking.Scores[i-1].Logit {
			t.Errorf("place %d has %v after %v", i, s.Logit, ranking.Scores[i-1].Logit)
		}
	}
}

func TestTwiceTheRatingsTakeOver(t *testing.T) {
	f := newFixture(t, 240, nil)
	f.rate(t, "me", f.ids[:60]...)
	f.train(t, "me")
	f.rate(t, "me", f.ids[60:120]...)
	if o := f.train(t, "me"); !o.Version.Current || f.current(t, "me") != 2 {
		t.Errorf("version 2 does not serve: %s", o.Version.Reason)
	}
	run, err := f.catalog.RunByID(t.Context(), 2)
	must(t, err)
	var result struct {
		Data     string
		Model    palate.ModelID
		Settings probe.Settings
		Metrics  []judge.Metric
	}
	must(t, json.Unmarshal(run.Result, &result))
	if len(result.Data) != 64 || result.Model != model || result.Settings.Kind == "" || result.Settings.Asked != "auto" || len(result.Metrics) < 10 {
		t.Errorf("the run says %s", run.Result)
	}
}

func TestARollbackStaysUntilThereIsMoreToLearn(t *testing.T) {
	f := newFixture(t, 200, func(c *taste.Config) { c.RetrainAfter = 15 })
	f.rate(t, "me", f.ids[:40]...)
	f.train(t, "me")
	f.rate(t, "me", f.ids[40:80]...)
	f.train(t, "me")
	v, err := f.tastes.Rollback(t.Context(), "me", 1)
	must(t, err)
	if !v.Current || v.Version != 1 || f.current(t, "me") != 1 {
		t.Errorf("version %d serves, want 1", f.current(t, "me"))
	}
	versions := func() int {
		all, err := f.catalog.ListProbes(context.WithoutCancel(t.Context()), "me")
		must(t, err)
		return len(all)
	}
	f.rate(t, "me", f.ids[80:94]...) // 14: one too few
	if f.runUntil(t, func() bool { return versions() > 2 }, 150*time.Millisecond) {
		t.Fatal("a training began before there was more to learn")
	}
	f.rate(t, "me", f.ids[94])
	if !f.runUntil(t, func() bool { return versions() == 3 }, time.Minute) {
		t.Fatal("no training began after 15 new ratings")
	}
	if _, err := f.tastes.Rollback(t.Context(), "me", 9); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("to no version: got %v, want ErrNotFound", err)
	}
	lease, err := f.catalog.AcquireLease(t.Context(), "train-me")
	must(t, err)
	if _, err := f.tastes.Rollback(t.Context(), "me", 1); !errors.Is(err, palate.ErrConflict) {
		t.Errorf("while it is trained: got %v, want ErrConflict", err)
	}
	must(t, lease.Release())
}

func TestAnExportedProbeIsTheSameElsewhere(t *testing.T) {
	f := newFixture(t, 120, nil)
	f.rate(t, "me", f.ids[:60]...)
	learned := f.train(t, "me").Version.Learned
	exported, err := f.tastes.Export(t.Context(), "me", 1)
	must(t, err)
	imported, err := f.tastes.Import(t.Context(), "you", exported)
	must(t, err)
	if !imported.Current || imported.Version != 1 || !reflect.DeepEqual(imported.Learned.Weights, learned.Weights) {
		t.Errorf("imported as version %d, current %v", imported.Version, imported.Current)
	}
	for _, id := range f.ids[:5] {
		mine, _, err := f.tastes.ScoresOf(t.Context(), "me", []palate.ImageID{id})
		must(t, err)
		yours, _, err := f.tastes.ScoresOf(t.Context(), "you", []palate.ImageID{id})
		must(t, err)
		if mine[id] != yours[id] {
			t.Errorf("%v: %v and %v", id, mine[id], yours[id])
		}
	}
	stored, err := f.catalog.ProbeVersion(t.Context(), "you", 1)
	must(t, err)
	if _, err := taste.ReportOf(stored); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("the report of an imported probe: got %v, want ErrNotFound", err)
	}
	foreign := *learned
	foreign.Model = "another"
	b, err := foreign.MarshalBinary()
	must(t, err)
	if _, err := f.tastes.Import(t.Context(), "you", b); !errors.Is(err, palate.ErrConflict) {
		t.Errorf("of another model: got %v, want ErrConflict", err)
	}
	if _, err := f.tastes.Import(t.Context(), "you", exported[1:]); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("no probe: got %v, want ErrInvalid", err)
	}
	// The importer's own ratings are learned from when there are enough.
	f.rate(t, "you", f.ids[:40]...)
	if o := f.train(t, "you"); o.Version.Version != 2 {
		t.Errorf("trained as version %d, want 2", o.Version.Version)
	}
}

func TestMislabelsAreWhatStillStands(t *testing.T) {
	f := newFixture(t, 150, nil)
	if _, err := f.tastes.Mislabels(t.Context(), "me", 5); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("before the first training: got %v, want ErrNotFound", err)
	}
	f.rate(t, "me", f.ids[:90]...)
	wrong := f.ids[0]
	_, err := f.catalog.Rate(t.Context(), catalog.Rating{Profile: "me", Image: wrong, Verdict: palate.Dislike, Shown: palate.ShownGallery})
	must(t, err)
	f.train(t, "me")
	doubted, err := f.tastes.Mislabels(t.Context(), "me", 5)
	must(t, err)
	if len(doubted) == 0 || doubted[0].Image != wrong || doubted[0].Liked {
		t.Fatalf("doubted: %+v, want the one that was said wrongly first", doubted)
	}
	f.rate(t, "me", wrong) // as it is meant
	doubted, err = f.tastes.Mislabels(t.Context(), "me", 5)
	must(t, err)
	for _, m := range doubted {
		if m.Image == wrong {
			t.Error("a mistake that was mended is still doubted")
		}
	}
}

// Sketches are asked for by the training, not by the request that began it.
func TestSketchesKeepCopiesTogether(t *testing.T) {
	var f *fixture
	copyOf := make(map[palate.ImageID]palate.ImageID)
	f = newFixture(t, 70, func(c *taste.Config) {
		c.RetrainAfter = 0
		c.Sketch = func(ctx context.Context, id palate.ImageID) ([]byte, error) {
			if ctx.Err() != nil {
				return nil, errors.New("no picture")
			}
			if original, there := copyOf[id]; there {
				id = original
			}
			s, err := copies.Sketch(copies.Painting(binary.BigEndian.Uint64(id[8:]), sketch.Side, sketch.Side))
			return s[:], err
		}
	})
	random := rand.New(rand.NewPCG(5, 5))
	for i := range 10 { // copies whose embeddings lie elsewhere
		original := f.ids[i]
		copyOf[f.add(t, 1000+i, i%6, unit(random, f.vector[original], .3))] = original
	}
	f.follow(t)
	f.rate(t, "me", f.ids...)
	groups := func() int {
		t.Helper()
		request, done := context.WithCancel(t.Context())
		_, err := f.tastes.Enqueue(request, "me")
		must(t, err)
		done() // the request has its answer
		versions := func() []catalog.ProbeVersion {
			all, err := f.catalog.ListProbes(context.WithoutCancel(t.Context()), "me")
			must(t, err)
			return all
		}
		before := len(versions())
		if !f.runUntil(t, func() bool { return len(versions()) > before }, time.Minute) {
			t.Fatal("the training does not end")
		}
		summary, err := taste.SummaryOf(versions()[0])
		must(t, err)
		return summary.Groups
	}
	if with := groups(); with > 72 {
		t.Errorf("%d works of 70 pictures and 10 copies, want about 70", with)
	}
	// A picture that can't be read is no reason not to train.
	f.tastes = newTastes(t, f, func(c *taste.Config) {
		c.Sketch = func(context.Context, palate.ImageID) ([]byte, error) { return nil, errors.New("no picture") }
	})
	if without := groups(); without < 73 {
		t.Errorf("%d works without sketches: the embeddings alone tell them, and this test shows nothing", without)
	}
}

func TestTheReportIsBrokenDownByArtist(t *testing.T) {
	f := newFixture(t, 80, nil)
	f.rate(t, "me", f.ids[:60]...)
	if o := f.train(t, "me"); len(o.Report.Breakdowns) != 1 || o.Report.Breakdowns[0].By != "artist" {
		t.Errorf("breakdowns %+v, want one by artist: there is but one site", o.Report.Breakdowns)
	}
}

func TestProfilesAreRenamedDeletedAndCompared(t *testing.T) {
	f := newFixture(t, 160, nil)
	ctx := t.Context()
	f.rate(t, "a", f.ids[:60]...)
	f.rate(t, "b", f.ids[30:90]...)
	f.train(t, "a")
	l, err := f.tastes.Compare(ctx, "a", "b")
	must(t, err)
	if l.Both != 30 || l.Same != 30 || l.Kappa != 1 || l.Correlation != nil || l.FirstOnSecond == nil || *l.FirstOnSecond < .9 {
		t.Errorf("two that agree: %+v", l)
	}
	for _, id := range f.ids[:60] { // c likes what a dislikes
		opposite := palate.Like
		if f.verdict(id) == palate.Like {
			opposite = palate.Dislike
		}
		_, err := f.catalog.Rate(ctx, catalog.Rating{Profile: "c", Image: id, Verdict: opposite, Shown: palate.ShownGallery})
		must(t, err)
	}
	f.train(t, "c")
	if l, err = f.tastes.Compare(ctx, "a", "c"); err != nil || l.Same != 0 || l.Kappa >= 0 || l.Correlation == nil || *l.Correlation > -.8 || l.Images != 160 {
		t.Errorf("two that do not: %+v, %v", l, err)
	}
	if _, err := f.tastes.Compare(ctx, "a", "nobody"); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("with nobody: got %v, want ErrNotFound", err)
	}
	// What is remembered of a name goes with it.
	before, err := f.tastes.Current(ctx, "c")
	must(t, err)
	must(t, f.tastes.DeleteProfile(ctx, "c"))
	if _, err := f.tastes.Current(ctx, "c"); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("the probe of a deleted profile: got %v, want ErrNotFound", err)
	}
	must(t, f.tastes.RenameProfile(ctx, "a", "c"))
	after, err := f.tastes.Current(ctx, "c")
	must(t, err)
	if reflect.DeepEqual(after.Learned.Weights, before.Learned.Weights) {
		t.Error("the renamed profile has the probe of the deleted one")
	}
	lease, err := f.catalog.AcquireLease(ctx, "train-c")
	must(t, err)
	if err := f.tastes.DeleteProfile(ctx, "c"); !errors.Is(err, palate.ErrConflict) {
		t.Errorf("deleted while it is trained: got %v, want ErrConflict", err)
	}
	must(t, lease.Release())
}

func TestSkipsTeachNothingAndTheLatestRatingCounts(t *testing.T) {
	f := newFixture(t, 80, nil)
	f.rate(t, "me", f.ids[:50]...)
	skipped, changed := f.ids[7], f.ids[8]
	opposite := palate.Like
	if f.verdict(changed) == palate.Like {
		opposite = palate.Dislike
	}
	for id, verdict := range map[palate.ImageID]palate.Verdict{skipped: palate.Skip, changed: opposite} {
		_, err := f.catalog.Rate(t.Context(), catalog.Rating{Profile: "me", Image: id, Verdict: verdict, Shown: palate.ShownGallery})
		must(t, err)
	}
	report := f.train(t, "me").Report
	if report.Examples != 49 {
		t.Errorf("%d examples, want 49: fifty ratings, one of which is a skip now", report.Examples)
	}
	for _, p := range report.OutOfFold {
		switch p.Image {
		case skipped:
			t.Error("a skip was learned from")
		case changed:
			if p.Liked != (opposite == palate.Like) {
				t.Error("an earlier rating was learned from")
			}
		}
	}
}

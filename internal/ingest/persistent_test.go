package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/qdrant/qdranttest"
	"github.com/palate-art/palate/internal/ingest"
)

func TestAPersistentIndexIsFilledOnceAndFollowed(t *testing.T) {
	c := newCollection(t, 50)
	first := c.process(c.catalog)
	c.rate(3, "me", palate.Like)
	sent := upserts(c.server, nil)
	c.mustBeClean(first)
	if sent() != 50 {
		t.Errorf("%d points were sent, want 50", sent())
	}
	c.add(5)
	c.rate(3, "me", palate.Dislike)
	c.rate(4, "you", palate.Like)
	must(t, c.catalog.DeleteImage(t.Context(), c.ids[7], "not art"))
	c.mustBeClean(first)

	next := c.process(c.openCatalog()) // begins where the first stopped
	c.add(2)
	c.mustBeClean(next)
	if sent() != 57 {
		t.Errorf("%d points were sent in all, want each of 57 once", sent())
	}
	at, last, err := next.Progress(t.Context())
	if err != nil || at != last || at == 0 {
		t.Errorf("got change %d of %d, %v; want the last", at, last, err)
	}
}

func TestAnOutageStopsNothingAndIsCaughtUpWith(t *testing.T) {
	c := newCollection(t, 30)
	p := c.process(c.catalog)
	c.mustBeClean(p)
	c.server.Stop()
	c.add(20)
	c.rate(1, "me", palate.Like)
	c.rate(2, "new-profile", palate.Dislike)
	if _, err := p.CatchUp(t.Context()); !errors.Is(err, palate.ErrUnavailable) {
		t.Errorf("got %v, want %v", err, palate.ErrUnavailable)
	}
	if err := p.Nudge(t.Context()); err != nil {
		t.Errorf("somebody who waits hears of the outage again: %v", err)
	}
	must(t, c.server.Start(c.server.Address()))
	for deadline := time.Now().Add(20 * time.Second); ; {
		if _, err := p.CatchUp(t.Context()); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	c.mustBeClean(p)
}

func TestRunFollowsThroughAnOutage(t *testing.T) {
	c := newCollection(t, 10)
	p := c.process(c.catalog)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- p.Run(ctx, 5*time.Millisecond) }()
	reaches := func(points int) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); len(c.server.IDs(alias)) != points; {
			if time.Now().After(deadline) {
				t.Fatalf("the index has %d points, want %d", len(c.server.IDs(alias)), points)
			}
		}
	}
	reaches(10)
	c.server.Stop()
	c.add(5)
	must(t, c.server.Start(c.server.Address()))
	reaches(15)
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestASlowServerKeepsNobodyWaiting(t *testing.T) {
	c := newCollection(t, 10)
	p := c.process(c.catalog)
	c.mustBeClean(p)
	c.rate(1, "me", palate.Like)
	c.server.Break(qdranttest.Fault{Delay: time.Hour})
	begun := time.Now()
	if err := p.Nudge(t.Context()); err == nil {
		t.Error("got no error from an index that does not answer")
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("waited %v, want about a second", took)
	}
	begun = time.Now()
	must(t, p.Nudge(t.Context()))
	if took := time.Since(begun); took > 500*time.Millisecond {
		t.Errorf("waited %v for an index that just did not answer", took)
	}
	c.server.Heal()
	c.mustBeClean(p)
}

func TestAServerThatLostItsDiskIsFilledAgain(t *testing.T) {
	c := newCollection(t, 20)
	c.mustBeClean(c.process(c.catalog))
	c.server.Wipe()
	next := c.process(c.catalog)
	if _, err := next.Search(t.Context(), index.Query{Vector: embedding(0), Limit: 1}); !errors.Is(err, palate.ErrUnavailable) {
		t.Errorf("a search while nothing is there: got %v, want %v", err, palate.ErrUnavailable)
	}
	c.mustBeClean(next)
}

func TestAnotherCatalogsPointsAreLeftAlone(t *testing.T) {
	mine, theirs := newCollection(t, 5), newCollection(t, 9)
	theirs.server = mine.server
	mine.mustBeClean(mine.process(mine.catalog))
	intruder := theirs.process(theirs.catalog)
	if _, err := intruder.CatchUp(t.Context()); !errors.Is(err, palate.ErrConflict) || !strings.Contains(err.Error(), "palate reindex") {
		t.Errorf("got %v, want a conflict and what to do", err)
	}
	mine.mustBeClean(mine.process(mine.catalog))
	must(t, intruder.Rebuild(t.Context(), ingest.Rebuilding{})) // on demand
	theirs.mustBeClean(intruder)
}

func TestAnEmptyCatalogHasAnEmptyIndex(t *testing.T) {
	c := newCollection(t, 0)
	c.mustBeClean(c.process(c.catalog))
	generation := c.server.Aliases()[alias]
	c.mustBeClean(c.process(c.catalog))
	if got := c.server.Aliases()[alias]; got != generation || got == "" {
		t.Errorf("got generation %q after %q, want the same", got, generation)
	}
	c.add(3)
	c.mustBeClean(c.process(c.catalog))
}

func TestTwoProcessesDoNotChangeTheIndexAtOnce(t *testing.T) {
	c := newCollection(t, 10)
	here, there := c.process(c.catalog), c.process(c.openCatalog())
	c.mustBeClean(here)
	other := make(chan error, 1)
	var once sync.Once
	upserts(c.server, func() {
		once.Do(func() { _, err := there.CatchUp(context.Background()); other <- err })
	})
	c.add(1)
	_, err := here.CatchUp(t.Context())
	must(t, err)
	if err := <-other; !errors.Is(err, ingest.ErrFollowed) || !errors.Is(err, palate.ErrConflict) {
		t.Errorf("the second process: got %v, want %v", err, ingest.ErrFollowed)
	}
	c.mustBeClean(there)
}

func TestWhatChangesDuringARebuildIsInIt(t *testing.T) {
	c := newCollection(t, 30)
	p := c.process(c.catalog)
	c.mustBeClean(p)
	var once sync.Once
	upserts(c.server, func() {
		once.Do(func() {
			c.add(4)
			c.rate(2, "me", palate.Like)
			must(t, c.catalog.DeleteImage(t.Context(), c.ids[1], "gone"))
			if err := p.Nudge(context.Background()); err != nil {
				t.Errorf("somebody waits for the rebuild: %v", err)
			}
		})
	})
	var told []int
	must(t, p.Rebuild(t.Context(), ingest.Rebuilding{Loaded: func(done, total int) { told = append(told, done, total) }}))
	at, last, err := p.Progress(t.Context())
	if err != nil || at != last {
		t.Errorf("after the rebuild: got change %d of %d, %v", at, last, err)
	}
	c.mustBeClean(p)
	if !slices.Equal(told, []int{30, 30}) {
		t.Errorf("told %v, want 30 of 30", told)
	}
}

func TestChangesThatTheCatalogForgotMeanANewIndex(t *testing.T) {
	c := newCollection(t, 10)
	p := c.process(c.catalog)
	c.mustBeClean(p)
	before := c.server.Aliases()[alias]
	must(t, c.catalog.DeleteImage(t.Context(), c.ids[3], "gone"))
	c.add(1)
	must(t, c.catalog.CompactChanges(t.Context(), math.MaxInt64))
	c.mustBeClean(p)
	if c.server.Aliases()[alias] == before {
		t.Error("the index is the one from before")
	}
}

// Ratings count in the next search, whether the index has seen them or not.
func TestRecentRatingsCountAtOnce(t *testing.T) {
	c := newCollection(t, 12)
	p := c.process(c.catalog)
	c.rate(0, "me", palate.Like)
	c.rate(1, "me", palate.Dislike)
	c.mustBeClean(p)
	count := func(f index.Filter) int {
		t.Helper()
		n, err := p.Count(t.Context(), f)
		must(t, err)
		return n
	}
	c.rate(2, "me", palate.Like)
	c.rate(1, "me", palate.Like)
	c.rate(3, "you", palate.Like)
	must(t, c.catalog.ClearRating(t.Context(), "me", c.ids[0]))
	for range 2 { // before the index has seen them, and after
		for _, tt := range []struct {
			filter index.Filter
			want   int
		}{{index.Filter{JudgedBy: "me"}, 2}, {index.Filter{NotJudgedBy: "me"}, 10}, {index.Filter{LikedBy: "me"}, 2}, {index.Filter{DislikedBy: "me"}, 0}, {index.Filter{LikedBy: "you"}, 1}} {
			if got := count(tt.filter); got != tt.want {
				t.Errorf("%+v: got %d, want %d", tt.filter, got, tt.want)
			}
		}
		c.mustBeClean(p)
	}
	if recent, err := p.Recent(t.Context(), "me"); err != nil || len(recent) > 0 {
		t.Errorf("the index has seen everything: got %v, %v", recent, err)
	}
}

func TestVerifyFindsEveryDifference(t *testing.T) {
	ctx := t.Context()
	c := newCollection(t, 25)
	p := c.process(c.catalog)
	c.mustBeClean(p)
	foreign := palate.ImageID{6: 0x80, 8: 0x80, 15: 1}
	must(t, p.Delete(ctx, []palate.ImageID{c.ids[3], c.ids[20]}))
	must(t, p.Upsert(ctx, []index.Point{{ID: foreign, Embedding: embedding(1)}}))
	if !c.server.Damage(alias, c.ids[5]) {
		t.Fatal("the point to damage is not there")
	}
	must(t, p.Judge(ctx, []index.Judgement{{ID: c.ids[6], Profile: "me", Verdict: palate.Like}}))
	must(t, p.SetAttributes(ctx, map[palate.ImageID]index.Attributes{c.ids[7]: {}}))
	got, err := ingest.Verify(ctx, c.catalog, p.Index, 1000, nil)
	must(t, err)
	lists := [][]palate.ImageID{got.MissingImages, got.ForeignImages, got.DamagedImages, got.OutdatedImages}
	for i, want := range [][]palate.ImageID{{c.ids[3], c.ids[20]}, {foreign}, {c.ids[5]}, {c.ids[6], c.ids[7]}} {
		if !slices.Equal(sorted(lists[i]), sorted(want)) {
			t.Errorf("list %d: got %v, want %v", i, lists[i], want)
		}
	}
	got.MissingImages, got.ForeignImages, got.DamagedImages, got.OutdatedImages = nil, nil, nil, nil
	if want := (ingest.Verification{Embeddings: 25, Points: 24, Missing: 2, Foreign: 1, Checked: 23, Damaged: 1, Outdated: 2}); fmt.Sprint(got) != fmt.Sprint(want) || got.Clean() {
		t.Errorf("got %+v, want %+v", got, want)
	}
	must(t, p.Rebuild(ctx, ingest.Rebuilding{}))
	c.mustBeClean(p)
}

func sorted(ids []palate.ImageID) []palate.ImageID {
	return slices.SortedFunc(slices.Values(ids), func(a, b palate.ImageID) int { return slices.Compare(a[:], b[:]) })
}

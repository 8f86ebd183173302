package taste_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/taste"
)

// start runs the training in the background until the returned function is
// called.
func start(t *testing.T, tastes *taste.Tastes) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- tastes.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: got %v, want the error of its context", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// waitForVersion waits until a version of the profile serves.
func (f *collection) waitForVersion(p palate.Profile, version int) catalog.ProbeVersion {
	f.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		current, err := f.catalog.CurrentProbe(f.t.Context(), p, collectionModel)
		if err == nil && current.Version >= version {
			return current
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("no version %d of %s after a minute: %+v, %v", version, p, current, err)
		}
	}
}

func TestTrainingStartsByItselfAfterEnoughNewRatings(t *testing.T) {
	f := newCollection(t)
	ids := f.add(100)
	config := quick()
	config.RetrainAfter = 10
	start(t, f.over(f.again(), config)) // as palate serve does, beside the process that rates
	f.rate("me", ids[:10])
	f.waitForVersion("me", 1)
	// Profiles are looked at in the order of names: where the last one was
	// trained, the ones before had not enough to be.
	f.rate("me", ids[10:19])                // 9 new ones
	f.rateAs("me", ids[20:60], palate.Skip) // which teach nothing
	f.rateAs("one-sided", ids, palate.Like) // which can't be learned from
	f.rate("you", ids[:10])
	f.waitForVersion("you", 1)
	f.wantVersions("me", 1, 1)
	f.wantVersions("one-sided", 0, 0)

	f.rateAs("me", ids[19:20], palate.Dislike) // the tenth
	current := f.waitForVersion("me", 2)
	if log, err := f.catalog.RatingLog(t.Context(), "me", current.LastEntry, 10); err != nil || len(log) != 0 {
		t.Errorf("got %d entries that the probe does not know of and %v, want none", len(log), err)
	}
	// As soon as both kinds are there, it begins, however long one was alone.
	f.rateAs("one-sided", ids[:5], palate.Dislike)
	f.waitForVersion("one-sided", 1)
	// Ratings that are undone are news as well.
	for range 10 {
		_, err := f.catalog.UndoRating(t.Context(), "me", 0)
		f.ok("UndoRating", err)
	}
	f.waitForVersion("me", 3)
}

// A probe that did not take over is not trained again and again.
func TestOneAttemptIsMadeOfTheSameRatings(t *testing.T) {
	f := newCollection(t)
	old, since := f.add(400), f.add(60)
	f.rate("me", old)
	f.train("me")
	for _, id := range old {
		f.ok("DeleteImage", f.catalog.DeleteImage(t.Context(), id, "lost"))
	}
	f.rate("me", since)
	config := quick()
	config.RetrainAfter = 20
	start(t, f.over(f.catalog, config))
	attempts := func() int {
		probes, err := f.catalog.ListProbes(t.Context(), "me")
		f.ok("ListProbes", err)
		return len(probes)
	}
	for deadline := time.Now().Add(time.Minute); attempts() < 2 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
	}
	f.rate("you", since) // "you" is looked at after "me"
	f.waitForVersion("you", 1)
	f.wantVersions("me", 2, 1)
}

func TestWhoeverTrainsHoldsTheLease(t *testing.T) {
	f := newCollection(t)
	f.rate("me", f.add(60))
	f.train("me")
	others := f.over(f.again(), quick())
	training, err := f.tastes.Begin(t.Context(), "me")
	f.ok("Begin", err)
	for _, tastes := range []*taste.Tastes{f.tastes, others} {
		if _, err := tastes.Train(t.Context(), "me"); !errors.Is(err, palate.ErrConflict) {
			t.Errorf("beside a training: got %v, want ErrConflict", err)
		}
		if _, err := tastes.Enqueue(t.Context(), "me"); !errors.Is(err, palate.ErrConflict) {
			t.Errorf("to wait beside a training: got %v, want ErrConflict", err)
		}
	}
	// Meanwhile people go on: they rank by the old probe and rate.
	f.rate("me", f.add(10))
	if ranking, err := others.Rank(t.Context(), "me", taste.RankQuery{Limit: 10}); err != nil || ranking.Version.Version != 1 {
		t.Errorf("a ranking meanwhile: got version %d and %v, want 1", ranking.Version.Version, err)
	}
	outcome, err := training.Finish(t.Context())
	if err != nil || outcome.Report.Examples != 60 {
		t.Errorf("got %+v and %v, want what was rated when it began", outcome.Report, err)
	}
	// At once, each trains or is told, and every version is a whole one.
	var wait sync.WaitGroup
	var mu sync.Mutex
	trained := 0
	for n := range 8 {
		wait.Go(func() {
			_, err := []*taste.Tastes{f.tastes, others}[n%2].Train(t.Context(), "me")
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				trained++
			} else if !errors.Is(err, palate.ErrConflict) {
				t.Errorf("at once with others: got %v, want none or ErrConflict", err)
			}
		})
	}
	wait.Wait()
	if trained == 0 {
		t.Error("none of eight trained")
	}
	f.wantVersions("me", 2+trained, 2+trained)
}

func TestACancelledTrainingLeavesNothingHalfMade(t *testing.T) {
	f := newCollection(t)
	f.rate("me", f.add(60))
	ctx, cancel := context.WithCancel(t.Context())
	training, err := f.tastes.Begin(ctx, "me")
	f.ok("Begin", err)
	cancel()
	if _, err := training.Finish(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
	f.wantVersions("me", 0, 0)
	if run := f.runs()[0]; run.State != catalog.Cancelled {
		t.Errorf("got the run %+v, want it cancelled", run)
	}
	training, err = f.tastes.Begin(t.Context(), "me")
	f.ok("Begin, with the lease given back", err)
	f.ok("Cancel", training.Cancel(t.Context(), "no longer wanted"))
	if run := f.runs()[0]; run.State != catalog.Cancelled || run.Error != "no longer wanted" {
		t.Errorf("got the run %+v, want it cancelled with the reason", run)
	}
	if outcome := f.train("me"); outcome.Version.Version != 1 {
		t.Errorf("got version %d, want 1: what was cancelled has no number", outcome.Version.Version)
	}
}

func TestTrainingsWaitForTheirTurn(t *testing.T) {
	f := newCollection(t)
	ids := f.add(20)
	const waiting = 16
	var runs []catalog.Run
	for n := range waiting {
		p := palate.Profile(fmt.Sprint("person-", n))
		f.rate(p, ids)
		run, err := f.tastes.Enqueue(t.Context(), p)
		f.ok("Enqueue", err)
		if run.State != catalog.Running || run.Profile != p {
			t.Errorf("got %+v, want a run that can be asked about", run)
		}
		runs = append(runs, run)
	}
	f.rate("late", ids)
	_, err := f.tastes.Enqueue(t.Context(), "late")
	if !errors.Is(err, palate.ErrUnavailable) || !strings.Contains(err.Error(), "16 trainings are waiting") {
		t.Errorf("one more: got %v, want ErrUnavailable that says why", err)
	}
	stop := start(t, f.tastes)
	for n := range waiting {
		f.waitForVersion(palate.Profile(fmt.Sprint("person-", n)), 1)
	}
	f.waitForState(runs[waiting-1].ID, catalog.Succeeded)
	if run, err := f.tastes.Enqueue(t.Context(), "late"); err != nil {
		t.Errorf("later: %v", err)
	} else {
		f.waitForState(run.ID, catalog.Succeeded)
	}
	stop()

	// Who stops serving gives up what waits, and says so.
	run, err := f.tastes.Enqueue(t.Context(), "late")
	f.ok("Enqueue", err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.tastes.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Run: got %v, want the error of its context", err)
	}
	f.waitForState(run.ID, catalog.Cancelled)
	if _, err := f.tastes.Train(t.Context(), "late"); err != nil {
		t.Errorf("after that: got %v, want the lease", err)
	}
}

func (f *collection) waitForState(id int64, want catalog.RunState) {
	f.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		run, err := f.catalog.RunByID(f.t.Context(), id)
		if err == nil && run.State == want {
			return
		}
		if run.State != catalog.Running || time.Now().After(deadline) {
			f.t.Fatalf("got the run %+v and %v, want it %s", run, err, want)
		}
	}
}

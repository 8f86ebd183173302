package catalogtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

func testRuns(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, catalog.Catalog, func() catalog.Catalog){
		"a run from start to end":            runToEnd,
		"runs are listed newest first":       listRuns,
		"bad runs are refused":               badRuns,
		"a run lives as long as its lease":   deadRuns,
		"a closed catalog's runs are dead":   runsOfAClosedCatalog,
		"a run is asked to stop":             cancelledRun,
		"what happens to a run is a change":  runChanges,
		"what a run lost is kept":            lossesKept,
		"what a run lost is bounded":         lossesBounded,
		"dead runs are dead to all who look": deadToAll,
		"the log of a run is kept":           logKept,
		"the log of a run is bounded":        logBounded,
		"waiting ends with the next change":  waiting,
		"waiting ends with its context":      waitingInVain,
		"a released lease is not a lost one": releasedLease,
	})
}

// start starts a run that is given up with the test.
func start(t *testing.T, c catalog.Catalog, kind string) (catalog.Run, catalog.Lease) {
	t.Helper()
	run, lease, err := c.StartRun(t.Context(), kind, "")
	ok(t, "StartRun", err)
	return run, lease
}

func runToEnd(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	other := again()
	run, lease, err := c.StartRun(ctx, "train", "me")
	ok(t, "StartRun", err)
	if run.ID < 1 || run.State != catalog.Running || run.Kind != "train" || run.Profile != "me" || run.StartedAt.IsZero() || !run.FinishedAt.IsZero() {
		t.Errorf("StartRun: got %+v", run)
	}
	if got := must(other.RunByID(ctx, run.ID))(t); !reflect.DeepEqual(got, run) {
		t.Errorf("RunByID: got %+v, want %+v", got, run)
	}
	ok(t, "UpdateRun", c.UpdateRun(ctx, run.ID, 4, 10, json.RawMessage(`{"loss":0.5}`)))
	ok(t, "UpdateRun", c.UpdateRun(ctx, run.ID, 5, 10, nil))
	got := must(other.RunByID(ctx, run.ID))(t)
	if got.Done != 5 || got.Total != 10 || string(got.Progress) != `{"loss":0.5}` || got.UpdatedAt.Before(run.UpdatedAt) {
		t.Errorf("updated: got %+v", got)
	}
	ok(t, "FinishRun", c.FinishRun(ctx, run.ID, catalog.Succeeded, json.RawMessage(`{"kept":3}`), "all well"))
	ok(t, "Release", lease.Release())
	got = must(other.RunByID(ctx, run.ID))(t)
	if got.State != catalog.Succeeded || !bytes.Equal(got.Result, []byte(`{"kept":3}`)) || got.Error != "all well" || got.FinishedAt.IsZero() || got.Done != 5 {
		t.Errorf("finished: got %+v", got)
	}
	wantKind(t, "second FinishRun", c.FinishRun(ctx, run.ID, catalog.Failed, nil, ""), palate.ErrConflict)
	wantKind(t, "UpdateRun after the end", c.UpdateRun(ctx, run.ID, 6, 10, nil), palate.ErrConflict)
	wantKind(t, "CancelRun after the end", c.CancelRun(ctx, run.ID), palate.ErrConflict)
	equal(t, "dead", must(other.EndDeadRuns(ctx))(t), 0)
	if after := must(c.RunByID(ctx, run.ID))(t); !reflect.DeepEqual(after, got) {
		t.Errorf("refused calls changed it: got %+v, want %+v", after, got)
	}
}

func listRuns(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	var ids []int64
	for _, kind := range []string{"crawl", "import", "embed", "train", "reindex"} {
		run, _ := start(t, c, kind)
		ids = append(ids, run.ID)
	}
	list := func(before int64, limit int) (got []int64) {
		for _, run := range must(c.ListRuns(t.Context(), before, limit))(t) {
			got = append(got, run.ID)
		}
		return got
	}
	equalList(t, "first page", list(0, 2), []int64{ids[4], ids[3]})
	equalList(t, "second page", list(ids[3], 2), []int64{ids[2], ids[1]})
	equalList(t, "last page", list(ids[1], 2), []int64{ids[0]})
	equal(t, "runs on all pages", must(c.CountRuns(t.Context()))(t), len(list(0, 100)))
	_, err := c.ListRuns(t.Context(), 0, 0)
	wantKind(t, "no limit", err, palate.ErrInvalid)
}

func badRuns(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	_, _, err := c.StartRun(ctx, "", "me")
	wantKind(t, "no kind", err, palate.ErrInvalid)
	_, _, err = c.StartRun(ctx, "train", "Not A Profile")
	wantKind(t, "bad profile", err, palate.ErrInvalid)
	_, err = c.RunByID(ctx, 99)
	wantKind(t, "RunByID", err, palate.ErrNotFound)
	wantKind(t, "UpdateRun", c.UpdateRun(ctx, 99, 0, 0, nil), palate.ErrNotFound)
	wantKind(t, "CancelRun", c.CancelRun(ctx, 99), palate.ErrNotFound)
	wantKind(t, "FinishRun", c.FinishRun(ctx, 99, catalog.Failed, nil, ""), palate.ErrNotFound)
	run, _ := start(t, c, "train")
	wantKind(t, "negative", c.UpdateRun(ctx, run.ID, -1, 0, nil), palate.ErrInvalid)
	wantKind(t, "no JSON of progress", c.UpdateRun(ctx, run.ID, 1, 0, json.RawMessage("{")), palate.ErrInvalid)
	wantKind(t, "no end", c.FinishRun(ctx, run.ID, catalog.Running, nil, ""), palate.ErrInvalid)
	wantKind(t, "no JSON", c.FinishRun(ctx, run.ID, catalog.Failed, json.RawMessage("{"), ""), palate.ErrInvalid)
	equal(t, "state", must(c.RunByID(ctx, run.ID))(t).State, catalog.Running)
}

// A run that says nothing for however long lives while its lease is held, and
// one that has just spoken is dead without it.
func deadRuns(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	other := again()
	silent, _ := start(t, c, "import")
	beside, _ := start(t, other, "import")
	dead, lease := start(t, c, "crawl")
	ok(t, "UpdateRun", c.UpdateRun(ctx, dead.ID, 1, 2, nil))
	for what, looks := range map[string]catalog.Catalog{"its own catalog": c, "another": other} {
		equal(t, "ended by "+what, must(looks.EndDeadRuns(ctx))(t), 0)
	}
	ok(t, "Release", lease.Release())
	equal(t, "ended", must(other.EndDeadRuns(ctx))(t), 1)
	got := must(c.RunByID(ctx, dead.ID))(t)
	if got.State != catalog.Failed || strings.TrimSpace(got.Error) == "" || got.FinishedAt.IsZero() || got.Done != 1 {
		t.Errorf("got %+v, want failed with a reason", got)
	}
	for _, id := range []int64{silent.ID, beside.ID} {
		equal(t, "one that lives", must(other.RunByID(ctx, id))(t).State, catalog.Running)
	}
	equal(t, "again", must(c.EndDeadRuns(ctx))(t), 0)
	wantKind(t, "the dead one speaks", c.UpdateRun(ctx, dead.ID, 1, 1, nil), palate.ErrConflict)
}

func runsOfAClosedCatalog(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	run, _ := start(t, c, "crawl")
	ok(t, "Close", c.Close())
	other := again()
	equal(t, "ended", must(other.EndDeadRuns(t.Context()))(t), 1)
	equal(t, "state", must(other.RunByID(t.Context(), run.ID))(t).State, catalog.Failed)
}

func cancelledRun(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	run, _ := start(t, c, "crawl")
	equal(t, "asked at first", run.CancelAsked, false)
	ok(t, "CancelRun", again().CancelRun(ctx, run.ID))
	ok(t, "CancelRun again", c.CancelRun(ctx, run.ID))
	got := must(c.RunByID(ctx, run.ID))(t)
	if !got.CancelAsked || got.State != catalog.Running {
		t.Errorf("got %+v, want that it runs and is asked to stop", got)
	}
	ok(t, "FinishRun", c.FinishRun(ctx, run.ID, catalog.Cancelled, nil, ""))
	equal(t, "state", must(c.RunByID(ctx, run.ID))(t).State, catalog.Cancelled)
}

func runChanges(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	run, lease := start(t, c, "crawl")
	ok(t, "UpdateRun", c.UpdateRun(ctx, run.ID, 1, 2, nil))
	ok(t, "CancelRun", c.CancelRun(ctx, run.ID))
	ok(t, "FinishRun", c.FinishRun(ctx, run.ID, catalog.Cancelled, nil, ""))
	ok(t, "Release", lease.Release())
	_, lease = start(t, c, "crawl")
	ok(t, "Release", lease.Release())
	equal(t, "ended", must(c.EndDeadRuns(ctx))(t), 1)
	unchanged(t, c, "nothing dead", func() { must(c.EndDeadRuns(ctx))(t) })
	var runs []int64
	for _, change := range must(c.ChangesAfter(ctx, 0, 100))(t) {
		if change.Kind != catalog.RunChanged || !change.Image.IsZero() || change.Profile != "" || change.Model != "" {
			t.Errorf("got %+v", change)
		}
		runs = append(runs, change.Run)
	}
	equalList(t, "runs", runs, []int64{1, 1, 1, 1, 2, 2})
}

// A change counts from whichever handle it comes, and one that came before the
// call as well.
func waiting(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	other := again()
	fill(t, c, 2)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	last := must(c.LastChange(ctx))(t)
	equal(t, "at once", must(other.Wait(ctx, last-1))(t), last)
	for _, writer := range []catalog.Catalog{c, other} {
		told := make(chan uint64, 1)
		go func() {
			number, err := c.Wait(ctx, last)
			if err != nil {
				t.Errorf("Wait: %v", err)
			}
			told <- number
		}()
		_, lease := start(t, writer, "crawl")
		defer func() { ok(t, "Release", lease.Release()) }()
		number := <-told
		if number <= last {
			t.Errorf("got %d, want more than %d", number, last)
		}
		last = number
	}
}

func waitingInVain(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Wait(ctx, 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the context's error", err)
	}
}

func releasedLease(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	lease := must(c.AcquireLease(t.Context(), "train"))(t)
	_, ofRun := start(t, c, "train")
	for _, l := range []catalog.Lease{lease, ofRun} {
		lost := l.Lost()
		ok(t, "Release", l.Release())
		select {
		case <-lost:
			t.Error("a lease that was released says that it was lost")
		default:
		}
	}
}

// Several look for dead runs at the same moment, as a list of jobs and a stream of
// events do: to none of them the run is still alive.
func deadToAll(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	for range 20 {
		run, lease := start(t, c, "crawl")
		ok(t, "Release", lease.Release())
		var looking sync.WaitGroup
		for range 4 {
			looking.Go(func() {
				if _, err := c.EndDeadRuns(ctx); err != nil {
					t.Errorf("EndDeadRuns: %v", err)
				}
				if now, err := c.RunByID(ctx, run.ID); err != nil || now.State != catalog.Failed {
					t.Errorf("after the look the run is %s, %v; want that it failed", now.State, err)
				}
			})
		}
		looking.Wait()
	}
}

package catalogtest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/catalog"
)

// sharedCrawl lets two runs, of two handles as of two processes, work on one
// crawl: no task is given out twice, and what a run that ends had claimed goes
// to the other.
func sharedCrawl(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	other := again()
	run, lease, err := c.StartRun(ctx, "crawl", "")
	ok(t, "StartRun", err)
	defer lease.Release()
	otherRun, otherLease, err := other.StartRun(ctx, "crawl", "")
	ok(t, "StartRun", err)
	one, two := c.SharedFrontier(run.ID), other.SharedFrontier(otherRun.ID)
	claim := func(f crawler.Frontier, limit int, want ...string) []crawler.Task {
		t.Helper()
		tasks, _, err := f.NextTasks(ctx, "museum", limit)
		ok(t, "NextTasks", err)
		if got := urls(tasks); !slices.Equal(got, want) {
			t.Fatalf("claimed %q, want %q", got, want)
		}
		return tasks
	}
	var seeds []crawler.Task
	for n := range 5 {
		seeds = append(seeds, pic(fmt.Sprint("u", n)))
	}
	first := must(one.BeginCrawl(ctx, "museum", seeds))(t)
	joined := must(two.BeginCrawl(ctx, "museum", seeds))(t)
	if first.Resumed || !joined.Resumed || joined.Round != 1 || joined.Pending != 5 {
		t.Errorf("got %+v and %+v, want one round that the second joins", first, joined)
	}
	mine := claim(one, 2, "u0", "u1")
	theirs := claim(two, 2, "u2", "u3")
	claim(one, 5, "u4")
	wantKind(t, "ForgetCrawl at work", c.ForgetCrawl(ctx, "museum"), palate.ErrConflict)

	// All is claimed: who has nothing to do looks again soon.
	tasks, wait, err := two.NextTasks(ctx, "museum", 5)
	if err != nil || len(tasks) != 0 || wait <= 0 || wait > time.Second {
		t.Errorf("got %v, wait %v, %v, want a short wait", urls(tasks), wait, err)
	}
	// What one finds, the other may take; what it gives back too.
	must(one.FinishTask(ctx, "museum", mine[0], crawler.Outcome{State: crawler.Kept}, []crawler.Task{pic("v")}))(t)
	claim(two, 1, "v")
	ok(t, "PostponeTask", one.PostponeTask(ctx, "museum", mine[1], time.Time{}))
	claim(two, 1, "u1")
	must(two.FinishTask(ctx, "museum", theirs[0], crawler.Outcome{State: crawler.Lost, Reason: "x"}, nil))(t)

	// The end of a run gives back what it had.
	ok(t, "FinishRun", other.FinishRun(ctx, otherRun.ID, catalog.Failed, nil, "killed"))
	ok(t, "Release", otherLease.Release())
	_, _, err = two.NextTasks(ctx, "museum", 5)
	wantKind(t, "NextTasks of a run that has ended", err, palate.ErrConflict)
	for _, task := range claim(one, 9, "u1", "u3", "v") {
		must(one.FinishTask(ctx, "museum", task, crawler.Outcome{State: crawler.Kept}, nil))(t)
	}
	_, wait, err = one.NextTasks(ctx, "museum", 5)
	if err != nil || wait != 0 {
		t.Errorf("wait %v, %v, want none, as nobody else is at work", wait, err)
	}
	p := must(one.CrawlProgress(ctx, "museum"))(t)
	equal(t, "kept", p.Kept, 4)
	equal(t, "pending", p.Pending, 1) // u4, which the first run has still
}

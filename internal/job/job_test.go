package job_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/job"
)

// twice opens one catalog as two processes would.
func twice(t *testing.T) (c, other *sqlite.Catalog) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "catalog.db")
	return open(t, path), open(t, path)
}

func open(t *testing.T, path string) *sqlite.Catalog {
	t.Helper()
	c, err := sqlite.Open(t.Context(), path, sqlite.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func runOf(t *testing.T, c catalog.Runs, id int64) catalog.Run {
	t.Helper()
	run, err := c.RunByID(t.Context(), id)
	must(t, err)
	return run
}

func TestAJobEndsAsItsWorkWent(t *testing.T) {
	broken := errors.New("the disk is full")
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for name, tc := range map[string]struct {
		ctx     context.Context
		result  any
		err     error
		state   catalog.RunState
		stored  string
		message string
	}{
		"well":                {t.Context(), map[string]int{"kept": 3}, nil, catalog.Succeeded, `{"kept":3}`, ""},
		"badly":               {t.Context(), nil, broken, catalog.Failed, "", broken.Error()},
		"badly with a result": {t.Context(), map[string]int{"kept": 1}, broken, catalog.Failed, `{"kept":1}`, broken.Error()},
		"no JSON":             {t.Context(), func() {}, nil, catalog.Succeeded, "", ""},
		"interrupted":         {stopped, nil, nil, catalog.Cancelled, "", context.Canceled.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			c, other := twice(t)
			j, err := job.Begin(t.Context(), c, job.Import, "me")
			must(t, err)
			err = j.Do(tc.ctx, func(ctx context.Context) (any, error) {
				j.Progress(ctx, 7, 9)
				return tc.result, tc.err
			})
			if tc.err != nil && !errors.Is(err, tc.err) {
				t.Errorf("got %v, want %v", err, tc.err)
			}
			run := runOf(t, other, j.Run.ID)
			if run.State != tc.state || string(run.Result) != tc.stored || run.Error != tc.message || run.Kind != "import" || run.Profile != "me" {
				t.Errorf("got %+v with the result %s", run, run.Result)
			}
			if want := int64(7); name != "interrupted" && run.Done != want {
				t.Errorf("done is %d, want %d", run.Done, want)
			}
			if ended, err := other.EndDeadRuns(t.Context()); ended != 0 || err != nil {
				t.Errorf("%d runs were left as dead, %v", ended, err)
			}
		})
	}
}

// Progress moves while the work goes on, without a write for every step.
func TestProgressIsSeenFromElsewhere(t *testing.T) {
	c, other := twice(t)
	_, err := job.Do(t.Context(), c, job.Import, "", func(ctx context.Context, j *job.Job) (int, error) {
		begun, err := c.LastChange(ctx)
		must(t, err)
		const steps = 2000
		for n := range steps {
			j.Progress(ctx, int64(n+1), steps)
		}
		if run := runOf(t, other, j.Run.ID); run.Done == 0 || run.Total != steps {
			t.Errorf("under way: got %d of %d", run.Done, run.Total)
		}
		last, err := c.LastChange(ctx)
		if err != nil || last-begun > steps/10 {
			t.Errorf("%d changes for %d steps, %v", last-begun, steps, err)
		}
		return 0, nil
	})
	must(t, err)
	if run := runOf(t, other, 1); run.Done != 2000 {
		t.Errorf("at the end: got %d", run.Done)
	}
}

func TestAJobOfAnotherProcessIsCancelled(t *testing.T) {
	c, other := twice(t)
	_, err := job.Do(t.Context(), c, job.Crawl, "", func(ctx context.Context, j *job.Job) (int, error) {
		must(t, other.CancelRun(ctx, j.Run.ID))
		select {
		case <-ctx.Done():
			return 5, ctx.Err()
		case <-time.After(time.Minute):
			return 0, errors.New("nobody stopped it")
		}
	})
	if !errors.Is(err, job.ErrCancelled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
	if run := runOf(t, other, 1); run.State != catalog.Cancelled || string(run.Result) != "5" || run.Error == "" {
		t.Errorf("got %+v", run)
	}
}

func TestAJobThatWaitsIsCancelledBeforeItBegins(t *testing.T) {
	c, other := twice(t)
	j, err := job.Begin(t.Context(), c, job.Train, "me")
	must(t, err)
	must(t, other.CancelRun(t.Context(), j.Run.ID))
	err = j.Do(t.Context(), func(context.Context) (any, error) { t.Error("it worked all the same"); return nil, nil })
	if !errors.Is(err, job.ErrCancelled) || runOf(t, other, j.Run.ID).State != catalog.Cancelled {
		t.Errorf("got %v and %+v", err, runOf(t, other, j.Run.ID))
	}
}

// Two imports side by side live; what a dead process left is ended by the next
// job that begins.
func TestOnlyTheDeadAreEnded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	c, other, dying := open(t, path), open(t, path), open(t, path)
	left, err := job.Begin(t.Context(), dying, job.Crawl, "")
	must(t, err)
	must(t, dying.Close()) // as the end of its process does
	_, err = job.Do(t.Context(), c, job.Import, "", func(ctx context.Context, first *job.Job) (int, error) {
		if run := runOf(t, other, left.Run.ID); run.State != catalog.Failed || run.Error == "" {
			t.Errorf("what was left: got %+v", run)
		}
		return job.Do(ctx, other, job.Import, "", func(ctx context.Context, second *job.Job) (int, error) {
			third, err := job.Begin(ctx, c, job.Embed, "")
			must(t, err)
			for _, id := range []int64{first.Run.ID, second.Run.ID, third.Run.ID} {
				if run := runOf(t, c, id); run.State != catalog.Running {
					t.Errorf("run %d is %s, want that it runs", id, run.State)
				}
			}
			return 0, third.End(ctx, catalog.Cancelled, nil, errors.New("enough"))
		})
	})
	must(t, err)
}

func TestAJobStopsWhenItsLeaseIsLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	c, other := open(t, path), open(t, path)
	_, err := job.Do(t.Context(), c, job.Embed, "", func(ctx context.Context, j *job.Job) (int, error) {
		locks, err := filepath.Glob(filepath.Join(filepath.Dir(path), "leases", "run-*.lock"))
		if err != nil || len(locks) != 1 {
			return 0, fmt.Errorf("found %v, %v; want the lock", locks, err)
		}
		must(t, os.Remove(locks[0]))
		if ended, err := other.EndDeadRuns(ctx); ended != 1 || err != nil {
			t.Errorf("ended %d, %v; want 1", ended, err)
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(time.Minute):
			return 0, errors.New("nobody stopped it")
		}
	})
	if !errors.Is(err, job.ErrLeaseLost) && !errors.Is(err, job.ErrCancelled) || !errors.Is(err, palate.ErrConflict) {
		t.Errorf("got %v, want that the job was taken for dead", err)
	}
	if run := runOf(t, other, 1); run.State != catalog.Failed || !strings.Contains(run.Error, "process") {
		t.Errorf("got %+v", run)
	}
}

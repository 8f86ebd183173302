package flat_test

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/flat"
)

func sqrt(x float64) float64 { return math.Sqrt(x) }

func isInvalid(err error) bool { return errors.Is(err, palate.ErrInvalid) }

// searchers run a look several times each, at once.
func searchers(t *testing.T, goroutines, times int, look func(g, n int) error) {
	t.Helper()
	var wait sync.WaitGroup
	for g := range goroutines {
		wait.Go(func() {
			for n := range times {
				if err := look(g, n); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
}

// giveUp searches and cancels meanwhile. The answer may still come.
func giveUp(t *testing.T, ix *flat.Index, q index.Query, n int) error {
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for range n * 1000 {
			_ = ctx.Err()
		}
		cancel()
	}()
	_, err := ix.Search(ctx, q)
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// TestWaitingSearchesShareAPass lets searches come while a scan is under way:
// one pass over memory answers all of them, but one that has been cancelled.
func TestWaitingSearchesShareAPass(t *testing.T) {
	const dim, n, queries = 4, flat.AloneBytes/64 + 1000, 6
	ix := open(t, model, dim, flat.DefaultConfig())
	r := random(8)
	ok(t, ix.Upsert(t.Context(), points(r, 0, n, dim)))
	ask, want := make([]index.Query, queries), make([][]index.Hit, queries)
	var err error
	for i := range ask {
		ask[i] = index.Query{Vector: spread(r, dim), Limit: 5}
		want[i], err = ix.Search(t.Context(), ask[i])
		ok(t, err)
	}
	before := ix.Stats().Passes
	waiting, release := ix.HoldScans()
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	for i := range ask {
		wait.Go(func() {
			if i == 0 {
				if _, err := ix.Search(ctx, ask[i]); !errors.Is(err, context.Canceled) {
					t.Errorf("the cancelled search ends with %v", err)
				}
				return
			}
			got, err := ix.Search(t.Context(), ask[i])
			if err != nil || !slices.Equal(got, want[i]) {
				t.Errorf("query %d in a shared pass: %v, %v, alone: %v", i, got, err, want[i])
			}
		})
	}
	for waiting() < queries {
		runtime.Gosched()
	}
	cancel()
	release()
	wait.Wait()
	if passes := ix.Stats().Passes - before; passes != 1 {
		t.Errorf("%d searches that waited took %d passes over memory, want 1", queries, passes)
	}
}

// TestABatchSharesPasses lets a batch answer as searches one by one do, in as few
// passes over memory as its searches fill.
func TestABatchSharesPasses(t *testing.T) {
	const dim, n, queries = 4, flat.AloneBytes/64 + 1000, 40
	ix := open(t, model, dim, flat.DefaultConfig())
	r := random(9)
	ok(t, ix.Upsert(t.Context(), points(r, 0, n, dim)))
	ask, want := make([]index.Query, queries), make([][]index.Hit, queries)
	var err error
	for i := range ask {
		ask[i] = index.Query{Vector: spread(r, dim), Limit: 5, Offset: i % 3}
		want[i], err = ix.Search(t.Context(), ask[i])
		ok(t, err)
	}
	before := ix.Stats().Passes
	got, err := ix.SearchBatch(t.Context(), ask)
	ok(t, err)
	if !slices.EqualFunc(got, want, func(a, b []index.Hit) bool { return slices.Equal(a, b) }) {
		t.Errorf("together: got %v, one by one %v", got, want)
	}
	if passes := ix.Stats().Passes - before; passes != 2 {
		t.Errorf("%d searches took %d passes over memory, want 2", queries, passes)
	}
	_, release := ix.HoldScans()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ix.SearchBatch(ctx, ask); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled batch that waits: got %v", err)
	}
	release()
}

// TestRewritingBesideSearches replaces points by the same again until rows are
// written anew, several times, in memory and to a file. Whatever view a search
// has, alone or sharing a scan with others, its answer is the same.
func TestRewritingBesideSearches(t *testing.T) {
	const dim, n, queries, batch = 4, flat.AloneBytes/64 + 1000, 8, 8000 // codes of 64 bytes
	for _, path := range []string{"", filepath.Join(t.TempDir(), "x.flat")} {
		config := flat.DefaultConfig()
		config.Path = path
		ix := open(t, model, dim, config)
		all := points(random(5), 0, n, dim)
		ok(t, ix.Upsert(t.Context(), all))
		ix.SetPosition(1)
		ask, want := make([]index.Query, queries), make([][]index.Hit, queries)
		r := random(6)
		var err error
		for i := range ask {
			ask[i] = index.Query{Vector: spread(r, dim), Limit: 20}
			if i%2 == 1 {
				ask[i].Filter.YearFrom = 1825
			}
			want[i], err = ix.Search(t.Context(), ask[i])
			ok(t, err)
		}
		var rewritten atomic.Int64
		var done atomic.Bool
		var writer sync.WaitGroup
		writer.Go(func() {
			defer done.Store(true)
			for from, last := 0, 0; from < n; from += batch {
				if err := ix.Upsert(t.Context(), all[from:min(n, from+batch)]); err != nil {
					t.Error(err)
					return
				}
				dead := ix.Stats().Dead
				if dead < last {
					rewritten.Add(1)
				}
				last = dead
			}
		})
		var wait sync.WaitGroup
		for g := range 4 {
			wait.Go(func() {
				for i := g; !done.Load() && !t.Failed(); i++ {
					got, err := ix.Search(t.Context(), ask[i%queries])
					if err != nil || !slices.Equal(got, want[i%queries]) {
						t.Errorf("query %d while rows are written anew: %v, %v, want %v", i%queries, got, err, want[i%queries])
					}
				}
			})
		}
		wait.Wait()
		writer.Wait()
		if rewritten.Load() < 2 {
			t.Errorf("path %q: rows were written anew %d times, want several", path, rewritten.Load())
		}
	}
}

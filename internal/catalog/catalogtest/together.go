package catalogtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/catalog"
)

func testTogether(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, catalog.Catalog, func() catalog.Catalog){
		"changes are seen in order without gaps": followWriters,
		"tasks are claimed by one goroutine":     claimTogether,
		"one of many wins a lease":               leaseTogether,
		"one of many undoes an entry":            undoTogether,
		"probe versions have no gaps":            probesTogether,
	})
}

// inParallel runs f n times at once and reports their errors.
func inParallel(t *testing.T, n int, f func(n int) error) {
	t.Helper()
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			if err := f(i); err != nil {
				t.Errorf("goroutine %d: %v", i, err)
			}
		})
	}
	group.Wait()
}

// followWriters reads through one handle what several goroutines write
// through two others: no number may appear below one that was seen.
func followWriters(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	const writers, each = 4, 25
	handles := []catalog.Catalog{c, again()}
	reader := again()
	ok(t, "PutModel", c.PutModel(ctx, catalog.Model{ID: "m", Dim: 1}))
	var done atomic.Bool
	var seen []catalog.Change
	var group sync.WaitGroup
	group.Go(func() {
		var after uint64
		for {
			last := done.Load() // before reading: what was written by then must be found
			got, err := reader.ChangesAfter(ctx, after, 7)
			if err != nil {
				t.Errorf("ChangesAfter: %v", err)
				return
			}
			for _, change := range got {
				after = change.Number
			}
			seen = append(seen, got...)
			if last && len(got) == 0 {
				return
			}
		}
	})
	inParallel(t, writers, func(w int) error {
		c := handles[w%len(handles)]
		for n := range each {
			image := picture(w*each + n)
			_, added := c.AddImage(ctx, image, sourceOf(n), nil)
			_, rated := c.Rate(ctx, catalog.Rating{Profile: "me", Image: image.ID, Verdict: palate.Like, Shown: palate.ShownAPI})
			embedded := c.PutEmbeddings(ctx, "m", []catalog.ImageEmbedding{{ID: image.ID, Embedding: palate.Embedding{1}}})
			if err := errors.Join(added, rated, embedded); err != nil {
				return err
			}
		}
		return nil
	})
	done.Store(true)
	group.Wait()
	all := must(c.ChangesAfter(ctx, 0, 10_000))(t)
	equal(t, "changes", len(all), writers*each*3)
	equalList(t, "followed", seen, all)
}

func claimTogether(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	const tasks = 60
	var seeds []crawler.Task
	for n := range tasks {
		seeds = append(seeds, pic(fmt.Sprint(n)))
	}
	begin(t, c, "museum", seeds...)
	var mu sync.Mutex
	var claimed []string
	inParallel(t, 6, func(int) error {
		for {
			got, _, err := c.NextTasks(ctx, "museum", 3)
			if err != nil || len(got) == 0 {
				return err
			}
			for _, task := range got {
				if _, err := c.FinishTask(ctx, "museum", task, crawler.Outcome{State: crawler.Kept}, nil); err != nil {
					return err
				}
			}
			mu.Lock()
			claimed = append(claimed, urls(got)...)
			mu.Unlock()
		}
	})
	slices.Sort(claimed)
	equal(t, "claims", len(claimed), tasks)
	equal(t, "different claims", len(slices.Compact(claimed)), tasks)
	equal(t, "kept", must(c.CrawlProgress(ctx, "museum"))(t).Kept, tasks)
}

func leaseTogether(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	handles := []catalog.Catalog{c, again()}
	var winners atomic.Int32
	inParallel(t, 8, func(n int) error {
		_, err := handles[n%2].AcquireLease(context.WithoutCancel(t.Context()), "train")
		if err == nil {
			winners.Add(1)
		} else if !errors.Is(err, palate.ErrConflict) {
			return err
		}
		return nil
	})
	equal(t, "winners", winners.Load(), 1)
}

func undoTogether(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	handles := []catalog.Catalog{c, again()}
	entry := rate(t, c, "me", fill(t, c, 1)[0], palate.Like).Entry
	var winners atomic.Int32
	inParallel(t, 6, func(n int) error {
		_, err := handles[n%2].UndoRating(t.Context(), "me", entry)
		if err == nil {
			winners.Add(1)
		} else if !errors.Is(err, palate.ErrConflict) {
			return err
		}
		return nil
	})
	equal(t, "winners", winners.Load(), 1)
	equal(t, "log", len(must(c.RatingLog(t.Context(), "me", 0, 10))(t)), 2)
}

func probesTogether(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	handles := []catalog.Catalog{c, again()}
	inParallel(t, 8, func(n int) error {
		_, err := handles[n%2].AddProbe(t.Context(), probeOf("me", "m", true))
		return err
	})
	wantCurrent(t, c, "me", "m", 8)
	equal(t, "versions", len(must(c.ListProbes(t.Context(), "me"))(t)), 8)
}

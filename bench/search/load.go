package main

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/flat"
)

// clients search for a while, each one query after the other.
func clients(ctx context.Context, n int, long time.Duration, c *collection, ix *flat.Index, q index.Query) (Load, []time.Duration, error) {
	var wait sync.WaitGroup
	took, errs := make([][]time.Duration, n), make([]error, n)
	before := ix.Stats()
	begin := time.Now()
	for client := range n {
		wait.Go(func() {
			mine := q
			for i := client; time.Since(begin) < long && ctx.Err() == nil; i++ {
				mine.Vector = c.queries[i%len(c.queries)]
				at := time.Now()
				if _, errs[client] = ix.Search(ctx, mine); errs[client] != nil {
					return
				}
				took[client] = append(took[client], time.Since(at))
			}
		})
	}
	wait.Wait()
	seconds := time.Since(begin).Seconds()
	all := slices.Concat(took...)
	load := Load{Clients: n, QueriesPerSecond: float64(len(all)) / seconds, P50: percentile(all, .5), P99: percentile(all, .99)}
	after := ix.Stats()
	if passes := after.Passes - before.Passes; passes > 0 {
		load.SearchesPerPass = float64(after.Searches-before.Searches) / float64(passes)
	}
	for _, err := range errs {
		if err != nil {
			return load, nil, err
		}
	}
	return load, all, ctx.Err()
}

// insertEvery is how often points are inserted: as ingest's batches come.
const insertEvery = 50 * time.Millisecond

// beside lets clients search while new points come, and a few go, at a steady
// rate.
func beside(ctx context.Context, o options, c *collection, ix *flat.Index, q index.Query) (MixedLoad, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var inserted int
	var failed error
	var wait sync.WaitGroup
	begin := time.Now()
	wait.Go(func() {
		r := rand.New(rand.NewPCG(o.seed, 7))
		tick := time.NewTicker(insertEvery)
		defer tick.Stop()
		for next := c.points(); ctx.Err() == nil && failed == nil; {
			due := int(time.Since(begin).Seconds()*float64(o.inserts)) - inserted
			points := make([]index.Point, max(0, due))
			for i := range points {
				v := make([]float32, c.dim)
				c.drawInto(r, v)
				points[i] = index.Point{ID: id(next), Embedding: v, Attributes: index.Attributes{Licences: []string{"CC0"}}}
				next++
			}
			if failed = ix.Upsert(ctx, points); failed == nil {
				inserted += len(points)
				failed = ix.Delete(ctx, []palate.ImageID{id(r.IntN(c.points()))})
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	})
	load, took, err := clients(ctx, o.clients, o.mixed, c, ix, q)
	seconds := time.Since(begin).Seconds()
	stop()
	wait.Wait()
	if err == nil && failed != nil && inserted == 0 {
		err = failed
	}
	load.Name = "beside inserts"
	mixed := MixedLoad{Load: load, InsertsPerSecond: float64(inserted) / seconds}
	if len(took) > 0 {
		mixed.Worst = float64(slices.Max(took).Microseconds()) / 1000
	}
	return mixed, err
}

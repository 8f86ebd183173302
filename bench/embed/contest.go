package main

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"
)

// contestant is a thing that is measured: run does it once.
type contestant struct {
	name string
	run  func(ctx context.Context) error
	// work is how many multiplications and additions one run is, 0 where
	// that is no measure.
	work    float64
	workers int // runs at once
	rates   []float64
}

func newContestant(name string, work float64, run func(ctx context.Context) error) *contestant {
	return &contestant{name: name, run: run, work: work, workers: runtime.GOMAXPROCS(0)}
}

// measure notes runs a second, over a window and at least one run of each
// worker. The rates of the workers are added, so none waits for another.
func (c *contestant) measure(ctx context.Context, window time.Duration) (float64, error) {
	rates, errs := make([]float64, c.workers), make([]error, c.workers)
	var group sync.WaitGroup
	for w := range c.workers {
		group.Go(func() {
			start := time.Now()
			for n := 1.; ; n++ {
				if errs[w] = c.run(ctx); errs[w] != nil {
					return
				}
				if took := time.Since(start); took >= window {
					rates[w] = n / took.Seconds()
					return
				}
			}
		})
	}
	group.Wait()
	rate := 0.
	for w := range rates {
		if errs[w] != nil {
			return 0, errs[w]
		}
		rate += rates[w]
	}
	return rate, nil
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}

// ratios divides round by round.
func ratios(a, b []float64) []float64 {
	out := make([]float64, min(len(a), len(b)))
	for i := range out {
		out[i] = a[i] / b[i]
	}
	return out
}

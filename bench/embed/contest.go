package main

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
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
	rates   []rate
}

func newContestant(name string, work float64, run func(ctx context.Context) error) *contestant {
	return &contestant{name: name, run: run, work: work, workers: runtime.GOMAXPROCS(0)}
}

// rate is how often a thing was done in a second.
type rate struct {
	wall float64 // by the clock
	// cpu is per second that each of the workers had of a processor: what
	// the clock would say if nothing else ran on the machine. Ratios are of
	// these.
	cpu float64
}

// stopwatch measures by the clock and by the processors.
type stopwatch struct {
	start time.Time
	used  time.Duration
	known bool
}

func newStopwatch() stopwatch {
	used, known := cpuTime()
	return stopwatch{time.Now(), used, known}
}

// rate is of n things that workers did since the start.
func (s stopwatch) rate(n, workers int) rate {
	wall := time.Since(s.start).Seconds()
	r := rate{wall: float64(n) / wall, cpu: float64(n) / wall}
	if used, _ := cpuTime(); s.known && used > s.used {
		r.cpu = float64(n*workers) / (used - s.used).Seconds()
	}
	return r
}

// measure runs a thing for a window and at least once by each worker.
func (c *contestant) measure(ctx context.Context, window time.Duration) (rate, error) {
	return c.measureWith(ctx, window, c.workers)
}

func (c *contestant) measureWith(ctx context.Context, window time.Duration, workers int) (rate, error) {
	var done atomic.Int64
	errs := make([]error, workers)
	var group sync.WaitGroup
	watch := newStopwatch()
	for w := range workers {
		group.Go(func() {
			for {
				if errs[w] = c.run(ctx); errs[w] != nil {
					return
				}
				done.Add(1)
				if time.Since(watch.start) >= window {
					return
				}
			}
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return rate{}, err
		}
	}
	return watch.rate(int(done.Load()), workers), nil
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

func walls(rates []rate) []float64 {
	out := make([]float64, len(rates))
	for i, r := range rates {
		out[i] = r.wall
	}
	return out
}

func cpus(rates []rate) []float64 {
	out := make([]float64, len(rates))
	for i, r := range rates {
		out[i] = r.cpu
	}
	return out
}

// ratios divides round by round.
func ratios(a, b []float64) []float64 {
	out := make([]float64, min(len(a), len(b)))
	for i := range out {
		out[i] = a[i] / b[i]
	}
	return out
}

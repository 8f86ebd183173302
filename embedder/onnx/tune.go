package onnx

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/ort"
)

const (
	// untunedBatch bounds a run where nobody has asked Pipeline yet.
	untunedBatch = 8
	// maxTunedBatch is where doubling ends: on the largest cards small models
	// have long stopped gaining.
	maxTunedBatch = 512
	// tuneGain is by how much a doubled batch must be faster to pay.
	tuneGain = 1.05
	// tuneRuns are timed at each size, by each of the runs in flight.
	tuneRuns = 3
	// inFlight is how many batches a device gets at once, so that one is
	// copied while another is computed.
	inFlight = 2
)

// Pipeline says how many pictures to work on at once: on the CPU one for each
// core that this process may use, one at a time in a run; on other devices
// two batches, whose size is doubled here, once, until that stops paying or
// memory runs out, if Config left it open.
func (e *Embedder) Pipeline(ctx context.Context) (embedder.PipelineConfig, error) {
	c := embedder.DefaultPipelineConfig()
	if e.device.Kind == ort.DeviceCPU {
		return c, nil
	}
	if err := e.findBatch(ctx); err != nil {
		return c, fmt.Errorf("find the batch size of %s: %w", e.description.Name, err)
	}
	c.EmbedWorkers = inFlight
	c.BatchSize = e.batch.get()
	c.PrepareWorkers = runtime.GOMAXPROCS(0)
	c.Window = max(c.Window, 2*inFlight*c.BatchSize)
	if e.description.Fit == embedder.FitWhole {
		c.Window *= 2 // there must be enough of each shape
	}
	return c, nil
}

// findBatch sets the batch limit, the first time that it succeeds.
func (e *Embedder) findBatch(ctx context.Context) error {
	e.tuning.Lock()
	defer e.tuning.Unlock()
	if !e.findSize || e.fixedBatch > 0 {
		return nil
	}
	best, bestRate := 1, 0.0
	for size := 1; size <= maxTunedBatch; size *= 2 {
		rate, err := e.rate(ctx, size)
		if errors.Is(err, ort.ErrOutOfMemory) && size > 1 {
			break
		}
		if err != nil {
			return err
		}
		if rate < bestRate*tuneGain {
			break
		}
		best, bestRate = size, rate
	}
	e.batch.set(best)
	e.findSize = false
	return nil
}

// rate is pictures a second in batches of a size, as many in flight as the
// pipeline has.
func (e *Embedder) rate(ctx context.Context, size int) (float64, error) {
	in := e.description.Input
	batch := make([]embedder.Input, size)
	for i := range batch {
		batch[i] = embedder.Input{Channels: 3, Height: in.Height, Width: in.Width, Pixels: make([]float32, 3*in.Height*in.Width)}
	}
	runs := func(n int) error {
		var group sync.WaitGroup
		errs := make([]error, inFlight)
		for i := range errs {
			group.Go(func() {
				for range n {
					if _, errs[i] = e.run(ctx, batch, e.description.Output.Name); errs[i] != nil {
						return
					}
				}
			})
		}
		group.Wait()
		return errors.Join(errs...)
	}
	if err := runs(1); err != nil { // the first allocates and chooses algorithms
		return 0, err
	}
	start := time.Now()
	if err := runs(tuneRuns); err != nil {
		return 0, err
	}
	return float64(inFlight*tuneRuns*size) / time.Since(start).Seconds(), nil
}

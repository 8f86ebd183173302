package onnx

import (
	"errors"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/ort"
)

// Config says how a model is run. It is no part of the model's fingerprint.
type Config struct {
	// Device is what computes; the zero value is the CPU. One that is named
	// and can't be had is an error; DeviceAuto takes the best that there is.
	Device Device
	// IntraOpThreads is the number of threads that share one run, 0 for one
	// per core. 1 is fastest when as many Embeds run at once as there are
	// cores; more shorten one picture's wait alone.
	IntraOpThreads int
	// MaxBatch bounds the pictures of one run: longer Embeds are cut. 0 is
	// one on the CPU, where more bring nothing, and on other devices what
	// Pipeline finds to pay. A model whose batch size is fixed runs at that
	// size.
	MaxBatch int
}

// DefaultConfig is the CPU, one thread a run, batches as they pay.
func DefaultConfig() Config {
	return Config{Device: ort.Device{Kind: ort.DeviceCPU}, IntraOpThreads: 1}
}

// Validate reports everything that is wrong with c, as ErrInvalid.
func (c Config) Validate() error {
	var problems []error
	if c.MaxBatch < 0 {
		problems = append(problems, fmt.Errorf("max batch %d, want at least 1, or 0 for what pays", c.MaxBatch))
	}
	if c.IntraOpThreads < 0 {
		problems = append(problems, fmt.Errorf("%d threads", c.IntraOpThreads))
	}
	if err := c.Device.Validate(); err != nil {
		problems = append(problems, err)
	}
	if len(problems) > 0 {
		return fmt.Errorf("onnx embedder configuration: %w: %w", palate.ErrInvalid, errors.Join(problems...))
	}
	return nil
}

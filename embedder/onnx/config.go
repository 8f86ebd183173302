package onnx

import (
	"errors"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/ort"
)

// Config says how a model is run. It is no part of the model's fingerprint.
type Config struct {
	// Device is what computes; the zero value is the CPU.
	Device ort.Device
	// IntraOpThreads is the number of threads that share one run, 0 for one
	// per core. 1 is fastest when as many Embeds run at once as there are
	// cores; more shorten one picture's wait alone.
	IntraOpThreads int
	// MaxBatch bounds the pictures of one run: longer Embeds are cut. A
	// model whose batch size is fixed runs at that size.
	MaxBatch int
}

// DefaultConfig is the CPU, one thread a run, eight pictures at most.
func DefaultConfig() Config {
	return Config{Device: ort.Device{Kind: ort.DeviceCPU}, IntraOpThreads: 1, MaxBatch: 8}
}

// Validate reports everything that is wrong with c, as ErrInvalid.
func (c Config) Validate() error {
	var problems []error
	if c.MaxBatch < 1 {
		problems = append(problems, fmt.Errorf("max batch %d, want at least 1", c.MaxBatch))
	}
	if err := c.session().Validate(); err != nil {
		problems = append(problems, err)
	}
	if len(problems) > 0 {
		return fmt.Errorf("onnx embedder configuration: %w: %w", palate.ErrInvalid, errors.Join(problems...))
	}
	return nil
}

func (c Config) session() ort.SessionConfig {
	return ort.SessionConfig{IntraOpThreads: c.IntraOpThreads, Device: c.Device}
}

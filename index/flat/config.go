package flat

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/palate-art/palate"
)

// Config says how an index works.
type Config struct {
	// Path is the side file; its folder must exist. Empty keeps everything
	// in memory.
	Path string
	// Workers is how many goroutines share one scan; 0 is as many as run
	// at once.
	Workers int
	// PureGo uses loops in Go instead of C: slower, with the same answers.
	PureGo bool
	// Logger is told of a side file that can't be read or written.
	Logger *slog.Logger
}

// DefaultConfig keeps everything in memory and uses all processors.
func DefaultConfig() Config { return Config{Logger: slog.New(slog.DiscardHandler)} }

// Validate reports everything that is wrong, as palate.ErrInvalid.
func (c Config) Validate() error {
	var problems []error
	if c.Workers < 0 {
		problems = append(problems, fmt.Errorf("flat index: %d workers, want 0 or more: %w", c.Workers, palate.ErrInvalid))
	}
	if c.Logger == nil {
		problems = append(problems, fmt.Errorf("flat index: no logger: %w", palate.ErrInvalid))
	}
	return errors.Join(problems...)
}

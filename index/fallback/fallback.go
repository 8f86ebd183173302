// Package fallback answers from a second index while the first can't be
// reached.
package fallback

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// patientQueries of a batch may take as long as one search.
const patientQueries = 32

// Config says how the first index is given up and taken up again.
type Config struct {
	// Patience is how long the first index may take for an answer.
	Patience time.Duration
	// Pause is for how long the first index is not asked after it failed.
	Pause time.Duration
}

// DefaultConfig suits people who wait for a page.
func DefaultConfig() Config { return Config{Patience: 2 * time.Second, Pause: 5 * time.Second} }

// Validate reports everything that is wrong.
func (c Config) Validate() error {
	var problems []error
	if c.Patience <= 0 {
		problems = append(problems, fmt.Errorf("fallback: Patience is %v, want more than 0: %w", c.Patience, palate.ErrInvalid))
	}
	if c.Pause <= 0 {
		problems = append(problems, fmt.Errorf("fallback: Pause is %v, want more than 0: %w", c.Pause, palate.ErrInvalid))
	}
	return errors.Join(problems...)
}

// Index searches in the first index, and in the second one while the first is
// palate.ErrUnavailable. Changes go to the first alone: whoever keeps the two
// up to date does it for each. Close closes the first.
type Index struct {
	index.Index // the first
	second      index.Index
	config      Config
	logger      *slog.Logger

	mu    sync.Mutex
	until time.Time // when the first is asked again
	down  bool
}

// New returns the two as one. They must hold the same model's embeddings.
func New(first, second index.Index, config Config, logger *slog.Logger) (*Index, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if first.Model() != second.Model() || first.Dim() != second.Dim() {
		return nil, fmt.Errorf("fallback: indexes of the models %s and %s: %w", first.Model().Short(), second.Model().Short(), palate.ErrConflict)
	}
	return &Index{Index: first, second: second, config: config, logger: logger}, nil
}

// ask lets the first index answer, or the second.
func (x *Index) ask(ctx context.Context, question func(context.Context, index.Index) error) error {
	return x.askWithin(ctx, x.config.Patience, question)
}

func (x *Index) askWithin(ctx context.Context, patience time.Duration, question func(context.Context, index.Index) error) error {
	x.mu.Lock()
	paused := time.Now().Before(x.until)
	x.mu.Unlock()
	if !paused {
		short, cancel := context.WithTimeout(ctx, patience)
		err := question(short, x.Index)
		// The first may notice that its time is up an instant before short does.
		late := (short.Err() != nil || errors.Is(err, context.DeadlineExceeded)) && !isDue(ctx, short)
		cancel()
		if err == nil || !late && !errors.Is(err, palate.ErrUnavailable) {
			x.found(ctx)
			return err
		}
		x.lost(ctx, err)
	}
	return question(ctx, x.second)
}

// isDue says whether it is the caller's time that is up: its context has
// ended, or its deadline is what bounds short.
func isDue(ctx, short context.Context) bool {
	callers, bounded := ctx.Deadline()
	ends, _ := short.Deadline()
	return ctx.Err() != nil || bounded && callers.Equal(ends)
}

func (x *Index) lost(ctx context.Context, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.down {
		x.logger.WarnContext(ctx, "index can't be reached; answering from the embedded one", "error", err)
	}
	x.down, x.until = true, time.Now().Add(x.config.Pause)
}

func (x *Index) found(ctx context.Context) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.down {
		x.logger.WarnContext(ctx, "index can be reached again")
	}
	x.down = false
}

// Search implements index.Index.
func (x *Index) Search(ctx context.Context, q index.Query) (hits []index.Hit, err error) {
	err = x.ask(ctx, func(ctx context.Context, ix index.Index) (err error) { hits, err = ix.Search(ctx, q); return err })
	return hits, err
}

// SearchBatch implements index.Index. The first index may take its patience for
// every so many queries.
func (x *Index) SearchBatch(ctx context.Context, queries []index.Query) (hits [][]index.Hit, err error) {
	times := time.Duration(1 + len(queries)/patientQueries)
	err = x.askWithin(ctx, times*x.config.Patience, func(ctx context.Context, ix index.Index) (err error) {
		hits, err = ix.SearchBatch(ctx, queries)
		return err
	})
	return hits, err
}

// Scores implements index.Index.
func (x *Index) Scores(ctx context.Context, vector []float32, ids []palate.ImageID) (scores map[palate.ImageID]float32, err error) {
	err = x.ask(ctx, func(ctx context.Context, ix index.Index) (err error) {
		scores, err = ix.Scores(ctx, vector, ids)
		return err
	})
	return scores, err
}

// Get implements index.Index.
func (x *Index) Get(ctx context.Context, ids []palate.ImageID) (points []index.Point, err error) {
	err = x.ask(ctx, func(ctx context.Context, ix index.Index) (err error) { points, err = ix.Get(ctx, ids); return err })
	return points, err
}

// Count implements index.Index.
func (x *Index) Count(ctx context.Context, f index.Filter) (count int, err error) {
	err = x.ask(ctx, func(ctx context.Context, ix index.Index) (err error) { count, err = ix.Count(ctx, f); return err })
	return count, err
}

// IDs implements index.Index.
func (x *Index) IDs(ctx context.Context, after palate.ImageID, limit int) (ids []palate.ImageID, err error) {
	err = x.ask(ctx, func(ctx context.Context, ix index.Index) (err error) {
		ids, err = ix.IDs(ctx, after, limit)
		return err
	})
	return ids, err
}

// Ready implements index.Index: one of the two can answer.
func (x *Index) Ready(ctx context.Context) error {
	return x.ask(ctx, func(ctx context.Context, ix index.Index) error { return ix.Ready(ctx) })
}

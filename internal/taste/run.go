package taste

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/probe"
)

// maxWaiting is how many trainings wait for Run at a time. A person starts
// one; more than this many profiles at once are told to come back.
const maxWaiting = 16

// Enqueue begins a training and leaves the rest of it to Run. It fails as
// Begin does, and with palate.ErrUnavailable if too many are waiting.
func (t *Tastes) Enqueue(ctx context.Context, p palate.Profile) (catalog.Run, error) {
	training, err := t.Begin(ctx, p)
	if err != nil {
		return catalog.Run{}, err
	}
	select {
	case t.requests <- training:
		return training.Run, nil
	default:
		full := fmt.Errorf("train %s: %d trainings are waiting already: %w", p, maxWaiting, palate.ErrUnavailable)
		return catalog.Run{}, errors.Join(full, training.Cancel(ctx, full.Error()))
	}
}

// Run trains what was enqueued, and every profile that has RetrainAfter new
// ratings, one at a time, until ctx is done. It returns ctx's error.
func (t *Tastes) Run(ctx context.Context) error {
	tick := time.NewTicker(t.config.LookEvery)
	defer tick.Stop()
	var seen uint64
	for {
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), t.cancelWaiting(context.WithoutCancel(ctx)))
		case training := <-t.requests:
			if _, err := training.Finish(ctx); err != nil && ctx.Err() == nil {
				t.logger.ErrorContext(ctx, "training failed", "profile", training.Profile, "error", err)
			}
		case <-tick.C:
			last, err := t.catalog.LastChange(ctx)
			if err != nil || last == seen || t.config.RetrainAfter == 0 {
				continue
			}
			seen = last
			if err := t.retrain(ctx); err != nil && ctx.Err() == nil {
				t.logger.ErrorContext(ctx, "training after new ratings failed", "error", err)
			}
		}
	}
}

func (t *Tastes) cancelWaiting(ctx context.Context) error {
	var errs []error
	for {
		select {
		case training := <-t.requests:
			errs = append(errs, training.Cancel(ctx, "the server stopped"))
		default:
			return errors.Join(errs...)
		}
	}
}

// retrain trains the profiles that have enough new ratings.
func (t *Tastes) retrain(ctx context.Context) error {
	profiles, err := t.catalog.Profiles(ctx)
	if err != nil {
		return err
	}
	for _, summary := range profiles {
		p := summary.Profile
		due, last, err := t.due(ctx, p)
		if err != nil {
			return err
		}
		if !due {
			continue
		}
		t.tried[p] = last
		var missing *probe.NotEnoughError
		switch _, err := t.Train(ctx, p); {
		case err == nil:
		case errors.As(err, &missing), errors.Is(err, palate.ErrConflict):
			t.logger.DebugContext(ctx, "no training yet", "profile", p, "reason", err)
		default:
			return err
		}
	}
	return nil
}

// due reports whether RetrainAfter entries have come since the profile's last
// training, or the last attempt, and the newest of them.
func (t *Tastes) due(ctx context.Context, p palate.Profile) (bool, int64, error) {
	after := t.tried[p]
	switch current, err := t.Current(ctx, p); {
	case err == nil:
		after = max(after, current.LastEntry)
	case !errors.Is(err, palate.ErrNotFound):
		return false, 0, err
	}
	if waiting, _, err := t.waiting(ctx, p, after); err != nil || !waiting {
		return false, 0, err
	}
	// A version that did not take over, or that was rolled back, has learned
	// from its ratings too.
	versions, err := t.catalog.ListProbes(ctx, p)
	if err != nil {
		return false, 0, err
	}
	for _, v := range versions {
		if v.Model == t.model {
			after = max(after, v.LastEntry)
		}
	}
	return t.waiting(ctx, p, after)
}

// waiting reports whether RetrainAfter entries follow one, and the newest of
// them.
func (t *Tastes) waiting(ctx context.Context, p palate.Profile, after int64) (bool, int64, error) {
	entries, err := t.catalog.RatingLog(ctx, p, after, t.config.RetrainAfter)
	if err != nil || len(entries) < t.config.RetrainAfter {
		return false, 0, err
	}
	return true, entries[len(entries)-1].Entry, nil
}

package taste

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/probe"
)

// maxWaiting is how many trainings wait for Run at a time. A person starts
// one; more than this many profiles at once are told to come back.
const maxWaiting = 16

// Enqueue begins a training and leaves the rest of it to Run. It fails as
// Begin does, and with palate.ErrUnavailable if too many are waiting.
func (t *Tastes) Enqueue(ctx context.Context, p palate.Profile) (catalog.Run, error) {
	return t.EnqueueAs(ctx, p, nil)
}

// EnqueueAs is Enqueue with a kind of its own; nil is Enqueue.
func (t *Tastes) EnqueueAs(ctx context.Context, p palate.Profile, kind probe.Kind) (catalog.Run, error) {
	training, err := t.BeginAs(ctx, p, kind)
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
	looking, stop := context.WithCancel(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer stop()
	changed := make(chan struct{}) // unbuffered: a look that is due is had when the work before is done
	watching.Go(func() { t.watch(looking, changed) })
	for {
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), t.cancelWaiting(context.WithoutCancel(ctx)))
		case training := <-t.requests:
			if _, err := training.Finish(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, job.ErrCancelled) {
				t.logger.ErrorContext(ctx, "training failed", "profile", training.Profile, "error", err)
			}
		case <-changed:
			if err := t.retrain(ctx); err != nil && ctx.Err() == nil {
				t.logger.ErrorContext(ctx, "training after new ratings failed", "error", err)
			}
		}
	}
}

// watch tells of changes, one word for all that came within LookEvery.
func (t *Tastes) watch(ctx context.Context, changed chan<- struct{}) {
	if t.config.RetrainAfter == 0 {
		return
	}
	tick := time.NewTicker(t.config.LookEvery)
	defer tick.Stop()
	for seen := uint64(0); ctx.Err() == nil; {
		last, err := t.catalog.Wait(ctx, seen)
		if err == nil {
			seen = last
			select {
			case changed <- struct{}{}:
			case <-ctx.Done():
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
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
	var errs []error // one profile's trouble is not another's
	for _, summary := range profiles {
		p := summary.Profile
		if min(summary.Likes, summary.Dislikes) < t.config.Probe.MinPerClass {
			continue // and is due as soon as there are enough
		}
		due, last, err := t.due(ctx, p)
		if err != nil || !due {
			errs = append(errs, err)
			continue
		}
		var missing *probe.NotEnoughError
		_, err = t.Train(ctx, p)
		if errors.Is(err, palate.ErrConflict) {
			t.logger.DebugContext(ctx, "no training yet", "profile", p, "reason", err)
			if !errors.As(err, &missing) {
				continue // another process is at it; its probe, if any, is looked at next time
			}
			err = nil
		}
		t.mu.Lock()
		t.tried[p] = last
		t.mu.Unlock()
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// due reports whether RetrainAfter likes, dislikes and undos have come since
// the profile's last training, or the last attempt, and the newest entry of
// the log.
func (t *Tastes) due(ctx context.Context, p palate.Profile) (bool, int64, error) {
	said, last, err := t.news(ctx, p)
	return err == nil && said >= t.config.RetrainAfter, last, err
}

// news counts the likes, dislikes and undos that have come since the profile's
// last training, or the last attempt, and gives the newest entry of the log.
func (t *Tastes) news(ctx context.Context, p palate.Profile) (said int, last int64, err error) {
	t.mu.Lock()
	after := t.tried[p]
	t.mu.Unlock()
	switch current, err := t.Current(ctx, p); {
	case err == nil:
		after = max(after, current.LastEntry)
	case !errors.Is(err, palate.ErrNotFound):
		return 0, 0, err
	}
	if said, last, err = t.countedSince(ctx, p, after); err != nil || said == 0 {
		return 0, last, err
	}
	// A version that did not take over, or that was rolled back, has learned
	// from its ratings too.
	versions, err := t.catalog.ListProbes(ctx, p)
	if err != nil {
		return 0, 0, err
	}
	before := after
	for _, v := range versions {
		if v.Model == t.model {
			after = max(after, v.LastEntry)
		}
	}
	if after == before {
		return said, last, nil
	}
	return t.countedSince(ctx, p, after)
}

// countedSince counts the likes, dislikes and undos that follow an entry of the
// log, and gives the newest entry. Skips teach nothing, but for three stars.
func (t *Tastes) countedSince(ctx context.Context, p palate.Profile, after int64) (said int, last int64, err error) {
	for last = after; ; {
		entries, err := t.catalog.RatingLog(ctx, p, last, ratingsPage)
		if err != nil {
			return 0, 0, err
		}
		for _, e := range entries {
			if last = e.Entry; e.Verdict != palate.Skip || isBetween(e.Rating) {
				said++
			}
		}
		if len(entries) < ratingsPage {
			return said, last, nil
		}
	}
}

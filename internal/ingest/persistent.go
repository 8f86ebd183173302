package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// ErrFollowed says that another process is bringing the index up to date.
var ErrFollowed = errors.New("another process is bringing the index up to date")

const (
	// generationEvery is how often a persistent index is asked for its
	// generation while there is nothing to apply.
	generationEvery = 5 * time.Second

	// nudgePatience is how long somebody who waits for an answer waits for
	// the index as well; nudgePause is for how long a failed attempt keeps
	// others from trying.
	nudgePatience = time.Second
	nudgePause    = 5 * time.Second

	// recentChanges is how many changes are looked through for verdicts that
	// the index has not seen, recentVerdicts how many of these go along with a
	// search: that many IDs cost about 8 ms.
	recentChanges  = 10 * followBatch
	recentVerdicts = 1000
)

// alone takes the right to change a persistent index. Two processes at it could
// write what they have read in the wrong order.
func (f *Follower) alone(ctx context.Context) (catalog.Lease, error) {
	lease, err := f.catalog.AcquireLease(ctx, "index-"+f.name)
	if errors.Is(err, palate.ErrConflict) {
		return nil, fmt.Errorf("%w: %w", ErrFollowed, err)
	}
	return lease, err
}

// key names a follower to the catalog. The position belongs to a generation:
// another one was not filled up to there.
func (f *Follower) key(generation string) string { return f.name + ":" + generation }

// fillerKey is remembered as 1 by the catalog that filled a generation.
func (f *Follower) fillerKey(generation string) string { return f.key(generation) + filledSuffix }

// filledSuffix ends the name of what is no position.
const filledSuffix = ":filled"

// catchUpPersistent brings a persistent index up to date, and fills it if it is
// empty. What another catalog filled is palate.ErrConflict.
func (f *Follower) catchUpPersistent(ctx context.Context) (applied int, err error) {
	last, err := f.catalog.LastChange(ctx)
	if err != nil {
		return 0, fmt.Errorf("follow the catalog: %w", err)
	}
	if time.Since(f.looked) < generationEvery {
		if at, err := f.position(ctx); err == nil && at == last {
			return 0, nil
		}
	}
	lease, err := f.alone(ctx)
	if err != nil {
		return 0, err
	}
	applied, err = f.bringUp(ctx)
	return applied, errors.Join(err, lease.Release())
}

func (f *Follower) bringUp(ctx context.Context) (applied int, err error) {
	fail := func(err error) (int, error) { return applied, fmt.Errorf("follow the catalog: %w", err) }
	generation, err := f.persistent.Generation(ctx)
	if err != nil {
		return fail(err)
	}
	if generation == "" {
		f.logger.InfoContext(ctx, "index holds nothing yet; filling it")
		return 0, f.replace(ctx, nil)
	}
	filled, err := f.catalog.FollowedTo(ctx, f.fillerKey(generation))
	if err != nil {
		return fail(err)
	}
	if filled == 0 {
		return fail(fmt.Errorf("index %s was filled from another catalog, or from this one before a backup was restored; choose another name for this one's, or replace it by palate reindex: %w", generation, palate.ErrConflict))
	}
	at, err := f.catalog.FollowedTo(ctx, f.key(generation))
	if err != nil {
		return fail(err)
	}
	f.mu.Lock()
	f.generation, f.at = generation, at
	f.mu.Unlock()
	applied, err = f.advance(ctx)
	if errors.Is(err, palate.ErrConflict) {
		f.logger.InfoContext(ctx, "index fell behind what the catalog remembers; filling it anew", "followed_to", at)
		return applied, f.replace(ctx, nil)
	}
	if err == nil {
		f.looked = time.Now()
	}
	return applied, err
}

// replace fills a new set of points beside the one that serves, follows what
// changed meanwhile, and lets it serve.
func (f *Follower) replace(ctx context.Context, progress func(done, total int)) error {
	fail := func(err error) error { return fmt.Errorf("fill the index: %w", err) }
	at, err := f.catalog.LastChange(ctx)
	if err != nil {
		return fail(err)
	}
	staged, err := f.persistent.Stage(ctx)
	if err != nil {
		return fail(err)
	}
	if err := f.fill(ctx, staged, progress); err != nil {
		return fail(err)
	}
	for {
		changes, err := f.catalog.ChangesAfter(ctx, at, followBatch)
		if err != nil {
			return fail(err)
		}
		if len(changes) == 0 {
			break
		}
		if err := f.apply(ctx, staged, changes); err != nil {
			return fail(err)
		}
		at = changes[len(changes)-1].Number
	}
	generation, err := staged.Generation(ctx)
	if err != nil {
		return fail(err)
	}
	// The position first: what serves without one is another catalog's.
	if err := errors.Join(f.catalog.SetFollowedTo(ctx, f.key(generation), at), f.catalog.SetFollowedTo(ctx, f.fillerKey(generation), 1)); err != nil {
		return fail(err)
	}
	if err := staged.Commit(ctx); err != nil {
		return fail(err)
	}
	f.mu.Lock()
	f.generation, f.at = generation, at
	f.mu.Unlock()
	f.looked = time.Now()
	return nil
}

// position is the last change that the index has seen, whichever process
// brought it there. palate.ErrUnavailable if a persistent index was not reached
// yet.
func (f *Follower) position(ctx context.Context) (uint64, error) {
	f.mu.Lock()
	at, generation := f.at, f.generation
	f.mu.Unlock()
	switch {
	case f.persistent == nil:
		return at, nil
	case generation == "":
		return 0, fmt.Errorf("follow the catalog: the index was not reached yet: %w", palate.ErrUnavailable)
	}
	return f.catalog.FollowedTo(ctx, f.key(generation))
}

// Progress tells how far the index has come: the last change that it has seen,
// 0 if it holds nothing, and the catalog's last.
func (f *Follower) Progress(ctx context.Context) (at, last uint64, err error) {
	if last, err = f.catalog.LastChange(ctx); err != nil {
		return 0, 0, err
	}
	if f.persistent == nil {
		at, err = f.position(ctx)
		return at, last, err
	}
	generation, err := f.persistent.Generation(ctx)
	if err != nil || generation == "" {
		return 0, last, err
	}
	at, err = f.catalog.FollowedTo(ctx, f.key(generation))
	return at, last, err
}

// Nudge is CatchUp on behalf of somebody who waits for something else. It
// gives up soon where the index lasts, and at once while that can't be reached
// or another process is at it: then Run, or the next CatchUp, does it.
func (f *Follower) Nudge(ctx context.Context) error {
	if f.persistent == nil {
		_, err := f.CatchUp(ctx)
		return err
	}
	f.mu.Lock()
	failed := time.Since(f.failedAt) < nudgePause
	f.mu.Unlock()
	if failed {
		return nil
	}
	select {
	case f.turn <- struct{}{}:
	default:
		return nil // somebody is at it
	}
	defer f.give()
	short, cancel := context.WithTimeout(ctx, nudgePatience)
	defer cancel()
	_, err := f.catchUp(short)
	if err == nil || errors.Is(err, ErrFollowed) {
		return nil
	}
	f.mu.Lock()
	f.failedAt = time.Now()
	f.mu.Unlock()
	return err
}

// Recent gives the verdicts of a profile that the index has not seen, the
// empty one for an image that is not rated any more; after an outage with more
// than a thousand of them, the oldest thousand.
func (f *Follower) Recent(ctx context.Context, p palate.Profile) (map[palate.ImageID]palate.Verdict, error) {
	at, err := f.position(ctx)
	if errors.Is(err, palate.ErrUnavailable) {
		return nil, nil // whoever searches will hear of it
	}
	if err != nil {
		return nil, err
	}
	recent := make(map[palate.ImageID]palate.Verdict)
	for read := 0; read < recentChanges && len(recent) < recentVerdicts; read += followBatch {
		changes, err := f.catalog.ChangesAfter(ctx, at, followBatch)
		if errors.Is(err, palate.ErrConflict) {
			break // the index is about to be filled anew
		}
		if err != nil {
			return nil, err
		}
		for _, c := range changes {
			if at = c.Number; c.Kind == catalog.RatingChanged && c.Profile == p && len(recent) < recentVerdicts {
				recent[c.Image] = ""
			}
		}
		if len(changes) < followBatch {
			break
		}
	}
	if len(recent) == 0 {
		return nil, nil
	}
	ids := make([]palate.ImageID, 0, len(recent))
	for id := range recent {
		ids = append(ids, id)
	}
	standing, err := f.catalog.StandingVerdicts(ctx, p, ids)
	if err != nil {
		return nil, err
	}
	for id, verdict := range standing {
		recent[id] = verdict
	}
	return recent, nil
}

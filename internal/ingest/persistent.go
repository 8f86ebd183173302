package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
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

// sentKey is remembered as the highest position that was, or was about to be,
// written beside the points: what tells a higher one has been changed from
// another catalog, or from a later state of this one.
func (f *Follower) sentKey(generation string) string { return f.key(generation) + ":sent" }

// errForgotten says that the catalog does not remember every change that the
// index has not seen.
var errForgotten = errors.New("the catalog has forgotten changes that the index has not seen")

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
	state, err := f.persistent.State(ctx)
	if err != nil {
		return fail(err)
	}
	f.mu.Lock()
	another := state.Generation != f.generation
	f.mu.Unlock()
	if another {
		f.persistent.Forget()
	}
	if state.Generation == "" {
		f.logger.InfoContext(ctx, "index holds nothing yet; filling it")
		return f.refill(ctx)
	}
	if err := f.Accept(ctx, state); err != nil {
		f.persistent.Forget() // searches hear of it too
		return fail(err)
	}
	if state.Outdated || !state.Placed {
		f.logger.InfoContext(ctx, "index is of an earlier release, or does not tell how far it was filled; filling it anew beside what serves", "serves", state.Generation)
		return f.refill(ctx)
	}
	if len(state.Missing) > 0 {
		f.logger.WarnContext(ctx, "index lacks parts; making them", "missing", state.Missing)
		if err := f.persistent.Repair(ctx); err != nil {
			return fail(err)
		}
	}
	at, err := f.positionOf(ctx, state)
	if err != nil {
		return fail(err)
	}
	f.mu.Lock()
	f.generation, f.at = state.Generation, at
	f.mu.Unlock()
	applied, err = f.advance(ctx)
	if errors.Is(err, errForgotten) {
		f.logger.InfoContext(ctx, "index fell behind what the catalog remembers; filling it anew", "followed_to", at)
		_, err = f.refill(ctx)
		return applied, err
	}
	if err == nil {
		f.looked = time.Now()
	}
	return applied, err
}

// positionOf is the last change that is in the points. Points that tell less
// than was sent to them were brought back from an older state, or a process was
// killed before it had written all.
func (f *Follower) positionOf(ctx context.Context, state index.State) (uint64, error) {
	at, err := f.catalog.FollowedTo(ctx, f.key(state.Generation))
	if err != nil {
		return 0, err
	}
	sent, err := f.catalog.FollowedTo(ctx, f.sentKey(state.Generation))
	if err != nil || state.Position == sent || state.Position >= at {
		return at, err
	}
	f.logger.WarnContext(ctx, "index holds an older state than it did; following from there", "change", state.Position, "followed_to", at)
	return state.Position, f.catalog.SetFollowedTo(ctx, f.key(state.Generation), state.Position)
}

// Identity implements index.Owner.
func (f *Follower) Identity(ctx context.Context) (string, error) {
	id, err := f.catalog.Identity(ctx)
	return id.Catalog, err
}

// Accept implements index.Owner: this catalog filled the points, and nobody
// else has written on them since.
func (f *Follower) Accept(ctx context.Context, state index.State) error {
	const todo = "choose another name for this one's in the index's address, or replace it by palate reindex"
	filled, err := f.catalog.FollowedTo(ctx, f.fillerKey(state.Generation))
	if err != nil {
		return err
	}
	if filled == 0 {
		return fmt.Errorf("index %s was filled from another catalog, or from this one before a backup was restored; %s: %w", state.Generation, todo, palate.ErrConflict)
	}
	if !state.Placed {
		return nil
	}
	sent, err := f.catalog.FollowedTo(ctx, f.sentKey(state.Generation))
	if err != nil {
		return err
	}
	if state.Position > sent {
		return fmt.Errorf("index %s holds change %d, and this catalog has given it no more than %d: it follows a copy of this catalog, or this one before a backup was restored; %s: %w",
			state.Generation, state.Position, sent, todo, palate.ErrConflict)
	}
	return nil
}

// Failure implements index.Owner.
func (f *Follower) Failure() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failure
}

// refill is replace on nobody's order.
func (f *Follower) refill(ctx context.Context) (applied int, err error) {
	_, err = f.replace(ctx, Rebuilding{})
	return 0, err
}

// replace fills a new set of points beside the one that serves, lets it settle,
// follows what changed meanwhile, and lets it serve. Where nothing serves yet it
// does so before it has settled.
func (f *Follower) replace(ctx context.Context, told Rebuilding) (settled bool, err error) {
	fail := func(err error) (bool, error) { return false, fmt.Errorf("fill the index: %w", err) }
	at, err := f.catalog.LastChange(ctx)
	if err != nil {
		return fail(err)
	}
	before, err := f.persistent.Generation(ctx)
	if err != nil {
		return fail(err)
	}
	staged, err := f.persistent.Stage(ctx)
	if err != nil {
		return fail(err)
	}
	if err := f.fill(ctx, staged, told.Loaded); err != nil {
		return fail(err)
	}
	if settled = before != ""; settled {
		if err := staged.Settle(ctx, told.Prepared); err != nil {
			return fail(err)
		}
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
	if err := f.letServe(ctx, staged, at); err != nil {
		return fail(err)
	}
	return settled, nil
}

// letServe notes how far points were filled, and commits them.
func (f *Follower) letServe(ctx context.Context, staged index.Staged, at uint64) error {
	generation, err := staged.Generation(ctx)
	if err != nil {
		return err
	}
	// The position first: what serves without one is another catalog's.
	err = errors.Join(f.catalog.SetFollowedTo(ctx, f.sentKey(generation), at), f.catalog.SetFollowedTo(ctx, f.key(generation), at),
		f.catalog.SetFollowedTo(ctx, f.fillerKey(generation), 1))
	if err == nil {
		err = staged.SetPosition(ctx, at)
	}
	if err != nil {
		return err
	}
	if err := staged.Commit(ctx); err != nil {
		return err
	}
	f.mu.Lock()
	f.generation, f.at, f.failure = generation, at, nil
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

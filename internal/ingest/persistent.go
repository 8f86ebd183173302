package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
)

// persistent follows with an index that outlives the process. The catalog keeps,
// under a name, how far it was brought.
type persistent struct {
	*step
	points     index.Persistent
	name       string
	generation string    // that at is about
	looked     time.Time // when the generation was last asked for
}

var _ index.Owner = (*persistent)(nil)

// alone takes the right to change a persistent index. Two processes at it could
// write what they have read in the wrong order.
func (p *persistent) alone(ctx context.Context) (catalog.Lease, error) {
	lease, err := p.catalog.AcquireLease(ctx, "index-"+p.name)
	if errors.Is(err, palate.ErrConflict) {
		return nil, fmt.Errorf("%w: %w", ErrFollowed, err)
	}
	return lease, err
}

// key names a follower to the catalog. The position belongs to a generation:
// another one was not filled up to there.
func (p *persistent) key(generation string) string { return p.name + ":" + generation }

// fillerKey is remembered as 1 by the catalog that filled a generation.
func (p *persistent) fillerKey(generation string) string { return p.key(generation) + filledSuffix }

// filledSuffix ends the name of what is no position.
const filledSuffix = ":filled"

// sentKey is remembered as the highest position that was, or was about to be,
// written beside the points: what tells a higher one has been changed from
// another catalog, or from a later state of this one.
func (p *persistent) sentKey(generation string) string { return p.key(generation) + ":sent" }

// catchUp implements way: it brings the index up to date, and fills it if it is
// empty. What another catalog filled is palate.ErrConflict.
func (p *persistent) catchUp(ctx context.Context) (applied int, err error) {
	last, err := p.catalog.LastChange(ctx)
	if err != nil {
		return 0, fmt.Errorf("follow the catalog: %w", err)
	}
	if time.Since(p.looked) < generationEvery {
		if at, err := p.position(ctx); err == nil && at == last {
			return 0, nil
		}
	}
	lease, err := p.alone(ctx)
	if err != nil {
		return 0, err
	}
	applied, err = p.bringUp(ctx)
	return applied, errors.Join(err, lease.Release())
}

func (p *persistent) bringUp(ctx context.Context) (applied int, err error) {
	fail := func(err error) (int, error) { return applied, fmt.Errorf("follow the catalog: %w", err) }
	state, err := p.points.State(ctx)
	if err != nil {
		return fail(err)
	}
	p.mu.Lock()
	another := state.Generation != p.generation
	p.mu.Unlock()
	if another {
		p.points.Forget()
	}
	if state.Generation == "" {
		p.logger.InfoContext(ctx, "index holds nothing yet; filling it")
		return p.refill(ctx)
	}
	if err := p.Accept(ctx, state); err != nil {
		p.points.Forget() // searches hear of it too
		return fail(err)
	}
	if state.Outdated || !state.Placed {
		p.logger.InfoContext(ctx, "index is of an earlier release, or does not tell how far it was filled; filling it anew beside what serves", "serves", state.Generation)
		return p.refill(ctx)
	}
	if len(state.Missing) > 0 {
		p.logger.WarnContext(ctx, "index lacks parts; making them", "missing", state.Missing)
		if err := p.points.Repair(ctx); err != nil {
			return fail(err)
		}
	}
	at, err := p.positionOf(ctx, state)
	if err != nil {
		return fail(err)
	}
	p.mu.Lock()
	p.generation, p.at = state.Generation, at
	p.mu.Unlock()
	applied, err = p.advance(ctx, func(changes []catalog.Change, last uint64) error { return p.take(ctx, changes, last) })
	if errors.Is(err, errForgotten) {
		p.logger.InfoContext(ctx, "index fell behind what the catalog remembers; filling it anew", "followed_to", at)
		_, err = p.refill(ctx)
		return applied, err
	}
	if err == nil {
		p.looked = time.Now()
	}
	return applied, err
}

// positionOf is the last change that is in the points. Points that tell less
// than was sent to them were brought back from an older state, or a process was
// killed before it had written all.
func (p *persistent) positionOf(ctx context.Context, state index.State) (uint64, error) {
	at, err := p.catalog.FollowedTo(ctx, p.key(state.Generation))
	if err != nil {
		return 0, err
	}
	sent, err := p.catalog.FollowedTo(ctx, p.sentKey(state.Generation))
	if err != nil || state.Position == sent || state.Position >= at {
		return at, err
	}
	p.logger.WarnContext(ctx, "index holds an older state than it did; following from there", "change", state.Position, "followed_to", at)
	return state.Position, p.catalog.SetFollowedTo(ctx, p.key(state.Generation), state.Position)
}

// Identity implements index.Owner.
func (p *persistent) Identity(ctx context.Context) (string, error) {
	id, err := p.catalog.Identity(ctx)
	return id.Catalog, err
}

// Accept implements index.Owner: this catalog filled the points, and nobody
// else has written on them since.
func (p *persistent) Accept(ctx context.Context, state index.State) error {
	const todo = "choose another name for this one's in the index's address, or replace it by palate reindex"
	filled, err := p.catalog.FollowedTo(ctx, p.fillerKey(state.Generation))
	if err != nil {
		return err
	}
	if filled == 0 {
		return fmt.Errorf("index %s was filled from another catalog, or from this one before a backup was restored; %s: %w", state.Generation, todo, palate.ErrConflict)
	}
	if !state.Placed {
		return nil
	}
	sent, err := p.catalog.FollowedTo(ctx, p.sentKey(state.Generation))
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
func (p *persistent) Failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failure
}

// refill is replace on nobody's order.
func (p *persistent) refill(ctx context.Context) (applied int, err error) {
	_, err = p.replace(ctx, Rebuilding{})
	return 0, err
}

// replace fills a new set of points beside the one that serves, lets it settle,
// follows what changed meanwhile, and lets it serve. Where nothing serves yet it
// does so before it has settled.
func (p *persistent) replace(ctx context.Context, told Rebuilding) (settled bool, err error) {
	fail := func(err error) (bool, error) { return false, fmt.Errorf("fill the index: %w", err) }
	at, err := p.catalog.LastChange(ctx)
	if err != nil {
		return fail(err)
	}
	before, err := p.points.Generation(ctx)
	if err != nil {
		return fail(err)
	}
	staged, err := p.points.Stage(ctx)
	if err != nil {
		return fail(err)
	}
	if err := p.fill(ctx, staged, told.Loaded); err != nil {
		return fail(err)
	}
	if settled = before != ""; settled {
		if err := staged.Settle(ctx, told.Prepared); err != nil {
			return fail(err)
		}
	}
	for {
		changes, err := p.catalog.ChangesAfter(ctx, at, followBatch)
		if err != nil {
			return fail(err)
		}
		if len(changes) == 0 {
			break
		}
		if err := p.apply(ctx, staged, changes); err != nil {
			return fail(err)
		}
		at = changes[len(changes)-1].Number
	}
	if err := p.letServe(ctx, staged, at); err != nil {
		return fail(err)
	}
	return settled, nil
}

// letServe notes how far points were filled, and commits them.
func (p *persistent) letServe(ctx context.Context, staged index.Staged, at uint64) error {
	generation, err := staged.Generation(ctx)
	if err != nil {
		return err
	}
	// The position first: what serves without one is another catalog's.
	err = errors.Join(p.catalog.SetFollowedTo(ctx, p.sentKey(generation), at), p.catalog.SetFollowedTo(ctx, p.key(generation), at),
		p.catalog.SetFollowedTo(ctx, p.fillerKey(generation), 1))
	if err == nil {
		err = staged.SetPosition(ctx, at)
	}
	if err != nil {
		return err
	}
	if err := staged.Commit(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	p.generation, p.at, p.failure = generation, at, nil
	p.mu.Unlock()
	p.looked = time.Now()
	return nil
}

// settle implements way.
func (p *persistent) settle(ctx context.Context, told Rebuilding) error {
	return p.points.Settle(ctx, told.Prepared)
}

// rebuild implements way. What the index had serves until that is done.
func (p *persistent) rebuild(ctx context.Context, told Rebuilding) (settled bool, err error) {
	lease, err := p.alone(ctx)
	if err != nil {
		return false, err
	}
	settled, err = p.replace(ctx, told)
	return settled, errors.Join(err, lease.Release())
}

// position implements way. palate.ErrUnavailable if the index was not reached
// yet.
func (p *persistent) position(ctx context.Context) (uint64, error) {
	p.mu.Lock()
	generation := p.generation
	p.mu.Unlock()
	if generation == "" {
		return 0, fmt.Errorf("follow the catalog: the index was not reached yet: %w", palate.ErrUnavailable)
	}
	return p.catalog.FollowedTo(ctx, p.key(generation))
}

// reached implements way.
func (p *persistent) reached(ctx context.Context) (uint64, error) {
	generation, err := p.points.Generation(ctx)
	if err != nil || generation == "" {
		return 0, err
	}
	return p.catalog.FollowedTo(ctx, p.key(generation))
}

// isNear implements way.
func (p *persistent) isNear() bool { return false }

// nextChange implements way. Others may replace the points without a change, so
// that they are looked at now and then.
func (p *persistent) nextChange(ctx context.Context, beyond uint64) error {
	short, cancel := context.WithTimeout(ctx, generationEvery)
	defer cancel()
	_, err := p.catalog.Wait(short, beyond)
	if short.Err() != nil {
		return ctx.Err()
	}
	return err
}

// take applies changes, if any concerns the index with their position beside the
// points: the catalog remembers before what that is about to be.
func (p *persistent) take(ctx context.Context, changes []catalog.Change, last uint64) error {
	if slices.ContainsFunc(changes, p.concerns) {
		if err := p.catalog.SetFollowedTo(ctx, p.sentKey(p.generation), last); err != nil {
			return err
		}
		if err := p.apply(ctx, p.index, changes); err != nil {
			return err
		}
		if err := p.points.SetPosition(ctx, last); err != nil {
			return err
		}
	}
	return p.catalog.SetFollowedTo(ctx, p.key(p.generation), last)
}

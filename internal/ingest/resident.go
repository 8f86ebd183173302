package ingest

import (
	"context"
	"errors"
	"fmt"

	"github.com/palate-art/palate/internal/catalog"
)

// resident follows with an index that goes with the process: it is loaded whole
// at first, or goes on from where its side file was.
type resident struct {
	*step
	loaded bool
}

// PositionKeeper is an index that keeps, together with its points, the number of
// the last change that is in them, so that the two can't fall apart. 0 is an
// index that has to be loaded.
type PositionKeeper interface {
	Position() uint64
	SetPosition(number uint64)
}

// catchUp implements way.
func (r *resident) catchUp(ctx context.Context) (applied int, err error) {
	if !r.loaded {
		return r.resume(ctx)
	}
	return r.advanceOrReload(ctx)
}

// rebuild implements way.
func (r *resident) rebuild(ctx context.Context, told Rebuilding) (settled bool, err error) {
	return true, r.reload(ctx, told.Loaded)
}

// settle implements way: a resident index has settled when it is loaded.
func (r *resident) settle(context.Context, Rebuilding) error { return nil }

// position implements way.
func (r *resident) position(context.Context) (uint64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at, nil
}

// reached implements way.
func (r *resident) reached(ctx context.Context) (uint64, error) { return r.position(ctx) }

// isNear implements way.
func (r *resident) isNear() bool { return true }

// nextChange implements way.
func (r *resident) nextChange(ctx context.Context, beyond uint64) error {
	_, err := r.catalog.Wait(ctx, beyond)
	return err
}

// remember notes how far the index has come, beside its points where it can.
func (r *resident) remember(number uint64) {
	r.mu.Lock()
	r.at = number
	r.mu.Unlock()
	if keeper, keeps := r.index.(PositionKeeper); keeps {
		keeper.SetPosition(number)
	}
}

// reload empties the index and loads it.
func (r *resident) reload(ctx context.Context, progress func(done, total int)) error {
	// Changes that come while loading are seen twice, which does no harm.
	start, err := r.catalog.LastChange(ctx)
	if err != nil {
		return fmt.Errorf("load the index: %w", err)
	}
	r.loaded = false // until all of it is; what fails on the way begins anew
	if err := r.index.Clear(ctx); err != nil {
		return fmt.Errorf("load the index: %w", err)
	}
	if err := r.fill(ctx, r.index, progress); err != nil {
		return fmt.Errorf("load the index: %w", err)
	}
	r.loaded = true
	r.remember(start)
	return nil
}

// resume goes on from where a PositionKeeper was left, and loads another index.
// A place beyond the catalog's last change is another catalog's.
func (r *resident) resume(ctx context.Context) (applied int, err error) {
	keeper, keeps := r.index.(PositionKeeper)
	if !keeps || keeper.Position() == 0 {
		return 0, r.reload(ctx, nil)
	}
	last, err := r.catalog.LastChange(ctx)
	if err != nil {
		return 0, fmt.Errorf("follow the catalog: %w", err)
	}
	if keeper.Position() > last {
		return 0, r.reload(ctx, nil)
	}
	r.mu.Lock()
	r.at = keeper.Position()
	r.mu.Unlock()
	r.loaded = true
	return r.advanceOrReload(ctx)
}

// advanceOrReload is advance for an index that goes with the process.
func (r *resident) advanceOrReload(ctx context.Context) (applied int, err error) {
	applied, err = r.advance(ctx, func(changes []catalog.Change, last uint64) error {
		if err := r.apply(ctx, r.index, changes); err != nil {
			return err
		}
		r.remember(last)
		return nil
	})
	if errors.Is(err, errForgotten) {
		r.logger.InfoContext(ctx, "index fell behind what the catalog remembers; loading it anew", "followed_to", r.at)
		err = r.reload(ctx, nil)
	}
	return applied, err
}

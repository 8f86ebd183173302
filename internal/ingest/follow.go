package ingest

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
)

const (
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

// Follower keeps an index in step with the catalog: what any process writes
// there reaches the index at the next CatchUp. Its methods are safe for
// concurrent use; they take turns.
//
// While the index can't be reached, the catalog goes on and remembers what the
// index has not seen.
type Follower struct {
	*step
	way  way
	turn chan struct{} // holds one token while somebody has the turn
}

// way is how an index is followed: resident is for one that goes with the
// process, persistent for one that outlives it. Its methods are for who has the
// turn, but for position, reached and isNear.
type way interface {
	// catchUp applies every change that the index has not seen.
	catchUp(ctx context.Context) (applied int, err error)
	// rebuild loads the index from the catalog anew; unless it has settled by
	// then, settle lets it, while others follow.
	rebuild(ctx context.Context, told Rebuilding) (settled bool, err error)
	settle(ctx context.Context, told Rebuilding) error
	// position is the last change that the index has seen, whichever process
	// brought it there; reached asks the index too.
	position(ctx context.Context) (uint64, error)
	reached(ctx context.Context) (uint64, error)
	// isNear reports whether the index is never away, so that whoever waits for
	// something else can wait for it as well.
	isNear() bool
	// nextChange waits for a reason to catch up.
	nextChange(ctx context.Context, beyond uint64) error
}

// NewFollower returns a follower that has not looked at the catalog yet. An
// index.Persistent is followed under a name, which the catalog remembers the
// position of. With an empty name a PositionKeeper is asked for its position; any
// other index is loaded whole at first.
func NewFollower(c catalog.Catalog, ix index.Index, name string, logger *slog.Logger) *Follower {
	shared := &step{catalog: c, index: ix, logger: logger}
	f := &Follower{step: shared, way: &resident{step: shared}, turn: make(chan struct{}, 1)}
	if points, lasts := ix.(index.Persistent); lasts && name != "" {
		followed := &persistent{step: shared, points: points, name: name}
		points.BelongTo(followed)
		f.way = followed
	}
	return f
}

// take waits for the turn; give gives it back.
func (f *Follower) take(ctx context.Context) error {
	select {
	case f.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *Follower) give() { <-f.turn }

// Rebuilding is told how many points of how many are loaded, and then how many
// of them the index has prepared for quick searches. Either may be nil.
type Rebuilding struct {
	Loaded, Prepared func(done, total int)
}

// Rebuild loads the index from the catalog anew; a persistent index serves what
// it had until that is done.
func (f *Follower) Rebuild(ctx context.Context, told Rebuilding) error {
	settled, err := f.rebuild(ctx, told)
	if err != nil || settled {
		return err
	}
	return f.way.settle(ctx, told) // others may follow meanwhile
}

func (f *Follower) rebuild(ctx context.Context, told Rebuilding) (settled bool, err error) {
	if err := f.take(ctx); err != nil {
		return false, err
	}
	defer f.give()
	return f.way.rebuild(ctx, told)
}

// CatchUp applies every change that the index has not seen, and returns how
// many there were. The first call loads the index if nothing has. It fails
// with ErrFollowed while another process does that to a persistent index.
func (f *Follower) CatchUp(ctx context.Context) (applied int, err error) {
	if err := f.take(ctx); err != nil {
		return 0, err
	}
	defer f.give()
	return f.catchUp(ctx)
}

// catchUp is CatchUp for who has the turn.
func (f *Follower) catchUp(ctx context.Context) (applied int, err error) {
	applied, err = f.way.catchUp(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failedAt = time.Time{}
	if !errors.Is(err, ErrFollowed) && ctx.Err() == nil {
		f.failure = err
	}
	if errors.Is(err, palate.ErrUnavailable) {
		f.failedAt = time.Now()
	}
	return applied, err
}

// Run calls CatchUp after every change, whichever process made it, until ctx is
// done, and returns its error. A failed CatchUp is logged once and tried again
// after the pause.
func (f *Follower) Run(ctx context.Context, pause time.Duration) error {
	for failing := false; ; {
		last, err := f.catalog.LastChange(ctx)
		if err == nil {
			_, err = f.CatchUp(ctx)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		followed := err == nil
		if errors.Is(err, ErrFollowed) {
			err = nil
		}
		switch {
		case err != nil && !failing:
			f.logger.ErrorContext(ctx, "index can't follow the catalog; trying on", "error", err)
		case err == nil && failing:
			f.logger.WarnContext(ctx, "index follows the catalog again")
		}
		failing = err != nil
		if followed {
			err = f.way.nextChange(ctx, last)
		}
		if !followed || err != nil {
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// Progress tells how far the index has come: the last change that it has seen,
// 0 if it holds nothing, and the catalog's last.
func (f *Follower) Progress(ctx context.Context) (at, last uint64, err error) {
	if last, err = f.catalog.LastChange(ctx); err != nil {
		return 0, 0, err
	}
	at, err = f.way.reached(ctx)
	return at, last, err
}

// Nudge is CatchUp on behalf of somebody who waits for something else. It
// gives up soon where the index lasts, and at once while that can't be reached
// or another process is at it: then Run, or the next CatchUp, does it.
func (f *Follower) Nudge(ctx context.Context) error {
	if f.way.isNear() {
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
	at, err := f.way.position(ctx)
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

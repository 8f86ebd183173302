package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// change is what recordChange may have to say beside the kind.
type change struct {
	image   palate.ImageID
	profile palate.Profile
	model   int64 // number of the model
	probe   int64 // number of the probe, which has its profile and model
	run     int64
}

// recordChange numbers a change as part of the transaction that makes it.
func recordChange(ctx context.Context, tx *sql.Tx, kind catalog.ChangeKind, c change) error {
	var image any
	if !c.image.IsZero() {
		image = c.image[:]
	}
	_, err := tx.ExecContext(ctx,
		"INSERT INTO changes (kind, image, profile, model, probe, run) VALUES (?, ?, nullif(?, ''), nullif(?, 0), nullif(?, 0), nullif(?, 0))",
		string(kind), image, string(c.profile), c.model, c.probe, c.run)
	return err
}

func lastChange(ctx context.Context, tx *sql.Tx) (uint64, error) {
	// The sequence outlives compaction; the rows do not.
	return scanOne[uint64](tx.QueryRowContext(ctx, "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0)"))
}

// LastChange implements catalog.Changes.
func (c *Catalog) LastChange(ctx context.Context) (uint64, error) {
	var last uint64
	err := c.read(ctx, "read last change", func(ctx context.Context, tx *sql.Tx) (err error) {
		last, err = lastChange(ctx, tx)
		return err
	})
	return last, err
}

// waitLook is how often Wait looks for what other processes wrote. SQLite tells
// a process nothing of another's commits; a look costs some 20 µs.
const waitLook = 100 * time.Millisecond

// Wait implements catalog.Changes.
func (c *Catalog) Wait(ctx context.Context, beyond uint64) (uint64, error) {
	tick := time.NewTicker(waitLook)
	defer tick.Stop()
	for {
		written := c.written.next()
		last, err := c.LastChange(ctx)
		if err != nil || last > beyond {
			return last, err
		}
		select {
		case <-ctx.Done():
			return 0, c.translate(ctx, "wait for a change", ctx.Err())
		case <-written:
		case <-tick.C:
		}
	}
}

// signal tells everybody who waits that something was written here.
type signal struct {
	mu sync.Mutex
	ch chan struct{}
}

// next is closed at the next tell.
func (s *signal) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

func (s *signal) tell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}

// ChangesAfter implements catalog.Changes. A number that this catalog has not
// given yet is ErrConflict too: whoever has it followed another catalog, or
// this one before a backup was restored.
func (c *Catalog) ChangesAfter(ctx context.Context, after uint64, limit int) ([]catalog.Change, error) {
	if err := checkLimit(limit, 0); err != nil {
		return nil, c.translate(ctx, "read changes", err)
	}
	var changes []catalog.Change
	err := c.read(ctx, "read changes", func(ctx context.Context, tx *sql.Tx) error {
		last, err := lastChange(ctx, tx)
		if err != nil {
			return err
		}
		compacted, err := scanOne[uint64](tx.QueryRowContext(ctx, "SELECT up_to FROM compaction"))
		if err != nil {
			return err
		}
		if after < compacted {
			return fmt.Errorf("changes after %d are compacted away up to %d; rebuild from the catalog: %w", after, compacted, palate.ErrConflict)
		}
		if after > last {
			return fmt.Errorf("change %d is newer than the catalog's last, %d; rebuild from the catalog: %w", after, last, palate.ErrConflict)
		}
		// The driver has a goroutine watch every row of what can be cancelled.
		changes, err = collect(from(tx.QueryContext(context.WithoutCancel(ctx), `
			SELECT c.number, c.kind, c.image, coalesce(c.profile, p.profile, ''), coalesce(m.id, p.model, ''), coalesce(c.run, 0)
			FROM changes c LEFT JOIN models m ON m.no = c.model LEFT JOIN probes p ON p.no = c.probe
			WHERE c.number > ? ORDER BY c.number LIMIT ?`, int64(after), limit)), scanChange)
		return err
	})
	return changes, err
}

func scanChange(rows *sql.Rows) (c catalog.Change, err error) {
	var image sql.RawBytes
	err = rows.Scan(&c.Number, &c.Kind, &image, &c.Profile, &c.Model, &c.Run)
	copy(c.Image[:], image)
	return c, err
}

// CompactChanges implements catalog.Changes. A number beyond the last means
// all.
func (c *Catalog) CompactChanges(ctx context.Context, upTo uint64) error {
	return c.write(ctx, "compact changes", func(ctx context.Context, tx *sql.Tx) error {
		last, err := lastChange(ctx, tx)
		if err != nil {
			return err
		}
		upTo := int64(min(upTo, last))
		if _, err := tx.ExecContext(ctx, "DELETE FROM changes WHERE number <= ?", upTo); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE compaction SET up_to = max(up_to, ?)", upTo)
		return err
	})
}

// FollowedTo implements catalog.Changes.
func (c *Catalog) FollowedTo(ctx context.Context, follower string) (uint64, error) {
	if err := checkName("follower", follower); err != nil {
		return 0, c.translate(ctx, "read follower", err)
	}
	var number uint64
	err := c.read(ctx, "read follower", func(ctx context.Context, tx *sql.Tx) (err error) {
		number, err = scanOne[uint64](tx.QueryRowContext(ctx, "SELECT coalesce((SELECT number FROM followers WHERE name = ?), 0)", follower))
		return err
	})
	return number, err
}

// SetFollowedTo implements catalog.Changes.
func (c *Catalog) SetFollowedTo(ctx context.Context, follower string, number uint64) error {
	err := checkName("follower", follower)
	if err == nil && number > math.MaxInt64 {
		err = fmt.Errorf("change %d can't be: %w", number, palate.ErrInvalid)
	}
	if err != nil {
		return c.translate(ctx, "remember follower", err)
	}
	return c.write(ctx, "remember follower", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO followers (name, number) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET number = excluded.number", follower, int64(number))
		return err
	})
}

// Followers implements catalog.Changes.
func (c *Catalog) Followers(ctx context.Context) (map[string]uint64, error) {
	followers := make(map[string]uint64)
	err := c.read(ctx, "list followers", func(ctx context.Context, tx *sql.Tx) error {
		type follower struct {
			name   string
			number uint64
		}
		found, err := collect(from(tx.QueryContext(ctx, "SELECT name, number FROM followers")), func(rows *sql.Rows) (f follower, err error) {
			return f, rows.Scan(&f.name, &f.number)
		})
		for _, f := range found {
			followers[f.name] = f.number
		}
		return err
	})
	return followers, err
}

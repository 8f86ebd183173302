package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/palate-art/palate/internal/catalog"
)

func readClock(ctx context.Context, tx *sql.Tx) (c catalog.Clock, err error) {
	var seen, doubted, from, swept int64
	err = tx.QueryRowContext(ctx, "SELECT seen, doubted, came, swept FROM clock").Scan(&seen, &doubted, &from, &swept)
	return catalog.Clock{Seen: unstamp(seen), Doubted: unstamp(doubted), From: unstamp(from), Swept: unstamp(swept)}, err
}

// SeeClock implements catalog.Clocks. A look that says nothing new, and one at
// a catalog that can only be read, writes nothing.
func (c *Catalog) SeeClock(ctx context.Context, now time.Time) (clock catalog.Clock, err error) {
	if err := checkTime("now", now); err != nil {
		return clock, c.translate(ctx, "look at the clock", err)
	}
	err = c.read(ctx, "look at the clock", func(ctx context.Context, tx *sql.Tx) error {
		clock, err = readClock(ctx, tx)
		return err
	})
	if err != nil {
		return clock, err
	}
	next, _ := clock.See(now.UTC())
	if next == clock || c.unwritten != nil {
		return next, nil
	}
	err = c.write(ctx, "look at the clock", func(ctx context.Context, tx *sql.Tx) error {
		before, err := readClock(ctx, tx)
		if err != nil {
			return err
		}
		var jumped bool
		clock, jumped = before.See(now.UTC())
		if jumped {
			if err := setRight(ctx, tx, before, clock); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, "UPDATE clock SET seen = ?, doubted = ?, came = ?", stamp(clock.Seen), stamp(clock.Doubted), stamp(clock.From))
		return err
	})
	return clock, err
}

// setRight dates anew what was dated by a clock that jumped.
func setRight(ctx context.Context, tx *sql.Tx, before, after catalog.Clock) error {
	now := stamp(after.Seen)
	const redate = "UPDATE tombstones SET deleted_at = ?1 WHERE no IN (SELECT tombstone FROM trash) AND "
	if err := execAll(ctx, tx, []any{now}, redate+"deleted_at > ?1"); err != nil {
		return err
	}
	if before.InDoubt() {
		if err := execAll(ctx, tx, []any{now, stamp(before.Doubted), stamp(before.Seen)}, redate+"deleted_at BETWEEN ?2 AND ?3"); err != nil {
			return err
		}
	}
	back := after.Back()
	if back <= 0 {
		return nil
	}
	// What waits does so for as long as the clock had it wait. A subscription
	// never waits longer than its time between two looks.
	return execAll(ctx, tx, []any{now, int64(back)},
		"UPDATE tasks SET not_before = max(?1, not_before - ?2) WHERE state = 'pending' AND not_before > ?1",
		"UPDATE subscriptions SET next_at = max(?1, next_at - ?2) WHERE next_at > ?1",
	)
}

// SetSwept implements catalog.Clocks.
func (c *Catalog) SetSwept(ctx context.Context, at time.Time) error {
	if err := checkTime("time of the sweep", at); err != nil {
		return c.translate(ctx, "remember the sweep", err)
	}
	return c.write(ctx, "remember the sweep", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE clock SET swept = ?", stamp(at))
		return err
	})
}

// beyond holds for the tasks that wait until after a time; it is answered by
// an index of each crawl.
const beyond = "state = 'pending' AND not_before <> 0 AND not_before > ?1 AND crawl IN (SELECT no FROM crawls)"

// DueBeyond implements catalog.Clocks.
func (c *Catalog) DueBeyond(ctx context.Context, at time.Time) (tasks int, err error) {
	err = c.read(ctx, "look for what waits", func(ctx context.Context, tx *sql.Tx) error {
		tasks, err = scanOne[int](tx.QueryRowContext(ctx, "SELECT count(*) FROM tasks WHERE "+beyond, stamp(at)))
		return err
	})
	return tasks, err
}

// DueAtOnce implements catalog.Clocks.
func (c *Catalog) DueAtOnce(ctx context.Context, after time.Time) (int, error) {
	tasks, err := c.DueBeyond(ctx, after)
	if err != nil || tasks == 0 {
		return 0, err
	}
	err = c.write(ctx, "let what waits go on", func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, "UPDATE tasks SET not_before = 0 WHERE "+beyond, stamp(after))
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		tasks = int(n)
		return err
	})
	return tasks, err
}

package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"time"

	"github.com/palate-art/palate"
)

// begin starts the one write transaction, waiting for other processes as long
// as the configuration allows and ctx lives.
func (c *Catalog) begin(ctx context.Context) (*sql.Tx, error) {
	if c.unwritten != nil {
		return nil, c.unwritten
	}
	deadline := time.Now().Add(c.cfg.BusyTimeout)
	for {
		tx, err := c.writer.BeginTx(ctx, nil)
		if err == nil || !isBusy(err) || ctx.Err() != nil || time.Now().After(deadline) {
			return tx, err
		}
	}
}

// write runs f in a transaction that is durable when write returns nil, and
// leaves nothing behind when it returns an error.
func (c *Catalog) write(ctx context.Context, what string, f func(context.Context, *sql.Tx) error) error {
	tx, err := c.begin(ctx)
	if err != nil {
		return c.translate(ctx, what, err)
	}
	if err := f(ctx, tx); err != nil {
		_ = tx.Rollback() // the first error says more
		return c.translate(ctx, what, err)
	}
	if err := tx.Commit(); err != nil {
		return c.translate(ctx, what, err)
	}
	c.written.tell()
	return nil
}

// read runs f on one snapshot of the catalog.
func (c *Catalog) read(ctx context.Context, what string, f func(context.Context, *sql.Tx) error) error {
	tx, err := c.reader.BeginTx(ctx, nil)
	if err != nil {
		return c.translate(ctx, what, err)
	}
	defer func() { _ = tx.Rollback() }()
	return c.translate(ctx, what, f(ctx, tx))
}

// answer is what QueryContext returns, as one value.
type answer struct {
	rows *sql.Rows
	err  error
}

func from(rows *sql.Rows, err error) answer { return answer{rows, err} }

// collect gathers the rows of an answer.
func collect[T any](a answer, scan func(*sql.Rows) (T, error)) ([]T, error) {
	if a.err != nil {
		return nil, a.err
	}
	defer func() { _ = a.rows.Close() }()
	var all []T
	for a.rows.Next() {
		v, err := scan(a.rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, a.rows.Err()
}

// The times that nanoseconds in 64 bits can tell.
var (
	earliest = time.Unix(0, math.MinInt64)
	latest   = time.Unix(0, math.MaxInt64)
)

func checkTime(what string, t time.Time) error {
	if !t.IsZero() && (t.Before(earliest) || t.After(latest)) {
		return fmt.Errorf("%s %v is not between the years 1678 and 2261: %w", what, t, palate.ErrInvalid)
	}
	return nil
}

// within is the nearest time that can be told.
func within(t time.Time) time.Time {
	switch {
	case t.Before(earliest):
		return earliest
	case t.After(latest):
		return latest
	}
	return t
}

func stamp(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func unstamp(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}

// orNow gives the time that a caller left open.
func orNow(t time.Time) time.Time {
	if t.IsZero() {
		return time.Now().UTC()
	}
	return t.UTC()
}

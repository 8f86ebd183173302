package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// StartRun implements catalog.Runs. The profile may be empty.
func (c *Catalog) StartRun(ctx context.Context, kind string, p palate.Profile) (catalog.Run, error) {
	err := checkName("kind of run", kind)
	if p != "" {
		_, bad := palate.ParseProfile(string(p))
		err = errors.Join(err, bad)
	}
	if err != nil {
		return catalog.Run{}, c.translate(ctx, "start run", err)
	}
	now := time.Now().UTC()
	run := catalog.Run{Kind: kind, Profile: p, State: catalog.Running, StartedAt: now, UpdatedAt: now}
	err = c.write(ctx, "start run", func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `
			INSERT INTO runs (kind, profile, state, done, total, error, started_at, updated_at, finished_at)
			VALUES (?, ?, ?, 0, 0, '', ?, ?, 0)`, kind, string(p), string(run.State), stamp(now), stamp(now))
		if err != nil {
			return err
		}
		run.ID, err = result.LastInsertId()
		return err
	})
	if err != nil {
		return catalog.Run{}, err
	}
	return run, nil
}

// UpdateRun implements catalog.Runs. ErrConflict if the run has ended: its
// process was taken for dead, and should stop.
func (c *Catalog) UpdateRun(ctx context.Context, id, done, total int64) error {
	if done < 0 || total < 0 {
		return c.translate(ctx, "update run", fmt.Errorf("progress %d of %d is negative: %w", done, total, palate.ErrInvalid))
	}
	return c.changeRunning(ctx, "update run", id, "done = ?, total = ?, updated_at = ?", done, total, nowNS())
}

// FinishRun implements catalog.Runs.
func (c *Catalog) FinishRun(ctx context.Context, id int64, state catalog.RunState, result json.RawMessage, message string) error {
	err := checkJSON("run's result", result)
	if state != catalog.Succeeded && state != catalog.Failed && state != catalog.Cancelled {
		err = errors.Join(err, fmt.Errorf("state %q does not end a run: %w", state, palate.ErrInvalid))
	}
	if err != nil {
		return c.translate(ctx, "finish run", err)
	}
	now := nowNS()
	return c.changeRunning(ctx, "finish run", id, "state = ?, result = ?, error = ?, updated_at = ?, finished_at = ?",
		string(state), nullJSON(result), mend(message), now, now)
}

// changeRunning sets columns of a run that has not ended.
func (c *Catalog) changeRunning(ctx context.Context, what string, id int64, set string, args ...any) error {
	return c.write(ctx, what, func(ctx context.Context, tx *sql.Tx) error {
		state, err := scanOne[catalog.RunState](tx.QueryRowContext(ctx, "SELECT state FROM runs WHERE id = ?", id))
		if err != nil {
			return orNotFound(err, "run %d", id)
		}
		if state != catalog.Running {
			return fmt.Errorf("run %d has %s already: %w", id, state, palate.ErrConflict)
		}
		_, err = tx.ExecContext(ctx, "UPDATE runs SET "+set+" WHERE id = ?", append(args, id)...)
		return err
	})
}

const runColumns = "id, kind, profile, state, done, total, result, error, started_at, updated_at, finished_at"

func scanRun(row interface{ Scan(...any) error }) (r catalog.Run, err error) {
	var result sql.NullString
	var started, updated, finished int64
	err = row.Scan(&r.ID, &r.Kind, &r.Profile, &r.State, &r.Done, &r.Total, &result, &r.Error, &started, &updated, &finished)
	r.Result = rawJSON(result)
	r.StartedAt, r.UpdatedAt, r.FinishedAt = unstamp(started), unstamp(updated), unstamp(finished)
	return r, err
}

// RunByID implements catalog.Runs.
func (c *Catalog) RunByID(ctx context.Context, id int64) (catalog.Run, error) {
	var run catalog.Run
	err := c.read(ctx, "read run", func(ctx context.Context, tx *sql.Tx) (err error) {
		run, err = scanRun(tx.QueryRowContext(ctx, "SELECT "+runColumns+" FROM runs WHERE id = ?", id))
		return orNotFound(err, "run %d", id)
	})
	if err != nil {
		return catalog.Run{}, err
	}
	return run, nil
}

// ListRuns implements catalog.Runs.
func (c *Catalog) ListRuns(ctx context.Context, before int64, limit int) ([]catalog.Run, error) {
	if err := checkLimit(limit, 0); err != nil {
		return nil, c.translate(ctx, "list runs", err)
	}
	var runs []catalog.Run
	err := c.read(ctx, "list runs", func(ctx context.Context, tx *sql.Tx) (err error) {
		runs, err = collect(from(tx.QueryContext(ctx,
			"SELECT "+runColumns+" FROM runs WHERE ?1 = 0 OR id < ?1 ORDER BY id DESC LIMIT ?2", before, limit)),
			func(rows *sql.Rows) (catalog.Run, error) { return scanRun(rows) })
		return err
	})
	return runs, err
}

// FailStaleRuns implements catalog.Runs.
func (c *Catalog) FailStaleRuns(ctx context.Context, since time.Time) (int, error) {
	if err := checkTime("time", since); err != nil {
		return 0, c.translate(ctx, "end stale runs", err)
	}
	var ended int64
	err := c.write(ctx, "end stale runs", func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx,
			"UPDATE runs SET state = ?, error = 'its process ended without a word', finished_at = ? WHERE state = 'running' AND updated_at < ?",
			string(catalog.Failed), nowNS(), stamp(since))
		if err != nil {
			return err
		}
		ended, err = result.RowsAffected()
		return err
	})
	if err != nil {
		return 0, err
	}
	return int(ended), nil
}

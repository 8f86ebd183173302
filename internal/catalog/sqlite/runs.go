package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// runLease names the lease of one run. It is made up before the run has its
// number, so that there is no moment in which the run is there and its lease is
// not.
func runLease() string { return "run-" + strings.ToLower(rand.Text()) }

// StartRun implements catalog.Runs. The profile may be empty.
func (c *Catalog) StartRun(ctx context.Context, kind string, p palate.Profile) (catalog.Run, catalog.Lease, error) {
	err := checkName("kind of run", kind)
	if p != "" {
		_, bad := palate.ParseProfile(string(p))
		err = errors.Join(err, bad)
	}
	if err != nil {
		return catalog.Run{}, nil, c.translate(ctx, "start run", err)
	}
	name := runLease()
	lease, err := c.takeLease(name)
	if err != nil {
		return catalog.Run{}, nil, c.translate(ctx, "start run", err)
	}
	lease.transient = true
	now := time.Now().UTC()
	run := catalog.Run{Kind: kind, Profile: p, State: catalog.Running, StartedAt: now, UpdatedAt: now}
	err = c.write(ctx, "start run", func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `
			INSERT INTO runs (kind, profile, state, done, total, error, started_at, updated_at, finished_at, lease)
			VALUES (?, ?, ?, 0, 0, '', ?, ?, 0, ?)`, kind, string(p), string(run.State), stamp(now), stamp(now), name)
		if err != nil {
			return err
		}
		if run.ID, err = result.LastInsertId(); err != nil {
			return err
		}
		return recordChange(ctx, tx, catalog.RunChanged, change{run: run.ID})
	})
	if err != nil {
		return catalog.Run{}, nil, errors.Join(err, lease.Release())
	}
	return run, lease, nil
}

// UpdateRun implements catalog.Runs.
func (c *Catalog) UpdateRun(ctx context.Context, id, done, total int64, progress json.RawMessage) error {
	if done < 0 || total < 0 {
		return c.translate(ctx, "update run", fmt.Errorf("progress %d of %d is negative: %w", done, total, palate.ErrInvalid))
	}
	if err := checkJSON("run's progress", progress); err != nil {
		return c.translate(ctx, "update run", err)
	}
	return c.changeRunning(ctx, "update run", id, "done = ?, total = ?, progress = coalesce(?, progress), updated_at = ?", done, total, nullJSON(progress), nowNS())
}

// CancelRun implements catalog.Runs.
func (c *Catalog) CancelRun(ctx context.Context, id int64) error {
	return c.changeRunning(ctx, "cancel run", id, "cancel_asked = 1")
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
	return c.endRun(ctx, "finish run", id, "state = ?, result = ?, error = ?, updated_at = ?, finished_at = ?",
		string(state), nullJSON(result), mend(message), now, now)
}

// changeRunning sets columns of a run that has not ended.
func (c *Catalog) changeRunning(ctx context.Context, what string, id int64, set string, args ...any) error {
	return c.write(ctx, what, changeRun(id, set, args...))
}

// endRun is changeRunning for the end, with which the run's claims end.
func (c *Catalog) endRun(ctx context.Context, what string, id int64, set string, args ...any) error {
	change := changeRun(id, set, args...)
	return c.write(ctx, what, func(ctx context.Context, tx *sql.Tx) error {
		if err := change(ctx, tx); err != nil {
			return err
		}
		return giveUpClaims(ctx, tx, id)
	})
}

func changeRun(id int64, set string, args ...any) func(context.Context, *sql.Tx) error {
	return func(ctx context.Context, tx *sql.Tx) error {
		state, err := scanOne[catalog.RunState](tx.QueryRowContext(ctx, "SELECT state FROM runs WHERE id = ?", id))
		if err != nil {
			return orNotFound(err, "job %d", id)
		}
		if state != catalog.Running {
			return fmt.Errorf("job %d has %s already: %w", id, state, palate.ErrConflict)
		}
		if _, err = tx.ExecContext(ctx, "UPDATE runs SET "+set+" WHERE id = ?", append(args, id)...); err != nil {
			return err
		}
		return recordChange(ctx, tx, catalog.RunChanged, change{run: id})
	}
}

const runColumns = "id, kind, profile, state, done, total, result, error, started_at, updated_at, finished_at, cancel_asked, losses, lines, progress"

func scanRun(row interface{ Scan(...any) error }) (r catalog.Run, err error) {
	var result, progress sql.NullString
	var started, updated, finished int64
	err = row.Scan(&r.ID, &r.Kind, &r.Profile, &r.State, &r.Done, &r.Total, &result, &r.Error, &started, &updated, &finished, &r.CancelAsked, &r.Losses, &r.Lines, &progress)
	r.Result, r.Progress = rawJSON(result), rawJSON(progress)
	r.StartedAt, r.UpdatedAt, r.FinishedAt = unstamp(started), unstamp(updated), unstamp(finished)
	return r, err
}

// RunByID implements catalog.Runs.
func (c *Catalog) RunByID(ctx context.Context, id int64) (catalog.Run, error) {
	var run catalog.Run
	err := c.read(ctx, "read run", func(ctx context.Context, tx *sql.Tx) (err error) {
		run, err = scanRun(tx.QueryRowContext(ctx, "SELECT "+runColumns+" FROM runs WHERE id = ?", id))
		return orNotFound(err, "job %d", id)
	})
	if err != nil {
		return catalog.Run{}, err
	}
	return run, nil
}

// CountRuns implements catalog.Runs.
func (c *Catalog) CountRuns(ctx context.Context) (count int, err error) {
	err = c.read(ctx, "count runs", func(ctx context.Context, tx *sql.Tx) (err error) {
		count, err = scanOne[int](tx.QueryRowContext(ctx, "SELECT count(*) FROM runs"))
		return err
	})
	return count, err
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

// EndDeadRuns implements catalog.Runs. A run of an older palate has no lease:
// its process can't be at work on a file with this schema.
func (c *Catalog) EndDeadRuns(ctx context.Context) (int, error) {
	const what = "end dead runs"
	// Whoever looks holds the lease for a moment: to a second who looks meanwhile
	// the dead would seem alive.
	c.endingDead.Lock()
	defer c.endingDead.Unlock()
	type running struct {
		id    int64
		lease string
	}
	var all []running
	err := c.read(ctx, what, func(ctx context.Context, tx *sql.Tx) (err error) {
		all, err = collect(from(tx.QueryContext(ctx, "SELECT id, lease FROM runs WHERE state = 'running'")),
			func(rows *sql.Rows) (r running, err error) { return r, rows.Scan(&r.id, &r.lease) })
		return err
	})
	ended := 0
	for _, r := range all {
		was, endErr := c.endIfDead(ctx, what, r.id, r.lease)
		if was {
			ended++
		}
		err = errors.Join(err, endErr)
	}
	return ended, err
}

func (c *Catalog) endIfDead(ctx context.Context, what string, id int64, name string) (ended bool, err error) {
	if name != "" {
		lease, err := c.takeLease(name)
		if errors.Is(err, palate.ErrConflict) {
			return false, nil // it lives
		}
		if err != nil {
			return false, c.translate(ctx, what, err)
		}
		lease.transient = true
		defer func() { err = errors.Join(err, lease.Release()) }()
	}
	now := nowNS()
	err = c.endRun(ctx, what, id, "state = ?, error = ?, updated_at = ?, finished_at = ?",
		string(catalog.Failed), "its process ended before the work was done", now, now)
	switch {
	case errors.Is(err, palate.ErrConflict):
		return false, nil // it ended meanwhile, and only then gave its lease back
	case err != nil:
		return false, err
	}
	return true, nil
}

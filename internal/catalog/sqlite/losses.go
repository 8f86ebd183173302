package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// AddRunLosses implements catalog.RunLosses.
func (c *Catalog) AddRunLosses(ctx context.Context, run int64, losses []catalog.RunLoss) error {
	const what = "keep what was lost"
	for _, l := range losses {
		if err := checkName("reason of a loss", l.Reason); err != nil {
			return c.translate(ctx, what, err)
		}
	}
	if len(losses) == 0 {
		return nil
	}
	return c.write(ctx, what, func(ctx context.Context, tx *sql.Tx) error {
		var state catalog.RunState
		var told int64
		if err := tx.QueryRowContext(ctx, "SELECT state, losses FROM runs WHERE id = ?", run).Scan(&state, &told); err != nil {
			return orNotFound(err, "job %d", run)
		}
		if state != catalog.Running {
			return fmt.Errorf("job %d has %s already: %w", run, state, palate.ErrConflict)
		}
		insert, err := tx.PrepareContext(ctx, "INSERT INTO run_losses (run, no, path, reason, kept, what) VALUES (?, ?, ?, ?, ?, ?)")
		if err != nil {
			return err
		}
		defer func() { _ = insert.Close() }()
		for i, l := range losses {
			no := told + int64(i) + 1
			if no > catalog.MostRunLosses {
				break
			}
			if _, err := insert.ExecContext(ctx, run, no, mend(l.Path), l.Reason, l.Kept, mend(l.What)); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, "UPDATE runs SET losses = ? WHERE id = ?", told+int64(len(losses)), run); err != nil {
			return err
		}
		if told > 0 {
			return nil
		}
		_, err = tx.ExecContext(ctx, `
			DELETE FROM run_losses WHERE run <= (SELECT id FROM runs WHERE losses > 0 ORDER BY id DESC LIMIT 1 OFFSET ?)`, catalog.RunsWithLosses)
		return err
	})
}

// RunLosses implements catalog.RunLosses.
func (c *Catalog) RunLosses(ctx context.Context, run int64, reason string, after int64, limit int) ([]catalog.RunLoss, error) {
	const what = "list what was lost"
	if err := checkLimit(limit, 1000); err != nil {
		return nil, c.translate(ctx, what, err)
	}
	var losses []catalog.RunLoss
	err := c.read(ctx, what, func(ctx context.Context, tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, "SELECT 1 FROM runs WHERE id = ?", run).Scan(new(int)); err != nil {
			return orNotFound(err, "job %d", run)
		}
		var err error
		losses, err = collect(from(tx.QueryContext(ctx,
			"SELECT no, path, reason, kept, what FROM run_losses WHERE run = ?1 AND no > ?2 AND (?3 = '' OR reason = ?3) ORDER BY no LIMIT ?4", run, after, reason, limit)),
			func(rows *sql.Rows) (l catalog.RunLoss, err error) {
				return l, rows.Scan(&l.Number, &l.Path, &l.Reason, &l.Kept, &l.What)
			})
		return err
	})
	return losses, err
}

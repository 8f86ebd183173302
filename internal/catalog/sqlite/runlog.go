package sqlite

import (
	"context"
	"database/sql"

	"github.com/palate-art/palate/internal/catalog"
)

// AddRunLines implements catalog.RunLog.
func (c *Catalog) AddRunLines(ctx context.Context, run int64, lines []catalog.RunLine) error {
	if len(lines) == 0 {
		return nil
	}
	count := changeRun(run, "lines = lines + ?", len(lines))
	return c.write(ctx, "write a job's log", func(ctx context.Context, tx *sql.Tx) error {
		if err := count(ctx, tx); err != nil {
			return err
		}
		last, err := scanOne[int64](tx.QueryRowContext(ctx, "SELECT lines FROM runs WHERE id = ?", run))
		if err != nil {
			return err
		}
		insert, err := tx.PrepareContext(ctx, "INSERT INTO run_lines (run, no, at, warning, text) VALUES (?, ?, ?, ?, ?)")
		if err != nil {
			return err
		}
		defer func() { _ = insert.Close() }()
		before := last - int64(len(lines))
		for i, l := range lines {
			if _, err := insert.ExecContext(ctx, run, before+int64(i)+1, stamp(l.At), l.Warning, mend(l.Text)); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM run_lines WHERE run = ? AND no <= ?", run, last-catalog.MostRunLines); err != nil {
			return err
		}
		if before > 0 {
			return nil
		}
		_, err = tx.ExecContext(ctx, `
			DELETE FROM run_lines WHERE run <= (SELECT id FROM runs WHERE lines > 0 ORDER BY id DESC LIMIT 1 OFFSET ?)`, catalog.RunsWithLog)
		return err
	})
}

// RunLog implements catalog.RunLog.
func (c *Catalog) RunLog(ctx context.Context, run, after int64, limit int) ([]catalog.RunLine, error) {
	const what = "read a job's log"
	if err := checkLimit(limit, 1000); err != nil {
		return nil, c.translate(ctx, what, err)
	}
	var lines []catalog.RunLine
	err := c.read(ctx, what, func(ctx context.Context, tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, "SELECT 1 FROM runs WHERE id = ?", run).Scan(new(int)); err != nil {
			return orNotFound(err, "run %d", run)
		}
		var err error
		lines, err = collect(from(tx.QueryContext(ctx, "SELECT no, at, warning, text FROM run_lines WHERE run = ? AND no > ? ORDER BY no LIMIT ?", run, after, limit)),
			func(rows *sql.Rows) (l catalog.RunLine, err error) {
				var at int64
				err = rows.Scan(&l.Number, &at, &l.Warning, &l.Text)
				l.At = unstamp(at)
				return l, err
			})
		return err
	})
	return lines, err
}

package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// BeginUpgrade implements catalog.Upgrades.
func (c *Catalog) BeginUpgrade(ctx context.Context, from, to palate.ModelID) error {
	return c.write(ctx, "begin upgrade", func(ctx context.Context, tx *sql.Tx) error {
		former, successor, err := findBoth(ctx, tx, from, to)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM upgrades WHERE former = ?", successor); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `
			INSERT INTO upgrades (former, successor, started_at, finished_at) VALUES (?, ?, ?, 0)
			ON CONFLICT (former) DO UPDATE SET successor = excluded.successor, started_at = excluded.started_at, finished_at = 0
			WHERE successor <> excluded.successor`, former, successor, stamp(time.Now()))
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return recordChange(ctx, tx, catalog.ModelChanged, change{model: successor})
	})
}

func findBoth(ctx context.Context, tx *sql.Tx, from, to palate.ModelID) (former, successor int64, err error) {
	if from == to {
		return 0, 0, fmt.Errorf("model %s can't take its own place: %w", from.Short(), palate.ErrInvalid)
	}
	if former, _, err = findModel(ctx, tx, from); err == nil {
		successor, _, err = findModel(ctx, tx, to)
	}
	return former, successor, err
}

// FinishUpgrade implements catalog.Upgrades.
func (c *Catalog) FinishUpgrade(ctx context.Context, from, to palate.ModelID) error {
	return c.write(ctx, "finish upgrade", func(ctx context.Context, tx *sql.Tx) error {
		former, successor, err := findBoth(ctx, tx, from, to)
		if err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `
			UPDATE upgrades SET finished_at = ?
			WHERE former = ? AND successor = ? AND finished_at = 0`, stamp(time.Now()), former, successor)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil {
			return err
		} else if n > 0 {
			return recordChange(ctx, tx, catalog.ModelChanged, change{model: successor})
		}
		there, err := upgradeThere(ctx, tx, former, successor)
		if err != nil || there {
			return err
		}
		return noUpgrade(from, to)
	})
}

// CancelUpgrade implements catalog.Upgrades.
func (c *Catalog) CancelUpgrade(ctx context.Context, from, to palate.ModelID) error {
	return c.write(ctx, "cancel upgrade", func(ctx context.Context, tx *sql.Tx) error {
		former, successor, err := findBoth(ctx, tx, from, to)
		if err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, "DELETE FROM upgrades WHERE former = ? AND successor = ? AND finished_at = 0", former, successor)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil {
			return err
		} else if n > 0 {
			return recordChange(ctx, tx, catalog.ModelChanged, change{model: successor})
		}
		there, err := upgradeThere(ctx, tx, former, successor)
		switch {
		case err != nil:
			return err
		case there:
			return fmt.Errorf("the upgrade of model %s to %s is finished: %w", from.Short(), to.Short(), palate.ErrConflict)
		}
		return noUpgrade(from, to)
	})
}

func upgradeThere(ctx context.Context, tx *sql.Tx, former, successor int64) (bool, error) {
	return scanOne[bool](tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM upgrades WHERE former = ? AND successor = ?)", former, successor))
}

func noUpgrade(from, to palate.ModelID) error {
	return fmt.Errorf("no upgrade of model %s to %s: %w", from.Short(), to.Short(), palate.ErrNotFound)
}

// Upgrades implements catalog.Upgrades.
func (c *Catalog) Upgrades(ctx context.Context) ([]catalog.Upgrade, error) {
	var upgrades []catalog.Upgrade
	err := c.read(ctx, "list upgrades", func(ctx context.Context, tx *sql.Tx) (err error) {
		upgrades, err = collect(from(tx.QueryContext(ctx, `
			SELECT f.id, s.id, u.started_at, u.finished_at FROM upgrades u
			JOIN models f ON f.no = u.former JOIN models s ON s.no = u.successor ORDER BY u.started_at, u.former`)),
			func(rows *sql.Rows) (u catalog.Upgrade, err error) {
				var started, finished int64
				err = rows.Scan(&u.From, &u.To, &started, &finished)
				u.StartedAt, u.FinishedAt = unstamp(started), unstamp(finished)
				return u, err
			})
		return err
	})
	return upgrades, err
}

// ForgetModel implements catalog.Upgrades.
func (c *Catalog) ForgetModel(ctx context.Context, m palate.ModelID) (int, error) {
	var gone int64
	err := c.write(ctx, "forget model", func(ctx context.Context, tx *sql.Tx) error {
		no, _, err := findModel(ctx, tx, m)
		if err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, "DELETE FROM embeddings WHERE model = ?", no)
		if err != nil {
			return err
		}
		if gone, err = result.RowsAffected(); err != nil {
			return err
		}
		for _, query := range []string{
			"DELETE FROM embedding_failures WHERE model = ?1",
			"DELETE FROM unembedded WHERE model = ?1",
			"INSERT INTO unembedded (model, image) SELECT ?1, no FROM images",
			"DELETE FROM upgrades WHERE former = ?1 OR successor = ?1",
			// A change that names a probe keeps its profile and model.
			`UPDATE changes SET profile = p.profile, model = ?1, probe = NULL
				FROM probes p WHERE p.no = changes.probe AND p.model = (SELECT id FROM models WHERE no = ?1)`,
			"DELETE FROM probes WHERE model = (SELECT id FROM models WHERE no = ?1)",
		} {
			if _, err := tx.ExecContext(ctx, query, no); err != nil {
				return err
			}
		}
		return nil
	})
	return int(gone), err
}

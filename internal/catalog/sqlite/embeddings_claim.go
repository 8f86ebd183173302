package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// ClaimUnembedded implements catalog.Embeddings. A claim is the run's number in
// the list of what is to be embedded, so that an embedding ends it with the row.
func (c *Catalog) ClaimUnembedded(ctx context.Context, m palate.ModelID, run int64, limit int) ([]catalog.Image, error) {
	const what = "claim images to embed"
	if err := checkLimit(limit, 0); err != nil {
		return nil, c.translate(ctx, what, err)
	}
	var images []catalog.Image
	err := c.write(ctx, what, func(ctx context.Context, tx *sql.Tx) error {
		state, err := scanOne[catalog.RunState](tx.QueryRowContext(ctx, "SELECT state FROM runs WHERE id = ?", run))
		if err != nil {
			return orNotFound(err, "job %d", run)
		}
		if state != catalog.Running {
			return fmt.Errorf("job %d has %s already: %w", run, state, palate.ErrConflict)
		}
		model, _, err := findModel(ctx, tx, m)
		if err != nil {
			return err
		}
		numbers, err := collect(from(tx.QueryContext(ctx,
			"SELECT image FROM unembedded WHERE model = ? AND run IS NULL ORDER BY image LIMIT ?", model, limit)), scanNumber)
		if err != nil || len(numbers) == 0 {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE unembedded SET run = ? WHERE model = ? AND run IS NULL AND image <= ?",
			run, model, numbers[len(numbers)-1]); err != nil {
			return err
		}
		images, err = loadNumbered(ctx, tx, numbers)
		return err
	})
	if err != nil {
		return nil, err
	}
	return images, nil
}

// giveUpClaims is part of the transaction that ends a run.
func giveUpClaims(ctx context.Context, tx *sql.Tx, run int64) error {
	for _, query := range []string{"UPDATE unembedded SET run = NULL WHERE run = ?", "UPDATE tasks SET run = NULL WHERE run = ?"} {
		if _, err := tx.ExecContext(ctx, query, run); err != nil {
			return err
		}
	}
	return nil
}

// EmbeddingWork implements catalog.Embeddings. Of a model that was never put
// every image is free.
func (c *Catalog) EmbeddingWork(ctx context.Context, m palate.ModelID) (free, claimed bool, err error) {
	err = c.read(ctx, "look for images to embed", func(ctx context.Context, tx *sql.Tx) error {
		model, _, err := findModel(ctx, tx, m)
		if errors.Is(err, palate.ErrNotFound) {
			free, err = scanOne[bool](tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM images)"))
			return err
		}
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `
			SELECT EXISTS (SELECT 1 FROM unembedded WHERE model = ?1 AND run IS NULL),
			       EXISTS (SELECT 1 FROM unembedded WHERE model = ?1 AND run IS NOT NULL)`, model).Scan(&free, &claimed)
	})
	return free, claimed, err
}

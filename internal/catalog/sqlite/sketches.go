package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/palate-art/palate"
)

// PutSketches implements catalog.Sketches.
func (c *Catalog) PutSketches(ctx context.Context, version int, sketches map[palate.ImageID][]byte) error {
	if len(sketches) == 0 {
		return nil
	}
	ids := slices.SortedFunc(maps.Keys(sketches), func(a, b palate.ImageID) int { return bytes.Compare(a[:], b[:]) })
	return c.write(ctx, "keep sketches", func(ctx context.Context, tx *sql.Tx) error {
		for _, id := range ids {
			if len(sketches[id]) == 0 {
				return fmt.Errorf("the sketch of image %v has no bytes: %w", id, palate.ErrInvalid)
			}
			image, err := imageNo(ctx, tx, id)
			if errors.Is(err, palate.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "REPLACE INTO sketches (image, version, pixels) VALUES (?, ?, ?)", image, version, sketches[id]); err != nil {
				return err
			}
		}
		return nil
	})
}

// SketchOf implements catalog.Sketches.
func (c *Catalog) SketchOf(ctx context.Context, version int, id palate.ImageID) (pixels []byte, err error) {
	err = c.read(ctx, "read a sketch", func(ctx context.Context, tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, "SELECT s.pixels FROM images i JOIN sketches s ON s.image = i.no WHERE i.id = ? AND s.version = ?", id[:], version).Scan(&pixels)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("image %v has no sketch: %w", id, palate.ErrNotFound)
		}
		return err
	})
	return pixels, err
}

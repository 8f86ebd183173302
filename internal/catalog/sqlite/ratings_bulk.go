package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/palate-art/palate"
)

// ClearRatings implements catalog.Ratings.
func (c *Catalog) ClearRatings(ctx context.Context, p palate.Profile, ids []palate.ImageID) (entries []int64, err error) {
	err = c.write(ctx, "clear ratings", func(ctx context.Context, tx *sql.Tx) error {
		entries = nil
		for _, id := range ids {
			switch cleared, err := takeBack(ctx, tx, p, id); {
			case errors.Is(err, palate.ErrNotFound):
			case err != nil:
				return err
			default:
				entries = append(entries, cleared)
			}
		}
		return nil
	})
	return entries, err
}

// UndoRatings implements catalog.Ratings.
func (c *Catalog) UndoRatings(ctx context.Context, p palate.Profile, entries []int64) (undone []int64, err error) {
	latest := slices.Clone(entries)
	slices.Sort(latest)
	slices.Reverse(latest)
	err = c.write(ctx, "undo ratings", func(ctx context.Context, tx *sql.Tx) error {
		undone = nil
		at := nowNS()
		for _, entry := range latest {
			e, err := namedRating(ctx, tx, p, entry)
			if errors.Is(err, palate.ErrConflict) {
				continue // undone already
			}
			if err != nil {
				return err
			}
			if err := undoAt(ctx, tx, e, at); err != nil {
				return err
			}
			undone = append(undone, entry)
		}
		return nil
	})
	return undone, err
}

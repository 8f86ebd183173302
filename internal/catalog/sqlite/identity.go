package sqlite

import (
	"context"
	"database/sql"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// Identity implements catalog.Identities.
func (c *Catalog) Identity(ctx context.Context) (catalog.Identity, error) {
	var id catalog.Identity
	err := c.read(ctx, "read identity", func(ctx context.Context, tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, "SELECT catalog, store FROM identity").Scan(&id.Catalog, &id.Store)
	})
	return id, err
}

// SetStore implements catalog.Identities.
func (c *Catalog) SetStore(ctx context.Context, store string) error {
	return c.write(ctx, "remember the image store", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE identity SET store = ?", mend(store))
		return err
	})
}

// ImageStates implements catalog.Images.
func (c *Catalog) ImageStates(ctx context.Context, ids []palate.ImageID) ([]catalog.ImageState, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	known := make(map[palate.ImageID]catalog.ImageState, len(ids))
	err := c.read(ctx, "look for images", func(ctx context.Context, tx *sql.Tx) error {
		list := idList(ids)
		for _, step := range []struct {
			query string
			state catalog.ImageState
		}{
			{"SELECT id FROM tombstones WHERE id IN " + idsIn, catalog.DeletedImage},
			{"SELECT id FROM tombstones WHERE " + trashed + " AND id IN " + idsIn, catalog.TrashedImage},
			{"SELECT id FROM images WHERE id IN " + idsIn, catalog.PresentImage},
		} {
			found, err := collect(from(tx.QueryContext(ctx, step.query, list)), scanID)
			if err != nil {
				return err
			}
			for _, id := range found {
				known[id] = step.state
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	states := make([]catalog.ImageState, len(ids))
	for i, id := range ids {
		states[i] = known[id]
	}
	return states, nil
}

func scanID(rows *sql.Rows) (id palate.ImageID, err error) {
	var raw sql.RawBytes
	err = rows.Scan(&raw)
	copy(id[:], raw)
	return id, err
}

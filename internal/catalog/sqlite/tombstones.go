package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// isTombstoned reports whether the file or the address was deleted. An image
// of the collection may refresh a source that it has, and an upload has no
// address that could come back.
func isTombstoned(ctx context.Context, tx *sql.Tx, id palate.ImageID, s palate.Source) (bool, error) {
	return scanOne[bool](tx.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM tombstones WHERE id = ?1)
			OR ?3 <> '`+uploadSite+`'
				AND EXISTS (SELECT 1 FROM tombstone_addresses WHERE address = ?2)
				AND NOT EXISTS (SELECT 1 FROM sources s JOIN images i ON i.no = s.image WHERE i.id = ?1 AND s.address = ?2)`,
		id[:], s.Address, s.Site))
}

// DeleteImage implements catalog.Images. The addresses of uploads are not
// kept away. If the tombstone is lifted and the image comes back, its
// ratings count again.
func (c *Catalog) DeleteImage(ctx context.Context, id palate.ImageID, reason string) error {
	return c.write(ctx, "delete image", func(ctx context.Context, tx *sql.Tx) error {
		return deleteImage(ctx, tx, id, reason, true)
	})
}

// deleteImage removes an image, into the trash or for good.
func deleteImage(ctx context.Context, tx *sql.Tx, id palate.ImageID, reason string, toTrash bool) error {
	image, err := imageNo(ctx, tx, id)
	if err != nil {
		return err
	}
	result, err := tx.ExecContext(ctx, "INSERT INTO tombstones (id, reason, deleted_at) VALUES (?, ?, ?)", id[:], mend(reason), nowNS())
	if err != nil {
		return err
	}
	tombstone, err := result.LastInsertId()
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO tombstone_addresses (address, tombstone) SELECT address, ? FROM sources WHERE image = ? AND site <> '`+uploadSite+`' AND NOT `+edited,
		tombstone, image); err != nil {
		return err
	}
	if toTrash {
		if err := throwAway(ctx, tx, image, tombstone); err != nil {
			return err
		}
	}
	// Sources, categories, embeddings, failures and standing verdicts
	// go with it by their foreign keys.
	if _, err := tx.ExecContext(ctx, "DELETE FROM images WHERE no = ?", image); err != nil {
		return err
	}
	return recordChange(ctx, tx, catalog.ImageDeleted, change{image: id})
}

func scanTombstone(row interface{ Scan(...any) error }) (t catalog.Tombstone, err error) {
	var id []byte
	var deleted int64
	err = row.Scan(&id, &t.Reason, &deleted, &t.Trashed)
	copy(t.ID[:], id)
	t.DeletedAt = unstamp(deleted)
	return t, err
}

// TombstoneOf implements catalog.Images.
func (c *Catalog) TombstoneOf(ctx context.Context, id palate.ImageID) (catalog.Tombstone, error) {
	var t catalog.Tombstone
	err := c.read(ctx, "read tombstone", func(ctx context.Context, tx *sql.Tx) (err error) {
		t, err = scanTombstone(tx.QueryRowContext(ctx, "SELECT id, reason, deleted_at, "+trashed+" FROM tombstones WHERE id = ?", id[:]))
		return orNotFound(err, "tombstone of image %v", id)
	})
	if err != nil {
		return catalog.Tombstone{}, err
	}
	return t, nil
}

// Tombstones implements catalog.Images.
func (c *Catalog) Tombstones(ctx context.Context) ([]catalog.Tombstone, error) {
	var all []catalog.Tombstone
	err := c.read(ctx, "list tombstones", func(ctx context.Context, tx *sql.Tx) (err error) {
		all, err = collect(from(tx.QueryContext(ctx, "SELECT id, reason, deleted_at, "+trashed+" FROM tombstones ORDER BY no DESC")),
			func(rows *sql.Rows) (catalog.Tombstone, error) { return scanTombstone(rows) })
		return err
	})
	return all, err
}

// LiftTombstone implements catalog.Images.
func (c *Catalog) LiftTombstone(ctx context.Context, id palate.ImageID) error {
	return c.write(ctx, "lift tombstone", func(ctx context.Context, tx *sql.Tx) error {
		var no int64
		err := tx.QueryRowContext(ctx, "DELETE FROM tombstones WHERE id = ? RETURNING no", id[:]).Scan(&no)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("tombstone of image %v: %w", id, palate.ErrNotFound)
		}
		return err
	})
}

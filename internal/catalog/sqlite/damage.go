package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// PutDamage implements catalog.Damages.
func (c *Catalog) PutDamage(ctx context.Context, told []catalog.Damage) error {
	if len(told) == 0 {
		return nil
	}
	return c.write(ctx, "keep what decoding told", func(ctx context.Context, tx *sql.Tx) error {
		for _, d := range told {
			what := mend(d.What)
			var before sql.NullString
			err := tx.QueryRowContext(ctx, "SELECT damage FROM images WHERE id = ?", d.ID[:]).Scan(&before)
			if errors.Is(err, sql.ErrNoRows) || err == nil && before.Valid && before.String == what {
				continue
			}
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "UPDATE images SET damage = ? WHERE id = ?", what, d.ID[:]); err != nil {
				return err
			}
			if before.String == what { // it was not known to be whole
				continue
			}
			if err := recordChange(ctx, tx, catalog.ImageChanged, change{image: d.ID}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Undecoded implements catalog.Damages.
func (c *Catalog) Undecoded(ctx context.Context, after palate.ImageID, limit int) ([]catalog.Image, error) {
	const what = "list undecoded images"
	if err := checkLimit(limit, 0); err != nil {
		return nil, c.translate(ctx, what, err)
	}
	var images []catalog.Image
	err := c.read(ctx, what, func(ctx context.Context, tx *sql.Tx) error {
		type row struct {
			id palate.ImageID
			no int64
		}
		rows, err := collect(from(tx.QueryContext(ctx, "SELECT no, id FROM images WHERE damage IS NULL AND id > ? ORDER BY id LIMIT ?", after[:], limit)),
			func(rows *sql.Rows) (r row, err error) {
				var id sql.RawBytes
				err = rows.Scan(&r.no, &id)
				copy(r.id[:], id)
				return r, err
			})
		if err != nil {
			return err
		}
		numbers := make([]int64, len(rows))
		place := make(map[palate.ImageID]int, len(rows))
		for i, r := range rows {
			numbers[i], place[r.id] = r.no, i
		}
		found, err := loadNumbered(ctx, tx, numbers)
		if err != nil {
			return err
		}
		images = make([]catalog.Image, len(rows))
		for _, image := range found {
			images[place[image.ID]] = image
		}
		return nil
	})
	return images, err
}

// CountDamage implements catalog.Damages.
func (c *Catalog) CountDamage(ctx context.Context) (count catalog.DamageCount, err error) {
	err = c.read(ctx, "count damaged images", func(ctx context.Context, tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM images WHERE damage <> ''), (SELECT count(*) FROM images WHERE damage IS NULL)").
			Scan(&count.Damaged, &count.Unknown)
	})
	return count, err
}

// damageOf is what the column says of an image.
func damageOf(i catalog.Image) sql.NullString {
	return sql.NullString{String: mend(i.Damage), Valid: i.Decoded}
}

// hearOf takes over what is told of an image that is there and of which nobody
// had told.
func hearOf(ctx context.Context, tx *sql.Tx, no int64, i catalog.Image) error {
	if !i.Decoded {
		return nil
	}
	_, err := tx.ExecContext(ctx, "UPDATE images SET damage = ? WHERE no = ? AND damage IS NULL", mend(i.Damage), no)
	return err
}

// checkDamage refuses a damage that nobody can have seen.
func checkDamage(i catalog.Image) error {
	if i.Damage != "" && !i.Decoded {
		return fmt.Errorf("image %v is said to be damaged (%s) and not to have been decoded: %w", i.ID, i.Damage, palate.ErrInvalid)
	}
	return nil
}

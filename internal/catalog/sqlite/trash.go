package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// trashed says of a row of tombstones whether it is in the trash.
const trashed = "EXISTS (SELECT 1 FROM trash WHERE tombstone = tombstones.no)"

const trashedSourceColumns = "address, page, site, external_id, original_name, title, artist, year, date, medium, licence, licence_url, credit, retrieved_at, search"

// throwAway copies an image with all it has beside its tombstone.
func throwAway(ctx context.Context, tx *sql.Tx, image, tombstone int64) error {
	return execAll(ctx, tx, []any{tombstone, image},
		`INSERT INTO trash (tombstone, no, sha256, bytes, format, width, height, added_at, crawl, round, damage)
			SELECT ?1, no, sha256, bytes, format, width, height, added_at, crawl, round, damage FROM images WHERE no = ?2`,
		`INSERT INTO trash_sources (tombstone, no, `+trashedSourceColumns+`) SELECT ?1, no, `+trashedSourceColumns+` FROM sources WHERE image = ?2`,
		`INSERT INTO trash_categories (tombstone, source, place, category)
			SELECT ?1, c.source, c.place, c.category FROM sources s JOIN categories c ON c.source = s.no WHERE s.image = ?2`,
		`INSERT INTO trash_embeddings (tombstone, model, vector) SELECT ?1, model, vector FROM embeddings WHERE image = ?2`,
		`INSERT INTO trash_failures (tombstone, model, reason) SELECT ?1, model, reason FROM embedding_failures WHERE image = ?2`,
	)
}

// execAll executes statements with the same arguments, one after the other.
func execAll(ctx context.Context, tx *sql.Tx, args []any, statements ...string) error {
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement, args...); err != nil {
			return err
		}
	}
	return nil
}

// RestoreImage implements catalog.Images.
func (c *Catalog) RestoreImage(ctx context.Context, id palate.ImageID) error {
	return c.write(ctx, "restore image", func(ctx context.Context, tx *sql.Tx) error {
		var tombstone, image int64
		err := tx.QueryRowContext(ctx, "SELECT t.tombstone, t.no FROM tombstones s JOIN trash t ON t.tombstone = s.no WHERE s.id = ?", id[:]).Scan(&tombstone, &image)
		if err != nil {
			return orNotFound(err, "image %v in the trash", id)
		}
		if err := bringBack(ctx, tx, id, image, tombstone); err != nil {
			return err
		}
		if err := recordChange(ctx, tx, catalog.ImageChanged, change{image: id}); err != nil {
			return err
		}
		models, err := collect(from(tx.QueryContext(ctx, "SELECT model FROM embeddings WHERE image = ? ORDER BY model", image)),
			func(rows *sql.Rows) (no int64, err error) { return no, rows.Scan(&no) })
		if err != nil {
			return err
		}
		for _, model := range models {
			if err := recordChange(ctx, tx, catalog.EmbeddingChanged, change{image: id, model: model}); err != nil {
				return err
			}
		}
		profiles, err := collect(from(tx.QueryContext(ctx, "SELECT profile FROM standing WHERE image = ? ORDER BY profile", image)), scanText)
		if err != nil {
			return err
		}
		for _, profile := range profiles {
			if err := recordChange(ctx, tx, catalog.RatingChanged, change{image: id, profile: palate.Profile(profile)}); err != nil {
				return err
			}
		}
		return nil
	})
}

// bringBack writes the image as it was, under the number that it had, and
// takes its tombstone away, with which the trash goes.
func bringBack(ctx context.Context, tx *sql.Tx, id palate.ImageID, image, tombstone int64) error {
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO images (no, id, sha256, bytes, format, width, height, added_at, crawl, round, damage)
		SELECT no, ?2, sha256, bytes, format, width, height, added_at, (SELECT no FROM crawls WHERE no = trash.crawl), round, damage FROM trash WHERE tombstone = ?1`,
		tombstone, id[:]); err != nil {
		return err
	}
	sources, err := collect(from(tx.QueryContext(ctx, "SELECT no FROM trash_sources WHERE tombstone = ? ORDER BY no", tombstone)),
		func(rows *sql.Rows) (no int64, err error) { return no, rows.Scan(&no) })
	if err != nil {
		return err
	}
	for _, source := range sources {
		result, err := tx.ExecContext(ctx, `INSERT INTO sources (image, `+trashedSourceColumns+`)
			SELECT ?, `+trashedSourceColumns+` FROM trash_sources WHERE tombstone = ? AND no = ?`, image, tombstone, source)
		if err != nil {
			return err
		}
		no, err := result.LastInsertId()
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO categories (source, place, category, image)
			SELECT ?, place, category, ? FROM trash_categories WHERE tombstone = ? AND source = ?`, no, image, tombstone, source); err != nil {
			return err
		}
	}
	return execAll(ctx, tx, []any{tombstone, image, id[:]},
		`INSERT INTO embeddings (model, id, image, vector) SELECT model, ?3, ?2, vector FROM trash_embeddings WHERE tombstone = ?1`,
		`INSERT INTO embedding_failures (model, image, reason) SELECT model, ?2, reason FROM trash_failures WHERE tombstone = ?1`,
		`INSERT INTO unembedded (model, image) SELECT no, ?2 FROM models m
			WHERE NOT EXISTS (SELECT 1 FROM embeddings e WHERE e.model = m.no AND e.image = ?2)
			AND NOT EXISTS (SELECT 1 FROM embedding_failures f WHERE f.model = m.no AND f.image = ?2)`,
		standAgain,
		`DELETE FROM tombstones WHERE no = ?1`,
	)
}

// standAgain lets the log's ratings of image ?3 count for row ?2.
const standAgain = `
	INSERT INTO standing (profile, image, verdict, entry)
	SELECT * FROM (SELECT r.profile, ?2, r.verdict, max(r.entry) FROM ratings r
		WHERE r.image = ?3 AND ` + notUndone + `
		GROUP BY r.profile)
	WHERE verdict IS NOT NULL`

// PurgeImage implements catalog.Images.
func (c *Catalog) PurgeImage(ctx context.Context, id palate.ImageID, reason string) error {
	return c.write(ctx, "purge image", func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, "DELETE FROM trash WHERE tombstone = (SELECT no FROM tombstones WHERE id = ?)", id[:])
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return deleteImage(ctx, tx, id, reason, false)
	})
}

// Trash implements catalog.Images.
func (c *Catalog) Trash(ctx context.Context, before time.Time, limit int) ([]catalog.Trashed, error) {
	return c.listTrash(ctx, before, "ASC", limit)
}

// LatestTrash implements catalog.Images.
func (c *Catalog) LatestTrash(ctx context.Context, before time.Time, limit int) ([]catalog.Trashed, error) {
	return c.listTrash(ctx, before, "DESC", limit)
}

func (c *Catalog) listTrash(ctx context.Context, before time.Time, order string, limit int) ([]catalog.Trashed, error) {
	err := errors.Join(checkLimit(limit, 1000), checkTime("time of deletion", before))
	if err != nil {
		return nil, c.translate(ctx, "list the trash", err)
	}
	where, args := "", []any{}
	if !before.IsZero() {
		where, args = "WHERE s.deleted_at < ?", append(args, stamp(before))
	}
	var all []catalog.Trashed
	err = c.read(ctx, "list the trash", func(ctx context.Context, tx *sql.Tx) (err error) {
		all, err = collect(from(tx.QueryContext(ctx, fmt.Sprintf(`
			SELECT s.id, s.reason, s.deleted_at, t.bytes, t.format, t.width, t.height,
				coalesce((SELECT title FROM trash_sources WHERE tombstone = s.no AND title <> '' ORDER BY %[3]s LIMIT 1), ''),
				coalesce((SELECT original_name FROM trash_sources WHERE tombstone = s.no AND original_name <> '' ORDER BY %[3]s LIMIT 1), ''),
				coalesce((SELECT artist FROM trash_sources WHERE tombstone = s.no AND artist <> '' ORDER BY %[3]s LIMIT 1), '')
			FROM trash t JOIN tombstones s ON s.no = t.tombstone %[1]s ORDER BY s.no %[2]s LIMIT ?`, where, order, editFirst), append(args, limit)...)), scanTrashed)
		return err
	})
	return all, err
}

// CountTrash implements catalog.Images.
func (c *Catalog) CountTrash(ctx context.Context, before time.Time) (count int, err error) {
	if err := checkTime("time of deletion", before); err != nil {
		return 0, c.translate(ctx, "count the trash", err)
	}
	where, args := "", []any{}
	if !before.IsZero() {
		where, args = " WHERE s.deleted_at < ?", append(args, stamp(before))
	}
	err = c.read(ctx, "count the trash", func(ctx context.Context, tx *sql.Tx) (err error) {
		count, err = scanOne[int](tx.QueryRowContext(ctx, "SELECT count(*) FROM trash t JOIN tombstones s ON s.no = t.tombstone"+where, args...))
		return err
	})
	return count, err
}

// TrashedImages implements catalog.Images.
func (c *Catalog) TrashedImages(ctx context.Context, after palate.ImageID, limit int) ([]catalog.Image, error) {
	if err := checkLimit(limit, 0); err != nil {
		return nil, c.translate(ctx, "list the trash", err)
	}
	var images []catalog.Image
	err := c.read(ctx, "list the trash", func(ctx context.Context, tx *sql.Tx) (err error) {
		images, err = collect(from(tx.QueryContext(ctx, `
			SELECT s.id, t.sha256, t.bytes, t.format, t.width, t.height, t.added_at
			FROM tombstones s JOIN trash t ON t.tombstone = s.no WHERE s.id > ? ORDER BY s.id LIMIT ?`, after[:], limit)),
			func(rows *sql.Rows) (i catalog.Image, err error) {
				var id, sum sql.RawBytes
				var added int64
				err = rows.Scan(&id, &sum, &i.Bytes, &i.Format, &i.Width, &i.Height, &added)
				copy(i.ID[:], id)
				copy(i.SHA256[:], sum)
				i.AddedAt = unstamp(added)
				return i, err
			})
		return err
	})
	return images, err
}

func scanTrashed(rows *sql.Rows) (t catalog.Trashed, err error) {
	var id []byte
	var deleted int64
	var name string
	err = rows.Scan(&id, &t.Reason, &deleted, &t.Bytes, &t.Format, &t.Width, &t.Height, &t.Title, &name, &t.Artist)
	if t.Title == "" {
		t.Title = catalog.FileTitle(name)
	}
	copy(t.ID[:], id)
	t.DeletedAt = unstamp(deleted)
	return t, err
}

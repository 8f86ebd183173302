package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// PutCopies implements catalog.Copies.
func (c *Catalog) PutCopies(ctx context.Context, version int, looked []palate.ImageID, pairs [][2]palate.ImageID) error {
	if len(looked) == 0 && len(pairs) == 0 {
		return nil
	}
	return c.write(ctx, "keep copies", func(ctx context.Context, tx *sql.Tx) error {
		next, err := scanOne[int64](tx.QueryRowContext(ctx, "SELECT coalesce(max(work), 0) + 1 FROM copies WHERE version = ?", version))
		if err != nil {
			return err
		}
		p := putting{tx: tx, version: version, next: next}
		for _, id := range looked {
			if _, err := p.workOf(ctx, id, true); err != nil && !errors.Is(err, palate.ErrNotFound) {
				return err
			}
		}
		for _, pair := range pairs {
			if err := p.unite(ctx, pair); err != nil && !errors.Is(err, palate.ErrNotFound) {
				return err
			}
		}
		return nil
	})
}

// putting is one PutCopies.
type putting struct {
	tx      *sql.Tx
	version int
	next    int64 // the number of the next new work
}

// workOf gives the work of an image, a new one if it has none of this version.
func (p *putting) workOf(ctx context.Context, id palate.ImageID, looked bool) (work int64, err error) {
	image, err := imageNo(ctx, p.tx, id)
	if err != nil {
		return 0, err
	}
	err = p.tx.QueryRowContext(ctx, `INSERT INTO copies (image, version, work, looked) VALUES (?1, ?2, ?3, ?4)
		ON CONFLICT (image) DO UPDATE SET version = excluded.version,
			work = iif(version = excluded.version, work, excluded.work), looked = iif(version = excluded.version, max(looked, excluded.looked), excluded.looked)
		RETURNING work`, image, p.version, p.next, looked).Scan(&work)
	if work == p.next {
		p.next++
	}
	return work, err
}

// unite makes the works of two images one.
func (p *putting) unite(ctx context.Context, pair [2]palate.ImageID) error {
	var works [2]int64
	for _, id := range pair {
		if _, err := imageNo(ctx, p.tx, id); err != nil {
			return err
		}
	}
	for i, id := range pair {
		var err error
		if works[i], err = p.workOf(ctx, id, false); err != nil {
			return err
		}
	}
	if works[0] == works[1] {
		return nil
	}
	_, err := p.tx.ExecContext(ctx, "UPDATE copies SET work = ? WHERE version = ? AND work = ?", works[0], p.version, works[1])
	return err
}

// NotLookedAt implements catalog.Copies.
func (c *Catalog) NotLookedAt(ctx context.Context, version int, m palate.ModelID, after palate.ImageID, limit int) ([]palate.ImageID, error) {
	if err := checkLimit(limit, 0); err != nil {
		return nil, c.translate(ctx, "list what was not looked at", err)
	}
	var ids []palate.ImageID
	err := c.read(ctx, "list what was not looked at", func(ctx context.Context, tx *sql.Tx) error {
		no, _, err := findModel(ctx, tx, m)
		if errors.Is(err, palate.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		ids, err = collect(from(tx.QueryContext(ctx, `SELECT id FROM embeddings e WHERE model = ? AND id > ?
			AND NOT EXISTS (SELECT 1 FROM copies c WHERE c.image = e.image AND c.version = ? AND c.looked)
			ORDER BY id LIMIT ?`, no, after[:], version, limit)), scanID)
		return err
	})
	return ids, err
}

// Works implements catalog.Copies.
func (c *Catalog) Works(ctx context.Context, version int) (works [][]palate.ImageID, err error) {
	err = c.read(ctx, "list copies", func(ctx context.Context, tx *sql.Tx) error {
		// The works come one after the other; a list of their numbers first, so that
		// SQLite does not go through all images.
		rows, err := tx.QueryContext(ctx, `SELECT w.work, i.id FROM (SELECT work FROM copies WHERE version = ?1 GROUP BY work HAVING count(*) > 1) w
			CROSS JOIN copies c ON c.version = ?1 AND c.work = w.work CROSS JOIN images i ON i.no = c.image`, version)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		works = nil
		for last := int64(0); rows.Next(); {
			var work int64
			var id sql.RawBytes
			if err := rows.Scan(&work, &id); err != nil {
				return err
			}
			if len(works) == 0 || work != last {
				works, last = append(works, make([]palate.ImageID, 0, 2)), work
			}
			works[len(works)-1] = append(works[len(works)-1], palate.ImageID(id)) // 16 bytes, as the table demands
		}
		return rows.Err()
	})
	inOrder := func(a, b palate.ImageID) int { return bytes.Compare(a[:], b[:]) }
	for _, ids := range works {
		slices.SortFunc(ids, inOrder)
	}
	slices.SortFunc(works, func(a, b []palate.ImageID) int { return inOrder(a[0], b[0]) })
	return works, err
}

// CopiesOf implements catalog.Copies.
func (c *Catalog) CopiesOf(ctx context.Context, version int, id palate.ImageID) (ids []palate.ImageID, err error) {
	err = c.read(ctx, "list copies", func(ctx context.Context, tx *sql.Tx) error {
		image, err := imageNo(ctx, tx, id)
		if err != nil {
			return err
		}
		ids, err = collect(from(tx.QueryContext(ctx, `SELECT i.id FROM copies me JOIN copies c ON c.version = me.version AND c.work = me.work JOIN images i ON i.no = c.image
			WHERE me.image = ?1 AND me.version = ?2 AND c.image <> ?1 ORDER BY i.id`, image, version)), scanID)
		return err
	})
	return ids, err
}

// CountCopies implements catalog.Copies.
func (c *Catalog) CountCopies(ctx context.Context, version int) (n catalog.CopyCounts, err error) {
	err = c.read(ctx, "count copies", func(ctx context.Context, tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `WITH works AS (SELECT count(*) AS images, sum(looked) AS looked FROM copies WHERE version = ?1 GROUP BY work)
			SELECT coalesce(sum(looked), 0), (SELECT count(*) FROM images) - coalesce(sum(looked), 0), coalesce(sum(images > 1), 0), coalesce(sum(iif(images > 1, images, 0)), 0),
				(SELECT count(*) FROM copies WHERE version <> ?1 AND looked) FROM works`,
			version).Scan(&n.LookedAt, &n.NotLookedAt, &n.Works, &n.Images, &n.Former)
	})
	return n, err
}

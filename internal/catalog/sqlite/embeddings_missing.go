package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
)

// Unembedded implements catalog.Embeddings. Of a model that was never put,
// these are all images.
func (c *Catalog) Unembedded(ctx context.Context, m palate.ModelID, limit int) ([]catalog.Image, error) {
	if err := checkLimit(limit, 0); err != nil {
		return nil, c.translate(ctx, "list unembedded", err)
	}
	var images []catalog.Image
	err := c.read(ctx, "list unembedded", func(ctx context.Context, tx *sql.Tx) error {
		query, args := "SELECT image FROM unembedded WHERE model = ? ORDER BY image LIMIT ?", []any{nil, limit}
		no, _, err := findModel(ctx, tx, m)
		switch {
		case errors.Is(err, palate.ErrNotFound):
			query, args = "SELECT no FROM images ORDER BY no LIMIT ?", args[1:]
		case err != nil:
			return err
		default:
			args[0] = no
		}
		numbers, err := collect(from(tx.QueryContext(ctx, query, args...)), scanNumber)
		if err != nil {
			return err
		}
		images, err = loadNumbered(ctx, tx, numbers)
		return err
	})
	return images, err
}

// FailEmbedding implements catalog.Embeddings. A model or an image that is
// not there is ErrNotFound.
func (c *Catalog) FailEmbedding(ctx context.Context, m palate.ModelID, id palate.ImageID, reason string) error {
	return c.write(ctx, "record embedding failure", func(ctx context.Context, tx *sql.Tx) error {
		model, _, err := findModel(ctx, tx, m)
		if err != nil {
			return err
		}
		image, err := imageNo(ctx, tx, id)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx,
			"INSERT INTO embedding_failures (model, image, reason) VALUES (?, ?, ?) ON CONFLICT (model, image) DO UPDATE SET reason = excluded.reason",
			model, image, mend(reason)); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM unembedded WHERE model = ? AND image = ?", model, image)
		return err
	})
}

// EmbeddingFailures implements catalog.Embeddings.
func (c *Catalog) EmbeddingFailures(ctx context.Context, m palate.ModelID) (map[palate.ImageID]string, error) {
	failures := map[palate.ImageID]string{}
	err := c.read(ctx, "list embedding failures", func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `
			SELECT i.id, f.reason FROM embedding_failures f JOIN images i ON i.no = f.image
			WHERE f.model = (SELECT no FROM models WHERE id = ?)`, string(m))
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var id sql.RawBytes
			var reason string
			if err := rows.Scan(&id, &reason); err != nil {
				return err
			}
			failures[palate.ImageID(id)] = reason
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return failures, nil
}

// ClearEmbeddingFailures implements catalog.Embeddings.
func (c *Catalog) ClearEmbeddingFailures(ctx context.Context, m palate.ModelID) error {
	return c.write(ctx, "clear embedding failures", func(ctx context.Context, tx *sql.Tx) error {
		model, _, err := findModel(ctx, tx, m)
		if errors.Is(err, palate.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO unembedded (model, image) SELECT f.model, f.image FROM embedding_failures f
			WHERE f.model = ? AND NOT EXISTS (SELECT 1 FROM embeddings e WHERE e.image = f.image AND e.model = f.model)`, model); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM embedding_failures WHERE model = ?", model)
		return err
	})
}

// AttributesOf implements catalog.Embeddings.
func (c *Catalog) AttributesOf(ctx context.Context, ids []palate.ImageID) (map[palate.ImageID]index.Attributes, error) {
	attributes := map[palate.ImageID]index.Attributes{}
	if len(ids) == 0 {
		return attributes, nil
	}
	err := c.read(ctx, "gather attributes", func(ctx context.Context, tx *sql.Tx) error {
		return gatherAttributes(ctx, tx, idList(ids), attributes)
	})
	if err != nil {
		return nil, err
	}
	return attributes, nil
}

// VerdictsOf implements catalog.Embeddings. The images come first: the present of
// a few of them costs the same however many there are.
func (c *Catalog) VerdictsOf(ctx context.Context, ids []palate.ImageID) (map[palate.ImageID]map[palate.Profile]palate.Verdict, error) {
	verdicts := map[palate.ImageID]map[palate.Profile]palate.Verdict{}
	if len(ids) == 0 {
		return verdicts, nil
	}
	err := c.read(ctx, "gather verdicts", func(ctx context.Context, tx *sql.Tx) error {
		// The driver has a goroutine watch every row of what can be cancelled.
		_, err := collect(from(tx.QueryContext(context.WithoutCancel(ctx), `
			SELECT i.id, coalesce(s.profile, ''), coalesce(s.verdict, '') FROM images i
			LEFT JOIN standing s ON s.image = i.no AND s.verdict <> 'skip' WHERE i.id IN `+idsIn, idList(ids))), func(rows *sql.Rows) (none struct{}, err error) {
			var raw sql.RawBytes
			var profile palate.Profile
			var verdict palate.Verdict
			if err := rows.Scan(&raw, &profile, &verdict); err != nil {
				return none, err
			}
			id := palate.ImageID(raw)
			if verdicts[id] == nil {
				verdicts[id] = map[palate.Profile]palate.Verdict{}
			}
			if verdict != "" {
				verdicts[id][profile] = verdict
			}
			return none, nil
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return verdicts, nil
}

// gatherAttributes asks for one kind of attribute after the other; every row
// is an image and one value.
func gatherAttributes(ctx context.Context, tx *sql.Tx, ids string, into map[palate.ImageID]index.Attributes) error {
	texts := func(column, counted string) string {
		return "SELECT DISTINCT i.id, s." + column + ", '' FROM images i JOIN sources s ON s.image = i.no WHERE s." + column + " <> '' AND " + counted + " AND i.id IN " + idsIn
	}
	for _, kind := range []struct {
		query string
		add   func(a *index.Attributes, text, more string, year int)
	}{
		{"SELECT id, '', '' FROM images WHERE id IN " + idsIn, func(*index.Attributes, string, string, int) {}},
		{texts("artist", counts("artist")), func(a *index.Attributes, text, _ string, _ int) { a.Artists = append(a.Artists, text) }},
		{texts("licence", counts("licence")), func(a *index.Attributes, text, _ string, _ int) { a.Licences = append(a.Licences, text) }},
		{texts("site", "TRUE"), func(a *index.Attributes, text, _ string, _ int) { a.Sites = append(a.Sites, text) }},
		{"SELECT DISTINCT i.id, c.category, '' FROM images i JOIN sources s ON s.image = i.no JOIN categories c ON c.source = s.no WHERE c.category <> '' AND " + categoryCounts("c") + " AND i.id IN " + idsIn,
			func(a *index.Attributes, text, _ string, _ int) { a.Categories = append(a.Categories, text) }},
		{"SELECT DISTINCT i.id, s.year, '' FROM images i JOIN sources s ON s.image = i.no WHERE s.year IS NOT NULL AND " + counts("year") + " AND i.id IN " + idsIn,
			func(a *index.Attributes, _, _ string, year int) { a.Years = append(a.Years, year) }},
		{"SELECT i.id, t.profile, t.verdict FROM images i JOIN standing t ON t.image = i.no WHERE t.verdict <> 'skip' AND i.id IN " + idsIn,
			func(a *index.Attributes, text, more string, _ int) {
				if a.Verdicts == nil {
					a.Verdicts = map[palate.Profile]palate.Verdict{}
				}
				a.Verdicts[palate.Profile(text)] = palate.Verdict(more)
			}},
	} {
		if err := gatherOne(ctx, tx, kind.query, ids, into, kind.add); err != nil {
			return err
		}
	}
	return nil
}

func gatherOne(ctx context.Context, tx *sql.Tx, query, ids string, into map[palate.ImageID]index.Attributes, add func(*index.Attributes, string, string, int)) error {
	rows, err := tx.QueryContext(ctx, query, ids)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var raw sql.RawBytes
		var value any
		var more string
		if err := rows.Scan(&raw, &value, &more); err != nil {
			return err
		}
		id := palate.ImageID(raw)
		a := into[id]
		text, _ := value.(string) // of a year it is a number
		year, _ := value.(int64)
		add(&a, text, more, int(year))
		into[id] = a
	}
	return rows.Err()
}

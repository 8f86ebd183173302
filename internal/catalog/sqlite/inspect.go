package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// inspectPage is how many embeddings are read in one transaction, so that the
// write-ahead log is not kept from being folded in for long.
const inspectPage = 500

// SampleImages implements catalog.Inspections. Ids are hashes, so the first
// one behind a random id is as good as drawn.
func (c *Catalog) SampleImages(ctx context.Context, n int) ([]catalog.Image, error) {
	var images []catalog.Image
	err := c.read(ctx, "draw images", func(ctx context.Context, tx *sql.Tx) error {
		total, err := scanOne[int](tx.QueryRowContext(ctx, "SELECT count(*) FROM images"))
		if err != nil || total == 0 {
			return err
		}
		var numbers []int64
		if total <= n {
			numbers, err = collect(from(tx.QueryContext(ctx, "SELECT no FROM images ORDER BY no")), scanNumber)
		} else {
			numbers, err = drawNumbers(ctx, tx, n)
		}
		if err != nil {
			return err
		}
		images, err = loadNumbered(ctx, tx, numbers)
		return err
	})
	return images, err
}

func drawNumbers(ctx context.Context, tx *sql.Tx, n int) ([]int64, error) {
	var numbers []int64
	drawn := make(map[int64]bool, n)
	for range n {
		var at palate.ImageID
		_, _ = rand.Read(at[:]) // which never fails
		found, err := collect(from(tx.QueryContext(ctx, `
			SELECT no FROM (SELECT no FROM images WHERE id >= ?1 ORDER BY id LIMIT 1)
			UNION ALL SELECT no FROM (SELECT no FROM images ORDER BY id LIMIT 1) LIMIT 1`, at[:])), scanNumber)
		if err != nil {
			return nil, err
		}
		for _, no := range found {
			if !drawn[no] {
				drawn[no] = true
				numbers = append(numbers, no)
			}
		}
	}
	return numbers, nil
}

// stored is an embedding as its row has it.
type stored struct {
	no     int64
	id     palate.ImageID
	vector []byte
	of     []byte // the id of the image that the row names; nil if there is none
}

// InspectEmbeddings implements catalog.Inspections.
func (c *Catalog) InspectEmbeddings(ctx context.Context, m palate.ModelID, found func(catalog.BadEmbedding) error) (read int, err error) {
	var model int64
	var dim int
	if err := c.read(ctx, "inspect embeddings", func(ctx context.Context, tx *sql.Tx) (err error) {
		model, dim, err = findModel(ctx, tx, m)
		return err
	}); err != nil {
		return 0, err
	}
	for after := int64(0); ; {
		var page []stored
		err := c.read(ctx, "inspect embeddings", func(ctx context.Context, tx *sql.Tx) (err error) {
			page, err = collect(from(tx.QueryContext(ctx, `
				SELECT e.no, e.id, e.vector, i.id FROM embeddings e LEFT JOIN images i ON i.no = e.image
				WHERE e.model = ? AND e.no > ? ORDER BY e.no LIMIT ?`, model, after, inspectPage)),
				func(rows *sql.Rows) (s stored, err error) {
					var id []byte
					err = rows.Scan(&s.no, &id, &s.vector, &s.of)
					copy(s.id[:], id)
					return s, err
				})
			return err
		})
		if err != nil {
			return read, err
		}
		for _, s := range page {
			bad, isBad := s.judge(dim)
			if !isBad {
				continue
			}
			if err := found(bad); err != nil {
				return read, err
			}
		}
		if read += len(page); len(page) < inspectPage {
			return read, nil
		}
		after = page[len(page)-1].no
	}
}

// judge says what is wrong with a stored embedding.
func (s stored) judge(dim int) (bad catalog.BadEmbedding, isBad bool) {
	bad.Image = s.id
	switch {
	case s.of == nil:
		bad.Reason, bad.Loose = "there is no such image", true
	case string(s.of) != string(s.id[:]):
		bad.Reason, bad.Loose = fmt.Sprintf("it is named for one image and belongs to another, %x", s.of), true
	case len(s.vector) != 4*dim:
		bad.Reason = fmt.Sprintf("it has %d bytes, and %d values of 4 bytes are %d", len(s.vector), dim, 4*dim)
	default:
		err := decodeVector(s.vector).Validate(dim)
		if err == nil {
			return bad, false
		}
		bad.Reason = palate.Message(err)
	}
	return bad, true
}

// DropEmbeddings implements catalog.Inspections.
func (c *Catalog) DropEmbeddings(ctx context.Context, m palate.ModelID, ids []palate.ImageID) error {
	return c.write(ctx, "drop embeddings", func(ctx context.Context, tx *sql.Tx) error {
		model, _, err := findModel(ctx, tx, m)
		if err != nil {
			return err
		}
		for _, id := range ids {
			result, err := tx.ExecContext(ctx, "DELETE FROM embeddings WHERE model = ? AND id = ?", model, id[:])
			if err != nil {
				return err
			}
			n, err := result.RowsAffected()
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			if err := recordChange(ctx, tx, catalog.EmbeddingChanged, change{image: id, model: model}); err != nil {
				return err
			}
		}
		return remember(ctx, tx, model)
	})
}

// forgotten holds for the images i of model ?1 that are to be embedded and
// are not listed.
const forgotten = `
	NOT EXISTS (SELECT 1 FROM embeddings e WHERE e.model = ?1 AND e.id = i.id)
	AND NOT EXISTS (SELECT 1 FROM embedding_failures f WHERE f.model = ?1 AND f.image = i.no)
	AND NOT EXISTS (SELECT 1 FROM unembedded u WHERE u.model = ?1 AND u.image = i.no)`

func remember(ctx context.Context, tx *sql.Tx, model int64) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO unembedded (model, image) SELECT ?1, i.no FROM images i WHERE "+forgotten, model)
	return err
}

// Forgotten implements catalog.Inspections.
func (c *Catalog) Forgotten(ctx context.Context, m palate.ModelID, limit int) ([]palate.ImageID, error) {
	if err := checkLimit(limit, 0); err != nil {
		return nil, c.translate(ctx, "look for images that nobody embeds", err)
	}
	var ids []palate.ImageID
	err := c.read(ctx, "look for images that nobody embeds", func(ctx context.Context, tx *sql.Tx) error {
		model, _, err := findModel(ctx, tx, m)
		if err != nil {
			return err
		}
		ids, err = collect(from(tx.QueryContext(ctx, "SELECT i.id FROM images i WHERE "+forgotten+" ORDER BY i.no LIMIT ?2", model, limit)), scanID)
		return err
	})
	return ids, err
}

// Remember implements catalog.Inspections.
func (c *Catalog) Remember(ctx context.Context, m palate.ModelID) error {
	return c.write(ctx, "list what is to be embedded", func(ctx context.Context, tx *sql.Tx) error {
		model, _, err := findModel(ctx, tx, m)
		if err != nil {
			return err
		}
		return remember(ctx, tx, model)
	})
}

// given is what the log says that stands; profile, image, verdict, entry.
const given = `
	SELECT * FROM (SELECT r.profile, i.no AS image, r.verdict, max(r.entry) AS entry
		FROM ratings r JOIN images i ON i.id = r.image
		WHERE ` + notUndone + `
		GROUP BY r.profile, i.no)
	WHERE verdict IS NOT NULL`

// badStandings lists what differs: profile, the image's id, and what it is.
const badStandings = `
	WITH given AS MATERIALIZED (` + given + `)
	SELECT g.profile, i.id, CASE WHEN s.entry IS NULL THEN 'missing' ELSE 'other' END
		FROM given g JOIN images i ON i.no = g.image LEFT JOIN standing s ON s.profile = g.profile AND s.image = g.image
		WHERE s.entry IS NULL OR s.entry <> g.entry OR s.verdict <> g.verdict
	UNION ALL
	SELECT s.profile, coalesce(i.id, zeroblob(16)), 'extra'
		FROM standing s LEFT JOIN images i ON i.no = s.image LEFT JOIN given g ON g.profile = s.profile AND g.image = s.image
		WHERE g.entry IS NULL
	ORDER BY 1`

// InspectStandings implements catalog.Inspections.
func (c *Catalog) InspectStandings(ctx context.Context, limit int) (bad []catalog.BadStandings, profiles int, err error) {
	err = c.read(ctx, "inspect standing ratings", func(ctx context.Context, tx *sql.Tx) error {
		if profiles, err = scanOne[int](tx.QueryRowContext(ctx, "SELECT count(DISTINCT profile) FROM ratings")); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, badStandings)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var profile, kind string
			var id sql.RawBytes
			if err := rows.Scan(&profile, &id, &kind); err != nil {
				return err
			}
			if len(bad) == 0 || bad[len(bad)-1].Profile != palate.Profile(profile) {
				bad = append(bad, catalog.BadStandings{Profile: palate.Profile(profile)})
			}
			addStanding(&bad[len(bad)-1], kind, palate.ImageID(id), limit)
		}
		return rows.Err()
	})
	return bad, profiles, err
}

func addStanding(b *catalog.BadStandings, kind string, id palate.ImageID, limit int) {
	switch kind {
	case "missing":
		b.Missing++
	case "extra":
		b.Extra++
	default:
		b.Other++
	}
	if len(b.Images) < limit && !id.IsZero() {
		b.Images = append(b.Images, id)
	}
}

// RestoreStandings implements catalog.Inspections.
func (c *Catalog) RestoreStandings(ctx context.Context, p palate.Profile) error {
	return c.write(ctx, "work out standing ratings", func(ctx context.Context, tx *sql.Tx) error {
		changed, err := collect(from(tx.QueryContext(ctx, "SELECT i.id FROM images i WHERE i.no IN (SELECT image FROM standing WHERE profile = ?1) OR i.id IN (SELECT image FROM ratings WHERE profile = ?1)", string(p))), scanID)
		if err != nil {
			return err
		}
		if err := execAll(ctx, tx, []any{string(p)},
			"DELETE FROM standing WHERE profile = ?1",
			"INSERT INTO standing (profile, image, verdict, entry) SELECT * FROM ("+given+") WHERE profile = ?1",
			`INSERT INTO profiles (name, entry) SELECT ?1, max(entry) FROM ratings WHERE profile = ?1 AND verdict IS NOT NULL HAVING max(entry) IS NOT NULL
				ON CONFLICT (name) DO NOTHING`,
		); err != nil {
			return err
		}
		for _, id := range changed {
			if err := recordChange(ctx, tx, catalog.RatingChanged, change{image: id, profile: p}); err != nil {
				return err
			}
		}
		return nil
	})
}

package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// PutModel implements catalog.Embeddings. The same model with another
// dimension is ErrConflict.
func (c *Catalog) PutModel(ctx context.Context, m catalog.Model) error {
	err := errors.Join(checkName("model id", string(m.ID)), checkJSON("model's description", m.Description))
	if m.Dim < 1 {
		err = errors.Join(err, fmt.Errorf("model has dimension %d: %w", m.Dim, palate.ErrInvalid))
	}
	if err != nil {
		return c.translate(ctx, "put model", err)
	}
	// The usual case writes nothing, so that a catalog that can only be read
	// is opened with its model.
	same := false
	err = c.read(ctx, "put model", func(ctx context.Context, tx *sql.Tx) (err error) {
		same, err = scanOne[bool](tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM models WHERE id = ? AND name = ? AND dim = ?)", string(m.ID), mend(m.Name), m.Dim))
		return err
	})
	if err != nil || same {
		return err
	}
	return c.write(ctx, "put model", func(ctx context.Context, tx *sql.Tx) error {
		no, dim, err := findModel(ctx, tx, m.ID)
		if err == nil {
			if dim != m.Dim {
				return fmt.Errorf("model %s has dimension %d, not %d: %w", m.ID.Short(), dim, m.Dim, palate.ErrConflict)
			}
			_, err = tx.ExecContext(ctx, "UPDATE models SET name = ? WHERE no = ?", mend(m.Name), no)
			return err
		}
		if !errors.Is(err, palate.ErrNotFound) {
			return err
		}
		result, err := tx.ExecContext(ctx, "INSERT INTO models (id, name, dim, description) VALUES (?, ?, ?, ?)",
			string(m.ID), mend(m.Name), m.Dim, nullJSON(m.Description))
		if err != nil {
			return err
		}
		if no, err = result.LastInsertId(); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO unembedded (model, image) SELECT ?, no FROM images", no)
		return err
	})
}

func findModel(ctx context.Context, tx *sql.Tx, id palate.ModelID) (no int64, dim int, err error) {
	err = tx.QueryRowContext(ctx, "SELECT no, dim FROM models WHERE id = ?", string(id)).Scan(&no, &dim)
	return no, dim, orNotFound(err, "model %s", id.Short())
}

// Models implements catalog.Embeddings.
func (c *Catalog) Models(ctx context.Context) ([]catalog.Model, error) {
	var models []catalog.Model
	err := c.read(ctx, "list models", func(ctx context.Context, tx *sql.Tx) (err error) {
		models, err = collect(from(tx.QueryContext(ctx, "SELECT id, name, dim, description FROM models ORDER BY no")),
			func(rows *sql.Rows) (m catalog.Model, err error) {
				var description sql.NullString
				err = rows.Scan(&m.ID, &m.Name, &m.Dim, &description)
				m.Description = rawJSON(description)
				return m, err
			})
		return err
	})
	return models, err
}

func rawJSON(s sql.NullString) json.RawMessage {
	if !s.Valid {
		return nil
	}
	return json.RawMessage(s.String)
}

// PutEmbeddings implements catalog.Embeddings. Of two embeddings of one
// image the last is kept.
func (c *Catalog) PutEmbeddings(ctx context.Context, m palate.ModelID, embeddings []catalog.ImageEmbedding) error {
	return c.write(ctx, "put embeddings", func(ctx context.Context, tx *sql.Tx) error {
		model, dim, err := findModel(ctx, tx, m)
		if err != nil {
			return err
		}
		for i, e := range embeddings {
			if err := e.Embedding.Validate(dim); err != nil {
				return fmt.Errorf("embedding %d, of image %v: %w", i, e.ID, err)
			}
		}
		for _, e := range embeddings {
			image, err := imageNo(ctx, tx, e.ID)
			if errors.Is(err, palate.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if err := putEmbedding(ctx, tx, model, image, e); err != nil {
				return err
			}
		}
		return nil
	})
}

func putEmbedding(ctx context.Context, tx *sql.Tx, model, image int64, e catalog.ImageEmbedding) error {
	if _, err := tx.ExecContext(ctx,
		"INSERT INTO embeddings (model, id, image, vector) VALUES (?, ?, ?, ?) ON CONFLICT (model, id) DO UPDATE SET vector = excluded.vector",
		model, e.ID[:], image, encodeVector(e.Embedding)); err != nil {
		return err
	}
	for _, query := range []string{
		"DELETE FROM unembedded WHERE model = ? AND image = ?",
		"DELETE FROM embedding_failures WHERE model = ? AND image = ?",
	} {
		if _, err := tx.ExecContext(ctx, query, model, image); err != nil {
			return err
		}
	}
	return recordChange(ctx, tx, catalog.EmbeddingChanged, change{image: e.ID, model: model})
}

func encodeVector(e palate.Embedding) []byte {
	raw := make([]byte, 4*len(e))
	for i, v := range e {
		binary.LittleEndian.PutUint32(raw[4*i:], math.Float32bits(v))
	}
	return raw
}

func decodeVector(raw []byte) palate.Embedding {
	e := make(palate.Embedding, len(raw)/4)
	for i := range e {
		e[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return e
}

func scanEmbedding(rows *sql.Rows) (e catalog.ImageEmbedding, err error) {
	var id, vector sql.RawBytes
	err = rows.Scan(&id, &vector)
	copy(e.ID[:], id)
	e.Embedding = decodeVector(vector)
	return e, err
}

// EmbeddingsOf implements catalog.Embeddings. A model that is not there has
// no embeddings; so it is for the methods below that only read.
func (c *Catalog) EmbeddingsOf(ctx context.Context, m palate.ModelID, ids []palate.ImageID) ([]catalog.ImageEmbedding, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var ordered []catalog.ImageEmbedding
	err := c.read(ctx, "read embeddings", func(ctx context.Context, tx *sql.Tx) error {
		found, err := collect(from(tx.QueryContext(ctx,
			"SELECT id, vector FROM embeddings WHERE model = (SELECT no FROM models WHERE id = ?) AND id IN "+idsIn, string(m), idList(ids))), scanEmbedding)
		if err != nil {
			return err
		}
		byID := make(map[palate.ImageID]palate.Embedding, len(found))
		for _, e := range found {
			byID[e.ID] = e.Embedding
		}
		for _, id := range ids {
			if e, ok := byID[id]; ok {
				ordered = append(ordered, catalog.ImageEmbedding{ID: id, Embedding: e})
			}
		}
		return nil
	})
	return ordered, err
}

// Embedded implements catalog.Embeddings. The index over model and id answers
// it; no row with a vector is read.
func (c *Catalog) Embedded(ctx context.Context, m palate.ModelID, ids []palate.ImageID) (map[palate.ImageID]bool, error) {
	embedded := make(map[palate.ImageID]bool, len(ids))
	if len(ids) == 0 {
		return embedded, nil
	}
	err := c.read(ctx, "look for embeddings", func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx,
			"SELECT id FROM embeddings WHERE model = (SELECT no FROM models WHERE id = ?) AND id IN "+idsIn, string(m), idList(ids))
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var raw sql.RawBytes
			if err := rows.Scan(&raw); err != nil {
				return err
			}
			embedded[palate.ImageID(raw)] = true
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return embedded, nil
}

// ListEmbeddings implements catalog.Embeddings.
func (c *Catalog) ListEmbeddings(ctx context.Context, m palate.ModelID, after palate.ImageID, limit int) ([]catalog.ImageEmbedding, error) {
	if err := checkLimit(limit, 0); err != nil {
		return nil, c.translate(ctx, "list embeddings", err)
	}
	var all []catalog.ImageEmbedding
	err := c.read(ctx, "list embeddings", func(ctx context.Context, tx *sql.Tx) (err error) {
		all, err = collect(from(tx.QueryContext(ctx,
			"SELECT id, vector FROM embeddings WHERE model = (SELECT no FROM models WHERE id = ?) AND id > ? ORDER BY id LIMIT ?",
			string(m), after[:], limit)), scanEmbedding)
		return err
	})
	return all, err
}

// CountEmbeddings implements catalog.Embeddings.
func (c *Catalog) CountEmbeddings(ctx context.Context, m palate.ModelID) (int, error) {
	var count int
	err := c.read(ctx, "count embeddings", func(ctx context.Context, tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, "SELECT count(*) FROM embeddings WHERE model = (SELECT no FROM models WHERE id = ?)", string(m)).Scan(&count)
	})
	return count, err
}

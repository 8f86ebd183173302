// Package flat is an exact index in memory: every search compares the query
// with every stored embedding that passes the filter.
//
// Embeddings lie in one slab of float32, a row each, so that a scan reads
// memory in order. A deleted row is overwritten by the last one, so the slab
// has no holes. Scans take a read lock: any number run at once, and a change
// waits for those under way, a few milliseconds at 100,000 × 768. Scores are
// summed in float64 for the hits that are returned.
package flat

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// Index implements index.Index.
type Index struct {
	model palate.ModelID
	dim   int

	mu     sync.RWMutex
	closed bool
	rows   map[palate.ImageID]int
	ids    []palate.ImageID   // by row
	attrs  []index.Attributes // by row; replaced whole, never changed in place
	slab   []float32          // rows × dim
}

var _ index.Index = (*Index)(nil)

// New returns an empty index of embeddings of one model, each of length dim.
func New(model palate.ModelID, dim int) (*Index, error) {
	if dim < 1 {
		return nil, fmt.Errorf("flat index: dimension is %d, want at least 1: %w", dim, palate.ErrInvalid)
	}
	return &Index{model: model, dim: dim, rows: make(map[palate.ImageID]int)}, nil
}

// Model implements index.Index.
func (x *Index) Model() palate.ModelID { return x.model }

// Dim implements index.Index.
func (x *Index) Dim() int { return x.dim }

// row is the embedding of a row; it shares memory with the slab.
func (x *Index) row(i int) []float32 { return x.slab[i*x.dim : (i+1)*x.dim : (i+1)*x.dim] }

// write runs a change alone.
func (x *Index) write(ctx context.Context, change func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return errClosed
	}
	return change()
}

// read runs a search beside others.
func (x *Index) read(ctx context.Context, look func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.closed {
		return errClosed
	}
	return look()
}

var errClosed = fmt.Errorf("flat index is closed: %w", palate.ErrUnavailable)

// Upsert implements index.Index.
func (x *Index) Upsert(ctx context.Context, points []index.Point) error {
	if err := index.ValidatePoints(points, x.dim); err != nil {
		return fmt.Errorf("flat index: upsert: %w", err)
	}
	return x.write(ctx, func() error {
		for _, p := range points {
			i, there := x.rows[p.ID]
			if !there {
				i = len(x.ids)
				x.rows[p.ID] = i
				x.ids = append(x.ids, p.ID)
				x.attrs = append(x.attrs, index.Attributes{})
				x.slab = append(x.slab, make([]float32, x.dim)...)
			}
			copy(x.row(i), p.Embedding)
			x.attrs[i] = cloneAttributes(p.Attributes)
		}
		return nil
	})
}

// SetAttributes implements index.Index.
func (x *Index) SetAttributes(ctx context.Context, attributes map[palate.ImageID]index.Attributes) error {
	return x.write(ctx, func() error {
		for id, a := range attributes {
			if i, there := x.rows[id]; there {
				x.attrs[i] = cloneAttributes(a)
			}
		}
		return nil
	})
}

// Judge implements index.Index.
func (x *Index) Judge(ctx context.Context, judgements []index.Judgement) error {
	return x.write(ctx, func() error {
		for _, j := range judgements {
			i, there := x.rows[j.ID]
			if !there {
				continue
			}
			verdicts := maps.Clone(x.attrs[i].Verdicts)
			if verdicts == nil {
				verdicts = make(map[palate.Profile]palate.Verdict)
			}
			if j.Verdict == palate.Like || j.Verdict == palate.Dislike {
				verdicts[j.Profile] = j.Verdict
			} else {
				delete(verdicts, j.Profile)
			}
			x.attrs[i].Verdicts = verdicts
		}
		return nil
	})
}

// Delete implements index.Index.
func (x *Index) Delete(ctx context.Context, ids []palate.ImageID) error {
	return x.write(ctx, func() error {
		for _, id := range ids {
			i, there := x.rows[id]
			if !there {
				continue
			}
			last := len(x.ids) - 1
			copy(x.row(i), x.row(last))
			x.ids[i], x.attrs[i] = x.ids[last], x.attrs[last]
			x.rows[x.ids[i]] = i
			delete(x.rows, id)
			x.attrs[last] = index.Attributes{} // let its lists go
			x.ids, x.attrs, x.slab = x.ids[:last], x.attrs[:last], x.slab[:last*x.dim]
		}
		return nil
	})
}

// Clear implements index.Index.
func (x *Index) Clear(ctx context.Context) error {
	return x.write(ctx, func() error {
		clear(x.rows)
		x.ids, x.attrs, x.slab = nil, nil, nil
		return nil
	})
}

// Get implements index.Index.
func (x *Index) Get(ctx context.Context, ids []palate.ImageID) ([]index.Point, error) {
	points := make([]index.Point, 0, len(ids))
	err := x.read(ctx, func() error {
		for _, id := range ids {
			if i, there := x.rows[id]; there {
				points = append(points, index.Point{ID: id, Embedding: slices.Clone(x.row(i)), Attributes: cloneAttributes(x.attrs[i])})
			}
		}
		return nil
	})
	return points, err
}

// IDs implements index.Index.
func (x *Index) IDs(ctx context.Context, after palate.ImageID, limit int) (ids []palate.ImageID, err error) {
	if limit < 1 {
		return nil, fmt.Errorf("flat index: list ids: limit is %d, want at least 1: %w", limit, palate.ErrInvalid)
	}
	err = x.read(ctx, func() error {
		for _, id := range x.ids {
			if bytes.Compare(id[:], after[:]) > 0 {
				ids = append(ids, id)
			}
		}
		return nil
	})
	slices.SortFunc(ids, func(a, b palate.ImageID) int { return bytes.Compare(a[:], b[:]) })
	return ids[:min(limit, len(ids))], err
}

// Count implements index.Index.
func (x *Index) Count(ctx context.Context, f index.Filter) (count int, err error) {
	err = x.read(ctx, func() error {
		if f.IsZero() {
			count = len(x.ids)
			return nil
		}
		m := f.Matcher()
		for i, id := range x.ids {
			if m.Match(id, x.attrs[i]) {
				count++
			}
		}
		return nil
	})
	return count, err
}

// Ready implements index.Index.
func (x *Index) Ready(ctx context.Context) error {
	return x.read(ctx, func() error { return nil })
}

// Close implements index.Index.
func (x *Index) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.closed = true
	x.rows, x.ids, x.attrs, x.slab = nil, nil, nil, nil
	return nil
}

func cloneAttributes(a index.Attributes) index.Attributes {
	return index.Attributes{
		Artists: slices.Clone(a.Artists), Licences: slices.Clone(a.Licences), Sites: slices.Clone(a.Sites),
		Categories: slices.Clone(a.Categories), Years: slices.Clone(a.Years), Verdicts: maps.Clone(a.Verdicts),
	}
}

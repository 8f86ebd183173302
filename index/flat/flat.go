package flat

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/simd"
)

// Index implements index.Index.
type Index struct {
	model  palate.ModelID
	dim    int
	config Config
	kernel simd.Kernel
	scans  queue
	counts counters

	writing sync.Mutex // held through every change
	// mu guards what follows. Changes hold it for as long as it takes to
	// publish what they have prepared, searches while they take a view and
	// resolve a filter.
	mu       sync.RWMutex
	closed   bool
	state    *state
	position uint64 // the last change of the catalog that is in here

	// Guarded by writing.
	changed int // points written, deleted or described since the side file
	loose   int // rows in memory that the side file would hold
}

// state is all that an index knows.
type state struct {
	view  *view
	rows  map[palate.ImageID]uint32 // of the living
	terms *terms
}

var _ index.Index = (*Index)(nil)

func emptyState(generation uint64) *state {
	return &state{view: &view{generation: generation}, rows: make(map[palate.ImageID]uint32), terms: newTerms()}
}

// New returns an empty index in memory of embeddings of one model, each of
// length dim.
func New(model palate.ModelID, dim int) (*Index, error) { return Open(model, dim, DefaultConfig()) }

// Open returns an index that holds what its side file holds, if there is one
// that fits; Position tells. It makes no file until there is something to write.
func Open(model palate.ModelID, dim int, config Config) (*Index, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if dim < 1 || dim > simd.MaxDim {
		return nil, fmt.Errorf("flat index: dimension is %d, want 1 to %d: %w", dim, simd.MaxDim, palate.ErrInvalid)
	}
	x := &Index{model: model, dim: dim, config: config, kernel: simd.Best(), state: emptyState(0)}
	if config.PureGo {
		x.kernel = simd.Go()
	}
	if x.config.Workers == 0 {
		x.config.Workers = runtime.GOMAXPROCS(0)
	}
	x.scans.turn = make(chan struct{}, 1)
	x.load()
	return x, nil
}

// Model implements index.Index.
func (x *Index) Model() palate.ModelID { return x.model }

// Dim implements index.Index.
func (x *Index) Dim() int { return x.dim }

var errClosed = fmt.Errorf("flat index is closed: %w", palate.ErrUnavailable)

// read looks at a state that does not change meanwhile.
func (x *Index) read(ctx context.Context, look func(s *state) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.closed {
		return errClosed
	}
	return look(x.state)
}

// Position is the number of the last change of the catalog that the index has
// seen, 0 if it has to be loaded.
func (x *Index) Position() uint64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.position
}

// SetPosition says that the index has seen every change up to number.
func (x *Index) SetPosition(number uint64) {
	x.writing.Lock()
	defer x.writing.Unlock()
	if x.closed {
		return
	}
	x.mu.Lock()
	x.position = number
	x.mu.Unlock()
	x.tidy()
}

// Get implements index.Index.
func (x *Index) Get(ctx context.Context, ids []palate.ImageID) ([]index.Point, error) {
	points := make([]index.Point, 0, len(ids))
	err := x.read(ctx, func(s *state) error {
		for _, id := range ids {
			if row, there := s.rows[id]; there {
				at := s.view.place(row)
				points = append(points, index.Point{
					ID: id, Embedding: slices.Clone(s.view.exact(at, x.dim)),
					Attributes: s.terms.decode(s.view.segments[at.segment].terms[at.row]),
				})
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
	err = x.read(ctx, func(s *state) error {
		for id := range s.rows {
			if compareIDs(id, after) > 0 {
				ids = append(ids, id)
			}
		}
		return nil
	})
	if limit < len(ids) {
		selectFirst(ids, limit, compareIDs)
		ids = ids[:limit]
	}
	slices.SortFunc(ids, compareIDs)
	return ids, err
}

func compareIDs(a, b palate.ImageID) int { return bytes.Compare(a[:], b[:]) }

// Count implements index.Index.
func (x *Index) Count(ctx context.Context, f index.Filter) (count int, err error) {
	err = x.read(ctx, func(s *state) error {
		count = s.view.live
		if chosen := s.resolve(f); chosen != nil {
			count = chosen.count
		}
		return nil
	})
	return count, err
}

// Ready implements index.Index.
func (x *Index) Ready(ctx context.Context) error {
	return x.read(ctx, func(*state) error { return nil })
}

// Close implements index.Index. It writes the side file if enough has changed.
// Searches under way end as if the index were open.
func (x *Index) Close() error {
	x.writing.Lock()
	defer x.writing.Unlock()
	x.mu.Lock()
	last, position, closed := x.state, x.position, x.closed
	x.closed, x.state = true, emptyState(0)
	x.mu.Unlock()
	if !closed && x.worthWriting(last, position) {
		x.save(last, position)
	}
	return nil
}

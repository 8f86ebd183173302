package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
)

// followBatch is how many points or changes are read from the catalog at a
// time: a few MB of embeddings.
const followBatch = 1000

// Follower keeps an index in step with the catalog: what any process writes
// there reaches the index at the next CatchUp. Its methods are safe for
// concurrent use; they take turns.
type Follower struct {
	catalog catalog.Catalog
	index   index.Index
	name    string
	logger  *slog.Logger

	turn   sync.Mutex
	at     uint64 // the last change that the index has seen
	loaded bool
}

// PlaceKeeper is an index that keeps, together with its points, the number of
// the last change that is in them, so that the two can't fall apart. 0 is an
// index that has to be loaded.
type PlaceKeeper interface {
	Place() uint64
	SetPlace(number uint64)
}

// NewFollower returns a follower that has not looked at the catalog yet. Of a
// PlaceKeeper the position is asked. Another index that outlives the process
// is followed under a name, which the catalog remembers the position of. With
// an empty name the index is loaded whole at first.
func NewFollower(c catalog.Catalog, ix index.Index, name string, logger *slog.Logger) *Follower {
	return &Follower{catalog: c, index: ix, name: name, logger: logger}
}

// Rebuild empties the index and loads it from the catalog. progress, if not
// nil, is told how many points of how many are loaded.
func (f *Follower) Rebuild(ctx context.Context, progress func(done, total int)) error {
	f.turn.Lock()
	defer f.turn.Unlock()
	return f.rebuild(ctx, progress)
}

func (f *Follower) rebuild(ctx context.Context, progress func(done, total int)) error {
	// Changes that come while loading are seen twice, which does no harm.
	start, err := f.catalog.LastChange(ctx)
	if err != nil {
		return fmt.Errorf("load the index: %w", err)
	}
	total, err := f.catalog.CountEmbeddings(ctx, f.index.Model())
	if err != nil {
		return fmt.Errorf("load the index: %w", err)
	}
	if err := f.index.Clear(ctx); err != nil {
		return fmt.Errorf("load the index: %w", err)
	}
	var after palate.ImageID
	for done := 0; ; {
		page, err := f.catalog.ListEmbeddings(ctx, f.index.Model(), after, followBatch)
		if err != nil {
			return fmt.Errorf("load the index: %w", err)
		}
		if err := f.upsert(ctx, page); err != nil {
			return fmt.Errorf("load the index: %w", err)
		}
		done += len(page)
		if progress != nil {
			progress(done, max(done, total))
		}
		if len(page) < followBatch {
			break
		}
		after = page[len(page)-1].ID
	}
	f.loaded = true
	return f.remember(ctx, start)
}

// CatchUp applies every change that the index has not seen, and returns how
// many there were. The first call loads the index if nothing has.
func (f *Follower) CatchUp(ctx context.Context) (applied int, err error) {
	f.turn.Lock()
	defer f.turn.Unlock()
	if !f.loaded {
		if err := f.resume(ctx); err != nil {
			return 0, err
		}
	}
	for {
		changes, err := f.catalog.ChangesAfter(ctx, f.at, followBatch)
		if errors.Is(err, palate.ErrConflict) {
			f.logger.InfoContext(ctx, "index fell behind what the catalog remembers; loading it anew", "followed_to", f.at)
			return applied, f.rebuild(ctx, nil)
		}
		if err != nil {
			return applied, fmt.Errorf("follow the catalog: %w", err)
		}
		if len(changes) == 0 {
			return applied, nil
		}
		if err := f.apply(ctx, changes); err != nil {
			return applied, fmt.Errorf("follow the catalog: %w", err)
		}
		applied += len(changes)
		if err := f.remember(ctx, changes[len(changes)-1].Number); err != nil {
			return applied, err
		}
	}
}

// Run calls CatchUp at every interval until ctx is done, and returns its
// error. A failed CatchUp is logged and tried again.
func (f *Follower) Run(ctx context.Context, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for failing := false; ; {
		_, err := f.CatchUp(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && !failing {
			f.logger.ErrorContext(ctx, "index can't follow the catalog; trying on", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (f *Follower) resume(ctx context.Context) error {
	at, err := f.remembered(ctx)
	if err != nil {
		return fmt.Errorf("follow the catalog: %w", err)
	}
	if at == 0 {
		return f.rebuild(ctx, nil)
	}
	f.at, f.loaded = at, true
	return nil
}

func (f *Follower) remembered(ctx context.Context) (uint64, error) {
	if keeper, keeps := f.index.(PlaceKeeper); keeps {
		return keeper.Place(), nil
	}
	if f.name == "" {
		return 0, nil
	}
	return f.catalog.FollowedTo(ctx, f.name)
}

func (f *Follower) remember(ctx context.Context, number uint64) error {
	f.at = number
	if keeper, keeps := f.index.(PlaceKeeper); keeps {
		keeper.SetPlace(number)
		return nil
	}
	if f.name == "" {
		return nil
	}
	if err := f.catalog.SetFollowedTo(ctx, f.name, number); err != nil {
		return fmt.Errorf("follow the catalog: %w", err)
	}
	return nil
}

// apply brings the index to the present state of everything the changes
// name. Reading the state rather than replaying the changes makes it
// harmless to see a change twice.
func (f *Follower) apply(ctx context.Context, changes []catalog.Change) error {
	type touch struct {
		embedded, described bool
		judgedBy            []palate.Profile
	}
	touched := make(map[palate.ImageID]*touch)
	var ids []palate.ImageID
	for _, c := range changes {
		if c.Kind == catalog.ProbeChanged || c.Kind == catalog.EmbeddingChanged && c.Model != f.index.Model() {
			continue
		}
		t := touched[c.Image]
		if t == nil {
			t = new(touch)
			touched[c.Image] = t
			ids = append(ids, c.Image)
		}
		switch c.Kind {
		case catalog.EmbeddingChanged:
			t.embedded = true
		case catalog.RatingChanged:
			t.judgedBy = append(t.judgedBy, c.Profile)
		case catalog.ImageChanged, catalog.ImageDeleted:
			t.described = true
		}
	}
	if len(ids) == 0 {
		return nil
	}
	attributes, err := f.catalog.AttributesOf(ctx, ids)
	if err != nil {
		return err
	}
	var gone, embedded []palate.ImageID
	described := make(map[palate.ImageID]index.Attributes)
	var judgements []index.Judgement
	for _, id := range ids {
		present, exists := attributes[id]
		switch t := touched[id]; {
		case !exists:
			gone = append(gone, id)
		case t.embedded:
			embedded = append(embedded, id)
		case t.described:
			described[id] = present
		default:
			for _, p := range t.judgedBy {
				judgements = append(judgements, index.Judgement{ID: id, Profile: p, Verdict: present.Verdicts[p]})
			}
		}
	}
	present, err := f.catalog.EmbeddingsOf(ctx, f.index.Model(), embedded)
	if err != nil {
		return err
	}
	if err := f.upsertWith(ctx, present, attributes); err != nil {
		return err
	}
	if len(described) > 0 {
		if err := f.index.SetAttributes(ctx, described); err != nil {
			return err
		}
	}
	if len(judgements) > 0 {
		if err := f.index.Judge(ctx, judgements); err != nil {
			return err
		}
	}
	if len(gone) > 0 {
		return f.index.Delete(ctx, gone)
	}
	return nil
}

func (f *Follower) upsert(ctx context.Context, embeddings []catalog.ImageEmbedding) error {
	ids := make([]palate.ImageID, len(embeddings))
	for i, e := range embeddings {
		ids[i] = e.ID
	}
	attributes, err := f.catalog.AttributesOf(ctx, ids)
	if err != nil {
		return err
	}
	return f.upsertWith(ctx, embeddings, attributes)
}

func (f *Follower) upsertWith(ctx context.Context, embeddings []catalog.ImageEmbedding, attributes map[palate.ImageID]index.Attributes) error {
	points := make([]index.Point, 0, len(embeddings))
	for _, e := range embeddings {
		if a, exists := attributes[e.ID]; exists {
			points = append(points, index.Point{ID: e.ID, Embedding: e.Embedding, Attributes: a})
		}
	}
	if len(points) == 0 {
		return nil
	}
	return f.index.Upsert(ctx, points)
}

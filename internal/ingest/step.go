package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
)

// followBatch is how many points or changes are read from the catalog at a
// time: a few MB of embeddings.
const followBatch = 1000

// step brings an index from one state of the catalog to a later one: what every
// follower does, however it remembers how far it has come.
type step struct {
	catalog catalog.Catalog
	index   index.Index
	logger  *slog.Logger

	mu       sync.Mutex
	at       uint64 // the last change that the index has seen
	failedAt time.Time
	failure  error // of the last CatchUp, other than that another process is at it
}

// errForgotten says that the catalog does not remember every change that the
// index has not seen.
var errForgotten = errors.New("the catalog has forgotten changes that the index has not seen")

// advance hands what follows the last change that was seen to take, page by page,
// with the number of the page's last. errForgotten says that the catalog does not
// remember all of it.
func (s *step) advance(ctx context.Context, take func(changes []catalog.Change, last uint64) error) (applied int, err error) {
	for {
		s.mu.Lock()
		at := s.at
		s.mu.Unlock()
		changes, err := s.catalog.ChangesAfter(ctx, at, followBatch)
		if errors.Is(err, palate.ErrConflict) {
			err = fmt.Errorf("%w: %w", errForgotten, err)
		}
		if err != nil {
			return applied, fmt.Errorf("follow the catalog: %w", err)
		}
		if len(changes) == 0 {
			return applied, nil
		}
		last := changes[len(changes)-1].Number
		if err := take(changes, last); err != nil {
			return applied, fmt.Errorf("follow the catalog: %w", err)
		}
		applied += len(changes)
		s.mu.Lock()
		s.at = last
		s.mu.Unlock()
	}
}

// page is a part of the catalog's embeddings.
type page struct {
	embeddings []catalog.ImageEmbedding
	attributes map[palate.ImageID]index.Attributes
}

// fill loads every embedding of the index's model into an empty index. While the
// index takes a page, the next one is read.
func (s *step) fill(ctx context.Context, ix index.Index, progress func(done, total int)) error {
	total, err := s.catalog.CountEmbeddings(ctx, ix.Model())
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	pages := make(chan page)
	group.Go(func() error {
		defer close(pages)
		return s.readPages(ctx, ix.Model(), pages)
	})
	group.Go(func() error {
		done := 0
		for p := range pages {
			if err := s.upsertWith(ctx, ix, p.embeddings, p.attributes); err != nil {
				return err
			}
			done += len(p.embeddings)
			if progress != nil {
				progress(done, max(done, total))
			}
		}
		return nil
	})
	return group.Wait()
}

// readPages reads the embeddings of a model in the order of IDs. The last page
// is a short one, and may be empty.
func (s *step) readPages(ctx context.Context, model palate.ModelID, pages chan<- page) error {
	var after palate.ImageID
	for {
		embeddings, err := s.catalog.ListEmbeddings(ctx, model, after, followBatch)
		if err != nil {
			return err
		}
		ids := make([]palate.ImageID, len(embeddings))
		for i, e := range embeddings {
			ids[i] = e.ID
		}
		attributes, err := s.catalog.AttributesOf(ctx, ids)
		if err != nil {
			return err
		}
		select {
		case pages <- page{embeddings, attributes}:
		case <-ctx.Done():
			return ctx.Err()
		}
		if len(embeddings) < followBatch {
			return nil
		}
		after = embeddings[len(embeddings)-1].ID
	}
}

// concerns reports whether a change is of the index: those of a probe, of a run
// or of another model's embedding are not.
func (s *step) concerns(c catalog.Change) bool {
	return !c.Image.IsZero() && (c.Kind != catalog.EmbeddingChanged || c.Model == s.index.Model())
}

// apply brings the index to the present state of everything the changes
// name. Reading the state rather than replaying the changes makes it
// harmless to see a change twice.
func (s *step) apply(ctx context.Context, ix index.Index, changes []catalog.Change) error {
	type touch struct {
		embedded, described bool
		judgedBy            []palate.Profile
	}
	touched := make(map[palate.ImageID]*touch)
	var ids []palate.ImageID
	for _, c := range changes {
		if !s.concerns(c) {
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
		case catalog.ImageDeleted: // its embedding is gone with it, even if it is back
			t.embedded = true
		case catalog.ImageChanged:
			t.described = true
		}
	}
	if len(ids) == 0 {
		return nil
	}
	// Of what was only judged, the verdicts are read alone: sources and their
	// categories cost several times as much.
	judged, others := ids[:0:0], ids[:0:0]
	for _, id := range ids {
		if t := touched[id]; t.embedded || t.described {
			others = append(others, id)
		} else {
			judged = append(judged, id)
		}
	}
	verdicts, err := s.catalog.VerdictsOf(ctx, judged)
	if err != nil {
		return err
	}
	attributes, err := s.catalog.AttributesOf(ctx, others)
	if err != nil {
		return err
	}
	var gone, embedded []palate.ImageID
	described := make(map[palate.ImageID]index.Attributes)
	var judgements []index.Judgement
	for _, id := range others {
		switch present, exists := attributes[id]; {
		case !exists:
			gone = append(gone, id)
		case touched[id].embedded:
			embedded = append(embedded, id)
		default:
			described[id] = present
		}
	}
	for _, id := range judged {
		standing, exists := verdicts[id]
		if !exists {
			gone = append(gone, id)
			continue
		}
		for _, p := range touched[id].judgedBy {
			judgements = append(judgements, index.Judgement{ID: id, Profile: p, Verdict: standing[p], Standing: standing})
		}
	}
	present, err := s.catalog.EmbeddingsOf(ctx, ix.Model(), embedded)
	if err != nil {
		return err
	}
	if err := s.upsertWith(ctx, ix, present, attributes); err != nil {
		return err
	}
	if len(described) > 0 {
		if err := ix.SetAttributes(ctx, described); err != nil {
			return err
		}
	}
	if len(judgements) > 0 {
		if err := ix.Judge(ctx, judgements); err != nil {
			return err
		}
	}
	gone = append(gone, without(embedded, present)...)
	if len(gone) > 0 {
		return ix.Delete(ctx, gone)
	}
	return nil
}

// without lists the ids that have no embedding among these.
func without(ids []palate.ImageID, embeddings []catalog.ImageEmbedding) []palate.ImageID {
	has := make(map[palate.ImageID]bool, len(embeddings))
	for _, e := range embeddings {
		has[e.ID] = true
	}
	return slices.DeleteFunc(ids, func(id palate.ImageID) bool { return has[id] })
}

func (s *step) upsertWith(ctx context.Context, ix index.Index, embeddings []catalog.ImageEmbedding, attributes map[palate.ImageID]index.Attributes) error {
	points := make([]index.Point, 0, len(embeddings))
	for _, e := range embeddings {
		if a, exists := attributes[e.ID]; exists {
			points = append(points, index.Point{ID: e.ID, Embedding: e.Embedding, Attributes: a})
		}
	}
	if len(points) == 0 {
		return nil
	}
	return ix.Upsert(ctx, points)
}

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

// Follower keeps an index in step with the catalog: what any process writes
// there reaches the index at the next CatchUp. Its methods are safe for
// concurrent use; they take turns.
//
// While the index can't be reached, the catalog goes on and remembers what the
// index has not seen.
type Follower struct {
	catalog    catalog.Catalog
	index      index.Index
	name       string
	persistent index.Persistent // index, if it is followed under a name
	logger     *slog.Logger

	turn   chan struct{} // holds one token while somebody has the turn
	loaded bool          // of an index that goes with the process
	looked time.Time     // when the generation was last asked for

	mu         sync.Mutex
	at         uint64 // the last change that the index has seen
	generation string // of a persistent index, that at is about
	failedAt   time.Time
	failure    error // of the last CatchUp, other than that another process is at it
}

// PositionKeeper is an index that keeps, together with its points, the number of
// the last change that is in them, so that the two can't fall apart. 0 is an
// index that has to be loaded.
type PositionKeeper interface {
	Position() uint64
	SetPosition(number uint64)
}

// NewFollower returns a follower that has not looked at the catalog yet. An
// index.Persistent is followed under a name, which the catalog remembers the
// position of. With an empty name a PositionKeeper is asked for its position; any
// other index is loaded whole at first.
func NewFollower(c catalog.Catalog, ix index.Index, name string, logger *slog.Logger) *Follower {
	f := &Follower{catalog: c, index: ix, name: name, logger: logger, turn: make(chan struct{}, 1)}
	if name != "" {
		f.persistent, _ = ix.(index.Persistent)
	}
	if f.persistent != nil {
		f.persistent.BelongTo(f)
	}
	return f
}

// take waits for the turn; give gives it back.
func (f *Follower) take(ctx context.Context) error {
	select {
	case f.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *Follower) give() { <-f.turn }

// Rebuilding is told how many points of how many are loaded, and then how many
// of them the index has prepared for quick searches. Either may be nil.
type Rebuilding struct {
	Loaded, Prepared func(done, total int)
}

// Rebuild loads the index from the catalog anew; a persistent index serves what
// it had until that is done.
func (f *Follower) Rebuild(ctx context.Context, told Rebuilding) error {
	settled, err := f.rebuild(ctx, told)
	if err != nil || settled {
		return err
	}
	return f.persistent.Settle(ctx, told.Prepared) // others may follow meanwhile
}

func (f *Follower) rebuild(ctx context.Context, told Rebuilding) (settled bool, err error) {
	if err := f.take(ctx); err != nil {
		return false, err
	}
	defer f.give()
	if f.persistent == nil {
		return true, f.reload(ctx, told.Loaded)
	}
	lease, err := f.alone(ctx)
	if err != nil {
		return false, err
	}
	settled, err = f.replace(ctx, told)
	return settled, errors.Join(err, lease.Release())
}

// reload empties the index and loads it.
func (f *Follower) reload(ctx context.Context, progress func(done, total int)) error {
	// Changes that come while loading are seen twice, which does no harm.
	start, err := f.catalog.LastChange(ctx)
	if err != nil {
		return fmt.Errorf("load the index: %w", err)
	}
	f.loaded = false // until all of it is; what fails on the way begins anew
	if err := f.index.Clear(ctx); err != nil {
		return fmt.Errorf("load the index: %w", err)
	}
	if err := f.fill(ctx, f.index, progress); err != nil {
		return fmt.Errorf("load the index: %w", err)
	}
	f.loaded = true
	return f.remember(ctx, start)
}

// resume goes on from where a PositionKeeper was left, and loads another index.
// A place beyond the catalog's last change is another catalog's.
func (f *Follower) resume(ctx context.Context) (applied int, err error) {
	keeper, keeps := f.index.(PositionKeeper)
	if !keeps || keeper.Position() == 0 {
		return 0, f.reload(ctx, nil)
	}
	last, err := f.catalog.LastChange(ctx)
	if err != nil {
		return 0, fmt.Errorf("follow the catalog: %w", err)
	}
	if keeper.Position() > last {
		return 0, f.reload(ctx, nil)
	}
	f.mu.Lock()
	f.at = keeper.Position()
	f.mu.Unlock()
	f.loaded = true
	return f.advanceOrReload(ctx)
}

// advanceOrReload is advance for an index that goes with the process.
func (f *Follower) advanceOrReload(ctx context.Context) (applied int, err error) {
	applied, err = f.advance(ctx)
	if errors.Is(err, errForgotten) {
		f.logger.InfoContext(ctx, "index fell behind what the catalog remembers; loading it anew", "followed_to", f.at)
		err = f.reload(ctx, nil)
	}
	return applied, err
}

// page is a part of the catalog's embeddings.
type page struct {
	embeddings []catalog.ImageEmbedding
	attributes map[palate.ImageID]index.Attributes
}

// fill loads every embedding of the index's model into an empty index. While the
// index takes a page, the next one is read.
func (f *Follower) fill(ctx context.Context, ix index.Index, progress func(done, total int)) error {
	total, err := f.catalog.CountEmbeddings(ctx, ix.Model())
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	pages := make(chan page)
	group.Go(func() error {
		defer close(pages)
		return f.readPages(ctx, ix.Model(), pages)
	})
	group.Go(func() error {
		done := 0
		for p := range pages {
			if err := f.upsertWith(ctx, ix, p.embeddings, p.attributes); err != nil {
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
func (f *Follower) readPages(ctx context.Context, model palate.ModelID, pages chan<- page) error {
	var after palate.ImageID
	for {
		embeddings, err := f.catalog.ListEmbeddings(ctx, model, after, followBatch)
		if err != nil {
			return err
		}
		ids := make([]palate.ImageID, len(embeddings))
		for i, e := range embeddings {
			ids[i] = e.ID
		}
		attributes, err := f.catalog.AttributesOf(ctx, ids)
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

// CatchUp applies every change that the index has not seen, and returns how
// many there were. The first call loads the index if nothing has. It fails
// with ErrFollowed while another process does that to a persistent index.
func (f *Follower) CatchUp(ctx context.Context) (applied int, err error) {
	if err := f.take(ctx); err != nil {
		return 0, err
	}
	defer f.give()
	return f.catchUp(ctx)
}

// catchUp is CatchUp for who has the turn.
func (f *Follower) catchUp(ctx context.Context) (applied int, err error) {
	switch {
	case f.persistent != nil:
		applied, err = f.catchUpPersistent(ctx)
	case !f.loaded:
		applied, err = f.resume(ctx)
	default:
		applied, err = f.advanceOrReload(ctx)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failedAt = time.Time{}
	if !errors.Is(err, ErrFollowed) && ctx.Err() == nil {
		f.failure = err
	}
	if errors.Is(err, palate.ErrUnavailable) {
		f.failedAt = time.Now()
	}
	return applied, err
}

// advance applies what follows f.at. errForgotten says that the catalog does not
// remember all of it.
func (f *Follower) advance(ctx context.Context) (applied int, err error) {
	for {
		changes, err := f.catalog.ChangesAfter(ctx, f.at, followBatch)
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
		if f.persistent != nil && slices.ContainsFunc(changes, f.concerns) {
			err = f.send(ctx, changes, last)
		} else {
			err = f.apply(ctx, f.index, changes)
		}
		if err != nil {
			return applied, fmt.Errorf("follow the catalog: %w", err)
		}
		applied += len(changes)
		if err := f.remember(ctx, last); err != nil {
			return applied, err
		}
	}
}

// concerns reports whether a change is of the index: those of a probe, of a run
// or of another model's embedding are not.
func (f *Follower) concerns(c catalog.Change) bool {
	return !c.Image.IsZero() && (c.Kind != catalog.EmbeddingChanged || c.Model == f.index.Model())
}

// send applies changes to a persistent index and writes their position beside
// the points. The catalog remembers before what it is about to be.
func (f *Follower) send(ctx context.Context, changes []catalog.Change, last uint64) error {
	if err := f.catalog.SetFollowedTo(ctx, f.sentKey(f.generation), last); err != nil {
		return err
	}
	if err := f.apply(ctx, f.index, changes); err != nil {
		return err
	}
	return f.persistent.SetPosition(ctx, last)
}

func (f *Follower) remember(ctx context.Context, number uint64) error {
	f.mu.Lock()
	f.at = number
	generation := f.generation
	f.mu.Unlock()
	if f.persistent == nil {
		if keeper, keeps := f.index.(PositionKeeper); keeps {
			keeper.SetPosition(number)
		}
		return nil
	}
	if err := f.catalog.SetFollowedTo(ctx, f.key(generation), number); err != nil {
		return fmt.Errorf("follow the catalog: %w", err)
	}
	return nil
}

// Run calls CatchUp after every change, whichever process made it, until ctx is
// done, and returns its error. A failed CatchUp is logged once and tried again
// after the pause.
func (f *Follower) Run(ctx context.Context, pause time.Duration) error {
	for failing := false; ; {
		last, err := f.catalog.LastChange(ctx)
		if err == nil {
			_, err = f.CatchUp(ctx)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		followed := err == nil
		if errors.Is(err, ErrFollowed) {
			err = nil
		}
		switch {
		case err != nil && !failing:
			f.logger.ErrorContext(ctx, "index can't follow the catalog; trying on", "error", err)
		case err == nil && failing:
			f.logger.WarnContext(ctx, "index follows the catalog again")
		}
		failing = err != nil
		if followed {
			err = f.nextChange(ctx, last)
		}
		if !followed || err != nil {
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// nextChange waits for a change. Of a persistent index others may replace the
// points without one, so that it is looked at now and then.
func (f *Follower) nextChange(ctx context.Context, beyond uint64) error {
	if f.persistent == nil {
		_, err := f.catalog.Wait(ctx, beyond)
		return err
	}
	short, cancel := context.WithTimeout(ctx, generationEvery)
	defer cancel()
	_, err := f.catalog.Wait(short, beyond)
	if short.Err() != nil {
		return ctx.Err()
	}
	return err
}

// apply brings the index to the present state of everything the changes
// name. Reading the state rather than replaying the changes makes it
// harmless to see a change twice.
func (f *Follower) apply(ctx context.Context, ix index.Index, changes []catalog.Change) error {
	type touch struct {
		embedded, described bool
		judgedBy            []palate.Profile
	}
	touched := make(map[palate.ImageID]*touch)
	var ids []palate.ImageID
	for _, c := range changes {
		if !f.concerns(c) {
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
			standing := present.Verdicts
			if standing == nil {
				standing = map[palate.Profile]palate.Verdict{}
			}
			for _, p := range t.judgedBy {
				judgements = append(judgements, index.Judgement{ID: id, Profile: p, Verdict: present.Verdicts[p], Standing: standing})
			}
		}
	}
	present, err := f.catalog.EmbeddingsOf(ctx, ix.Model(), embedded)
	if err != nil {
		return err
	}
	if err := f.upsertWith(ctx, ix, present, attributes); err != nil {
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

func (f *Follower) upsertWith(ctx context.Context, ix index.Index, embeddings []catalog.ImageEmbedding, attributes map[palate.ImageID]index.Attributes) error {
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

package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/imagestore"
)

const (
	// sawEvery is how often the store is told how far the catalog has come
	// while pictures come in: a small file each time, made durable.
	sawEvery = 5 * time.Second

	// lookedUp is how many ids are looked up at once.
	lookedUp = 500

	// bindPatience is how long a start waits for another one that is marking
	// the same new collection.
	bindPatience = 10 * time.Second
)

// errNotBound keeps files safe while it is not known whose they are.
var errNotBound = errors.New("catalog and image store have not recognised each other")

// whatToDo ends every refusal.
const whatToDo = "Nothing was changed. Put the right catalog back (palate restore, from a backup), or begin a new one from the picture files with \"palate import --adopt\""

// Recognise finds out whether the catalog is the one whose pictures the store
// holds, at the state that the store has seen. It is palate.ErrConflict, with
// what to do, if the catalog is a new, an older or another one: then nothing
// may be written. A collection without marks gets them if at least 99 % of
// its files have rows. Where they can't be written, Tend leaves the files alone.
func (c *Collection) Recognise(ctx context.Context) error {
	same, err := c.same(ctx)
	if err != nil || same {
		return err
	}
	lease, err := c.waitToBind(ctx)
	if errors.Is(err, palate.ErrUnavailable) {
		return nil // a folder that can't be written can still be looked at
	}
	if err != nil {
		return err
	}
	defer func() { _ = lease.Release() }()
	if same, err = c.same(ctx); err != nil || same { // another start has done it
		return err
	}
	if err := c.mayBind(ctx); err != nil {
		return err
	}
	if err := c.bind(ctx); !errors.Is(err, palate.ErrUnavailable) {
		return err
	}
	return nil
}

// same reports whether both marks name each other. The store's number is read
// first: whoever raises it has committed the change before.
func (c *Collection) same(ctx context.Context) (bool, error) {
	mark, err := c.store.Mark(ctx)
	if err != nil {
		return false, err
	}
	id, err := c.catalog.Identity(ctx)
	if err != nil {
		return false, err
	}
	if mark.Store == "" || mark.Catalog != id.Catalog {
		return false, nil
	}
	last, err := c.catalog.LastChange(ctx)
	switch {
	case err != nil:
		return false, err
	case last < mark.Change:
		return false, fmt.Errorf("the catalog is older than the pictures beside it: it ends at change %d, the image store has seen change %d. What came between would be lost, ratings too. %s: %w",
			last, mark.Change, whatToDo, palate.ErrConflict)
	case mark.Store != id.Store:
		return false, nil
	}
	c.bound.Store(true)
	if err := c.store.Saw(ctx, last); err != nil && !errors.Is(err, palate.ErrUnavailable) {
		return true, err
	}
	return true, nil
}

func (c *Collection) waitToBind(ctx context.Context) (catalog.Lease, error) {
	ctx, cancel := context.WithTimeout(ctx, bindPatience)
	defer cancel()
	for {
		lease, err := c.catalog.AcquireLease(ctx, "identity")
		if !errors.Is(err, palate.ErrConflict) {
			return lease, err
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(err, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// mayBind decides whether catalog and store that do not name each other may
// be bound together.
func (c *Collection) mayBind(ctx context.Context) error {
	mark, err := c.store.Mark(ctx)
	if err != nil {
		return err
	}
	id, err := c.catalog.Identity(ctx)
	if err != nil {
		return err
	}
	rows, err := c.catalog.CountImages(ctx, index.Filter{})
	if err != nil {
		return err
	}
	files, known, err := c.countFiles(ctx)
	if err != nil {
		return err
	}
	refuse := func(format string, args ...any) error {
		return fmt.Errorf(format+". %s: %w", append(args, whatToDo, palate.ErrConflict)...)
	}
	foreign := mark.Catalog != "" && mark.Catalog != id.Catalog
	switch {
	case files == 0 && rows == 0:
		return nil
	case files == 0:
		return fmt.Errorf("the catalog knows %d images and the image store holds no file: is its disk mounted? Nothing was changed. Bring the files back (palate restore, from a backup); \"palate import --adopt\" goes on without them: %w", rows, palate.ErrConflict)
	case rows == 0 && known == 0:
		return refuse("the catalog is empty and the image store holds %d picture files: the catalog was lost or another folder was meant", files)
	case foreign:
		return refuse("the catalog belongs to another image store: it has rows for %d of the %d files here", known, files)
	case id.Store != "" && mark.Store != "" && id.Store != mark.Store:
		return refuse("the image store is not the one that the catalog describes: %d of its %d files have rows", known, files)
	case known*100 < files*99:
		return refuse("only %d of %d picture files have a row in the catalog: it may be an older one, or of another collection", known, files)
	}
	return nil
}

// countFiles counts the files of the store, and those of them that the
// catalog has a row or a tombstone of.
func (c *Collection) countFiles(ctx context.Context) (files, known int, err error) {
	err = c.walkStates(ctx, func(_ palate.ImageID, state catalog.ImageState) error {
		files++
		if state != catalog.UnknownImage {
			known++
		}
		return nil
	})
	return files, known, err
}

// walkStates visits every file of the store with what the catalog knows of it.
func (c *Collection) walkStates(ctx context.Context, visit func(palate.ImageID, catalog.ImageState) error) error {
	var batch []palate.ImageID
	look := func() error {
		states, err := c.catalog.ImageStates(ctx, batch)
		if err != nil {
			return err
		}
		for i, state := range states {
			if err := visit(batch[i], state); err != nil {
				return err
			}
		}
		batch = batch[:0]
		return nil
	}
	err := c.store.Walk(ctx, func(id palate.ImageID) error {
		if batch = append(batch, id); len(batch) == lookedUp {
			return look()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return look()
}

// bind marks catalog and store as each other's.
func (c *Collection) bind(ctx context.Context) error {
	id, err := c.catalog.Identity(ctx)
	if err != nil {
		return err
	}
	last, err := c.catalog.LastChange(ctx)
	if err != nil {
		return err
	}
	mark, err := c.store.SetMark(ctx, id.Catalog, last)
	if err != nil {
		return err
	}
	if err := c.catalog.SetStore(ctx, mark.Store); err != nil {
		return err
	}
	c.bound.Store(true)
	return nil
}

// Note tells the store how far the catalog has come, so that an older one is
// noticed later. It does nothing before Recognise has succeeded.
func (c *Collection) Note(ctx context.Context) error {
	if !c.bound.Load() {
		return nil
	}
	last, err := c.catalog.LastChange(ctx)
	if err != nil {
		return err
	}
	return c.store.Saw(ctx, last)
}

// noteSometimes is Note after something was added, at most every few seconds.
// That it fails harms nothing: an older number is noticed less well.
func (c *Collection) noteSometimes(ctx context.Context) {
	now := time.Now().UnixNano()
	noted := c.noted.Load()
	if now-noted >= int64(sawEvery) && c.noted.CompareAndSwap(noted, now) {
		_ = c.Note(ctx)
	}
}

// HoldsFiles reports whether a store has any file.
func HoldsFiles(ctx context.Context, store imagestore.Store) (bool, error) {
	found := errors.New("found")
	err := store.Walk(ctx, func(palate.ImageID) error { return found })
	if errors.Is(err, found) {
		return true, nil
	}
	return false, err
}

// RefuseLostCatalog is palate.ErrConflict, with what to do, if the store holds
// pictures. Call it where there is no catalog, before one is made.
func RefuseLostCatalog(ctx context.Context, store imagestore.Store, path string) error {
	full, err := HoldsFiles(ctx, store)
	if err != nil || !full {
		return err
	}
	return fmt.Errorf("the catalog %s is missing or empty and the folder beside it is full of pictures: the catalog was lost. %s: %w", path, whatToDo, palate.ErrConflict)
}

package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/imagestore"
)

// KeptFor is how long what was deleted or moved aside can be brought back.
const KeptFor = 30 * 24 * time.Hour

// MaxOrphans is how many files without a row are taken for what killed
// processes left, of which 52 kills leave three.
const MaxOrphans = 36

// DefaultSweepRules leave work under way alone.
func DefaultSweepRules() imagestore.SweepRules {
	return imagestore.SweepRules{OlderThan: time.Hour, MaxOrphans: MaxOrphans, KeepOrphans: KeptFor}
}

// Sweep looks after files that killed processes left: unfinished ones are
// removed, those without a row are moved aside, unless they are too many. It
// is palate.ErrConflict before Recognise has succeeded or while another
// process sweeps.
func (c *Collection) Sweep(ctx context.Context, rules imagestore.SweepRules) (imagestore.Swept, error) {
	same, err := c.same(ctx) // the catalog may have been replaced since
	if err == nil && !same {
		err = fmt.Errorf("sweep: %w: %w", errNotBound, palate.ErrConflict)
	}
	if err != nil {
		return imagestore.Swept{}, err
	}
	lease, err := c.catalog.AcquireLease(ctx, "sweep")
	if err != nil {
		return imagestore.Swept{}, err
	}
	swept, err := c.store.Sweep(ctx, rules, c.fates)
	return swept, errors.Join(err, lease.Release())
}

// fates tells a sweep what the catalog knows.
func (c *Collection) fates(ctx context.Context, ids []palate.ImageID) ([]imagestore.Fate, error) {
	states, err := c.catalog.ImageStates(ctx, ids)
	if err != nil {
		return nil, err
	}
	fates := make([]imagestore.Fate, len(ids))
	for i, state := range states {
		switch state {
		case catalog.UnknownImage:
			fates[i] = imagestore.Orphaned
		case catalog.DeletedImage:
			fates[i] = imagestore.Discarded
		default:
			fates[i] = imagestore.Wanted
		}
	}
	return fates, nil
}

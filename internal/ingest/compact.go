package ingest

import "context"

// ChangesKept is how many changes a catalog remembers when it is compacted: an
// index that is further behind is loaded anew, which is then about as quick.
// They take some 20 MB.
const ChangesKept = 200_000

// Compact forgets all but the newest changes.
func (c *Collection) Compact(ctx context.Context, keep uint64) error {
	last, err := c.catalog.LastChange(ctx)
	if err != nil || last <= keep {
		return err
	}
	return c.catalog.CompactChanges(ctx, last-keep)
}

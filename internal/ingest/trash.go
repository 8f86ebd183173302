package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// Remove moves an image to the trash with a reason: what the catalog knows of
// it goes there, its file stays where it is, and Restore brings both back for
// as long as KeptFor. On a full disk the reserve is given up for it, and then
// the oldest of the trash.
func (c *Collection) Remove(ctx context.Context, id palate.ImageID, reason string) error {
	return c.withRoom(ctx, func() error { return c.catalog.DeleteImage(ctx, id, reason) })
}

// Restore brings an image back from the trash as it was. palate.ErrNotFound,
// saying why, if it is not there, or its file is gone: then the image stays
// where it is.
func (c *Collection) Restore(ctx context.Context, id palate.ImageID) error {
	if err := c.mustHaveFile(ctx, id); err != nil {
		return err
	}
	err := c.withRoom(ctx, func() error { return c.catalog.RestoreImage(ctx, id) })
	if !errors.Is(err, palate.ErrNotFound) {
		return err
	}
	switch tombstone, stone := c.catalog.TombstoneOf(ctx, id); {
	case stone == nil && !tombstone.Trashed:
		return fmt.Errorf("image %s was deleted for good on %s (%s) and can't be restored: %w", id, tombstone.DeletedAt.Local().Format(time.DateOnly), tombstone.Reason, palate.ErrNotFound)
	case errors.Is(stone, palate.ErrNotFound):
		return fmt.Errorf("image %s is not in the trash: %w", id, palate.ErrNotFound)
	}
	return err
}

// mustHaveFile refuses to bring an image back that has no file, unless what a
// sweep moved aside has one.
func (c *Collection) mustHaveFile(ctx context.Context, id palate.ImageID) error {
	states, err := c.catalog.ImageStates(ctx, []palate.ImageID{id})
	if err != nil || states[0] != catalog.TrashedImage {
		return err // nothing to bring back, which is told
	}
	has, err := c.store.Has(ctx, id)
	if err == nil && !has {
		has, err = c.store.BringBack(ctx, id)
	}
	if err == nil && !has {
		err = fmt.Errorf("image %s is in the trash and its file is gone, so that it can't be restored: remove it for good (palate images delete --purge %s), or bring its file from a backup (palate restore BACKUP --replace): %w", id, id, palate.ErrNotFound)
	}
	return err
}

// Purge removes an image, or what the trash has of it, for good: its row
// first, then its file and thumbnails. A file that a killed process left
// behind is swept later.
func (c *Collection) Purge(ctx context.Context, id palate.ImageID, reason string) error {
	if err := c.withRoom(ctx, func() error { return c.catalog.PurgeImage(ctx, id, reason) }); err != nil {
		return err
	}
	return c.store.Delete(ctx, id)
}

// EmptyTrash purges what was deleted before a time, everything if it is zero,
// the oldest first, and returns how many images that were.
func (c *Collection) EmptyTrash(ctx context.Context, before time.Time) (purged int, err error) {
	for {
		thrown, err := c.catalog.Trash(ctx, before, emptiedAtOnce)
		if err != nil || len(thrown) == 0 {
			return purged, err
		}
		for _, t := range thrown {
			err := c.Purge(ctx, t.ID, t.Reason)
			if errors.Is(err, palate.ErrNotFound) {
				continue // restored or purged meanwhile
			}
			if err != nil {
				return purged, err
			}
			purged++
		}
	}
}

// emptiedAtOnce is how much of the trash is listed at once.
const emptiedAtOnce = 100

// refuseDeleted is palate.ErrConflict for what was deleted.
func (c *Collection) refuseDeleted(ctx context.Context, id palate.ImageID) error {
	tombstone, err := c.catalog.TombstoneOf(ctx, id)
	if errors.Is(err, palate.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if tombstone.Trashed {
		return fmt.Errorf("image %s %w (%s) and is in the trash until %s: \"palate images restore %s\" brings it back: %w",
			id, errDeleted, tombstone.Reason, tombstone.DeletedAt.Add(KeptFor).Local().Format(time.DateOnly), id, palate.ErrConflict)
	}
	return fmt.Errorf("image %s %w for good (%s) and stays away: %w", id, errDeleted, tombstone.Reason, palate.ErrConflict)
}

// dropFile removes a file that was just stored and whose image turned out to
// be kept away, unless the collection has the image or its trash has.
func (c *Collection) dropFile(ctx context.Context, id palate.ImageID) error {
	states, err := c.catalog.ImageStates(ctx, []palate.ImageID{id})
	if err != nil || states[0] == catalog.PresentImage || states[0] == catalog.TrashedImage {
		return err
	}
	return c.store.Delete(ctx, id)
}

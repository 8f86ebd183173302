package ingest

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/palate-art/palate/internal/atomicfile"
	"github.com/palate-art/palate/internal/catalog"
)

const (
	// reserveBytes is what a deletion may need: pages of the catalog and its
	// write-ahead log.
	reserveBytes = 4 << 20

	// purgedForRoom is how many images of the trash go at most for one
	// deletion on a full disk.
	purgedForRoom = 20
)

// Reserve is a file that does nothing but take space, so that on a full disk
// there is something to give up when a person deletes pictures.
type Reserve struct{ path string }

// NewReserve returns the reserve at that path. It writes nothing.
func NewReserve(path string) *Reserve { return &Reserve{path} }

// Fill makes the file unless it is there in its full size. On a disk that has
// little space, or can't be written, nothing is made, and that is no error.
func (r *Reserve) Fill() {
	if info, err := os.Lstat(r.path); err == nil && info.Size() == reserveBytes {
		return
	}
	if free, known := FreeSpace(filepath.Dir(r.path)); known && free < 4*reserveBytes {
		return // whoever freed this little has other plans with it
	}
	// Whole or not at all, and random bytes, which no file system compresses
	// away.
	_ = atomicfile.Write(r.path, 0o600, func(w io.Writer) error {
		_, err := io.CopyN(w, rand.Reader, reserveBytes)
		return err
	})
}

// GiveUp frees its space, and reports whether there was any.
func (r *Reserve) GiveUp() bool { return os.Remove(r.path) == nil }

// UseReserve lets deletions use a reserve on a full disk.
func (c *Collection) UseReserve(r *Reserve) { c.reserve = r }

// withRoom does something that frees space. If the disk is too full for it,
// the reserve goes, then the oldest of the trash, an image at a time.
func (c *Collection) withRoom(ctx context.Context, do func() error) error {
	err := do()
	if !errors.Is(err, catalog.ErrFull) {
		return err
	}
	if c.reserve != nil && c.reserve.GiveUp() {
		if err = do(); !errors.Is(err, catalog.ErrFull) {
			return err
		}
	}
	for range purgedForRoom {
		oldest, listErr := c.catalog.Trash(ctx, time.Time{}, 1)
		if listErr != nil || len(oldest) == 0 {
			return err
		}
		// The file first, because the catalog may need its space to forget it.
		if err := c.store.Delete(ctx, oldest[0].ID); err != nil {
			return err
		}
		purgeErr := c.catalog.PurgeImage(ctx, oldest[0].ID, oldest[0].Reason)
		if err = do(); !errors.Is(err, catalog.ErrFull) {
			return err
		}
		if purgeErr != nil {
			return purgeErr
		}
	}
	return err
}

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/access"
	"github.com/palate-art/palate/internal/atomicfile"
)

// SnapshotTo writes a copy of the catalog as it is at one moment into a new
// file, while others go on reading and writing. The copy is one file without
// a write-ahead log, and durable when SnapshotTo returns nil; after an error
// nothing of it is left. A file that is there already is palate.ErrConflict.
func (c *Catalog) SnapshotTo(ctx context.Context, path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("catalog: copy to %s: there is such a file already: %w", path, palate.ErrConflict)
	}
	if err := c.copyTo(ctx, path); err != nil {
		return c.translate(ctx, "copy to "+path, errors.Join(err, removeIfThere(path), removeIfThere(path+"-journal")))
	}
	return nil
}

func (c *Catalog) copyTo(ctx context.Context, path string) error {
	// A connection of its own: those that read may not write, not even into
	// another file.
	db := sql.OpenDB(c.connector(copies))
	_, err := db.ExecContext(ctx, "VACUUM INTO ?", path)
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := atomicfile.Finish(f, access.FileIn(filepath.Dir(path))); err != nil {
		return err
	}
	return atomicfile.SyncFolder(filepath.Dir(path))
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

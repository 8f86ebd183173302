package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/mattn/go-sqlite3"

	"github.com/palate-art/palate"
)

// Writable implements catalog.Catalog.
func (c *Catalog) Writable(ctx context.Context) error {
	tx, err := c.begin(ctx)
	if err != nil {
		return c.translate(ctx, "write", err)
	}
	defer func() { _ = tx.Rollback() }()
	version, err := scanOne[int](tx.QueryRowContext(ctx, "PRAGMA user_version"))
	if err == nil {
		_, err = tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version))
	}
	if err == nil {
		err = tx.Commit()
	}
	return c.translate(ctx, "write", err)
}

// OpenReadOnly opens a catalog that nobody writes to meanwhile, as a copy by
// SnapshotTo is, and leaves nothing beside it. One of an older schema is read
// from a copy in the folder for temporary files, which is brought up to date.
func OpenReadOnly(ctx context.Context, path string, cfg Config) (*Catalog, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("catalog: find %s: %w", path, err)
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("catalog: %s can't be read: %w (%w)", path, palate.ErrUnavailable, err)
	}
	return openToRead(ctx, path, cfg, fmt.Errorf("%s was opened for reading alone: %w", path, palate.ErrUnavailable))
}

// mayStillBeRead reports whether a catalog that could not be opened for
// writing is there and may be sound.
func mayStillBeRead(path string, err error) bool {
	info, statErr := os.Stat(path)
	if statErr != nil || !info.Mode().IsRegular() || info.Size() == 0 || !errors.Is(err, palate.ErrUnavailable) {
		return false
	}
	if errors.Is(err, errNoCopyKept) {
		return false // it would have to be migrated
	}
	var se sqlite3.Error
	if errors.As(err, &se) {
		switch se.Code {
		case sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrCorrupt:
			return false
		}
	}
	return true
}

// openToRead opens a catalog for reading alone. With others at work on it,
// their write-ahead log is read too; without, nothing need be written beside
// it; where a log was left that can't be read in place, and for a catalog of
// an older schema, a copy is read.
func openToRead(ctx context.Context, path string, cfg Config, cause error) (*Catalog, error) {
	ways := []map[string]string{{"mode": "ro"}}
	if log, err := os.Stat(path + "-wal"); err != nil || log.Size() == 0 {
		ways = append(ways, map[string]string{"mode": "ro", "immutable": "1"})
	}
	if _, err := os.Stat(path + "-shm"); err != nil && len(ways) > 1 {
		ways = ways[1:]
	}
	var errs []error
	for _, options := range ways {
		c := newCatalog(path, cfg)
		c.unwritten, c.options = fmt.Errorf("the collection can be looked at and not changed: %w", cause), options
		c.openReader()
		err := c.checkToRead(ctx)
		if err == nil {
			return c, nil
		}
		errs = append(errs, err, c.closeConnections())
		if errors.Is(err, palate.ErrInvalid) || errors.Is(err, palate.ErrConflict) {
			return nil, c.translate(ctx, "open", err)
		}
	}
	c, err := openCopy(ctx, path, cfg, cause)
	if err != nil {
		return nil, errors.Join(append(errs, err)...)
	}
	return c, nil
}

var errOlderSchema = errors.New("it has an older schema")

// checkToRead is prepareFile for a catalog that is only read.
func (c *Catalog) checkToRead(ctx context.Context) error {
	all, err := migrations()
	if err != nil {
		return err
	}
	state, err := c.stateOf(ctx, c.reader)
	if err != nil {
		return err
	}
	if err := state.check(c.path, len(all)); err != nil {
		return err
	}
	if state.version < len(all) {
		return errOlderSchema
	}
	return nil
}

// openCopy reads a copy of the catalog with its write-ahead log.
func openCopy(ctx context.Context, path string, cfg Config, cause error) (*Catalog, error) {
	folder, err := os.MkdirTemp("", "palate-catalog-")
	if err != nil {
		return nil, err
	}
	failed := func(err error) (*Catalog, error) { return nil, errors.Join(err, os.RemoveAll(folder)) }
	copied := filepath.Join(folder, filepath.Base(path))
	for _, suffix := range []string{"", "-wal"} {
		if err := copyFile(path+suffix, copied+suffix); err != nil && (suffix == "" || !errors.Is(err, os.ErrNotExist)) {
			return failed(err)
		}
	}
	c, err := openToWrite(ctx, copied, cfg)
	if err != nil {
		return failed(err)
	}
	c.path, c.copied, c.temporary = path, copied, folder
	c.unwritten = fmt.Errorf("the collection can be looked at and not changed: %w", cause)
	c.migrated = Migration{}
	return c, nil
}

// file is what is opened: the catalog's file or a copy of it.
func (c *Catalog) file() string {
	if c.copied != "" {
		return c.copied
	}
	return c.path
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// timeName is how times are written in names of files: they sort by time.
const timeName = "20060102T150405Z"

func nameOfTime(t time.Time) string { return t.UTC().Format(timeName) }

// ReadOnly returns why the catalog was opened for reading alone, or nil if it
// was opened for writing too.
func (c *Catalog) ReadOnly() error { return c.unwritten }

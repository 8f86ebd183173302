package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mattn/go-sqlite3"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/access"
	"github.com/palate-art/palate/internal/catalog"
)

// Above 4 KiB a vector of 768 values wastes no quarter of its page.
const pageBytes = 16 << 10

// Catalog is a catalog in one SQLite file.
type Catalog struct {
	path   string
	cfg    Config
	writer *sql.DB // one connection: the writers of this process queue here
	reader *sql.DB
	closed atomic.Bool
	leases leaseBook
	// endingDead is held while dead runs are looked for.
	endingDead sync.Mutex
	claims     claimBook
	migrated   Migration
	unwritten  error             // why nothing can be written; nil where it can
	options    map[string]string // further ones of the address that SQLite opens
	copied     string            // the copy that is read instead, if any, and its folder
	temporary  string

	written signal // by this process
	texts   texts
	facets  facetLists
}

var _ catalog.Catalog = (*Catalog)(nil)

// Open opens the catalog at path and brings its schema up to date, having
// kept a copy of it (Migrated); a file that is not there is made, its folder
// too. A catalog whose folder is read-only, or on a full disk, is opened for
// reading alone: whatever writes is palate.ErrUnavailable then (Writable).
// A database of a newer palate is palate.ErrConflict, a file that is no
// palate database palate.ErrInvalid, one that is damaged, or that has to be
// made and can't, palate.ErrUnavailable.
func Open(ctx context.Context, path string, cfg Config) (*Catalog, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("catalog: find %s: %w", path, err)
	}
	c, err := openToWrite(ctx, path, cfg)
	if err != nil && mayStillBeRead(path, err) {
		if reading, readErr := openToRead(ctx, path, cfg, err); readErr == nil {
			return reading, nil
		}
	}
	return c, err
}

func newCatalog(path string, cfg Config) *Catalog {
	c := &Catalog{path: path, cfg: cfg, texts: texts{few: fewFound, behind: leastBehind}}
	c.leases.folder = filepath.Join(filepath.Dir(path), "leases")
	return c
}

func openToWrite(ctx context.Context, path string, cfg Config) (*Catalog, error) {
	if err := preparePlace(path); err != nil {
		return nil, err
	}
	c := newCatalog(path, cfg)
	// Two processes that make the same file at once take turns.
	turn, err := c.waitForLease(ctx, "open")
	if err != nil {
		return nil, c.translate(ctx, "open "+path, err)
	}
	defer func() { _ = turn.Release() }()
	c.writer = sql.OpenDB(c.connector(writes))
	c.writer.SetMaxOpenConns(1)
	c.writer.SetMaxIdleConns(1)
	c.openReader()
	if err := c.prepareFile(ctx); err != nil {
		return nil, errors.Join(c.translate(ctx, "open", err), c.closeConnections())
	}
	return c, nil
}

func (c *Catalog) openReader() {
	c.reader = sql.OpenDB(c.connector(reads))
	c.reader.SetMaxOpenConns(c.cfg.ReadConnections)
	c.reader.SetMaxIdleConns(c.cfg.ReadConnections)
}

// preparePlace finds out before SQLite does whether the file can be written,
// because the operating system says better why not.
func preparePlace(path string) error {
	folder := filepath.Dir(path)
	if err := access.MakeFolders(filepath.Join(folder, "leases")); err != nil {
		return fmt.Errorf("catalog: folder %s can't be written; change its permissions or choose another data folder: %w (%w)", folder, palate.ErrUnavailable, err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, access.FileIn(folder))
	if err != nil {
		return fmt.Errorf("catalog: %s can't be written; change its permissions or choose another data folder: %w (%w)", path, palate.ErrUnavailable, err)
	}
	return file.Close()
}

// purpose is what a connection is for.
type purpose int

const (
	reads  purpose = iota
	writes         // into the catalog
	copies         // the catalog into another file
)

// connector makes connections without registering a driver for the process.
func (c *Catalog) connector(to purpose) driver.Connector {
	path := filepath.ToSlash(c.file())
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // a Windows drive
	}
	query := url.Values{
		"_foreign_keys":    {"1"},
		"_sync":            {"FULL"},
		"_stmt_cache_size": {"64"},
		"_busy_timeout":    {fmt.Sprint(c.cfg.BusyTimeout.Milliseconds())},
	}
	for name, value := range c.options {
		query.Set(name, value)
	}
	if to == writes {
		query.Set("_txlock", "immediate")
		// Short, because SQLite's own wait can't be interrupted: begin
		// repeats it until the configured time-out.
		query.Set("_busy_timeout", fmt.Sprint(min(c.cfg.BusyTimeout, 100*time.Millisecond).Milliseconds()))
	}
	pragmas := []string{
		fmt.Sprintf("PRAGMA cache_size = -%d", c.cfg.CacheBytes>>10),
		"PRAGMA temp_store = MEMORY",
		"PRAGMA trusted_schema = OFF",
		// After a long reader the log is as long as what was written
		// meanwhile: once it is in the database, the file is cut again.
		fmt.Sprintf("PRAGMA journal_size_limit = %d", logBytes),
	}
	switch {
	case to == reads:
		pragmas = append(pragmas, "PRAGMA query_only = ON")
	case to == writes && c.cfg.MaxBytes > 0:
		pragmas = append(pragmas, fmt.Sprintf("PRAGMA max_page_count = %d", max(1, c.cfg.MaxBytes/pageBytes)))
	}
	return connector{
		dsn: "file://" + (&url.URL{Path: path}).EscapedPath() + "?" + query.Encode(),
		driver: &sqlite3.SQLiteDriver{ConnectHook: func(conn *sqlite3.SQLiteConn) error {
			if to == writes { // for migrations alone
				if err := conn.RegisterFunc("search_text", searchText, true); err != nil {
					return err
				}
			}
			for _, pragma := range pragmas {
				if _, err := conn.Exec(pragma, nil); err != nil {
					return err
				}
			}
			return nil
		}},
	}
}

// logBytes is what is kept of a write-ahead log that is in the database.
const logBytes = 8 << 20

type connector struct {
	dsn    string
	driver *sqlite3.SQLiteDriver
}

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }
func (c connector) Driver() driver.Driver                        { return c.driver }

// Path is where the database file lies.
func (c *Catalog) Path() string { return c.path }

// Check reads the whole database and lists what is wrong with it, nothing if
// it is sound. It takes seconds for each gigabyte.
func (c *Catalog) Check(ctx context.Context) ([]string, error) {
	var problems []string
	err := c.read(ctx, "check", func(ctx context.Context, tx *sql.Tx) error {
		found, err := collect(from(tx.QueryContext(ctx, "PRAGMA integrity_check(20)")), func(rows *sql.Rows) (s string, err error) {
			return s, rows.Scan(&s)
		})
		if err != nil {
			return err
		}
		if len(found) != 1 || found[0] != "ok" {
			problems = found
		}
		orphans, err := collect(from(tx.QueryContext(ctx, `SELECT DISTINCT "table", parent FROM pragma_foreign_key_check`)), func(rows *sql.Rows) (string, error) {
			var table, parent string
			err := rows.Scan(&table, &parent)
			return fmt.Sprintf("rows of %s name rows of %s that do not exist", table, parent), err
		})
		problems = append(problems, orphans...)
		return err
	})
	return problems, err
}

// Close releases the leases and closes the file. Later calls of other methods
// are palate.ErrUnavailable; a second Close does nothing.
func (c *Catalog) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	err := errors.Join(c.leases.releaseAll(), c.closeConnections())
	if err != nil {
		return fmt.Errorf("catalog: close: %w", err)
	}
	return nil
}

func (c *Catalog) closeConnections() error {
	// The writer goes last: the last connection to close folds the
	// write-ahead log into the file.
	err := c.reader.Close()
	if c.writer != nil {
		err = errors.Join(err, c.writer.Close())
	}
	if c.temporary != "" {
		err = errors.Join(err, os.RemoveAll(c.temporary))
	}
	return err
}

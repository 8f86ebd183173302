package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"path"
	"slices"
	"strconv"

	"github.com/palate-art/palate"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// applicationID marks a file as palate's: "PLAT".
const applicationID = 0x504c4154

type migration struct {
	version int
	text    string
}

// migrations reads the embedded files; a name begins with its version in
// four digits, and the versions are 1, 2, 3 …
func migrations() ([]migration, error) {
	names, err := migrationFiles.ReadDir("migrations")
	if err != nil {
		return nil, err
	}
	var all []migration
	for _, entry := range names {
		version, err := strconv.Atoi(entry.Name()[:4])
		if err != nil {
			return nil, fmt.Errorf("migration %s has no number: %w", entry.Name(), err)
		}
		text, err := migrationFiles.ReadFile(path.Join("migrations", entry.Name()))
		if err != nil {
			return nil, err
		}
		all = append(all, migration{version, string(text)})
	}
	slices.SortFunc(all, func(a, b migration) int { return a.version - b.version })
	for i, m := range all {
		if m.version != i+1 {
			return nil, fmt.Errorf("migration %d stands in place %d", m.version, i+1)
		}
	}
	return all, nil
}

// fileState is what a database says of itself.
type fileState struct{ application, version, tables int }

func (c *Catalog) stateOf(ctx context.Context, db *sql.DB) (s fileState, err error) {
	for query, into := range map[string]*int{
		"PRAGMA application_id":              &s.application,
		"PRAGMA user_version":                &s.version,
		"SELECT count(*) FROM sqlite_schema": &s.tables,
	} {
		if err := db.QueryRowContext(ctx, query).Scan(into); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (s fileState) isNew() bool { return s == fileState{} }

// check refuses what is no catalog that this palate knows.
func (s fileState) check(path string, known int) error {
	switch {
	case s.isNew():
		return nil
	case s.application != applicationID:
		return fmt.Errorf("%s is no palate database; move it away or name another file: %w", path, palate.ErrInvalid)
	case s.version > known:
		return fmt.Errorf("%s has schema version %d and this palate knows versions up to %d; install a newer palate, or restore a backup: %w", path, s.version, known, palate.ErrConflict)
	}
	return nil
}

// prepareFile checks whose file it is, sets what a new file needs before its
// first page is written, and migrates.
func (c *Catalog) prepareFile(ctx context.Context) error {
	all, err := migrations()
	if err != nil {
		return err
	}
	state, err := c.stateOf(ctx, c.writer)
	if err != nil {
		return err
	}
	if err := state.check(c.path, len(all)); err != nil {
		return err
	}
	if state.isNew() {
		if _, err := c.writer.ExecContext(ctx, fmt.Sprintf("PRAGMA page_size = %d", pageBytes)); err != nil {
			return err
		}
	}
	var mode string
	if err := c.writer.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("%s can't have a write-ahead log (journal mode is %s); put it on a local disk: %w", c.path, mode, palate.ErrUnavailable)
	}
	if state.version == len(all) {
		return nil
	}
	if !state.isNew() {
		if err := c.keepCopy(ctx, state.version, len(all)); err != nil {
			return err
		}
	}
	return c.migrate(ctx, all)
}

// migrate applies what is missing in one transaction: the file has either
// its old version or the new one.
func (c *Catalog) migrate(ctx context.Context, all []migration) error {
	tx, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	version, err := scanOne[int](tx.QueryRowContext(ctx, "PRAGMA user_version"))
	if err != nil {
		return err
	}
	for _, m := range all[min(version, len(all)):] {
		if _, err := tx.ExecContext(ctx, m.text); err != nil {
			return fmt.Errorf("migrate to version %d: %w", m.version, err)
		}
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, max(version, len(all)))); err != nil {
		return err
	}
	return tx.Commit()
}

func scanOne[T any](row *sql.Row) (v T, err error) { return v, row.Scan(&v) }

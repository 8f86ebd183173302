package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"syscall"

	"github.com/mattn/go-sqlite3"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// translate turns what SQLite says into one of palate's kinds of error, in
// one line that says what to do where a person can do something.
func (c *Catalog) translate(ctx context.Context, what string, err error) error {
	if err == nil {
		return nil
	}
	if cause := ctx.Err(); cause != nil && !isKind(err) {
		// The driver reports a cancelled statement as "interrupted".
		return fmt.Errorf("catalog: %s: %w", what, cause)
	}
	if c.closed.Load() && !isKind(err) {
		return fmt.Errorf("catalog: %s: the catalog is closed: %w", what, palate.ErrUnavailable)
	}
	var se sqlite3.Error
	if !errors.As(err, &se) {
		return fmt.Errorf("catalog: %s: %w", what, err)
	}
	advice, kind := advise(se, c.path)
	if kind == nil {
		return fmt.Errorf("catalog: %s: %w", what, err)
	}
	return fmt.Errorf("catalog: %s: %s: %w (%w)", what, advice, kind, err)
}

// advise says what a code of SQLite means for the person at the machine.
func advise(se sqlite3.Error, path string) (advice string, kind error) {
	switch se.Code {
	case sqlite3.ErrFull:
		return "the disk of " + path + " is full, or the file has reached its largest size; free some space and try again", catalog.ErrFull
	case sqlite3.ErrIoErr:
		if errors.Is(se.SystemErrno, syscall.ENOSPC) || errors.Is(se.SystemErrno, syscall.EDQUOT) || errors.Is(se.SystemErrno, syscall.EFBIG) {
			return "the disk of " + path + " is full; free some space and try again", catalog.ErrFull
		}
		return "the disk of " + path + " is full or failing; check its space and health and try again", palate.ErrUnavailable
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return "another process has been writing to " + path + " for too long; try again, or stop it", palate.ErrUnavailable
	case sqlite3.ErrReadonly, sqlite3.ErrPerm, sqlite3.ErrAuth:
		return path + " or its folder is read-only; give this user the right to write there", palate.ErrUnavailable
	case sqlite3.ErrCantOpen:
		return path + " can't be opened; check that its folder exists and may be written", palate.ErrUnavailable
	case sqlite3.ErrCorrupt:
		return path + " is damaged; stop palate, then put a backup's catalog in its place (palate restore BACKUP --replace)", palate.ErrUnavailable
	case sqlite3.ErrNotADB:
		return path + " is no palate database; move it away or name another file", palate.ErrInvalid
	case sqlite3.ErrTooBig:
		return "a text or vector is larger than SQLite can hold", palate.ErrInvalid
	}
	return "", nil
}

func isKind(err error) bool {
	return errors.Is(err, palate.ErrNotFound) || errors.Is(err, palate.ErrInvalid) ||
		errors.Is(err, palate.ErrConflict) || errors.Is(err, palate.ErrUnavailable)
}

func isBusy(err error) bool {
	var se sqlite3.Error
	return errors.As(err, &se) && (se.Code == sqlite3.ErrBusy || se.Code == sqlite3.ErrLocked)
}

// orNotFound replaces database/sql's word for an empty result.
func orNotFound(err error, format string, args ...any) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf(format+": %w", append(args, palate.ErrNotFound)...)
	}
	return err
}

func checkLimit(limit, most int) error {
	if limit < 1 || (most > 0 && limit > most) {
		if most > 0 {
			return fmt.Errorf("limit %d is not between 1 and %d: %w", limit, most, palate.ErrInvalid)
		}
		return fmt.Errorf("limit %d is not positive: %w", limit, palate.ErrInvalid)
	}
	return nil
}

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/palate-art/palate"
)

// SetAside gives the catalog at path another name beside it, so that another
// can take its place, and returns that name; "" if there is nothing but an
// empty file, which goes. A catalog that some process has open is
// palate.ErrConflict.
func SetAside(ctx context.Context, path string, now time.Time) (string, error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() == 0 || errors.Is(err, fs.ErrNotExist) {
		// A log beside an empty file would be applied to what comes there.
		return "", errors.Join(removeIfThere(path), setLogAside(path, path+".before-"+nameOfTime(now)))
	}
	if err != nil {
		return "", err
	}
	if err := foldLog(ctx, path); err != nil {
		return "", err
	}
	aside := path + ".before-" + nameOfTime(now)
	if _, err := os.Lstat(aside); !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("catalog: set %s aside: %s is there already; try again: %w", path, aside, palate.ErrConflict)
	}
	if err := os.Rename(path, aside); err != nil {
		return "", err
	}
	return aside, setLogAside(path, aside)
}

// setLogAside takes a write-ahead log along. One whose file is another would
// spoil it.
func setLogAside(path, aside string) error {
	info, err := os.Stat(path + "-wal")
	switch {
	case err == nil && info.Size() > 0:
		err = os.Rename(path+"-wal", aside+"-wal")
	default:
		err = removeIfThere(path + "-wal")
	}
	return errors.Join(err, removeIfThere(path+"-shm"))
}

// foldLog folds the write-ahead log into the file, which shows too whether
// anybody else has it open. A file that is damaged is left as it is.
func foldLog(ctx context.Context, path string) error {
	c := newCatalog(path, Config{BusyTimeout: time.Second, CacheBytes: 1 << 20})
	db := sql.OpenDB(c.connector(copies))
	db.SetMaxOpenConns(1)
	_, err := db.ExecContext(ctx, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT")
	busy := isBusy(err)
	if err := db.Close(); err != nil && !busy {
		return nil // it is not for this to mend
	}
	if busy {
		return fmt.Errorf("catalog: another process works on %s; stop it (palate serve, a crawl) and try again: %w", path, palate.ErrConflict)
	}
	return nil
}

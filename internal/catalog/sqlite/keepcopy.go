package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/access"
)

// Migration says what Open changed in a catalog of an older palate.
type Migration struct {
	From, To int    // versions of the schema; both 0 if nothing was changed
	Copy     string // of the catalog as it was before
}

// Migrated says what Open changed, so that people can be told of it.
func (c *Catalog) Migrated() Migration { return c.migrated }

const (
	// copiesFolder lies beside the catalog. A copy in it is named for the
	// version of its schema and the time: catalog-v3-20261128T103000Z.db.
	copiesFolder = "before-migration"
	copyPrefix   = "catalog-v"
	// keptCopies is how many stay: the newest.
	keptCopies = 3
)

var errNoCopyKept = errors.New("no copy could be kept")

// keepCopy copies the catalog before it is migrated. Without the copy nothing
// is migrated.
func (c *Catalog) keepCopy(ctx context.Context, from, to int) error {
	folder := filepath.Join(filepath.Dir(c.path), copiesFolder)
	path := filepath.Join(folder, fmt.Sprintf("%s%d-%s.db", copyPrefix, from, nameOfTime(time.Now())))
	err := access.MakeFolders(folder)
	if err == nil {
		err = removeIfThere(path) // of a process that was killed within this second
	}
	if err == nil {
		err = c.copyTo(ctx, path)
	}
	if err != nil {
		_, _ = os.Remove(path), os.Remove(path+"-journal") // what there is of it
		return fmt.Errorf("%s has to be brought from schema version %d to %d, and the copy that is kept of it first can't be written into %s; free some space there, or give this user the right to write, and try again; the catalog is as it was: %w: %w: %v",
			c.path, from, to, folder, errNoCopyKept, palate.ErrUnavailable, err)
	}
	c.migrated = Migration{From: from, To: to, Copy: path}
	return removeOldCopies(folder)
}

func removeOldCopies(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var names []string
	for _, entry := range entries {
		if name := entry.Name(); strings.HasPrefix(name, copyPrefix) && strings.HasSuffix(name, ".db") {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(timeIn(b), timeIn(a)) })
	var errs []error
	for _, name := range names[min(keptCopies, len(names)):] {
		errs = append(errs, removeIfThere(filepath.Join(folder, name)))
	}
	return errors.Join(errs...)
}

// timeIn is the time in the name of a copy.
func timeIn(name string) string {
	_, after, _ := strings.Cut(strings.TrimPrefix(name, copyPrefix), "-")
	return after
}

package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// edited says of a row of sources that it is an edit; editFirst orders an
// image's sources.
const (
	edited    = "address = '" + catalog.EditAddress + "'"
	editFirst = "address <> '" + catalog.EditAddress + "', no"
)

// counts says of a row of sources whether what it gives in a column counts:
// an edit that gives something there takes the place of all others. The
// subquery runs once, over the edits alone.
func counts(column string) string {
	return "(image NOT IN (SELECT image FROM sources WHERE " + edited + " AND coalesce(" + column + ", '') <> '') OR " + edited + ")"
}

// categoryCounts is counts for a row of categories.
func categoryCounts(table string) string {
	return "(" + table + ".image NOT IN (SELECT e.image FROM sources e JOIN categories g ON g.source = e.no WHERE e." + edited + ")" +
		" OR " + table + ".source IN (SELECT no FROM sources WHERE " + edited + "))"
}

// EditImage implements catalog.Edits.
func (c *Catalog) EditImage(ctx context.Context, id palate.ImageID, change func(palate.Source) (palate.Source, error)) error {
	return c.write(ctx, "edit image", func(ctx context.Context, tx *sql.Tx) error {
		no, err := imageNo(ctx, tx, id)
		if err != nil {
			return err
		}
		images, err := loadNumbered(ctx, tx, []int64{no})
		if err != nil {
			return err
		}
		present := images[0].Edit()
		wanted, err := change(present)
		if err != nil {
			return err
		}
		return putEdit(ctx, tx, id, no, present, wanted)
	})
}

func putEdit(ctx context.Context, tx *sql.Tx, id palate.ImageID, image int64, present, wanted palate.Source) error {
	wanted.RetrievedAt = time.Time{} // an edit is of now
	next := mendSource(catalog.NewEdit(wanted))
	if sameEdit(next, present) {
		return nil
	}
	if sameEdit(next, palate.Source{}) {
		if _, err := tx.ExecContext(ctx, "DELETE FROM sources WHERE image = ? AND "+edited, image); err != nil {
			return err
		}
	} else if _, err := putSource(ctx, tx, image, next); err != nil {
		return err
	}
	return recordChange(ctx, tx, catalog.ImageChanged, change{image: id})
}

// sameEdit compares all but the time.
func sameEdit(a, b palate.Source) bool {
	for _, s := range []*palate.Source{&a, &b} {
		*s = catalog.NewEdit(*s)
		s.RetrievedAt = time.Time{}
		if len(s.Categories) == 0 {
			s.Categories = nil
		}
	}
	return reflect.DeepEqual(a, b)
}

// checkFound refuses an edit where a source was found.
func checkFound(s palate.Source) error {
	if catalog.IsEdit(s) {
		return fmt.Errorf("%s is where edits are kept, and no address of a file: %w", s.Address, palate.ErrInvalid)
	}
	return nil
}

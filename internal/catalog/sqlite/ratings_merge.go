package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// MergeRatings implements catalog.Ratings.
func (c *Catalog) MergeRatings(ctx context.Context, log []catalog.LogEntry) (catalog.Merged, error) {
	for i, e := range log {
		if err := checkLogEntry(e); err != nil {
			return catalog.Merged{}, c.translate(ctx, fmt.Sprintf("merge ratings: entry %d", i), err)
		}
	}
	var merged catalog.Merged
	err := c.write(ctx, "merge ratings", func(ctx context.Context, tx *sql.Tx) error {
		m := merge{tx: tx, here: map[int64]int64{}, taken: map[int64]bool{}}
		for i, e := range log {
			var err error
			if e.Undoes == 0 {
				err = m.rating(ctx, e)
			} else {
				err = m.undo(ctx, e)
			}
			if err != nil {
				return fmt.Errorf("entry %d: %w", i, err)
			}
		}
		merged = m.done
		return nil
	})
	return merged, err
}

func checkLogEntry(e catalog.LogEntry) error {
	if e.Verdict != "" && e.Undoes == 0 {
		return checkRating(e.Rating)
	}
	_, err := palate.ParseProfile(string(e.Profile))
	return errors.Join(err, checkTime("entry's time", e.At))
}

// merge is one merge under way.
type merge struct {
	tx    *sql.Tx
	here  map[int64]int64 // the other log's entries in this one
	taken map[int64]bool  // entries of this log that some entry of the other is
	done  catalog.Merged
}

// rating finds a rating or a take-back of the other log in this one, or appends
// it.
func (m *merge) rating(ctx context.Context, e catalog.LogEntry) error {
	same, err := collect(from(m.tx.QueryContext(ctx,
		"SELECT entry FROM ratings WHERE image = ? AND profile = ? AND verdict IS ? AND stars IS ? AND at = ? AND shown = ? AND undoes IS NULL ORDER BY entry",
		e.Image[:], string(e.Profile), orNull(e.Verdict), orNull(e.Stars), stamp(e.At), string(e.Shown))),
		func(rows *sql.Rows) (no int64, err error) { return no, rows.Scan(&no) })
	if err != nil {
		return err
	}
	for _, entry := range same {
		if !m.taken[entry] {
			m.here[e.Entry], m.taken[entry] = entry, true
			m.done.Known++
			return nil
		}
	}
	// A later word of this log stands.
	last, err := scanOne[int64](m.tx.QueryRowContext(ctx, "SELECT coalesce(max(at), 0) FROM ratings WHERE image = ? AND profile = ?", e.Image[:], string(e.Profile)))
	if err != nil {
		return err
	}
	added, err := insertRating(ctx, m.tx, e.Rating)
	if err != nil {
		return err
	}
	m.here[e.Entry], m.taken[added.Entry] = added.Entry, true
	m.done.Added++
	if stamp(added.At) < last {
		m.done.Older++
		if err := undoAt(ctx, m.tx, catalog.LogEntry{Rating: added}, last); err != nil {
			return err
		}
	}
	_, err = imageNo(ctx, m.tx, e.Image)
	switch {
	case errors.Is(err, palate.ErrNotFound):
		m.done.Absent++
	case err != nil:
		return err
	}
	if err := restand(ctx, m.tx, e.Profile, e.Image); err != nil {
		return err
	}
	return recordChange(ctx, m.tx, catalog.RatingChanged, change{image: e.Image, profile: e.Profile})
}

// undo appends the undo of a rating that still counts here.
func (m *merge) undo(ctx context.Context, e catalog.LogEntry) error {
	entry, known := m.here[e.Undoes]
	if !known {
		return fmt.Errorf("it undoes entry %d, which is none before it: %w", e.Undoes, palate.ErrInvalid)
	}
	rating, err := namedRating(ctx, m.tx, e.Profile, entry)
	if errors.Is(err, palate.ErrConflict) {
		m.done.Known++
		return nil
	}
	if err != nil {
		return err
	}
	m.done.Added++
	return undoAt(ctx, m.tx, rating, stamp(orNow(e.At)))
}

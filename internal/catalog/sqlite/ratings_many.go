package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// rater appends ratings in one transaction. What stands is read of all at once,
// what is to be written is worked out from that, and then written many rows a
// statement: SQLite does as much for a statement as for several rows, and the
// driver more.
type rater struct {
	before map[palate.Profile]map[palate.ImageID]before
	added  []catalog.Rating
	last   map[palate.Profile]int64 // the last entry by profile
	entry  int64                    // the last of the log
}

// before is an image as it is found: its number, and what stands of it.
type before struct {
	image  int64
	stands bool
	rating catalog.Rating
}

// look reads what stands of all images that are to be rated.
func (r *rater) look(ctx context.Context, tx *sql.Tx, ratings []catalog.Rating) error {
	ids := map[palate.Profile][]palate.ImageID{}
	for _, given := range ratings {
		ids[given.Profile] = append(ids[given.Profile], given.Image)
	}
	for profile, images := range ids {
		r.before[profile] = make(map[palate.ImageID]before, len(images))
		// The driver has a goroutine watch every row of what can be cancelled.
		rows, err := tx.QueryContext(context.WithoutCancel(ctx), `SELECT i.id, i.no, s.entry IS NOT NULL, coalesce(r.entry, 0), coalesce(r.verdict, ''), coalesce(r.stars, 0), coalesce(r.shown, ''), coalesce(r.probe_version, 0), r.score, coalesce(r.at, 0)
			FROM images i LEFT JOIN standing s ON s.profile = ? AND s.image = i.no LEFT JOIN ratings r ON r.entry = s.entry WHERE i.id IN `+idsIn, string(profile), idList(images))
		_, err = collect(from(rows, err), func(rows *sql.Rows) (struct{}, error) {
			b := before{rating: catalog.Rating{Profile: profile}}
			var id []byte
			var score sql.NullFloat64
			var at int64
			err := rows.Scan(&id, &b.image, &b.stands, &b.rating.Entry, &b.rating.Verdict, &b.rating.Stars, &b.rating.Shown, &b.rating.ProbeVersion, &score, &at)
			copy(b.rating.Image[:], id)
			if b.rating.At = unstamp(at); score.Valid {
				b.rating.Score = &score.Float64
			}
			r.before[profile][b.rating.Image] = b
			return struct{}{}, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rate works out what stands once a rating is given, and notes what has to be
// written; if once, only where another stands or none.
func (r *rater) rate(given catalog.Rating, once bool) (catalog.Rating, error) {
	b, there := r.before[given.Profile][given.Image]
	if !there {
		return given, fmt.Errorf("image %v: %w", given.Image, palate.ErrNotFound)
	}
	if once && b.stands && saysTheSame(b.rating, given) {
		return b.rating, nil
	}
	given.At = orNow(given.At)
	r.entry++
	given.Entry = r.entry
	r.last[given.Profile] = given.Entry
	r.before[given.Profile][given.Image] = before{image: b.image, stands: true, rating: given}
	r.added = append(r.added, given)
	return given, nil
}

// write writes what was noted: into the log, what stands from now on, the
// changes, and the last entry of every profile.
func (r *rater) write(ctx context.Context, tx *sql.Tx) error {
	standing := slices.DeleteFunc(slices.Clone(r.added), func(given catalog.Rating) bool {
		return r.before[given.Profile][given.Image].rating.Entry != given.Entry // the same image comes again
	})
	err := insertRows(ctx, tx, "INSERT INTO ratings (entry, profile, image, verdict, stars, shown, probe_version, score, at) VALUES", "", r.added, func(given catalog.Rating) []any {
		var score any
		if given.Score != nil {
			score = *given.Score
		}
		return []any{given.Entry, string(given.Profile), given.Image[:], string(given.Verdict), orNull(given.Stars), string(given.Shown), given.ProbeVersion, score, stamp(given.At)}
	})
	if err != nil {
		return err
	}
	err = insertRows(ctx, tx, "INSERT INTO standing (profile, image, verdict, entry) VALUES", "ON CONFLICT (profile, image) DO UPDATE SET verdict = excluded.verdict, entry = excluded.entry", standing, func(given catalog.Rating) []any {
		return []any{string(given.Profile), r.before[given.Profile][given.Image].image, string(given.Verdict), given.Entry}
	})
	if err != nil {
		return err
	}
	err = insertRows(ctx, tx, "INSERT INTO changes (kind, image, profile) VALUES", "", r.added, func(given catalog.Rating) []any {
		return []any{string(catalog.RatingChanged), given.Image[:], string(given.Profile)}
	})
	if err != nil {
		return err
	}
	for profile, entry := range r.last {
		if _, err := tx.ExecContext(ctx, "INSERT INTO profiles (name, entry) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET entry = excluded.entry", string(profile), entry); err != nil {
			return err
		}
	}
	return nil
}

// rowsAtOnce is how many rows a statement writes; the statement of so many is
// compiled once and kept by the connection.
const rowsAtOnce = 100

// insertRows inserts a row for each value.
func insertRows[T any](ctx context.Context, tx *sql.Tx, insert, conflict string, values []T, row func(T) []any) error {
	for some := range slices.Chunk(values, rowsAtOnce) {
		var args []any
		for _, value := range some {
			args = append(args, row(value)...)
		}
		one := "(" + strings.TrimSuffix(strings.Repeat("?,", len(args)/len(some)), ",") + ")"
		query := insert + strings.TrimSuffix(strings.Repeat(one+",", len(some)), ",") + " " + conflict
		// The driver has a goroutine watch every statement that can be cancelled.
		if _, err := tx.ExecContext(context.WithoutCancel(ctx), query, args...); err != nil {
			return err
		}
	}
	return nil
}

// rateMany appends ratings in one commit and gives them as they stand.
func (c *Catalog) rateMany(ctx context.Context, what string, ratings []catalog.Rating, once bool) ([]catalog.Rating, error) {
	for i, r := range ratings {
		if err := checkRating(r); err != nil {
			return nil, c.translate(ctx, fmt.Sprintf("%s: rating %d", what, i), err)
		}
	}
	if len(ratings) == 0 {
		return nil, nil
	}
	stand := make([]catalog.Rating, len(ratings))
	err := c.write(ctx, what, func(ctx context.Context, tx *sql.Tx) error {
		r := &rater{before: map[palate.Profile]map[palate.ImageID]before{}, last: map[palate.Profile]int64{}}
		if err := r.look(ctx, tx, ratings); err != nil {
			return err
		}
		var err error
		// No row of the log is ever deleted, nor its number given again.
		if r.entry, err = scanOne[int64](tx.QueryRowContext(ctx, "SELECT coalesce(max(entry), 0) FROM ratings")); err != nil {
			return err
		}
		for i, given := range ratings {
			if stand[i], err = r.rate(given, once); err != nil {
				if len(ratings) > 1 {
					err = fmt.Errorf("rating %d: %w", i, err)
				}
				return err
			}
		}
		return r.write(ctx, tx)
	})
	if err != nil {
		return nil, err
	}
	return stand, nil
}

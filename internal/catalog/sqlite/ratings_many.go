package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// rater appends ratings in one transaction. SQLite compiles each statement once
// and not for each rating, and what stands is read of all at once: a query with
// a context costs the driver a goroutine, which would be most of the work.
type rater struct {
	log, stand, change *sql.Stmt
	before             map[palate.Profile]map[palate.ImageID]before
	last               map[palate.Profile]int64 // the last entry by profile
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
		rows, err := tx.QueryContext(ctx, `SELECT i.id, i.no, s.entry IS NOT NULL, coalesce(r.entry, 0), coalesce(r.verdict, ''), coalesce(r.stars, 0), coalesce(r.shown, ''), coalesce(r.probe_version, 0), r.score, coalesce(r.at, 0)
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

func newRater(ctx context.Context, tx *sql.Tx) (*rater, error) {
	r := &rater{before: map[palate.Profile]map[palate.ImageID]before{}, last: map[palate.Profile]int64{}}
	var errs []error
	for _, one := range []struct {
		into  **sql.Stmt
		query string
	}{
		{&r.log, "INSERT INTO ratings (profile, image, verdict, stars, shown, probe_version, score, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"},
		{&r.stand, "INSERT INTO standing (profile, image, verdict, entry) VALUES (?, ?, ?, ?) ON CONFLICT (profile, image) DO UPDATE SET verdict = excluded.verdict, entry = excluded.entry"},
		{&r.change, "INSERT INTO changes (kind, image, profile) VALUES (?, ?, ?)"},
	} {
		var err error
		*one.into, err = tx.PrepareContext(ctx, one.query)
		errs = append(errs, err)
	}
	return r, errors.Join(errs...) // the transaction's end closes them
}

// rate appends one rating; if once, only where another stands or none.
func (r *rater) rate(ctx context.Context, given catalog.Rating, once bool) (catalog.Rating, error) {
	if err := ctx.Err(); err != nil {
		return given, err
	}
	// The driver has a goroutine watch every statement that can be cancelled,
	// which takes longer than any of these.
	ctx = context.WithoutCancel(ctx)
	b, there := r.before[given.Profile][given.Image]
	if !there {
		return given, fmt.Errorf("image %v: %w", given.Image, palate.ErrNotFound)
	}
	if once && b.stands && saysTheSame(b.rating, given) {
		return b.rating, nil
	}
	given.At = orNow(given.At)
	var score sql.NullFloat64
	if given.Score != nil {
		score = sql.NullFloat64{Float64: *given.Score, Valid: true}
	}
	result, err := r.log.ExecContext(ctx, string(given.Profile), given.Image[:], string(given.Verdict), orNull(given.Stars), string(given.Shown), given.ProbeVersion, score, stamp(given.At))
	if err != nil {
		return given, err
	}
	if given.Entry, err = result.LastInsertId(); err != nil {
		return given, err
	}
	if _, err := r.stand.ExecContext(ctx, string(given.Profile), b.image, string(given.Verdict), given.Entry); err != nil {
		return given, err
	}
	r.last[given.Profile] = given.Entry
	r.before[given.Profile][given.Image] = before{image: b.image, stands: true, rating: given}
	_, err = r.change.ExecContext(ctx, string(catalog.RatingChanged), given.Image[:], string(given.Profile))
	return given, err
}

// end remembers of every profile its last entry, before the commit.
func (r *rater) end(ctx context.Context, tx *sql.Tx) error {
	for profile, entry := range r.last {
		if _, err := tx.ExecContext(ctx, "INSERT INTO profiles (name, entry) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET entry = excluded.entry", string(profile), entry); err != nil {
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
		r, err := newRater(ctx, tx)
		if err != nil {
			return err
		}
		if err := r.look(ctx, tx, ratings); err != nil {
			return err
		}
		for i, given := range ratings {
			if stand[i], err = r.rate(ctx, given, once); err != nil {
				return fmt.Errorf("rating %d: %w", i, err)
			}
		}
		return r.end(ctx, tx)
	})
	if err != nil {
		return nil, err
	}
	return stand, nil
}

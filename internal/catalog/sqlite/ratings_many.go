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
// and not for each rating, which would be most of the work.
type rater struct {
	find, log, stand, change *sql.Stmt
	last                     map[palate.Profile]int64 // the last entry by profile
}

func newRater(ctx context.Context, tx *sql.Tx) (*rater, error) {
	r := &rater{last: map[palate.Profile]int64{}}
	var errs []error
	for _, one := range []struct {
		into  **sql.Stmt
		query string
	}{
		{&r.find, `SELECT i.no, s.entry IS NOT NULL, coalesce(r.entry, 0), coalesce(r.verdict, ''), coalesce(r.shown, ''), coalesce(r.probe_version, 0), r.score, coalesce(r.at, 0)
			FROM images i LEFT JOIN standing s ON s.profile = ? AND s.image = i.no LEFT JOIN ratings r ON r.entry = s.entry WHERE i.id = ?`},
		{&r.log, "INSERT INTO ratings (profile, image, verdict, shown, probe_version, score, at) VALUES (?, ?, ?, ?, ?, ?, ?)"},
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
	var image, at int64
	var stands bool
	var score sql.NullFloat64
	before := catalog.Rating{Profile: given.Profile, Image: given.Image}
	err := r.find.QueryRowContext(ctx, string(given.Profile), given.Image[:]).Scan(
		&image, &stands, &before.Entry, &before.Verdict, &before.Shown, &before.ProbeVersion, &score, &at)
	if err != nil {
		return given, orNotFound(err, "image %v", given.Image)
	}
	if score.Valid {
		before.Score = &score.Float64
	}
	if before.At = unstamp(at); once && stands && saysTheSame(before, given) {
		return before, nil
	}
	given.At, score = orNow(given.At), sql.NullFloat64{}
	if given.Score != nil {
		score = sql.NullFloat64{Float64: *given.Score, Valid: true}
	}
	result, err := r.log.ExecContext(ctx, string(given.Profile), given.Image[:], string(given.Verdict), string(given.Shown), given.ProbeVersion, score, stamp(given.At))
	if err != nil {
		return given, err
	}
	if given.Entry, err = result.LastInsertId(); err != nil {
		return given, err
	}
	if _, err := r.stand.ExecContext(ctx, string(given.Profile), image, string(given.Verdict), given.Entry); err != nil {
		return given, err
	}
	r.last[given.Profile] = given.Entry
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

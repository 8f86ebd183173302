package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// Rate implements catalog.Ratings.
func (c *Catalog) Rate(ctx context.Context, r catalog.Rating) (catalog.Rating, error) {
	if err := checkRating(r); err != nil {
		return catalog.Rating{}, c.translate(ctx, "rate", err)
	}
	err := c.write(ctx, "rate", func(ctx context.Context, tx *sql.Tx) (err error) {
		r, err = rate(ctx, tx, r)
		return err
	})
	if err != nil {
		return catalog.Rating{}, err
	}
	return r, nil
}

// RateAll implements catalog.Ratings.
func (c *Catalog) RateAll(ctx context.Context, ratings []catalog.Rating) error {
	_, err := c.rateMany(ctx, "rate all", ratings, false)
	return err
}

func checkRating(r catalog.Rating) error {
	_, profile := palate.ParseProfile(string(r.Profile))
	_, verdict := palate.ParseVerdict(string(r.Verdict))
	_, shown := palate.ParseShown(string(r.Shown))
	problems := []error{profile, verdict, r.Stars.Validate(), shown, checkTime("rating's time", r.At)}
	if r.ProbeVersion < 0 {
		problems = append(problems, fmt.Errorf("probe version %d is negative: %w", r.ProbeVersion, palate.ErrInvalid))
	}
	if r.Score != nil && (math.IsNaN(*r.Score) || math.IsInf(*r.Score, 0)) {
		problems = append(problems, fmt.Errorf("score %v is no number: %w", *r.Score, palate.ErrInvalid))
	}
	return errors.Join(problems...)
}

// rate appends one rating, which is the standing one from now on.
func rate(ctx context.Context, tx *sql.Tx, r catalog.Rating) (catalog.Rating, error) {
	image, err := imageNo(ctx, tx, r.Image)
	if err != nil {
		return r, err
	}
	if r, err = insertRating(ctx, tx, r); err != nil {
		return r, err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO standing (profile, image, verdict, entry) VALUES (?, ?, ?, ?) ON CONFLICT (profile, image) DO UPDATE SET verdict = excluded.verdict, entry = excluded.entry",
		string(r.Profile), image, string(r.Verdict), r.Entry)
	if err != nil {
		return r, err
	}
	return r, recordChange(ctx, tx, catalog.RatingChanged, change{image: r.Image, profile: r.Profile})
}

// insertRating writes one rating, or a take-back, into the log.
func insertRating(ctx context.Context, tx *sql.Tx, r catalog.Rating) (catalog.Rating, error) {
	r.At = orNow(r.At)
	var score sql.NullFloat64
	if r.Score != nil {
		score = sql.NullFloat64{Float64: *r.Score, Valid: true}
	}
	result, err := tx.ExecContext(ctx,
		"INSERT INTO ratings (profile, image, verdict, stars, shown, probe_version, score, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		string(r.Profile), r.Image[:], orNull(r.Verdict), orNull(r.Stars), string(r.Shown), r.ProbeVersion, score, stamp(r.At))
	if err != nil {
		return r, err
	}
	if r.Entry, err = result.LastInsertId(); err != nil || r.Verdict == "" {
		return r, err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO profiles (name, entry) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET entry = excluded.entry", string(r.Profile), r.Entry)
	return r, err
}

// orNull is what a column holds where nothing was said.
func orNull[T comparable](v T) any {
	var none T
	if v == none {
		return nil
	}
	return v
}

const ratingColumns = "r.entry, r.profile, r.image, coalesce(r.verdict, ''), coalesce(r.stars, 0), r.shown, r.probe_version, r.score, r.at, coalesce(r.undoes, 0)"

func scanEntry(row interface{ Scan(...any) error }) (e catalog.LogEntry, err error) {
	var image []byte
	var score sql.NullFloat64
	var at int64
	err = row.Scan(&e.Entry, &e.Profile, &image, &e.Verdict, &e.Stars, &e.Shown, &e.ProbeVersion, &score, &at, &e.Undoes)
	copy(e.Image[:], image)
	if score.Valid {
		e.Score = &score.Float64
	}
	e.At = unstamp(at)
	return e, err
}

// notUndone holds for the entries r, ratings and take-backs, that still count.
const notUndone = "r.undoes IS NULL AND NOT EXISTS (SELECT 1 FROM ratings u WHERE u.undoes = r.entry)"

// UndoRating implements catalog.Ratings. An entry of another profile, and one
// that is itself an undo, is ErrNotFound.
func (c *Catalog) UndoRating(ctx context.Context, p palate.Profile, entry int64) (catalog.Undone, error) {
	var undone catalog.LogEntry
	var stands *catalog.Rating
	err := c.write(ctx, "undo rating", func(ctx context.Context, tx *sql.Tx) (err error) {
		if entry == 0 {
			undone, err = scanEntry(tx.QueryRowContext(ctx,
				"SELECT "+ratingColumns+" FROM ratings r WHERE r.profile = ? AND "+notUndone+" ORDER BY r.entry DESC LIMIT 1", string(p)))
			err = orNotFound(err, "profile %q has no rating to undo", p)
		} else {
			undone, err = namedRating(ctx, tx, p, entry)
		}
		if err != nil {
			return err
		}
		if err := undoAt(ctx, tx, undone, nowNS()); err != nil {
			return err
		}
		now, err := standingRating(ctx, tx, p, undone.Image)
		switch {
		case err == nil:
			stands = &now
		case errors.Is(err, palate.ErrNotFound):
			err = nil
		}
		return err
	})
	if err != nil {
		return catalog.Undone{}, err
	}
	return catalog.Undone{Rating: undone.Rating, Stands: stands}, nil
}

// namedRating finds a rating that can be undone.
func namedRating(ctx context.Context, tx *sql.Tx, p palate.Profile, entry int64) (catalog.LogEntry, error) {
	e, err := scanEntry(tx.QueryRowContext(ctx, "SELECT "+ratingColumns+" FROM ratings r WHERE r.entry = ? AND r.profile = ? AND r.undoes IS NULL", entry, string(p)))
	if err != nil {
		return e, orNotFound(err, "rating %d of profile %q", entry, p)
	}
	by, err := scanOne[int64](tx.QueryRowContext(ctx, "SELECT entry FROM ratings WHERE undoes = ?", entry))
	if err == nil {
		return e, fmt.Errorf("rating %d has been undone by entry %d: %w", entry, by, palate.ErrConflict)
	}
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return e, err
}

// undoAt appends the undo of one entry and lets the one before it stand again.
func undoAt(ctx context.Context, tx *sql.Tx, e catalog.LogEntry, at int64) error {
	if _, err := tx.ExecContext(ctx,
		"INSERT INTO ratings (profile, image, shown, probe_version, at, undoes) VALUES (?, ?, '', 0, ?, ?)",
		string(e.Profile), e.Image[:], at, e.Entry); err != nil {
		return err
	}
	if err := restand(ctx, tx, e.Profile, e.Image); err != nil {
		return err
	}
	return recordChange(ctx, tx, catalog.RatingChanged, change{image: e.Image, profile: e.Profile})
}

// restand works out the standing rating of one image from the log.
func restand(ctx context.Context, tx *sql.Tx, p palate.Profile, id palate.ImageID) error {
	image, err := imageNo(ctx, tx, id)
	if errors.Is(err, palate.ErrNotFound) {
		return nil // a deleted image has none
	}
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM standing WHERE profile = ? AND image = ?", string(p), image); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO standing (profile, image, verdict, entry)
		SELECT * FROM (SELECT r.profile, ?, r.verdict, r.entry FROM ratings r
			WHERE r.image = ? AND r.profile = ? AND `+notUndone+` ORDER BY r.entry DESC LIMIT 1)
		WHERE verdict IS NOT NULL`, image, id[:], string(p))
	return err
}

// ClearRating implements catalog.Ratings.
func (c *Catalog) ClearRating(ctx context.Context, p palate.Profile, id palate.ImageID) error {
	return c.write(ctx, "clear rating", func(ctx context.Context, tx *sql.Tx) error {
		_, err := takeBack(ctx, tx, p, id)
		return err
	})
}

// takeBack appends a take-back of what stands of an image.
func takeBack(ctx context.Context, tx *sql.Tx, p palate.Profile, id palate.ImageID) (entry int64, err error) {
	standing, err := scanOne[bool](tx.QueryRowContext(ctx,
		"SELECT EXISTS (SELECT 1 FROM standing s JOIN images i ON i.no = s.image WHERE s.profile = ? AND i.id = ?)", string(p), id[:]))
	if err != nil {
		return 0, err
	}
	if !standing {
		return 0, fmt.Errorf("standing rating of image %v by profile %q: %w", id, p, palate.ErrNotFound)
	}
	taken, err := insertRating(ctx, tx, catalog.Rating{Profile: p, Image: id})
	if err != nil {
		return 0, err
	}
	if err := restand(ctx, tx, p, id); err != nil {
		return 0, err
	}
	return taken.Entry, recordChange(ctx, tx, catalog.RatingChanged, change{image: id, profile: p})
}

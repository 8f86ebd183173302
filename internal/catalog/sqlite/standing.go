package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// StandingRating implements catalog.Ratings.
func (c *Catalog) StandingRating(ctx context.Context, p palate.Profile, id palate.ImageID) (catalog.Rating, error) {
	var standing catalog.Rating
	err := c.read(ctx, "read standing rating", func(ctx context.Context, tx *sql.Tx) (err error) {
		standing, err = standingRating(ctx, tx, p, id)
		return err
	})
	return standing, err
}

func standingRating(ctx context.Context, tx *sql.Tx, p palate.Profile, id palate.ImageID) (catalog.Rating, error) {
	e, err := scanEntry(tx.QueryRowContext(ctx, `
		SELECT `+ratingColumns+` FROM images i
		JOIN standing s ON s.profile = ? AND s.image = i.no JOIN ratings r ON r.entry = s.entry
		WHERE i.id = ?`, string(p), id[:]))
	if err != nil {
		return catalog.Rating{}, orNotFound(err, "standing rating of image %v by profile %q", id, p)
	}
	return e.Rating, nil
}

// StandingVerdicts implements catalog.Ratings. Skips are among them.
func (c *Catalog) StandingVerdicts(ctx context.Context, p palate.Profile, ids []palate.ImageID) (map[palate.ImageID]palate.Verdict, error) {
	verdicts := map[palate.ImageID]palate.Verdict{}
	if ids != nil && len(ids) == 0 {
		return verdicts, nil
	}
	wanted := map[palate.ImageID]bool{} // of all that are read; empty is every one
	err := c.read(ctx, "read standing verdicts", func(ctx context.Context, tx *sql.Tx) error {
		query, args := "SELECT i.id, s.verdict FROM standing s JOIN images i ON i.no = s.image WHERE s.profile = ?", []any{string(p)}
		few, err := fewerVerdicts(ctx, tx, p, ids)
		switch {
		case err != nil:
			return err
		case few:
			for _, id := range ids {
				wanted[id] = true
			}
		case ids != nil:
			query, args = query+" AND s.image IN (SELECT no FROM images WHERE id IN "+idsIn+")", append(args, idList(ids))
		}
		rows, err := tx.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var raw sql.RawBytes
			var verdict palate.Verdict
			if err := rows.Scan(&raw, &verdict); err != nil {
				return err
			}
			if id := palate.ImageID(raw); len(wanted) == 0 || wanted[id] {
				verdicts[id] = verdict
			}
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return verdicts, nil
}

// fewerVerdicts reports whether a profile has fewer verdicts than there are ids,
// so that to read all is less than to look for each.
func fewerVerdicts(ctx context.Context, tx *sql.Tx, p palate.Profile, ids []palate.ImageID) (bool, error) {
	if len(ids) < manyIDs {
		return false, nil
	}
	n, err := scanOne[int](tx.QueryRowContext(ctx, "SELECT count(*) FROM standing WHERE profile = ?", string(p)))
	return n < len(ids), err
}

// manyIDs is from how many on it is worth asking how many verdicts there are.
const manyIDs = 100

// StandingStars implements catalog.Ratings. The images come first: left to
// choose, SQLite goes through all that the profile has rated.
func (c *Catalog) StandingStars(ctx context.Context, p palate.Profile, ids []palate.ImageID) (map[palate.ImageID]palate.Stars, error) {
	stars := map[palate.ImageID]palate.Stars{}
	if len(ids) == 0 {
		return stars, nil
	}
	err := c.read(ctx, "read standing stars", func(ctx context.Context, tx *sql.Tx) error {
		_, err := collect(from(tx.QueryContext(ctx, `
			SELECT i.id, r.stars FROM images i
			CROSS JOIN standing s ON s.profile = ? AND s.image = i.no CROSS JOIN ratings r ON r.entry = s.entry
			WHERE i.id IN `+idsIn+` AND r.stars IS NOT NULL`, string(p), idList(ids))), func(rows *sql.Rows) (none struct{}, err error) {
			var id sql.RawBytes
			var n palate.Stars
			if err := rows.Scan(&id, &n); err != nil {
				return none, err
			}
			stars[palate.ImageID(id)] = n
			return none, nil
		})
		return err
	})
	return stars, err
}

// StandingRatings implements catalog.Ratings.
func (c *Catalog) StandingRatings(ctx context.Context, p palate.Profile, q catalog.RatingQuery) ([]catalog.Rating, error) {
	err := checkLimit(q.Limit, 1000)
	if err == nil && q.Verdict != "" {
		_, err = palate.ParseVerdict(string(q.Verdict))
	}
	if err == nil && q.Before < 0 {
		err = fmt.Errorf("entry %d is negative: %w", q.Before, palate.ErrInvalid)
	}
	if err != nil {
		return nil, c.translate(ctx, "list standing ratings", err)
	}
	where, args := "s.profile = ?", []any{string(p)}
	if q.Verdict != "" {
		where, args = where+" AND s.verdict = ?", append(args, string(q.Verdict))
	}
	if q.Before > 0 {
		where, args = where+" AND s.entry < ?", append(args, q.Before)
	}
	var ratings []catalog.Rating
	err = c.read(ctx, "list standing ratings", func(ctx context.Context, tx *sql.Tx) (err error) {
		ratings, err = collect(from(tx.QueryContext(ctx,
			"SELECT "+ratingColumns+" FROM standing s JOIN ratings r ON r.entry = s.entry WHERE "+where+" ORDER BY s.entry DESC LIMIT ?",
			append(args, q.Limit)...)), func(rows *sql.Rows) (catalog.Rating, error) {
			e, err := scanEntry(rows)
			return e.Rating, err
		})
		return err
	})
	return ratings, err
}

// CountRatings implements catalog.Ratings.
func (c *Catalog) CountRatings(ctx context.Context, p palate.Profile, v palate.Verdict) (count int, err error) {
	where, args := "profile = ?", []any{string(p)}
	if v != "" {
		if _, err := palate.ParseVerdict(string(v)); err != nil {
			return 0, c.translate(ctx, "count ratings", err)
		}
		where, args = where+" AND verdict = ?", append(args, string(v))
	}
	err = c.read(ctx, "count ratings", func(ctx context.Context, tx *sql.Tx) (err error) {
		count, err = scanOne[int](tx.QueryRowContext(ctx, "SELECT count(*) FROM standing WHERE "+where, args...))
		return err
	})
	return count, err
}

// RatingLog implements catalog.Ratings.
func (c *Catalog) RatingLog(ctx context.Context, p palate.Profile, after int64, limit int) ([]catalog.LogEntry, error) {
	if err := checkLimit(limit, 0); err != nil {
		return nil, c.translate(ctx, "read rating log", err)
	}
	var entries []catalog.LogEntry
	err := c.read(ctx, "read rating log", func(ctx context.Context, tx *sql.Tx) (err error) {
		entries, err = collect(from(tx.QueryContext(ctx,
			"SELECT "+ratingColumns+" FROM ratings r WHERE r.profile = ? AND r.entry > ? ORDER BY r.entry LIMIT ?", string(p), after, limit)),
			func(rows *sql.Rows) (catalog.LogEntry, error) { return scanEntry(rows) })
		return err
	})
	return entries, err
}

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// RateOnce implements catalog.Ratings.
func (c *Catalog) RateOnce(ctx context.Context, ratings []catalog.Rating) ([]catalog.Rating, error) {
	for i, r := range ratings {
		if err := checkRating(r); err != nil {
			return nil, c.translate(ctx, fmt.Sprintf("rate once: rating %d", i), err)
		}
	}
	if len(ratings) == 0 {
		return nil, nil
	}
	stand := make([]catalog.Rating, len(ratings))
	err := c.write(ctx, "rate once", func(ctx context.Context, tx *sql.Tx) error {
		for i, r := range ratings {
			standing, err := standingRating(ctx, tx, r.Profile, r.Image)
			switch {
			case err == nil && saysTheSame(standing, r):
				stand[i] = standing
			case err == nil, errors.Is(err, palate.ErrNotFound):
				if stand[i], err = rate(ctx, tx, r); err != nil {
					return fmt.Errorf("rating %d: %w", i, err)
				}
			default:
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return stand, nil
}

// saysTheSame reports two ratings that differ in nothing but when they were
// said.
func saysTheSame(a, b catalog.Rating) bool {
	return a.Verdict == b.Verdict && a.Shown == b.Shown && a.ProbeVersion == b.ProbeVersion &&
		(a.Score == nil) == (b.Score == nil) && (a.Score == nil || *a.Score == *b.Score)
}

package sqlite

import (
	"context"

	"github.com/palate-art/palate/internal/catalog"
)

// RateOnce implements catalog.Ratings.
func (c *Catalog) RateOnce(ctx context.Context, ratings []catalog.Rating) ([]catalog.Rating, error) {
	return c.rateMany(ctx, "rate once", ratings, true)
}

// saysTheSame reports two ratings that differ in nothing but when they were
// said.
func saysTheSame(a, b catalog.Rating) bool {
	return a.Verdict == b.Verdict && a.Stars == b.Stars && a.Shown == b.Shown && a.ProbeVersion == b.ProbeVersion &&
		(a.Score == nil) == (b.Score == nil) && (a.Score == nil || *a.Score == *b.Score)
}

package taste

import (
	"context"
	"errors"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// Reasons are what a person has said of the pictures that look most like one.
type Reasons struct {
	Liked, Disliked []index.Hit
	// Score is what the serving probe says; nil without one.
	Score   *Score
	Version int // of that probe, or 0
}

// Why gives the nearest liked and the nearest disliked pictures of an image.
// palate.ErrNotFound if the image is not there, palate.ErrConflict if it is
// not embedded yet.
func (t *Tastes) Why(ctx context.Context, p palate.Profile, id palate.ImageID, limit int) (Reasons, error) {
	var r Reasons
	if _, err := t.catalog.Image(ctx, id); err != nil {
		return r, err
	}
	for _, side := range []struct {
		filter index.Filter
		into   *[]index.Hit
	}{{index.Filter{LikedBy: p}, &r.Liked}, {index.Filter{DislikedBy: p}, &r.Disliked}} {
		hits, err := t.index.Search(ctx, index.Query{Near: &id, Filter: side.filter, Limit: limit})
		if errors.Is(err, palate.ErrNotFound) {
			return r, fmt.Errorf("image %v is not embedded yet: %w", id, palate.ErrConflict)
		}
		if err != nil {
			return r, fmt.Errorf("why %v for %s: %w", id, p, err)
		}
		*side.into = hits
	}
	scores, version, err := t.ScoresOf(ctx, p, []palate.ImageID{id})
	if errors.Is(err, palate.ErrNotFound) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	if score, there := scores[id]; there {
		r.Score, r.Version = &score, version.Version
	}
	return r, nil
}

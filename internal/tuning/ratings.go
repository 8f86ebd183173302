package tuning

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/probe"
)

const (
	// ratingsPage is how many ratings are read from the catalog at a time.
	ratingsPage = 1000
	// minPerClass is how many works of each verdict a training takes: a fifth
	// is held back, and two works tell little.
	minPerClass = 10
	// parts is how many the works are put into; one of them is held back.
	parts = 5
)

// rated is one picture that was judged.
type rated struct {
	Image palate.ImageID `json:"image"`
	Liked bool           `json:"liked"`
	Entry int64          `json:"entry"`
}

// ratings reads the standing likes and dislikes of a profile, in the order of
// images.
func ratings(ctx context.Context, c catalog.Catalog, p palate.Profile) ([]rated, error) {
	var all []rated
	for before := int64(0); ; {
		page, err := c.StandingRatings(ctx, p, catalog.RatingQuery{Before: before, Limit: ratingsPage})
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			if r.Verdict != palate.Skip {
				all = append(all, rated{r.Image, r.Verdict == palate.Like, r.Entry})
			}
		}
		if len(page) < ratingsPage {
			break
		}
		before = page[len(page)-1].Entry
	}
	slices.SortFunc(all, func(a, b rated) int { return bytes.Compare(a.Image[:], b.Image[:]) })
	return all, enough(all)
}

// Enough is a *probe.NotEnoughError if a profile has too few ratings of either
// kind for a training.
func Enough(ctx context.Context, c catalog.Catalog, p palate.Profile) error {
	_, err := ratings(ctx, c, p)
	return err
}

// enough is a *probe.NotEnoughError where there are too few of either verdict.
func enough(all []rated) error {
	likes := 0
	for _, r := range all {
		if r.Liked {
			likes++
		}
	}
	dislikes := len(all) - likes
	if likes >= minPerClass && dislikes >= minPerClass {
		return nil
	}
	return tooFew(likes, dislikes)
}

func tooFew(likes, dislikes int) error {
	return fmt.Errorf("too few ratings: %w", &probe.NotEnoughError{Likes: likes, Dislikes: dislikes,
		NeedLikes: max(0, minPerClass-likes), NeedDislikes: max(0, minPerClass-dislikes)})
}

// learning is how the probe is learned that a training begins at.
func learning(seed uint64) probe.Config {
	c := probe.DefaultConfig()
	c.Folds, c.Seed, c.Resamples, c.MinPerClass = parts, int64(seed), 0, minPerClass
	return c
}

// unreadable reports whether a picture can't be read, rather than that
// something else went wrong.
func unreadable(ctx context.Context, err error) bool {
	return ctx.Err() == nil && (errors.Is(err, palate.ErrInvalid) || errors.Is(err, palate.ErrNotFound))
}

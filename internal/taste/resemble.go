package taste

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// nearSearches is how many searches run side by side. They are no batch, which
// would fail with the first picture that is not embedded.
const nearSearches = 16

// NearestLikes gives up to limit of the pictures that a profile likes and that
// look most like each of the named ones, the nearest first. A picture that is
// not embedded yet is left out; one that resembles nothing liked, as there are
// no likes, has none.
func (t *Tastes) NearestLikes(ctx context.Context, p palate.Profile, ids []palate.ImageID, limit int) (map[palate.ImageID][]index.Hit, error) {
	hits := make([][]index.Hit, len(ids))
	group, searching := errgroup.WithContext(ctx)
	group.SetLimit(nearSearches)
	for i := range ids {
		group.Go(func() error {
			found, err := t.index.Search(searching, index.Query{Near: &ids[i], Filter: index.Filter{LikedBy: p}, Limit: limit})
			switch {
			case errors.Is(err, palate.ErrNotFound):
				return nil
			case err != nil:
				return fmt.Errorf("the likes of %s that are nearest to %v: %w", p, ids[i], err)
			}
			hits[i] = append([]index.Hit{}, found...) // none is not nil
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	near := make(map[palate.ImageID][]index.Hit, len(ids))
	for i, id := range ids {
		if hits[i] != nil {
			near[id] = hits[i]
		}
	}
	return near, nil
}

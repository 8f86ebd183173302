package api

import (
	"context"
	"slices"

	"github.com/palate-art/palate"
)

// nearestLikes describes, for each of the named images, up to limit of what
// the profile likes and looks most like it. Of no image where limit is 0.
func (s *Server) nearestLikes(ctx context.Context, profile palate.Profile, ids []palate.ImageID, limit int) (map[palate.ImageID][]Hit, error) {
	if limit == 0 || len(ids) == 0 {
		return nil, nil
	}
	near, err := s.services.Tastes.NearestLikes(ctx, profile, ids, limit)
	if err != nil {
		return nil, err
	}
	var all []palate.ImageID
	seen := map[palate.ImageID]bool{}
	for _, hits := range near {
		for _, hit := range hits {
			if !seen[hit.ID] {
				seen[hit.ID], all = true, append(all, hit.ID)
			}
		}
	}
	slices.SortFunc(all, func(a, b palate.ImageID) int { return slices.Compare(a[:], b[:]) })
	images, err := s.imagesOf(ctx, profile, all)
	if err != nil {
		return nil, err
	}
	likes := make(map[palate.ImageID][]Hit, len(near))
	for id, hits := range near {
		likes[id] = []Hit{}
		for _, hit := range hits {
			if image, there := images[hit.ID]; there { // else deleted a moment ago
				likes[id] = append(likes[id], Hit{Image: image, Similarity: hit.Score})
			}
		}
	}
	return likes, nil
}

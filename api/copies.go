package api

import (
	"cmp"
	"context"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/works"
)

// GetCopies answers with how far copies are known.
func (s *Server) GetCopies(ctx context.Context, _ GetCopiesRequestObject) (GetCopiesResponseObject, error) {
	n, err := s.services.Catalog.CountCopies(ctx, works.Version)
	return GetCopies200JSONResponse{LookedAt: n.LookedAt, NotLookedAt: n.NotLookedAt, Works: n.Works, Images: n.Images}, err
}

// GetImageCopies answers with the other images of a work.
func (s *Server) GetImageCopies(ctx context.Context, request GetImageCopiesRequestObject) (GetImageCopiesResponseObject, error) {
	profile, err := resolveOr(ctx, request.Params.Profile)
	if err != nil {
		return nil, err
	}
	id, err := palate.ParseImageID(request.Image)
	if err != nil {
		return nil, err
	}
	ids, err := s.services.Catalog.CopiesOf(ctx, works.Version, id)
	if err != nil {
		return nil, err
	}
	of, err := s.imagesOf(ctx, profile, ids)
	if err != nil {
		return nil, err
	}
	images := []Image{}
	for _, id := range ids {
		if image, there := of[id]; there {
			images = append(images, image)
		}
	}
	slices.SortStableFunc(images, func(a, b Image) int { return cmp.Compare(b.Width*b.Height, a.Width*a.Height) })
	return GetImageCopies200JSONResponse{Images: images}, nil
}

// collapse leaves one image of each work in a list, and notes how many stand
// behind it.
func (s *Server) collapse(ctx context.Context, profile palate.Profile, list *snapshot, outlines []catalog.Outline) error {
	all, err := s.services.Catalog.Works(ctx, works.Version)
	if err != nil {
		return err
	}
	var members []palate.ImageID
	workOf := make(map[palate.ImageID]int)
	for work, ids := range all {
		for _, id := range ids {
			workOf[id] = work
		}
		members = append(members, ids...)
	}
	verdicts := map[palate.ImageID]palate.Verdict{}
	if len(members) > 0 { // no names would ask for all
		if verdicts, err = s.services.Catalog.StandingVerdicts(ctx, profile, members); err != nil {
			return err
		}
	}
	pixels := make(map[palate.ImageID]int64, len(members))
	for _, o := range outlines {
		if _, copied := workOf[o.ID]; copied {
			pixels[o.ID] = int64(o.Width) * int64(o.Height)
		}
	}
	shown, count := make(map[int]palate.ImageID), make(map[int]int)
	for _, e := range list.entries {
		work, copied := workOf[e.image]
		if !copied {
			continue
		}
		count[work]++
		best, there := shown[work]
		if !there || cmp.Or(cmp.Compare(weight(verdicts[e.image]), weight(verdicts[best])), cmp.Compare(pixels[e.image], pixels[best])) > 0 {
			shown[work] = e.image
		}
	}
	list.copies = make(map[palate.ImageID]int)
	before := len(list.entries)
	list.entries = slices.DeleteFunc(list.entries, func(e snapshotEntry) bool {
		work, copied := workOf[e.image]
		if copied && count[work] > 1 && shown[work] == e.image {
			list.copies[e.image] = count[work] - 1
		}
		return copied && shown[work] != e.image
	})
	counts, err := s.services.Catalog.CountCopies(ctx, works.Version)
	collapsed := before - len(list.entries)
	list.summary.Collapsed, list.summary.NotLookedAt = &collapsed, &counts.NotLookedAt
	return err
}

// weight orders verdicts by how much they say.
func weight(v palate.Verdict) int {
	switch v {
	case palate.Like, palate.Dislike:
		return 2
	case palate.Skip:
		return 1
	}
	return 0
}

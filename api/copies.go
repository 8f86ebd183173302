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
	type member struct {
		work   int
		pixels int64
		weight int
	}
	var members []palate.ImageID
	for _, ids := range all {
		members = append(members, ids...)
	}
	of := make(map[palate.ImageID]*member, len(members))
	for work, ids := range all {
		for _, id := range ids {
			of[id] = &member{work: work}
		}
	}
	if len(members) > 0 { // no names would ask for all
		verdicts, err := s.services.Catalog.StandingVerdicts(ctx, profile, members)
		if err != nil {
			return err
		}
		for id, v := range verdicts {
			of[id].weight = weight(v)
		}
	}
	for _, o := range outlines {
		if m := of[o.ID]; m != nil {
			m.pixels = int64(o.Width) * int64(o.Height)
		}
	}
	shown, count := make([]*member, len(all)), make([]int, len(all))
	for _, e := range list.entries {
		m := of[e.image]
		if m == nil {
			continue
		}
		count[m.work]++
		if best := shown[m.work]; best == nil || cmp.Or(cmp.Compare(m.weight, best.weight), cmp.Compare(m.pixels, best.pixels)) > 0 {
			shown[m.work] = m
		}
	}
	list.copies = make(map[palate.ImageID]int)
	before := len(list.entries)
	list.entries = slices.DeleteFunc(list.entries, func(e snapshotEntry) bool {
		m := of[e.image]
		if m != nil && count[m.work] > 1 && shown[m.work] == m {
			list.copies[e.image] = count[m.work] - 1
		}
		return m != nil && shown[m.work] != m
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

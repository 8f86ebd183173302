package api

import (
	"context"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
)

// ListNeighbours answers with the images nearest to one.
func (s *Server) ListNeighbours(ctx context.Context, request ListNeighboursRequestObject) (ListNeighboursResponseObject, error) {
	p := request.Params
	profile, err := resolveOr(ctx, p.Profile)
	if err != nil {
		return nil, err
	}
	id, err := palate.ParseImageID(request.Image)
	if err != nil {
		return nil, err
	}
	filter, err := filterOf(filterParams{p.Artist, p.Licence, p.Site, p.Category, p.YearFrom, p.YearTo, p.Judged}, profile)
	if err != nil {
		return nil, err
	}
	if _, err := s.services.Catalog.Image(ctx, id); err != nil {
		return nil, err
	}
	hits, err := s.search(ctx, profile, index.Query{Near: &id, Filter: filter, Collapse: valueOr(p.Collapse, 0), Limit: valueOr(p.Limit, defaultHitLimit)})
	return ListNeighbours200JSONResponse(hits), err
}

// SearchByExamples answers with the images near some and far from others.
func (s *Server) SearchByExamples(ctx context.Context, request SearchByExamplesRequestObject) (SearchByExamplesResponseObject, error) {
	body := request.Body
	profile, err := resolveOr(ctx, body.Profile)
	if err != nil {
		return nil, err
	}
	var examples index.Examples
	if examples.Positive, err = imageIDs(body.Positive); err != nil {
		return nil, err
	}
	if examples.Negative, err = imageIDs(valueOr(body.Negative, nil)); err != nil {
		return nil, err
	}
	f := valueOr(body.Filter, Filter{})
	filter, err := filterOf(filterParams{f.Artists, f.Licences, f.Sites, f.Categories, f.YearFrom, f.YearTo, f.Judged}, profile)
	if err != nil {
		return nil, err
	}
	if filter.NotIDs, err = imageIDs(valueOr(f.NotIds, nil)); err != nil {
		return nil, err
	}
	hits, err := s.search(ctx, profile, index.Query{Examples: &examples, Filter: filter, Collapse: valueOr(body.Collapse, 0), Limit: valueOr(body.Limit, defaultHitLimit)})
	return SearchByExamples200JSONResponse(hits), err
}

// SearchByUpload answers with the images near a picture that is not kept.
func (s *Server) SearchByUpload(ctx context.Context, request SearchByUploadRequestObject) (SearchByUploadResponseObject, error) {
	profile, err := resolveOr(ctx, request.Params.Profile)
	if err != nil {
		return nil, err
	}
	embedding, err := s.embedUpload(ctx, request.Body)
	if err != nil {
		return nil, err
	}
	hits, err := s.search(ctx, profile, index.Query{Vector: embedding, Collapse: valueOr(request.Params.Collapse, 0), Limit: valueOr(request.Params.Limit, defaultHitLimit)})
	return SearchByUpload200JSONResponse(hits), err
}

func (s *Server) search(ctx context.Context, profile palate.Profile, q index.Query) (HitList, error) {
	hits, err := s.services.Index.Search(ctx, q)
	if err != nil {
		return HitList{}, err
	}
	list := HitList{ModelID: string(s.services.Embedder.Model())}
	list.Hits, err = s.hitsOf(ctx, profile, hits)
	return list, err
}

// hitsOf describes hits. An image deleted a moment ago may still be in the
// index; it is left out.
func (s *Server) hitsOf(ctx context.Context, profile palate.Profile, hits []index.Hit) ([]Hit, error) {
	ids := make([]palate.ImageID, len(hits))
	for i, hit := range hits {
		ids[i] = hit.ID
	}
	images, err := s.imagesOf(ctx, profile, ids)
	if err != nil {
		return nil, err
	}
	out := []Hit{}
	for _, hit := range hits {
		if image, there := images[hit.ID]; there {
			out = append(out, Hit{Image: image, Similarity: hit.Score})
		}
	}
	return out, nil
}

// imagesOf describes the named images, leaving out those that do not exist.
func (s *Server) imagesOf(ctx context.Context, profile palate.Profile, ids []palate.ImageID) (map[palate.ImageID]Image, error) {
	found, err := s.services.Catalog.ImagesByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	described, err := s.describe(ctx, profile, found)
	if err != nil {
		return nil, err
	}
	return byID(found, described), nil
}

func byID(found []catalog.Image, described []Image) map[palate.ImageID]Image {
	images := make(map[palate.ImageID]Image, len(found))
	for i, image := range found {
		images[image.ID] = described[i]
	}
	return images
}

func imageIDs(names []string) ([]palate.ImageID, error) {
	ids := make([]palate.ImageID, len(names))
	for i, name := range names {
		id, err := palate.ParseImageID(name)
		if err != nil {
			return nil, fmt.Errorf("image %d of the list: %w", i+1, err)
		}
		ids[i] = id
	}
	return ids, nil
}

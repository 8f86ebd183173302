package api

import (
	"context"
	"errors"
	"fmt"

	"github.com/palate-art/palate"
)

// ClearRatings makes many images unrated.
func (s *Server) ClearRatings(ctx context.Context, request ClearRatingsRequestObject) (ClearRatingsResponseObject, error) {
	profile, err := resolve(ctx, request.Profile)
	if err != nil {
		return nil, err
	}
	ids, err := idsOf(request.Body.ImageIds)
	if err != nil {
		return nil, err
	}
	entries, err := s.services.Catalog.ClearRatings(ctx, profile, ids)
	if err != nil {
		return nil, err
	}
	s.follow(ctx)
	return ClearRatings200JSONResponse{Entries: append([]int64{}, entries...)}, nil
}

// UndoRatings takes many entries of the log back.
func (s *Server) UndoRatings(ctx context.Context, request UndoRatingsRequestObject) (UndoRatingsResponseObject, error) {
	profile, err := resolve(ctx, request.Profile)
	if err != nil {
		return nil, err
	}
	undone, err := s.services.Catalog.UndoRatings(ctx, profile, request.Body.Entries)
	if err != nil {
		return nil, err
	}
	s.follow(ctx)
	return UndoRatings200JSONResponse{Entries: append([]int64{}, undone...)}, nil
}

// DeleteImages moves many images to the trash.
func (s *Server) DeleteImages(ctx context.Context, request DeleteImagesRequestObject) (DeleteImagesResponseObject, error) {
	reason := valueOr(request.Body.Reason, "deleted over the API")
	deleted, err := s.each(ctx, request.Body.ImageIds, func(id palate.ImageID) error { return s.services.Collection.Remove(ctx, id, reason) })
	return DeleteImages200JSONResponse{Deleted: deleted}, err
}

// RestoreImages brings many images back from the trash.
func (s *Server) RestoreImages(ctx context.Context, request RestoreImagesRequestObject) (RestoreImagesResponseObject, error) {
	restored, err := s.each(ctx, request.Body.ImageIds, func(id palate.ImageID) error { return s.services.Collection.Restore(ctx, id) })
	return RestoreImages200JSONResponse{Restored: restored}, err
}

// each does something with every image that is there to do it with, and counts
// them.
func (s *Server) each(ctx context.Context, names []string, do func(palate.ImageID) error) (done int, err error) {
	ids, err := idsOf(names)
	if err != nil {
		return 0, err
	}
	defer s.follow(ctx) // also of what was done before an error
	for _, id := range ids {
		err := do(id)
		if errors.Is(err, palate.ErrNotFound) {
			continue
		}
		if err != nil {
			return done, err
		}
		done++
	}
	return done, nil
}

func idsOf(names []string) ([]palate.ImageID, error) {
	ids := make([]palate.ImageID, len(names))
	for i, name := range names {
		var err error
		if ids[i], err = palate.ParseImageID(name); err != nil {
			return nil, fmt.Errorf("image %d of the list: %w", i+1, err)
		}
	}
	return ids, nil
}

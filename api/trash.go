package api

import (
	"context"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/ingest"
)

// DeleteImage moves an image to the trash, or removes it for good.
func (s *Server) DeleteImage(ctx context.Context, request DeleteImageRequestObject) (DeleteImageResponseObject, error) {
	id, err := palate.ParseImageID(request.Image)
	if err != nil {
		return nil, err
	}
	remove := s.services.Collection.Remove
	if valueOr(request.Params.Purge, false) {
		remove = s.services.Collection.Purge
	}
	if err := remove(ctx, id, request.Params.Reason); err != nil {
		return nil, err
	}
	s.follow(ctx)
	return DeleteImage204Response{}, nil
}

// RestoreImage brings an image back from the trash.
func (s *Server) RestoreImage(ctx context.Context, request RestoreImageRequestObject) (RestoreImageResponseObject, error) {
	id, err := palate.ParseImageID(request.Image)
	if err != nil {
		return nil, err
	}
	if err := s.services.Collection.Restore(ctx, id); err != nil {
		return nil, err
	}
	s.follow(ctx)
	image, err := s.imageNamed(ctx, palate.DefaultProfile, request.Image)
	return RestoreImage200JSONResponse(image), err
}

// ListTrash answers with what can be restored.
func (s *Server) ListTrash(ctx context.Context, request ListTrashRequestObject) (ListTrashResponseObject, error) {
	thrown, err := s.services.Catalog.Trash(ctx, time.Time{}, valueOr(request.Params.Limit, 100))
	if err != nil {
		return nil, err
	}
	answer := ListTrash200JSONResponse{Images: []TrashedImage{}}
	for _, t := range thrown {
		answer.Images = append(answer.Images, TrashedImage{ID: t.ID.String(), Title: t.Title, Artist: t.Artist, Bytes: t.Bytes,
			Reason: t.Reason, DeletedAt: t.DeletedAt, Until: t.DeletedAt.Add(ingest.KeptFor)})
	}
	return answer, nil
}

// EmptyTrash removes for good what is in the trash.
func (s *Server) EmptyTrash(ctx context.Context, request EmptyTrashRequestObject) (EmptyTrashResponseObject, error) {
	purged, err := s.services.Collection.EmptyTrash(ctx, valueOr(request.Params.DeletedBefore, time.Time{}))
	if err != nil {
		return nil, err
	}
	return EmptyTrash200JSONResponse{Purged: purged}, nil
}

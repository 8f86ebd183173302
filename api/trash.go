package api

import (
	"context"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/imagestore"
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
	if err := remove(ctx, id, valueOr(request.Params.Reason, "deleted over the API")); err != nil {
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
	profile, err := resolveOr(ctx, nil)
	if err != nil {
		return nil, err
	}
	image, err := s.imageNamed(ctx, profile, request.Image)
	return RestoreImage200JSONResponse(image), err
}

// ListTrash answers with what can be restored.
func (s *Server) ListTrash(ctx context.Context, request ListTrashRequestObject) (ListTrashResponseObject, error) {
	list := s.services.Catalog.Trash
	if valueOr(request.Params.Order, ListOrderOldest) == ListOrderNewest {
		list = s.services.Catalog.LatestTrash
	}
	before := deletedBefore(request.Params.DeletedBefore)
	thrown, err := list(ctx, before, valueOr(request.Params.Limit, 100))
	if err != nil {
		return nil, err
	}
	total, err := counted(request.Params.Count, func() (int, error) { return s.services.Catalog.CountTrash(ctx, before) })
	if err != nil {
		return nil, err
	}
	answer := ListTrash200JSONResponse{Images: []TrashedImage{}, Total: total}
	for _, t := range thrown {
		answer.Images = append(answer.Images, TrashedImage{ID: t.ID.String(), Title: t.Title, Artist: t.Artist, Bytes: t.Bytes,
			Reason: t.Reason, DeletedAt: t.DeletedAt, Until: t.DeletedAt.Add(ingest.KeptFor),
			ThumbnailURL: "/v1/trash/" + t.ID.String() + "/thumbnail"})
	}
	return answer, nil
}

// GetTrashThumbnail sends a smaller JPEG of what is in the trash.
func (s *Server) GetTrashThumbnail(ctx context.Context, request GetTrashThumbnailRequestObject) (GetTrashThumbnailResponseObject, error) {
	id, err := palate.ParseImageID(request.Image)
	if err != nil {
		return nil, err
	}
	const width = 320
	thumbnail, err := s.services.Collection.TrashThumbnail(ctx, id, width)
	if err != nil {
		return nil, err
	}
	return sentFile{request: requestOf(ctx), content: thumbnail, mediaType: "image/jpeg", etag: fmt.Sprintf("%s-%d-v%d", id, width, imagestore.ThumbnailVersion)}, nil
}

// EmptyTrash removes for good what is in the trash.
func (s *Server) EmptyTrash(ctx context.Context, request EmptyTrashRequestObject) (EmptyTrashResponseObject, error) {
	purged, err := s.services.Collection.EmptyTrash(ctx, deletedBefore(request.Params.DeletedBefore))
	if err != nil {
		return nil, err
	}
	return EmptyTrash200JSONResponse{Purged: purged}, nil
}

// The catalog's times lie between these; nothing was deleted before the first,
// and nothing after the last.
var (
	firstDeletion = time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC)
	lastDeletion  = time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC)
)

// deletedBefore is the time that a request names, within what the catalog
// keeps, or zero where it names none. The year 1, which would be zero too, is
// before everything and not "at any time".
func deletedBefore(given *time.Time) time.Time {
	switch {
	case given == nil:
		return time.Time{}
	case given.Before(firstDeletion):
		return firstDeletion
	case given.After(lastDeletion):
		return lastDeletion
	}
	return *given
}

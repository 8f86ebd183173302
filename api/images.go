package api

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/imagestore"
)

// ListImages answers with a page of images.
func (s *Server) ListImages(ctx context.Context, request ListImagesRequestObject) (ListImagesResponseObject, error) {
	p := request.Params
	profile, err := resolveOr(ctx, p.Profile)
	if err != nil {
		return nil, err
	}
	if p.ExternalID != nil {
		return s.imagesByExternalID(ctx, profile, p)
	}
	filter, err := filterOf(filterParams{p.Artist, p.Licence, p.Site, p.Category, p.YearFrom, p.YearTo, p.Judged}, profile)
	if err != nil {
		return nil, err
	}
	query := catalog.ImageQuery{
		Filter: filter, Search: valueOr(p.Q, ""), Damaged: valueOr(p.Damaged, false),
		AddedAfter: valueOr(p.AddedAfter, time.Time{}), Crawled: valueOr(p.Crawled, false), Models: modelIDs(p.Model), Order: catalog.ImageOrder(valueOr(p.Order, ListOrderNewest)),
		After: valueOr(p.Cursor, ""), Limit: valueOr(p.Limit, defaultLimit),
	}
	page, err := s.services.Catalog.ListImages(ctx, query)
	if err != nil {
		return nil, err
	}
	total, err := counted(p.Count, func() (int, error) { return s.services.Catalog.CountListed(ctx, query) })
	if err != nil {
		return nil, err
	}
	images, err := s.describe(ctx, profile, page.Images)
	return ListImages200JSONResponse{Images: images, Total: total, NextCursor: optional(page.Next)}, err
}

func (s *Server) imagesByExternalID(ctx context.Context, profile palate.Profile, p ListImagesParams) (ListImagesResponseObject, error) {
	for name, given := range map[string]bool{
		"q": p.Q != nil, "damaged": p.Damaged != nil, "added_after": p.AddedAfter != nil, "crawled": p.Crawled != nil, "order": p.Order != nil, "cursor": p.Cursor != nil, "judged": p.Judged != nil, "artist": p.Artist != nil,
		"licence": p.Licence != nil, "site": p.Site != nil, "category": p.Category != nil, "model": p.Model != nil, "year_from": p.YearFrom != nil, "year_to": p.YearTo != nil,
	} {
		if given {
			return nil, invalidParameter(name, "does not go with external_id")
		}
	}
	found, err := s.services.Catalog.ImagesByExternalID(ctx, *p.ExternalID)
	if err != nil {
		return nil, err
	}
	total, err := counted(p.Count, func() (int, error) { return len(found), nil })
	if err != nil {
		return nil, err
	}
	images, err := s.describe(ctx, profile, found)
	return ListImages200JSONResponse{Images: images, Total: total}, err
}

// GetImage answers with one image.
func (s *Server) GetImage(ctx context.Context, request GetImageRequestObject) (GetImageResponseObject, error) {
	profile, err := resolveOr(ctx, request.Params.Profile)
	if err != nil {
		return nil, err
	}
	image, err := s.imageNamed(ctx, profile, request.Image)
	return GetImage200JSONResponse(image), err
}

func (s *Server) imageNamed(ctx context.Context, profile palate.Profile, name string) (Image, error) {
	id, err := palate.ParseImageID(name)
	if err != nil {
		return Image{}, err
	}
	found, err := s.services.Catalog.Image(ctx, id)
	if err != nil {
		return Image{}, err
	}
	images, err := s.describe(ctx, profile, []catalog.Image{found})
	if err != nil {
		return Image{}, err
	}
	return images[0], nil
}

// UploadImage adds an image.
func (s *Server) UploadImage(ctx context.Context, request UploadImageRequestObject) (UploadImageResponseObject, error) {
	upload, err := readUpload(ctx, request.Body, s.config.MaxUploadBytes, uploadFields)
	if err != nil {
		return nil, err
	}
	profile, err := resolveOr(ctx, upload.profile)
	if err != nil {
		return nil, err
	}
	upload.source.Site, upload.source.RetrievedAt = "upload", time.Now().UTC()
	added, err := s.services.Collection.Add(ctx, upload.content, upload.source)
	var wrong *palate.FieldError
	if errors.As(err, &wrong) {
		return nil, invalidParameter(wrong.Field, "%s", wrong.Problem)
	}
	if err != nil {
		return nil, err
	}
	image, err := s.imageNamed(ctx, profile, added.ID.String())
	if err != nil {
		return nil, err
	}
	if !added.New {
		return UploadImage200JSONResponse(image), nil
	}
	location := "/v1/images/" + image.ID
	return UploadImage201JSONResponse{Body: image, Headers: UploadImage201ResponseHeaders{Location: &location}}, nil
}

// GetImageFile sends the file as it was found.
func (s *Server) GetImageFile(ctx context.Context, request GetImageFileRequestObject) (GetImageFileResponseObject, error) {
	id, err := palate.ParseImageID(request.Image)
	if err != nil {
		return nil, err
	}
	image, err := s.services.Catalog.Image(ctx, id)
	if err != nil {
		return nil, err
	}
	file, err := s.services.Store.Open(ctx, id)
	if err != nil {
		return nil, err
	}
	return sentFile{request: requestOf(ctx), content: file, mediaType: mediaTypeOf(image.Format), etag: fmt.Sprintf("%x", image.SHA256)}, nil
}

// mediaTypeOf names a format of a picture's file.
func mediaTypeOf(format string) string {
	switch format {
	case "netpbm":
		return "image/x-portable-anymap"
	case "tga":
		return "image/x-tga"
	}
	return "image/" + format
}

// GetImageThumbnail sends a smaller JPEG.
func (s *Server) GetImageThumbnail(ctx context.Context, request GetImageThumbnailRequestObject) (GetImageThumbnailResponseObject, error) {
	id, err := palate.ParseImageID(request.Image)
	if err != nil {
		return nil, err
	}
	return s.thumbnail(ctx, id, int(valueOr(request.Params.Width, ThumbnailWidthN320)))
}

// thumbnail is an image in small, to be sent.
func (s *Server) thumbnail(ctx context.Context, id palate.ImageID, width int) (sentFile, error) {
	thumbnail, err := s.services.Collection.Thumbnail(ctx, id, width)
	if err != nil {
		return sentFile{}, err
	}
	return sentFile{request: requestOf(ctx), content: thumbnail, mediaType: "image/jpeg", etag: fmt.Sprintf("%s-%d-v%d", id, width, imagestore.ThumbnailVersion)}, nil
}

// describe says of images what the API tells, with the profile's verdicts.
func (s *Server) describe(ctx context.Context, profile palate.Profile, found []catalog.Image) ([]Image, error) {
	ids := make([]palate.ImageID, len(found))
	for i, image := range found {
		ids[i] = image.ID
	}
	verdicts, err := s.services.Catalog.StandingVerdicts(ctx, profile, ids)
	if err != nil {
		return nil, err
	}
	embedded, err := s.services.Catalog.Embedded(ctx, s.services.Embedder.Model(), ids)
	if err != nil {
		return nil, err
	}
	stars, err := s.services.Catalog.StandingStars(ctx, profile, ids)
	if err != nil {
		return nil, err
	}
	images := make([]Image, len(found))
	for i, image := range found {
		images[i] = imageOf(image, verdicts[image.ID], embedded[image.ID])
		images[i].Stars = optional(Stars(stars[image.ID]))
	}
	return images, nil
}

func imageOf(image catalog.Image, verdict palate.Verdict, embedded bool) Image {
	address := "/v1/images/" + image.ID.String()
	sources := make([]Source, len(image.Sources))
	clean := make([]palate.Source, len(image.Sources))
	for i, source := range image.Sources {
		// A collection may have been restored, or be older than the bounds.
		clean[i] = source.Clean(time.Now())
		sources[i] = sourceOf(clean[i])
	}
	image.Sources = clean
	return Image{
		ID: image.ID.String(), Sha256: fmt.Sprintf("%x", image.SHA256), Bytes: image.Bytes, Format: image.Format,
		Width: image.Width, Height: image.Height, Title: image.Title(), Artist: image.Artist(), AddedAt: image.AddedAt.UTC(),
		Embedded: embedded, Damage: optional(image.Damage), Verdict: optional(Verdict(verdict)), Sources: sources,
		FileURL: address + "/file", ThumbnailURL: address + "/thumbnail?width=320",
	}
}

// lastElement is the name of a file without its folders, on any system.
func lastElement(path string) string { return path[strings.LastIndexAny(path, `/\`)+1:] }

func sourceOf(source palate.Source) Source {
	described := Source{
		Address: source.Address, Site: source.Site, RetrievedAt: source.RetrievedAt.UTC(),
		Page: optional(source.Page), ExternalID: optional(source.ExternalID), OriginalName: optional(source.OriginalName),
		Title: optional(source.Title), Artist: optional(source.Artist), Year: optional(source.Year), Date: optional(source.Date),
		Medium: optional(source.Medium), Licence: optional(source.Licence), LicenceURL: optional(source.LicenceURL), Credit: optional(source.Credit),
	}
	if len(source.Categories) > 0 {
		described.Categories = &source.Categories
	}
	// A path tells how this machine's disk is laid out; its last element is enough.
	if source.Site == "folder" {
		described.Address = lastElement(source.Address)
	}
	return described
}

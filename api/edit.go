package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// EditImage says what an image is, over what was found of it.
func (s *Server) EditImage(ctx context.Context, request EditImageRequestObject) (EditImageResponseObject, error) {
	profile, err := resolveOr(ctx, request.Params.Profile)
	if err != nil {
		return nil, err
	}
	id, err := palate.ParseImageID(request.Image)
	if err != nil {
		return nil, err
	}
	seen, err := s.editSeen(ctx, profile, id, request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	var refused error
	err = s.services.Catalog.EditImage(ctx, id, func(present palate.Source) (palate.Source, error) {
		var wanted palate.Source
		if seen != nil && !reflect.DeepEqual(*seen, present) {
			refused = errChanged // since it was looked at, a moment ago
		} else {
			wanted, refused = edited(present, *request.Body, time.Now())
		}
		return wanted, refused
	})
	if refused != nil {
		return nil, refused
	}
	if err != nil {
		return nil, err
	}
	s.follow(ctx)
	image, err := s.imageNamed(ctx, profile, request.Image)
	if err != nil {
		return nil, err
	}
	etag, err := etagOfImage(image)
	return EditImage200JSONResponse{Body: image, Headers: EditImage200ResponseHeaders{ETag: &etag}}, err
}

var errChanged = echo.NewHTTPError(http.StatusPreconditionFailed, "the image is not as it was when this ETag was given: read it again, and edit what stands there now")

// editSeen is the edit that stands in what If-Match names, or nil without a
// condition. Comparing it again where it is written keeps two edits of the
// same answer from both being made. The ETag is weak, as all of JSON are; it is
// compared as such, for it differs wherever the JSON does.
func (s *Server) editSeen(ctx context.Context, profile palate.Profile, id palate.ImageID, condition *string) (*palate.Source, error) {
	if condition == nil {
		return nil, nil
	}
	found, err := s.services.Catalog.Image(ctx, id)
	if err != nil {
		return nil, err
	}
	described, err := s.describe(ctx, profile, []catalog.Image{found})
	if err != nil {
		return nil, err
	}
	etag, err := etagOfImage(described[0])
	if err == nil && !namesETag([]string{*condition}, etag) {
		err = errChanged
	}
	if err != nil {
		return nil, err
	}
	edit := found.Edit()
	return &edit, nil
}

// etagOfImage is the ETag of GetImage's answer.
func etagOfImage(image Image) (string, error) {
	var body bytes.Buffer
	err := json.NewEncoder(&body).Encode(image)
	return etagOf(body.Bytes()), err
}

// edited is an edit with the fields of a request, which the contract has
// checked. Null, and what is empty, is nothing said.
func edited(edit palate.Source, fields ImageEdit, now time.Time) (palate.Source, error) {
	texts := map[string]*string{
		"title": &edit.Title, "artist": &edit.Artist, "date": &edit.Date, "medium": &edit.Medium,
		"licence": &edit.Licence, "licence_url": &edit.LicenceURL, "credit": &edit.Credit,
	}
	for name, value := range fields {
		switch name {
		case "year":
			year, given := value.(float64)
			if given && year == 0 {
				return edit, invalidField(name, "there is no year 0; null takes the edit back")
			}
			edit.Year = int(year)
		case "categories":
			list, _ := value.([]any)
			edit.Categories = make([]string, len(list))
			for i, category := range list {
				edit.Categories[i], _ = category.(string)
			}
		default:
			if to := texts[name]; to != nil {
				*to, _ = value.(string)
			}
		}
	}
	err := edit.Validate(now)
	var wrong *palate.FieldError
	if errors.As(err, &wrong) {
		err = invalidField(wrong.Field, "%s", wrong.Problem)
	}
	return edit, err
}

// invalidField says what is wrong with one field of a body.
func invalidField(name, format string, args ...any) error {
	return &invalid{[]part{{detail: "body/" + name + ": " + fmt.Sprintf(format, args...), pointer: "/" + name}}}
}

package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/palate-art/palate"
)

// maxFieldBytes bounds a text part of an upload.
const maxFieldBytes = 64 << 10

// upload is a picture with what the other parts say of it.
type upload struct {
	profile *string // nil where none was named
	content []byte
	source  palate.Source
}

// uploadFields are the parts beside the file.
var uploadFields = map[string]func(s *palate.Source, value string) error{
	"title":       func(s *palate.Source, v string) error { s.Title = v; return nil },
	"artist":      func(s *palate.Source, v string) error { s.Artist = v; return nil },
	"date":        func(s *palate.Source, v string) error { s.Date = v; return nil },
	"medium":      func(s *palate.Source, v string) error { s.Medium = v; return nil },
	"licence":     func(s *palate.Source, v string) error { s.Licence = v; return nil },
	"licence_url": func(s *palate.Source, v string) error { s.LicenceURL = v; return nil },
	"credit":      func(s *palate.Source, v string) error { s.Credit = v; return nil },
	"external_id": func(s *palate.Source, v string) error { s.ExternalID = v; return nil },
	"page":        func(s *palate.Source, v string) error { s.Page = v; return nil },
	"year": func(s *palate.Source, v string) (err error) {
		if s.Year, err = strconv.Atoi(v); err != nil {
			return fmt.Errorf("%q is not a whole number", v)
		}
		return nil
	},
}

// noFields are the parts beside the file of a picture that is not kept.
var noFields = map[string]func(s *palate.Source, value string) error{}

// readUpload reads the parts of a multipart body as they come: the file and,
// where there are fields, these and the profile. No more than one picture is
// held in memory. The picture's own bytes are checked by whoever
// decodes them.
func readUpload(ctx context.Context, body *multipart.Reader, maxBytes int64, fields map[string]func(*palate.Source, string) error) (upload, error) {
	var u upload
	if body == nil {
		return u, &invalid{[]part{{detail: "body: want multipart/form-data with the picture in the part \"file\""}}}
	}
	for {
		if err := ctx.Err(); err != nil {
			return u, err
		}
		p, err := body.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return u, brokenBody(err, "the parts can't be read: the body is cut short or not multipart/form-data")
		}
		name := p.FormName()
		switch {
		case name == "file" && u.content != nil:
			return u, invalidParameter("file", "given more than once")
		case name == "file":
			u.content, err = readPart(p, maxBytes)
			u.source.OriginalName = strings.ToValidUTF8(p.FileName(), "\uFFFD")
		case name == "profile" && len(fields) == 0, name != "profile" && fields[name] == nil:
			return u, invalidParameter(name, "no such part")
		case name == "profile" && u.profile != nil:
			return u, invalidParameter("profile", "given more than once")
		case name == "profile":
			var value []byte
			value, err = readPart(p, maxFieldBytes)
			profile := strings.TrimSpace(string(value))
			u.profile = &profile
		default:
			err = readField(&u.source, name, fields[name], p)
		}
		if err != nil {
			return u, err
		}
	}
	if len(u.content) == 0 {
		return u, invalidParameter("file", "missing or empty: the picture goes there")
	}
	return u, nil
}

// brokenBody keeps what is the caller's to know of a failed read: that the
// body was too large or too slow, else what is given.
func brokenBody(err error, what string) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return fmt.Errorf("the body has more than %d bytes: %w", tooLarge.Limit, tooLarge)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return echo.NewHTTPError(http.StatusRequestTimeout, "the body came too slowly")
	}
	return &invalid{[]part{{detail: "body: " + what}}}
}

func readField(source *palate.Source, name string, set func(*palate.Source, string) error, p *multipart.Part) error {
	value, err := readPart(p, maxFieldBytes)
	if err != nil {
		return err
	}
	text := strings.TrimSpace(string(value))
	if strings.ToValidUTF8(text, "") != text {
		return invalidParameter(name, "not UTF-8")
	}
	if text == "" {
		return nil
	}
	if err := set(source, text); err != nil {
		return invalidParameter(name, "%v", err)
	}
	return nil
}

func readPart(p *multipart.Part, maxBytes int64) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(p, maxBytes+1))
	if err != nil {
		return nil, brokenBody(err, p.FormName()+" is cut short")
	}
	if int64(len(content)) > maxBytes {
		return nil, fmt.Errorf("%s has more than %d bytes: %w", p.FormName(), maxBytes, &http.MaxBytesError{Limit: maxBytes})
	}
	return content, nil
}

// embedUpload gives the embedding of an uploaded picture that is not kept.
func (s *Server) embedUpload(ctx context.Context, body *multipart.Reader) (palate.Embedding, error) {
	u, err := readUpload(ctx, body, s.config.MaxUploadBytes, noFields)
	if err != nil {
		return nil, err
	}
	return s.services.Collection.EmbedPicture(ctx, s.services.Embedder, u.content)
}

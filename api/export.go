package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/export"
)

// importBatch is how many ratings of a file are kept in one commit.
const importBatch = 1000

// ExportImages sends what is known of all images as it is read. It ends with the
// client: the answer closes what it reads from.
func (s *Server) ExportImages(ctx context.Context, request ExportImagesRequestObject) (ExportImagesResponseObject, error) {
	profile, err := resolve(ctx, request.Profile)
	if err != nil {
		return nil, err
	}
	p := request.Params
	format := export.Format(valueOr(p.Format, ExportFormatNdjson))
	query := export.Query{Profile: profile, Rated: valueOr(p.Rated, false), NamesOnly: true}
	if valueOr(p.Embeddings, false) && format == export.CSV {
		return nil, invalidParameter("embeddings", "CSV holds none; choose ndjson, parquet or npz")
	}
	if valueOr(p.Embeddings, false) || format == export.NPZ || format == export.Clip {
		query.Model, query.Dim = s.services.Embedder.Model(), s.services.Embedder.Dim()
	}
	read, write := io.Pipe()
	go func() {
		var err error
		if format == export.Clip {
			_, err = export.ToTar(ctx, write, s.services.Catalog, query)
		} else {
			_, err = export.To(ctx, write, s.services.Catalog, format, query)
		}
		write.CloseWithError(err)
	}()
	// What fails before much was sent is told as a problem.
	begun := bufio.NewReaderSize(read, 32<<10)
	if _, err := begun.Peek(begun.Size()); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	body := struct {
		io.Reader
		io.Closer
	}{begun, read}
	ending := string(format)
	if format == export.Clip {
		ending = "tar"
	}
	name := fmt.Sprintf("palate-%s.%s", profile, ending)
	return exported{ExportImages200ApplicationOctetStreamResponse{Body: body}, name}, nil
}

// exported is an answer that is kept as a file of a name.
type exported struct {
	ExportImages200ApplicationOctetStreamResponse
	name string
}

// VisitExportImagesResponse sends it.
func (e exported) VisitExportImagesResponse(w http.ResponseWriter) error {
	w.Header().Set("Content-Disposition", `attachment; filename="`+e.name+`"`)
	return e.ExportImages200ApplicationOctetStreamResponse.VisitExportImagesResponse(w)
}

// ImportRatings takes in the verdicts of a file.
func (s *Server) ImportRatings(ctx context.Context, request ImportRatingsRequestObject) (ImportRatingsResponseObject, error) {
	profile, err := resolve(ctx, request.Profile)
	if err != nil {
		return nil, err
	}
	said, err := export.Verdicts(request.Body, export.Format(valueOr(request.Params.Format, RatingsFormatFromNdjson)))
	if err != nil && !errors.Is(err, palate.ErrInvalid) {
		err = brokenBody(err, "it ends before it is whole")
	}
	if err != nil {
		return nil, err
	}
	done := RatingsImport{Rows: len(said)}
	for len(said) > 0 {
		some := said[:min(len(said), importBatch)]
		said = said[len(some):]
		if err := s.importSome(ctx, profile, some, &done); err != nil {
			return nil, err
		}
	}
	s.follow(ctx)
	return ImportRatings200JSONResponse(done), nil
}

func (s *Server) importSome(ctx context.Context, profile palate.Profile, some []export.Said, done *RatingsImport) error {
	ids := make([]palate.ImageID, len(some))
	for i, one := range some {
		ids[i] = one.Image
	}
	known, err := s.services.Catalog.AttributesOf(ctx, ids)
	if err != nil {
		return err
	}
	standing, err := s.services.Catalog.StandingVerdicts(ctx, profile, ids)
	if err != nil {
		return err
	}
	stars, err := s.services.Catalog.StandingStars(ctx, profile, ids)
	if err != nil {
		return err
	}
	var ratings []catalog.Rating
	for _, one := range some {
		if _, there := known[one.Image]; !there {
			done.Unknown++
			continue
		}
		if standing[one.Image] == one.Verdict && stars[one.Image] == one.Stars {
			done.Unchanged++
			continue
		}
		standing[one.Image], stars[one.Image] = one.Verdict, one.Stars
		ratings = append(ratings, catalog.Rating{Profile: profile, Image: one.Image, Verdict: one.Verdict, Stars: one.Stars, Shown: palate.ShownImport})
	}
	if _, err := s.services.Catalog.RateOnce(ctx, ratings); err != nil {
		return err
	}
	done.Rated += len(ratings)
	return nil
}

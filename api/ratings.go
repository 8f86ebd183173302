package api

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// ListRatings answers with a page of standing ratings.
func (s *Server) ListRatings(ctx context.Context, request ListRatingsRequestObject) (ListRatingsResponseObject, error) {
	profile, err := resolve(ctx, request.Profile)
	if err != nil {
		return nil, err
	}
	p := request.Params
	query := catalog.RatingQuery{Verdict: palate.Verdict(valueOr(p.Verdict, "")), Limit: valueOr(p.Limit, defaultLimit)}
	if query.Before, err = numberCursor(p.Cursor); err != nil {
		return nil, err
	}
	standing, err := s.services.Catalog.StandingRatings(ctx, profile, query)
	if err != nil {
		return nil, err
	}
	total, err := counted(p.Count, func() (int, error) { return s.services.Catalog.CountRatings(ctx, profile, query.Verdict) })
	if err != nil {
		return nil, err
	}
	list := RatingList{Ratings: make([]Rating, len(standing)), Total: total}
	for i, r := range standing {
		list.Ratings[i] = ratingOf(r)
	}
	if len(standing) == query.Limit {
		list.NextCursor = optional(strconv.FormatInt(standing[len(standing)-1].Entry, 10))
	}
	return ListRatings200JSONResponse(list), nil
}

// GetRating answers with the standing rating of an image.
func (s *Server) GetRating(ctx context.Context, request GetRatingRequestObject) (GetRatingResponseObject, error) {
	profile, id, err := rated(ctx, request.Profile, request.Image)
	if err != nil {
		return nil, err
	}
	r, err := s.services.Catalog.StandingRating(ctx, profile, id)
	return GetRating200JSONResponse(ratingOf(r)), err
}

// PutRating appends to the log.
func (s *Server) PutRating(ctx context.Context, request PutRatingRequestObject) (PutRatingResponseObject, error) {
	profile, id, err := rated(ctx, request.Profile, request.Image)
	if err != nil {
		return nil, err
	}
	given, err := ratingIn(*request.Body)
	if err != nil {
		return nil, err
	}
	given.Profile, given.Image = profile, id
	r, err := s.services.Catalog.RateOnce(ctx, []catalog.Rating{given})
	if err != nil {
		return nil, err
	}
	s.follow(ctx)
	return PutRating200JSONResponse(ratingOf(r[0])), nil
}

// PutRatings appends many ratings to the log, or none.
func (s *Server) PutRatings(ctx context.Context, request PutRatingsRequestObject) (PutRatingsResponseObject, error) {
	profile, err := resolve(ctx, request.Profile)
	if err != nil {
		return nil, err
	}
	ratings, now := make([]catalog.Rating, len(request.Body.Ratings)), time.Now().UTC()
	for i, r := range request.Body.Ratings {
		id, err := palate.ParseImageID(r.ImageID)
		if err != nil {
			return nil, fmt.Errorf("rating %d of the list: %w", i+1, err)
		}
		ratings[i], err = ratingIn(RatingInput{Verdict: r.Verdict, Stars: r.Stars, Shown: r.Shown, ProbeVersion: r.ProbeVersion, Score: r.Score})
		if err != nil {
			return nil, fmt.Errorf("rating %d of the list: %w", i+1, err)
		}
		ratings[i].Profile, ratings[i].Image, ratings[i].At = profile, id, now
	}
	stand, err := s.services.Catalog.RateOnce(ctx, ratings)
	if err != nil {
		return nil, err
	}
	s.follow(ctx)
	answer, added := PutRatings200JSONResponse{Ratings: make([]Rating, len(stand))}, []int64{}
	for i, r := range stand {
		answer.Ratings[i] = ratingOf(r)
		if r.At.Equal(now) { // what stood already was said at another time
			added = append(added, r.Entry)
		}
	}
	answer.Added = &added
	return answer, nil
}

// DeleteRating makes an image unrated.
func (s *Server) DeleteRating(ctx context.Context, request DeleteRatingRequestObject) (DeleteRatingResponseObject, error) {
	profile, id, err := rated(ctx, request.Profile, request.Image)
	if err != nil {
		return nil, err
	}
	if err := s.services.Catalog.ClearRating(ctx, profile, id); err != nil {
		return nil, err
	}
	s.follow(ctx)
	return DeleteRating204Response{}, nil
}

// UndoRating takes a rating back.
func (s *Server) UndoRating(ctx context.Context, request UndoRatingRequestObject) (UndoRatingResponseObject, error) {
	profile, err := resolve(ctx, request.Profile)
	if err != nil {
		return nil, err
	}
	var entry int64
	if request.Body != nil {
		entry = valueOr(request.Body.Entry, 0)
	}
	undone, err := s.services.Catalog.UndoRating(ctx, profile, entry)
	if err != nil {
		return nil, err
	}
	s.follow(ctx)
	r := ratingOf(undone.Rating)
	answer := UndoRating200JSONResponse{
		Entry: r.Entry, Profile: r.Profile, ImageID: r.ImageID, Verdict: optional(r.Verdict), Stars: r.Stars, Shown: optional(r.Shown),
		ProbeVersion: r.ProbeVersion, Score: r.Score, At: r.At, TookBack: optional(r.Verdict == ""),
	}
	if undone.Stands != nil {
		answer.Stands = optional(ratingOf(*undone.Stands))
	}
	return answer, nil
}

// ratingIn reads what is to be said; stars alone mean their verdict.
func ratingIn(body RatingInput) (catalog.Rating, error) {
	r := catalog.Rating{
		Verdict: palate.Verdict(valueOr(body.Verdict, "")), Stars: palate.Stars(valueOr(body.Stars, 0)),
		Shown: palate.Shown(valueOr(body.Shown, ShownAPI)), ProbeVersion: valueOr(body.ProbeVersion, 0), Score: body.Score,
	}
	if r.Verdict == "" {
		r.Verdict = r.Stars.Verdict()
	}
	if r.Verdict == "" {
		return r, fmt.Errorf("a rating says a verdict or stars, and this one neither: %w", palate.ErrInvalid)
	}
	return r, nil
}

func rated(ctx context.Context, profile, image string) (palate.Profile, palate.ImageID, error) {
	p, err := resolve(ctx, profile)
	if err != nil {
		return "", palate.ImageID{}, err
	}
	id, err := palate.ParseImageID(image)
	return p, id, err
}

func ratingOf(r catalog.Rating) Rating {
	return Rating{
		Entry: r.Entry, Profile: string(r.Profile), ImageID: r.Image.String(), Verdict: Verdict(r.Verdict), Stars: optional(Stars(r.Stars)), Shown: Shown(r.Shown),
		ProbeVersion: optional(r.ProbeVersion), Score: r.Score, At: r.At.UTC(),
	}
}

// numberCursor reads the cursor of a list that is paged by a growing number.
func numberCursor(cursor *string) (int64, error) {
	if cursor == nil {
		return 0, nil
	}
	n, err := strconv.ParseInt(*cursor, 10, 64)
	if err != nil || n < 1 {
		return 0, invalidParameter("cursor", "%s", fmt.Sprintf("%q is not the next_cursor of a page", *cursor))
	}
	return n, nil
}

package api

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/taste"
)

// ListScores answers with images by the probe's score.
func (s *Server) ListScores(ctx context.Context, request ListScoresRequestObject) (ListScoresResponseObject, error) {
	profile, err := palate.ParseProfile(request.Profile)
	if err != nil {
		return nil, err
	}
	p := request.Params
	filter, err := filterOf(filterParams{p.Artist, p.Licence, p.Site, p.Category, p.YearFrom, p.YearTo, p.Judged}, profile)
	if err != nil {
		return nil, err
	}
	from, err := parseScoreCursor(p.Cursor)
	if err != nil {
		return nil, err
	}
	limit := min(valueOr(p.Limit, defaultLimit), index.MaxOffset-from.offset)
	ranking, err := s.services.Tastes.Rank(ctx, profile, taste.RankQuery{
		Filter: filter, MinProbability: p.MinProbability, Collapse: valueOr(p.Collapse, 0), Version: from.version,
		Offset: from.offset, After: from.after(), Limit: limit + 1, // one more tells whether there is a next page
	})
	if err != nil {
		return nil, withoutProbe(profile, err)
	}
	more := len(ranking.Scores) > limit && from.offset+limit < index.MaxOffset
	scores := ranking.Scores[:min(limit, len(ranking.Scores))]
	ids := make([]palate.ImageID, len(scores))
	for i, score := range scores {
		ids[i] = score.Image
	}
	images, err := s.imagesOf(ctx, profile, ids)
	if err != nil {
		return nil, err
	}
	list := ScoreList{Scores: []ScoredImage{}, ProbeVersion: ranking.Version.Version, ModelID: string(ranking.Version.Model)}
	for _, score := range scores {
		if image, there := images[score.Image]; there {
			list.Scores = append(list.Scores, ScoredImage{Image: image, Score: score.Logit, Probability: score.Probability})
		}
	}
	if more {
		last := scores[limit-1]
		list.NextCursor = optional(scoreCursor{ranking.Version.Version, from.offset + limit, last.Product, last.Image}.String())
	}
	return ListScores200JSONResponse(list), nil
}

// GetScore answers with the score of one image.
func (s *Server) GetScore(ctx context.Context, request GetScoreRequestObject) (GetScoreResponseObject, error) {
	profile, id, err := rated(request.Profile, request.Image)
	if err != nil {
		return nil, err
	}
	if _, err := s.services.Catalog.Image(ctx, id); err != nil {
		return nil, err
	}
	scores, version, err := s.services.Tastes.ScoresOf(ctx, profile, []palate.ImageID{id})
	if err != nil {
		return nil, withoutProbe(profile, err)
	}
	score, there := scores[id]
	if !there {
		return nil, fmt.Errorf("image %s is not embedded yet: %w", id, palate.ErrConflict)
	}
	return GetScore200JSONResponse{ImageID: id.String(), Score: score.Logit, Probability: score.Probability, ProbeVersion: version.Version}, nil
}

// ScoreUpload answers with the score of a picture that is not kept.
func (s *Server) ScoreUpload(ctx context.Context, request ScoreUploadRequestObject) (ScoreUploadResponseObject, error) {
	profile, err := palate.ParseProfile(request.Profile)
	if err != nil {
		return nil, err
	}
	version, err := s.services.Tastes.Current(ctx, profile)
	if err != nil {
		return nil, withoutProbe(profile, err)
	}
	embedding, err := s.embedUpload(ctx, request.Body)
	if err != nil {
		return nil, err
	}
	score, err := version.ScoreEmbedding(embedding)
	if err != nil {
		return nil, err
	}
	return ScoreUpload200JSONResponse{Score: score.Logit, Probability: score.Probability,
		ProbeVersion: version.Version, ModelID: string(version.Model)}, nil
}

// withoutProbe says what to do where no probe serves the profile: that is a
// state to change, not an address that is wrong.
func withoutProbe(profile palate.Profile, err error) error {
	if errors.Is(err, palate.ErrNotFound) {
		return fmt.Errorf("%s has no probe yet: rate some images, then POST /v1/profiles/%s/probe: %w", profile, profile, palate.ErrConflict)
	}
	return err
}

// scoreCursor tells where a page of a ranking ends: behind so many hits, and
// behind which. A ranking belongs to one probe.
type scoreCursor struct {
	version, offset int
	product         float32 // of the last hit
	image           palate.ImageID
}

// after is the hit to go on behind; nil on the first page.
func (c scoreCursor) after() *index.Hit {
	if c.offset == 0 {
		return nil
	}
	return &index.Hit{ID: c.image, Score: c.product}
}

func (c scoreCursor) String() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%d.%x.%x", c.version, c.offset, math.Float32bits(c.product), c.image[:]))
}

func parseScoreCursor(cursor *string) (scoreCursor, error) {
	if cursor == nil {
		return scoreCursor{}, nil
	}
	var c scoreCursor
	var bits uint32
	var image []byte
	text, err := base64.RawURLEncoding.DecodeString(*cursor)
	if err == nil {
		_, err = fmt.Sscanf(string(text), "%d.%d.%x.%x", &c.version, &c.offset, &bits, &image)
	}
	c.product = math.Float32frombits(bits)
	copy(c.image[:], image)
	if err != nil || c.version < 1 || c.offset < 1 || c.offset >= index.MaxOffset || c.product != c.product || c.String() != *cursor {
		return scoreCursor{}, invalidParameter("cursor", "%q is not the next_cursor of a page", *cursor)
	}
	return c, nil
}

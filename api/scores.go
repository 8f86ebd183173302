package api

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/taste"
)

// ListScores answers with images by the probe's score.
func (s *Server) ListScores(ctx context.Context, request ListScoresRequestObject) (ListScoresResponseObject, error) {
	profile, err := resolve(ctx, request.Profile)
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
	if valueOr(p.Count, false) && p.Collapse != nil {
		return nil, invalidParameter("count", "does not go with collapse: how many groups there are is known when all of them were read")
	}
	limit := min(valueOr(p.Limit, defaultLimit), index.MaxOffset-from.offset)
	ranking, err := s.services.Tastes.Rank(ctx, profile, taste.RankQuery{
		Filter: filter, MinProbability: p.MinProbability, Collapse: valueOr(p.Collapse, 0), Version: from.version, LastEntry: from.lastEntry,
		Offset: from.offset, After: from.after(), Limit: limit + 1, // one more tells whether there is a next page
	})
	if err != nil {
		return nil, withoutJudgements(profile, err)
	}
	total, err := counted(p.Count, func() (int, error) { return s.countRanked(ctx, profile, filter, p.MinProbability, ranking) })
	if err != nil {
		return nil, err
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
	list := ScoreList{Scores: []ScoredImage{}, Total: total, ProbeVersion: ranking.Version.Version, ModelID: string(s.services.Embedder.Model()),
		NewerVersion: optional(ranking.Newer)}
	if order := ranking.Provisional; order != nil {
		list.Provisional = &ProvisionalOrder{Likes: order.Likes, Dislikes: order.Dislikes, Note: order.Note()}
	}
	for _, score := range scores {
		if image, there := images[score.Image]; there {
			list.Scores = append(list.Scores, ScoredImage{Image: image, Score: score.Logit, Probability: score.Chance()})
		}
	}
	if more {
		last := scores[limit-1]
		next := scoreCursor{version: ranking.Version.Version, offset: from.offset + limit, product: last.Product, image: last.Image}
		if ranking.Provisional != nil {
			next.lastEntry = ranking.Provisional.LastEntry
		}
		list.NextCursor = optional(next.String())
	}
	return ListScores200JSONResponse(list), nil
}

// countRanked counts the images of a ranking. By a chance every one of them has
// to be scored.
func (s *Server) countRanked(ctx context.Context, profile palate.Profile, filter index.Filter, above *float64, ranking taste.Ranking) (int, error) {
	if above == nil {
		return s.services.Index.Count(ctx, filter)
	}
	outlines, err := s.services.Catalog.Outlines(ctx, catalog.ImageQuery{Filter: filter})
	if err != nil {
		return 0, err
	}
	ids := make([]palate.ImageID, len(outlines))
	for i, o := range outlines {
		ids[i] = o.ID
	}
	all, err := s.services.Tastes.RankAmong(ctx, profile, ids, taste.Pin{Version: ranking.Version.Version})
	if err != nil {
		return 0, err
	}
	total := 0
	for _, score := range all.Scores {
		if chance := score.Chance(); chance != nil && *chance > *above {
			total++
		}
	}
	return total, nil
}

// GetScore answers with the score of one image.
func (s *Server) GetScore(ctx context.Context, request GetScoreRequestObject) (GetScoreResponseObject, error) {
	profile, id, err := rated(ctx, request.Profile, request.Image)
	if err != nil {
		return nil, err
	}
	if _, err := s.services.Catalog.Image(ctx, id); err != nil {
		return nil, err
	}
	scores, version, err := s.services.Tastes.ScoresOf(ctx, profile, []palate.ImageID{id})
	if err != nil {
		return nil, withoutJudgements(profile, err)
	}
	score, there := scores[id]
	if !there {
		return nil, fmt.Errorf("image %s is not embedded yet: %w", id, palate.ErrConflict)
	}
	return GetScore200JSONResponse{ImageID: id.String(), Score: score.Logit, Probability: score.Chance(),
		ProbeVersion: version.Version, Provisional: optional(score.Provisional)}, nil
}

// ScoreUpload answers with the score of a picture that is not kept.
func (s *Server) ScoreUpload(ctx context.Context, request ScoreUploadRequestObject) (ScoreUploadResponseObject, error) {
	profile, err := resolve(ctx, request.Profile)
	if err != nil {
		return nil, err
	}
	scorer, err := s.services.Tastes.ScorerOf(ctx, profile)
	if err != nil {
		return nil, withoutJudgements(profile, err)
	}
	embedding, err := s.embedUpload(ctx, request.Body)
	if err != nil {
		return nil, err
	}
	score, err := scorer.ScoreEmbedding(embedding)
	if err != nil {
		return nil, err
	}
	return ScoreUpload200JSONResponse{Score: score.Logit, Probability: score.Chance(), ProbeVersion: scorer.Version.Version,
		Provisional: optional(score.Provisional), ModelID: string(s.services.Embedder.Model())}, nil
}

// withoutJudgements says what to do where there is nothing to score by: that is
// a state to change, not an address that is wrong.
func withoutJudgements(profile palate.Profile, err error) error {
	if errors.Is(err, palate.ErrNotFound) {
		return fmt.Errorf("%s has judged no embedded image yet: like some images for a provisional order; with dislikes too, POST /v1/profiles/%s/probe learns a taste: %w", profile, profile, palate.ErrConflict)
	}
	return err
}

// withoutProbe says what to do where a probe is needed and none serves.
func withoutProbe(profile palate.Profile, err error) error {
	if errors.Is(err, palate.ErrNotFound) {
		return fmt.Errorf("%s has no probe yet: like and dislike some images, then POST /v1/profiles/%s/probe: %w", profile, profile, palate.ErrConflict)
	}
	return err
}

// scoreCursor tells where a page of a ranking ends: behind so many hits, and
// behind which. A ranking belongs to one probe, or, where the order is
// provisional, to the ratings up to an entry of the log.
type scoreCursor struct {
	version   int   // 0 in a provisional order
	lastEntry int64 // 0 where a probe ranks
	offset    int
	product   float32 // of the last hit
	image     palate.ImageID
}

// after is the hit to go on behind; nil on the first page.
func (c scoreCursor) after() *index.Hit {
	if c.offset == 0 {
		return nil
	}
	return &index.Hit{ID: c.image, Score: c.product}
}

func (c scoreCursor) String() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%d.%d.%x.%x", c.version, c.lastEntry, c.offset, math.Float32bits(c.product), c.image[:]))
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
		_, err = fmt.Sscanf(string(text), "%d.%d.%d.%x.%x", &c.version, &c.lastEntry, &c.offset, &bits, &image)
	}
	c.product = math.Float32frombits(bits)
	copy(c.image[:], image)
	if err != nil || c.version < 0 || c.lastEntry < 0 || c.version == 0 && c.lastEntry == 0 ||
		c.offset < 1 || c.offset >= index.MaxOffset || c.product != c.product || c.String() != *cursor {
		return scoreCursor{}, invalidParameter("cursor", "%q is not the next_cursor of a page", *cursor)
	}
	return c, nil
}

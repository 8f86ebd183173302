package collection

import (
	"context"
	"os"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/taste"
)

// Question is a picture to judge next.
type Question struct {
	Image       string       `json:"image_id"`
	Shown       palate.Shown `json:"shown"`
	Score       *float64     `json:"score,omitempty"` // by the taste, if there is one
	Probability *float64     `json:"probability,omitempty"`
	Probe       int          `json:"probe_version,omitempty"`
	Title       string       `json:"title,omitempty"`
	Artist      string       `json:"artist,omitempty"`
}

// Questions are pictures to ask a profile about, at most limit, so that few
// ratings teach much.
func (m *Model) Questions(ctx context.Context, profile palate.Profile, limit int) ([]Question, error) {
	if err := m.CatchUp(ctx); err != nil {
		return nil, err
	}
	queue, err := m.Tastes.Queue(ctx, profile, limit)
	if err != nil {
		return nil, err
	}
	questions := make([]Question, len(queue.Choices))
	for i, choice := range queue.Choices {
		image, err := m.Catalog.Image(ctx, choice.ID)
		if err != nil {
			return nil, err
		}
		questions[i] = Question{Image: choice.ID.String(), Shown: choice.Shown, Probe: queue.Version, Title: image.Title(), Artist: image.Artist()}
		if queue.Version != 0 {
			questions[i].Score, questions[i].Probability = &choice.Score, &choice.Probability
		}
	}
	return questions, nil
}

// Doubt is a rating that is likely a mistake.
type Doubt struct {
	Image       string         `json:"image_id"`
	Said        palate.Verdict `json:"said"`
	Probability float64        `json:"probability"` // of a like
	Doubt       float64        `json:"doubt"`
	Title       string         `json:"title,omitempty"`
	Artist      string         `json:"artist,omitempty"`
}

// Doubts are the ratings of a profile that are likely mistakes, at most limit,
// the most doubtful first.
func (m *Model) Doubts(ctx context.Context, profile palate.Profile, limit int) ([]Doubt, error) {
	doubted, err := m.Tastes.Mislabels(ctx, profile, limit)
	if err != nil {
		return nil, err
	}
	doubts := make([]Doubt, len(doubted))
	for i, d := range doubted {
		image, err := m.Catalog.Image(ctx, d.Image)
		if err != nil {
			return nil, err
		}
		doubts[i] = Doubt{Image: d.Image.String(), Said: palate.Dislike, Probability: d.Probability, Doubt: d.Doubt, Title: image.Title(), Artist: image.Artist()}
		if d.Liked {
			doubts[i].Said = palate.Like
		}
	}
	return doubts, nil
}

// Near is an image that is near another, or near a file.
type Near struct {
	Image      string  `json:"image_id"`
	Similarity float32 `json:"similarity"`
	Title      string  `json:"title,omitempty"`
	Artist     string  `json:"artist,omitempty"`
}

// near describes hits.
func (c *Collection) near(ctx context.Context, hits []index.Hit) ([]Near, error) {
	all := make([]Near, len(hits))
	for i, hit := range hits {
		image, err := c.Catalog.Image(ctx, hit.ID)
		if err != nil {
			return nil, err
		}
		all[i] = Near{hit.ID.String(), hit.Score, image.Title(), image.Artist()}
	}
	return all, nil
}

// Similar are the images nearest to a picture file, or to an image of the
// collection by a name that ImageNamed takes, that are at least so similar. The
// query says how many at most.
func (m *Model) Similar(ctx context.Context, to string, query index.Query, least float32) ([]Near, error) {
	if err := m.CatchUp(ctx); err != nil {
		return nil, err
	}
	if info, err := os.Stat(to); err == nil && !info.IsDir() {
		if query.Vector, err = m.Loader.EmbedFile(ctx, m.Embedder, to); err != nil {
			return nil, err
		}
	} else {
		id, err := m.ImageNamed(ctx, to)
		if err != nil {
			return nil, err
		}
		query.Near = &id
	}
	hits, err := m.Index.Search(ctx, query)
	if err != nil {
		return nil, err
	}
	return m.near(ctx, slices.DeleteFunc(hits, func(hit index.Hit) bool { return hit.Score < least }))
}

// Scored is an image of the collection or a file with its score.
type Scored struct {
	Image       string   `json:"image_id,omitempty"`
	File        string   `json:"file,omitempty"`
	Score       float64  `json:"score"`
	Probability *float64 `json:"probability"` // null in a provisional order
	Probe       int      `json:"probe_version"`
	Title       string   `json:"title,omitempty"`
	Artist      string   `json:"artist,omitempty"`
}

// Ranked are the images of the collection in the order of a taste, as many as the
// query's limit, which may be larger than an index gives. An order that is
// provisional is told.
func (m *Model) Ranked(ctx context.Context, profile palate.Profile, query taste.RankQuery) ([]Scored, error) {
	if err := m.CatchUp(ctx); err != nil {
		return nil, err
	}
	rank := m.Tastes.Rank
	if query.Limit > index.MaxLimit {
		rank = m.Tastes.RankWhole
	}
	ranking, err := rank(ctx, profile, query)
	if err != nil {
		return nil, err
	}
	if ranking.Provisional != nil {
		note(m.tell, "%s", ranking.Provisional.Note())
	}
	scores := ranking.Scores[:min(len(ranking.Scores), query.Limit)]
	all := make([]Scored, 0, len(scores))
	for some := range slices.Chunk(scores, 1000) {
		ids := make([]palate.ImageID, len(some))
		for i, score := range some {
			ids[i] = score.Image
		}
		images, err := m.Catalog.ImagesByID(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, score := range some {
			one := Scored{Image: score.Image.String(), Score: score.Logit, Probability: score.Chance(), Probe: ranking.Version.Version}
			if len(images) > 0 && images[0].ID == score.Image { // it may have been deleted meanwhile
				one.Title, one.Artist, images = images[0].Title(), images[0].Artist(), images[1:]
			}
			all = append(all, one)
		}
	}
	return all, nil
}

// ScoredFiles are picture files with their scores, in their order. They need not
// be in the collection.
func (m *Model) ScoredFiles(ctx context.Context, profile palate.Profile, files []string) ([]Scored, error) {
	scorer, err := m.Tastes.ScorerOf(ctx, profile)
	if err != nil {
		return nil, err
	}
	if scorer.Provisional != nil {
		note(m.tell, "%s", scorer.Provisional.Note())
	}
	all := make([]Scored, len(files))
	for i, file := range files {
		embedding, err := m.Loader.EmbedFile(ctx, m.Embedder, file)
		if err != nil {
			return nil, err
		}
		score, err := scorer.ScoreEmbedding(embedding)
		if err != nil {
			return nil, err
		}
		all[i] = Scored{File: file, Score: score.Logit, Probability: score.Chance(), Probe: scorer.Version.Version}
	}
	return all, nil
}

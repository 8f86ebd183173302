package taste

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
)

// RankWhole ranks every image that is embedded, the best first, by reading all
// embeddings of the catalog: an index gives no list of a whole collection.
// q.Limit and q.Offset are not looked at, and q.Collapse, q.After, q.Version
// and q.LastEntry are palate.ErrInvalid. Its other errors are those of Rank.
func (t *Tastes) RankWhole(ctx context.Context, p palate.Profile, q RankQuery) (Ranking, error) {
	if q.Collapse != 0 || q.After != nil || q.Version != 0 || q.LastEntry != 0 {
		return Ranking{}, fmt.Errorf("a whole ranking collapses nothing and goes on from nowhere: %w", palate.ErrInvalid)
	}
	version, order, err := t.serving(ctx, p, 0)
	if err != nil {
		return Ranking{}, err
	}
	if order != nil && q.MinProbability != nil {
		return Ranking{}, fmt.Errorf("%w: %s: %w", ErrNoChance, order.Note(), palate.ErrConflict)
	}
	wanted, err := t.passing(ctx, q.Filter)
	if err != nil {
		return Ranking{}, fmt.Errorf("ranking of %s: %w", p, err)
	}
	ranking := Ranking{Version: version, Provisional: order}
	err = t.eachEmbedding(ctx, func(id palate.ImageID, e palate.Embedding) error {
		if wanted != nil && !wanted[id] {
			return nil
		}
		var score Score
		var err error
		if order != nil {
			score, err = order.score(id, e)
		} else if err = e.Validate(len(version.Learned.Weights)); err == nil {
			score = version.scoreOf(id, e)
		}
		if err == nil && (q.MinProbability == nil || score.Probability > *q.MinProbability) {
			ranking.Scores = append(ranking.Scores, score)
		}
		return err
	})
	if err != nil {
		return Ranking{}, fmt.Errorf("ranking of %s: %w", p, err)
	}
	slices.SortFunc(ranking.Scores, func(a, b Score) int {
		return cmp.Or(cmp.Compare(b.Logit, a.Logit), slices.Compare(a.Image[:], b.Image[:]))
	})
	return ranking, nil
}

// passing gives the images that pass a filter; nil is all.
func (t *Tastes) passing(ctx context.Context, f index.Filter) (map[palate.ImageID]bool, error) {
	if f.IsZero() {
		return nil, nil
	}
	ids := map[palate.ImageID]bool{}
	for query := (catalog.ImageQuery{Filter: f, Order: catalog.Oldest, Limit: 1000}); ; {
		page, err := t.catalog.ListImages(ctx, query)
		if err != nil {
			return nil, err
		}
		for _, image := range page.Images {
			ids[image.ID] = true
		}
		if query.After = page.Next; page.Next == "" {
			return ids, nil
		}
	}
}

// eachEmbedding visits all embeddings by the model that tastes are learned on.
func (t *Tastes) eachEmbedding(ctx context.Context, visit func(palate.ImageID, palate.Embedding) error) error {
	const page = 1000
	for after := (palate.ImageID{}); ; {
		some, err := t.catalog.ListEmbeddings(ctx, t.model, after, page)
		if err != nil {
			return err
		}
		for _, e := range some {
			if err := visit(e.ID, e.Embedding); err != nil {
				return err
			}
		}
		if len(some) < page {
			return nil
		}
		after = some[page-1].ID
	}
}

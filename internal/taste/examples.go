package taste

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/probe"
)

// ratingsPage is how many ratings are read from the catalog at a time.
const ratingsPage = 1000

// read gathers the standing likes and dislikes that have an embedding.
func (tr *Training) read(ctx context.Context) error {
	t := tr.tastes
	var servedUpTo int64
	switch current, err := t.Current(ctx, tr.Profile); {
	case err == nil:
		tr.serving, servedUpTo = current.Learned, current.LastEntry
	case !errors.Is(err, palate.ErrNotFound):
		return err
	}
	ratings, err := t.judgements(ctx, tr.Profile)
	if err != nil {
		return err
	}
	if tr.examples, err = t.examples(ctx, ratings); err != nil {
		return err
	}
	between, err := t.between(ctx, tr.Profile)
	if err != nil {
		return err
	}
	if tr.config.Between, err = t.examples(ctx, between); err != nil {
		return err
	}
	for _, r := range between {
		tr.lastEntry = max(tr.lastEntry, r.Entry)
	}
	for _, e := range tr.examples {
		entry := ratings[e.Image].Entry
		if entry > servedUpTo {
			tr.since = append(tr.since, e)
		}
		tr.lastEntry = max(tr.lastEntry, entry)
	}
	// Whoever asks for a training waits for this: copies of one work are
	// found by the training itself.
	quick := tr.config
	quick.NearDuplicates = false
	return quick.Enough(tr.examples)
}

// examples gives what there is to learn from ratings: those of images that
// have an embedding, with what else is known of them.
func (t *Tastes) examples(ctx context.Context, ratings map[palate.ImageID]catalog.Rating) ([]probe.Example, error) {
	ids := slices.SortedFunc(maps.Keys(ratings), func(a, b palate.ImageID) int { return bytes.Compare(a[:], b[:]) })
	embeddings, err := t.catalog.EmbeddingsOf(ctx, t.model, ids)
	if err != nil {
		return nil, err
	}
	attributes, err := t.catalog.AttributesOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	simpler, err := t.baselines(ctx, ids)
	if err != nil {
		return nil, err
	}
	examples := make([]probe.Example, len(embeddings))
	for i, e := range embeddings {
		a, r := attributes[e.ID], ratings[e.ID]
		examples[i] = probe.Example{Image: e.ID, Embedding: e.Embedding, Liked: r.Verdict == palate.Like, Stars: r.Stars, Shown: r.Shown,
			Artist: first(a.Artists), Site: first(a.Sites)}
		if row, there := simpler[e.ID]; there {
			examples[i].Features = map[string]palate.Embedding{probe.Baseline: row}
		}
	}
	return examples, nil
}

func first(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

// baselines gives the embeddings that the built-in model has made of the
// images, if another model serves.
func (t *Tastes) baselines(ctx context.Context, ids []palate.ImageID) (map[palate.ImageID]palate.Embedding, error) {
	known, err := t.catalog.Models(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[palate.ImageID]palate.Embedding)
	for _, m := range known {
		if m.Name != models.Baseline || m.ID == t.model {
			continue
		}
		embeddings, err := t.catalog.EmbeddingsOf(ctx, m.ID, ids)
		if err != nil {
			return nil, err
		}
		for _, e := range embeddings {
			out[e.ID] = e.Embedding
		}
	}
	return out, nil
}

// sketch gives a picture in small. One that can't be read has none, and is
// told from others by its embedding alone.
func (t *Tastes) sketch(ctx context.Context, id palate.ImageID) []byte {
	sketch, err := t.config.Sketch(ctx, id)
	if err != nil {
		t.logger.DebugContext(ctx, "picture has no sketch", "image", id, "error", err)
	}
	return sketch
}

// mostRemembered bounds of how many profiles it is remembered what was compared,
// scored or drawn: those that a server works for again and again.
const mostRemembered = 8

// makeRoom forgets of others, any of them, until there is room for one more:
// which one costs time alone.
func makeRoom[V any](remembered map[palate.Profile]V, p palate.Profile) {
	for other := range remembered {
		if _, there := remembered[p]; there || len(remembered) < mostRemembered {
			return
		}
		delete(remembered, other)
	}
}

// comparisons are what was compared of the ratings of a profile.
func (t *Tastes) comparisons(p palate.Profile) *probe.Comparisons {
	t.mu.Lock()
	defer t.mu.Unlock()
	known, there := t.compared[p]
	if !there {
		makeRoom(t.compared, p)
		known = probe.NewComparisons()
		t.compared[p] = known
	}
	return known
}

// between returns what a profile graded neither a like nor a dislike.
func (t *Tastes) between(ctx context.Context, p palate.Profile) (map[palate.ImageID]catalog.Rating, error) {
	ratings := make(map[palate.ImageID]catalog.Rating)
	for before := int64(0); ; {
		page, err := t.catalog.StandingRatings(ctx, p, catalog.RatingQuery{Verdict: palate.Skip, Before: before, Limit: ratingsPage})
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			if isBetween(r) {
				ratings[r.Image] = r
			}
		}
		if len(page) < ratingsPage {
			return ratings, nil
		}
		before = page[len(page)-1].Entry
	}
}

// isBetween reports three stars that were neither liked nor disliked.
func isBetween(r catalog.Rating) bool { return r.Verdict == palate.Skip && r.Stars == 3 }

// judgements returns the standing likes and dislikes of a profile.
func (t *Tastes) judgements(ctx context.Context, p palate.Profile) (map[palate.ImageID]catalog.Rating, error) {
	ratings := make(map[palate.ImageID]catalog.Rating)
	for before := int64(0); ; {
		page, err := t.catalog.StandingRatings(ctx, p, catalog.RatingQuery{Before: before, Limit: ratingsPage})
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			if r.Verdict != palate.Skip {
				ratings[r.Image] = r
			}
		}
		if len(page) < ratingsPage {
			return ratings, nil
		}
		before = page[len(page)-1].Entry
	}
}

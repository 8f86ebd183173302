package api_test

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/arena"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/tuning"
)

// PrepareTuning has one model that can be trained, by its file.
func (s steps) PrepareTuning(ctx context.Context, model string, request tuning.Request) (*tuning.Training, error) {
	store := models.OpenStore(s.models)
	if _, err := store.Local("greys"); errors.Is(err, palate.ErrNotFound) {
		if _, err := store.Add(ctx, models.Addition{Name: "greys", File: "../internal/models/testdata/tiny/model.safetensors"}); err != nil {
			return nil, err
		}
	}
	var err error
	if request.Weights, err = store.Find(model, nil); err != nil {
		return nil, err
	}
	runtime, err := ort.Load(ctx, ort.DefaultConfig())
	if err != nil {
		return nil, err
	}
	request.Name = cmp.Or(request.Name, tuning.DefaultName(model, request.Profile))
	return (&tuning.Tuner{Catalog: s.catalog, Collection: s.collection, Runtime: runtime, Models: store, Folder: s.models + "-trained"}).Prepare(ctx, request)
}

// dead leaves the job of a process that was killed, as it had got, and says its number.
func (f *fixture) dead(t *testing.T, kind job.Kind, progress any) int64 {
	t.Helper()
	other, err := sqlite.Open(t.Context(), filepath.Join(filepath.Dir(f.models), "catalog.db"), sqlite.DefaultConfig())
	must(t, err)
	j, err := job.Begin(t.Context(), other, kind, palate.DefaultProfile)
	must(t, err)
	j.Tell(t.Context(), 1, 2, progress, true)
	must(t, other.Close())
	return j.Run.ID
}

// Contest is between ways to learn on mean colours, by whatever name.
func (s steps) Contest(ctx context.Context, names []string, config arena.Config) (*arena.Contest, int, error) {
	standing, err := s.catalog.StandingRatings(ctx, config.Profile, catalog.RatingQuery{Limit: 1000})
	if err != nil {
		return nil, 0, err
	}
	entrants := make([]arena.Entrant, len(names))
	for i, name := range names {
		entrants[i] = arena.Entrant{Name: name, ID: colours{}.Model(), Embeddings: map[palate.ImageID]palate.Embedding{}, Seconds: 1}
	}
	var rated []arena.Rated
	for _, r := range standing {
		known, err := s.catalog.EmbeddingsOf(ctx, colours{}.Model(), []palate.ImageID{r.Image})
		if err != nil {
			return nil, 0, err
		}
		for _, e := range known {
			rated = append(rated, arena.Rated{Image: e.ID, Liked: r.Verdict == palate.Like})
			for _, entrant := range entrants {
				entrant.Embeddings[e.ID] = e.Embedding
			}
		}
	}
	config.Folder = filepath.Join(s.models, "arena")
	contest, err := arena.New(ctx, nil, tuning.NewReader(s.collection), rated, entrants, config)
	return contest, len(standing) - len(rated), err
}

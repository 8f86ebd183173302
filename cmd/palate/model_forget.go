package main

import (
	"context"
	"errors"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/show"
)

type modelForgetCommand struct {
	ID  string `arg:"" help:"ID of the model, or its beginning; see palate model list." name:"id"`
	Yes bool   `help:"Remove what is shown." short:"y"`
}

// Run removes a model's embeddings and probes from the collection; the model
// itself, its file and all ratings stay.
func (c *modelForgetCommand) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		f, err := h.Forget(ctx, c.ID, c.Yes)
		if err != nil {
			return err
		}
		if s.JSON {
			return s.Print(f)
		}
		verb := "would be removed; say --yes to do it"
		if c.Yes {
			verb = "are removed"
		}
		s.Say("%d embeddings by %s (%s) and the tastes learned on them %s. Pictures and ratings stay.", f.Embeddings, f.Name, f.Model.Short(), verb)
		if f.Serves != "" {
			s.Say("Of this collection then serves model %s.", f.Serves.Short())
		}
		return nil
	})
}

// sayCollection shows what the collection's embeddings are by, under the list
// of models.
func (s *session) sayCollection(ctx context.Context) error {
	entries, err := s.collectionModelEntries(ctx)
	if err != nil {
		return err
	}
	show.CollectionModels(s.Terminal, entries, s.Data)
	return nil
}

// collectionModelEntries is empty where there is no collection.
func (s *session) collectionModelEntries(ctx context.Context) ([]collection.ModelEntry, error) {
	if !collection.HasCatalog(s.Data) {
		return nil, nil
	}
	h, err := openHome(ctx, s)
	if err != nil {
		return nil, err
	}
	entries, err := h.Models(ctx)
	return entries, errors.Join(err, h.Close())
}

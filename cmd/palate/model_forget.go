package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/terminal"
)

type modelForgetCommand struct {
	ID  string `arg:"" help:"ID of the model, or its beginning; see palate model list." name:"id"`
	Yes bool   `help:"Remove what is shown."`
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
	if err != nil || len(entries) == 0 {
		return err
	}
	s.Say("\nEmbeddings of the collection in %s:", s.Data)
	terminal.Rows(s.Terminal, entries, "", []string{"ID", "MODEL", "SIZE", "FIT", "IMAGES", "STATE", "PICTURES ARE READ BY"}, func(e collection.ModelEntry) []string {
		size := ""
		if e.Settings.Size > 0 {
			size = fmt.Sprint(e.Settings.Size)
		}
		return []string{e.Model.Short(), e.Name, size, string(e.Settings.Fit), fmt.Sprint(e.Embedded), string(e.State), fmt.Sprintf("%s (%s)", e.Rules, e.About)}
	})
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

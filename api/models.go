package api

import (
	"context"
	"fmt"

	"github.com/palate-art/palate"
)

// ListModels answers with the models that the collection can be embedded with.
func (s *Server) ListModels(ctx context.Context, _ ListModelsRequestObject) (ListModelsResponseObject, error) {
	if s.services.Starter == nil {
		return nil, fmt.Errorf("this server starts no jobs, and embeds with no other model: %w", palate.ErrForbidden)
	}
	choices, err := s.services.Starter.Choices(ctx)
	if err != nil {
		return nil, err
	}
	list := ModelList{Models: make([]Model, len(choices.Models))}
	for i, c := range choices.Models {
		list.Models[i] = Model{Name: c.Name, What: c.What, State: ModelState(c.State), Problem: optional(c.Problem), Bytes: optional(c.Bytes),
			Licence: optional(c.Licence), LicenceURL: optional(c.LicenceURL), Page: optional(c.Page), Gated: optional(c.Gated),
			Untrainable: optional(c.Untrainable), Embedded: c.Embedded, Serves: c.Serves, Coming: c.Coming}
		if len(c.Guessed) > 0 {
			list.Models[i].Guessed = &c.Guessed
		}
		if !palate.CallerOf(ctx).Manages {
			list.Models[i].Problem = nil // it names files
		}
	}
	if u := choices.Upgrade; u != nil {
		list.Upgrade = &RulesUpgrade{From: u.From, To: u.To}
	}
	return ListModels200JSONResponse(list), nil
}

package main

import (
	"context"
	"fmt"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/doctor"
	"github.com/palate-art/palate/internal/show"
)

type doctorCommand struct{}

// Run looks at everything and fails if anything is wrong.
func (c *doctorCommand) Run(ctx context.Context, s *session) error {
	used, err := s.collectionModels(ctx)
	if err != nil { // it is told with the collection
		used = nil
	}
	d := doctor.Look(ctx, doctor.Subject{Version: version(), Config: s.collectionConfig(), Loader: s.loader(), Used: used,
		Open: func(ctx context.Context) (*collection.Collection, error) { return openHome(ctx, s) }})
	if err := show.Diagnosis(s.Terminal, d, s.Data); err != nil {
		return err
	}
	if len(d.Problems) > 0 {
		return fmt.Errorf("%d problem(s) found", len(d.Problems))
	}
	return nil
}

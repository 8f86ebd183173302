package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index/qdrant"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/ingest"
)

// lookAtServer looks at the Qdrant server: its version and strict mode, whose
// points it holds, whether they have what searches need, and how far they follow
// the catalog.
func (c *doctorCommand) lookAtServer(ctx context.Context, s *session, from catalog.Catalog, config qdrant.Config, d *diagnosis) {
	problem := func(format string, args ...any) {
		d.Problems = append(d.Problems, fmt.Sprintf("index: "+format, args...))
	}
	model := palate.ModelID(d.Model.ID)
	server, err := qdrant.New(config, model, d.Model.Dim, s.logger)
	if err != nil {
		problem("%s", palate.Message(err))
		return
	}
	follower := ingest.NewFollower(from, server, "qdrant-"+model.Short(), s.logger)
	status, err := server.Status(ctx)
	if err != nil {
		d.Collection.Index = "Qdrant, which does not answer"
		problem("%v", errors.Join(err, server.Close()))
		return
	}
	said := []string{"Qdrant " + status.Version}
	if status.Warning != "" {
		problem("%s", status.Warning)
	}
	for _, found := range status.Collections {
		if !found.Serves {
			continue
		}
		if found.Strict {
			said = append(said, "in strict mode")
		}
		for _, less := range found.Less {
			problem("%s by the server's strict mode", less)
		}
		said = append(said, fmt.Sprintf("collection %s of %d points, %s", found.Name, found.Points, found.State))
		if len(found.Missing) > 0 {
			problem("%s lacks %s; palate index verify makes them", found.Name, strings.Join(found.Missing, ", "))
		}
	}
	at, last, err := follower.Progress(ctx)
	if err == nil {
		said = append(said, fmt.Sprintf("up to change %d of %d", at, last))
		err = server.Ready(ctx)
	}
	if err != nil {
		problem("%s", palate.Message(err))
	}
	if err := server.Close(); err != nil {
		problem("%s", palate.Message(err))
	}
	d.Collection.Index = strings.Join(said, ", ")
}

package collection

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index/qdrant"
	"github.com/palate-art/palate/internal/ingest"
)

// LookAtServer looks at the Qdrant server that holds the index: its version and
// strict mode, whose points it holds, whether they have what searches need, and
// how far they follow the catalog. It says what was found, and what is wrong. An
// address that can't be is not told here: ServerConfig does, and about is empty.
func (c *Collection) LookAtServer(ctx context.Context, model palate.ModelID, dim int) (about string, problems []string) {
	config, err := ServerConfig(c.config.Index)
	if err != nil {
		return "", nil
	}
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	server, err := qdrant.New(config, model, dim, c.logger)
	if err != nil {
		problem("%s", palate.Message(err))
		return "", problems
	}
	follower := ingest.NewFollower(c.Catalog, server, "qdrant-"+model.Short(), c.logger)
	status, err := server.Status(ctx)
	if err != nil {
		problem("%v", errors.Join(err, server.Close()))
		return "Qdrant, which does not answer", problems
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
	return strings.Join(said, ", "), problems
}

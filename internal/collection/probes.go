package collection

import (
	"context"
	"fmt"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/taste"
)

// ModelNames are the names of the models that the collection knows.
func (c *Collection) ModelNames(ctx context.Context) (map[palate.ModelID]string, error) {
	known, err := c.Catalog.Models(ctx)
	names := make(map[palate.ModelID]string, len(known))
	for _, m := range known {
		names[m.ID] = m.Name
	}
	return names, err
}

// CurrentProbe is the version that serves a profile on this model's embeddings.
// Without one it is palate.ErrNotFound, and the error names those that serve on
// others.
func (m *Model) CurrentProbe(ctx context.Context, profile palate.Profile) (taste.Version, error) {
	version, missing := m.Tastes.Current(ctx, profile)
	if missing == nil {
		return version, nil
	}
	stored, err := m.Catalog.ListProbes(ctx, profile)
	if err != nil {
		return version, err
	}
	names, err := m.ModelNames(ctx)
	if err != nil {
		return version, err
	}
	var others []string
	for _, p := range stored {
		if p.Current && p.Model != m.Embedder.Model() {
			others = append(others, fmt.Sprintf("version %d on %s (palate probe show %d, or --model %s)", p.Version, names[p.Model], p.Version, names[p.Model]))
		}
	}
	if len(others) > 0 {
		missing = fmt.Errorf("%w; %s is in use here, and on other embeddings there is %s", missing, m.Embedder.Name(), strings.Join(others, ", "))
	}
	return version, missing
}

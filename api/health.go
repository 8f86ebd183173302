package api

import (
	"context"
	"sync"
	"time"

	"github.com/palate-art/palate/internal/catalog"
)

// writesTriedEvery is how often health tries to write at most.
const writesTriedEvery = 5 * time.Second

// writable remembers whether the catalog could be written.
type writable struct {
	mu      sync.Mutex
	triedAt time.Time
	err     error
}

func (w *writable) ask(ctx context.Context, c catalog.Catalog) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.triedAt) < writesTriedEvery {
		return w.err
	}
	err := c.Writable(ctx)
	if ctx.Err() == nil {
		w.triedAt, w.err = time.Now(), err
	}
	return err
}

// GetLiveness answers, which is all that it says.
func (s *Server) GetLiveness(context.Context, GetLivenessRequestObject) (GetLivenessResponseObject, error) {
	return GetLiveness200JSONResponse{Status: LivenessStatusAlive}, nil
}

type check struct {
	name string
	ask  func(context.Context) error
}

func (s *Server) readChecks() []check {
	return []check{
		{"catalog", func(ctx context.Context) error { _, err := s.services.Catalog.LastChange(ctx); return err }},
		{"index", s.services.Index.Ready},
	}
}

// GetReadiness asks the parts that answer what is read.
func (s *Server) GetReadiness(ctx context.Context, _ GetReadinessRequestObject) (GetReadinessResponseObject, error) {
	health := ask(ctx, s.readChecks())
	if health.Status == HealthStatusDegraded {
		return GetReadiness503JSONResponse(health), nil
	}
	return GetReadiness200JSONResponse(health), nil
}

// GetHealth asks every part whether it can do its work.
func (s *Server) GetHealth(ctx context.Context, _ GetHealthRequestObject) (GetHealthResponseObject, error) {
	health := ask(ctx, append(s.readChecks(),
		check{"catalog_writes", func(ctx context.Context) error { return s.writable.ask(ctx, s.services.Catalog) }},
		check{"images", s.services.Store.Ready}))
	if health.Status == HealthStatusDegraded {
		return GetHealth503JSONResponse(health), nil
	}
	return GetHealth200JSONResponse(health), nil
}

func ask(ctx context.Context, checks []check) Health {
	health := Health{Status: HealthStatusOk}
	for _, c := range checks {
		err := c.ask(ctx)
		detail := ""
		if err != nil {
			health.Status, detail = HealthStatusDegraded, err.Error()
		}
		health.Parts = append(health.Parts, HealthPart{Name: c.name, Ok: err == nil, Detail: optional(detail)})
	}
	return health
}

// GetVersion answers with the versions of program, document and model.
func (s *Server) GetVersion(ctx context.Context, _ GetVersionRequestObject) (GetVersionResponseObject, error) {
	e := s.services.Embedder
	identity, err := s.services.Catalog.Identity(ctx)
	return GetVersion200JSONResponse{Version: s.config.Version, API: s.version, Collection: identity.Catalog,
		Model: e.Name(), ModelID: string(e.Model()), Provider: e.Provider(), Dim: e.Dim(), HeatMaps: s.services.HeatMaps}, err
}

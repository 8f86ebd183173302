package api

import (
	"context"
)

// GetHealth asks every part whether it can do its work.
func (s *Server) GetHealth(ctx context.Context, _ GetHealthRequestObject) (GetHealthResponseObject, error) {
	checks := []struct {
		name  string
		check func(context.Context) error
	}{
		{"catalog", func(ctx context.Context) error { _, err := s.services.Catalog.LastChange(ctx); return err }},
		{"images", s.services.Store.Ready},
		{"index", s.services.Index.Ready},
	}
	health := Health{Status: HealthStatusOk}
	for _, c := range checks {
		err := c.check(ctx)
		detail := ""
		if err != nil {
			health.Status, detail = HealthStatusDegraded, err.Error()
		}
		health.Parts = append(health.Parts, struct {
			Detail *string `json:"detail,omitempty"`
			Name   string  `json:"name"`
			Ok     bool    `json:"ok"`
		}{optional(detail), c.name, err == nil})
	}
	if health.Status == HealthStatusDegraded {
		return GetHealth503JSONResponse(health), nil
	}
	return GetHealth200JSONResponse(health), nil
}

// GetVersion answers with the versions of program, document and model.
func (s *Server) GetVersion(context.Context, GetVersionRequestObject) (GetVersionResponseObject, error) {
	document, err := GetSpec()
	if err != nil {
		return nil, err
	}
	e := s.services.Embedder
	return GetVersion200JSONResponse{Version: s.config.Version, API: document.Info.Version,
		Model: e.Name(), ModelID: string(e.Model()), Provider: e.Provider(), Dim: e.Dim()}, nil
}

package api

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// GetProbe answers with the probe that serves the profile.
func (s *Server) GetProbe(ctx context.Context, request GetProbeRequestObject) (GetProbeResponseObject, error) {
	profile, err := palate.ParseProfile(request.Profile)
	if err != nil {
		return nil, err
	}
	stored, err := s.services.Catalog.CurrentProbe(ctx, profile, s.services.Embedder.Model())
	if err != nil {
		return nil, err
	}
	described, err := probeOf(stored)
	return GetProbe200JSONResponse(described), err
}

// TrainProbe begins a training, which goes on in the background.
func (s *Server) TrainProbe(ctx context.Context, request TrainProbeRequestObject) (TrainProbeResponseObject, error) {
	profile, err := palate.ParseProfile(request.Profile)
	if err != nil {
		return nil, err
	}
	run, err := s.services.Tastes.Enqueue(ctx, profile)
	if err != nil {
		return nil, err
	}
	job, err := jobOf(run)
	if err != nil {
		return nil, err
	}
	location := fmt.Sprintf("/v1/jobs/%d", run.ID)
	return TrainProbe202JSONResponse{Body: job, Headers: TrainProbe202ResponseHeaders{Location: &location}}, nil
}

// ListProbeVersions answers with every version of a profile.
func (s *Server) ListProbeVersions(ctx context.Context, request ListProbeVersionsRequestObject) (ListProbeVersionsResponseObject, error) {
	profile, err := palate.ParseProfile(request.Profile)
	if err != nil {
		return nil, err
	}
	stored, err := s.services.Catalog.ListProbes(ctx, profile)
	if err != nil {
		return nil, err
	}
	probes := make([]Probe, len(stored))
	for i, p := range stored {
		if probes[i], err = probeOf(p); err != nil {
			return nil, err
		}
	}
	return ListProbeVersions200JSONResponse{Probes: probes}, nil
}

// probeOf tells of a version what its report says.
func probeOf(p catalog.Probe) (Probe, error) {
	var report struct {
		Likes            int      `json:"likes"`
		Dislikes         int      `json:"dislikes"`
		AUC              *float64 `json:"auc"`
		AUCLow           *float64 `json:"auc_low"`
		AUCHigh          *float64 `json:"auc_high"`
		AveragePrecision *float64 `json:"average_precision"`
		BalancedAccuracy *float64 `json:"balanced_accuracy"`
	}
	if err := json.Unmarshal(p.Report, &report); err != nil {
		return Probe{}, fmt.Errorf("report of probe %d of %s: %w", p.Version, p.Profile, err)
	}
	return Probe{
		Profile: string(p.Profile), Version: p.Version, ModelID: string(p.Model), Current: p.Current, Reason: p.Reason,
		Likes: report.Likes, Dislikes: report.Dislikes, Auc: report.AUC, AucLow: report.AUCLow, AucHigh: report.AUCHigh,
		AveragePrecision: report.AveragePrecision, BalancedAccuracy: report.BalancedAccuracy,
		Job: optional(p.Run), TrainedAt: p.TrainedAt.UTC(),
	}, nil
}

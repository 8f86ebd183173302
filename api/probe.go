package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/taste"
	"github.com/palate-art/palate/probe"
)

// GetProbe answers with the probe that serves the profile.
func (s *Server) GetProbe(ctx context.Context, request GetProbeRequestObject) (GetProbeResponseObject, error) {
	profile, err := resolve(ctx, request.Profile)
	if err != nil {
		return nil, err
	}
	stored, err := s.services.Catalog.CurrentProbe(ctx, profile, s.services.Embedder.Model())
	if err != nil {
		return nil, withoutProbe(profile, err)
	}
	described, err := probeOf(stored)
	return GetProbe200JSONResponse(described), err
}

// TrainProbe begins a training, which goes on in the background.
func (s *Server) TrainProbe(ctx context.Context, request TrainProbeRequestObject) (TrainProbeResponseObject, error) {
	profile, err := resolve(ctx, request.Profile)
	if err != nil {
		return nil, err
	}
	var kind probe.Kind // as before
	if asked := request.Params.Kind; asked != nil {
		if kind, err = probe.ParseKind(string(*asked)); err != nil {
			return nil, invalidParameter("kind", "%q is no kind that can serve", string(*asked))
		}
	}
	run, err := s.services.Tastes.EnqueueAs(ctx, profile, kind)
	if err != nil {
		return nil, err
	}
	job, err := jobOf(ctx, run)
	if err != nil {
		return nil, err
	}
	location := fmt.Sprintf("/v1/jobs/%d", run.ID)
	return TrainProbe202JSONResponse{Body: job, Headers: TrainProbe202ResponseHeaders{Location: &location}}, nil
}

// ListProbeVersions answers with every version of a profile.
func (s *Server) ListProbeVersions(ctx context.Context, request ListProbeVersionsRequestObject) (ListProbeVersionsResponseObject, error) {
	profile, err := resolve(ctx, request.Profile)
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

// GetProbeVersion answers with one version and its report.
func (s *Server) GetProbeVersion(ctx context.Context, request GetProbeVersionRequestObject) (GetProbeVersionResponseObject, error) {
	profile, err := resolve(ctx, request.Profile)
	if err != nil {
		return nil, err
	}
	version, err := s.services.Tastes.Version(ctx, profile, request.Version)
	if err != nil {
		return nil, err
	}
	answer := GetProbeVersion200JSONResponse{}
	if answer.Probe, err = probeOf(version.ProbeVersion); err != nil {
		return nil, err
	}
	settings, err := json.Marshal(version.Learned.Settings)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(settings, &answer.Settings); err != nil {
		return nil, err
	}
	report, err := taste.Told(version.ProbeVersion)
	if err != nil {
		return nil, err
	}
	told, err := json.Marshal(report)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(told, &answer.Report); err != nil {
		return nil, fmt.Errorf("report of probe %d of %s: %w", version.Version, profile, err)
	}
	return answer, nil
}

// RollbackProbe lets an earlier version serve.
func (s *Server) RollbackProbe(ctx context.Context, request RollbackProbeRequestObject) (RollbackProbeResponseObject, error) {
	profile, err := resolve(ctx, request.Profile)
	if err != nil {
		return nil, err
	}
	version, err := s.services.Tastes.Rollback(ctx, profile, request.Body.Version)
	if err != nil {
		return nil, err
	}
	described, err := probeOf(version.ProbeVersion)
	return RollbackProbe200JSONResponse(described), err
}

// ExportProbe answers with one version as a file.
func (s *Server) ExportProbe(ctx context.Context, request ExportProbeRequestObject) (ExportProbeResponseObject, error) {
	profile, err := resolve(ctx, request.Profile)
	if err != nil {
		return nil, err
	}
	exported, err := s.services.Tastes.Export(ctx, profile, request.Version)
	return ExportProbe200ApplicationOctetStreamResponse{Body: bytes.NewReader(exported), ContentLength: int64(len(exported))}, err
}

// ImportProbe adds an exported probe.
func (s *Server) ImportProbe(ctx context.Context, request ImportProbeRequestObject) (ImportProbeResponseObject, error) {
	profile, err := resolve(ctx, request.Profile)
	if err != nil {
		return nil, err
	}
	exported, err := io.ReadAll(io.LimitReader(request.Body, taste.MaxExportBytes+1))
	if err != nil {
		return nil, brokenBody(err, "it ends before it is whole")
	}
	if len(exported) > taste.MaxExportBytes {
		return nil, fmt.Errorf("the body has more than %d bytes: %w", taste.MaxExportBytes, &http.MaxBytesError{Limit: taste.MaxExportBytes})
	}
	version, err := s.services.Tastes.Import(ctx, profile, exported)
	if err != nil {
		return nil, err
	}
	described, err := probeOf(version.ProbeVersion)
	return ImportProbe201JSONResponse(described), err
}

// probeOf tells of a version what its summary says.
func probeOf(p catalog.ProbeVersion) (Probe, error) {
	summary, err := taste.SummaryOf(p)
	if err != nil {
		return Probe{}, err
	}
	described := Probe{
		Profile: string(p.Profile), Version: p.Version, ModelID: string(p.Model), Current: p.Current, Reason: p.Reason,
		Kind: optional(summary.Kind), Likes: summary.Likes, Dislikes: summary.Dislikes, Job: optional(p.Run), TrainedAt: p.TrainedAt.UTC(),
	}
	if summary.Examples > 0 { // else it was imported, and judged elsewhere
		described.Auc, described.AucLow, described.AucHigh = &summary.AUC, &summary.AUCLow, &summary.AUCHigh
		described.AveragePrecision, described.BalancedAccuracy = &summary.AveragePrecision, &summary.BalancedAccuracy
	}
	return described, nil
}

package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/arena"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/report"
	"github.com/palate-art/palate/internal/starter"
	"github.com/palate-art/palate/internal/taste"
	"github.com/palate-art/palate/probe/judge"
)

// GetProbeQuality answers with what the report of a version says.
func (s *Server) GetProbeQuality(ctx context.Context, request GetProbeQualityRequestObject) (GetProbeQualityResponseObject, error) {
	r, err := s.reportOf(ctx, request.Profile, request.Version)
	if err != nil {
		return nil, err
	}
	decisions, err := report.Decisions(r)
	if err != nil {
		return nil, err
	}
	answer := GetProbeQuality200JSONResponse{Summary: report.Summary(r), Conclusion: optional(r.Conclusion), Warnings: []string{},
		Sections: sectionsOf(report.Sections(r)), Plots: []ReportPlot{}, Threshold: r.Threshold.Probability}
	answer.Warnings = append(answer.Warnings, r.Warnings...)
	for _, p := range report.Plots(r) {
		answer.Plots = append(answer.Plots, ReportPlot{Name: PlotName(p), Title: p.Title()})
	}
	for i, c := range decisions {
		answer.Decisions = append(answer.Decisions, ThresholdDecisions{Threshold: float64(i) / 100, TrueLikes: c.TrueLikes, FalseLikes: c.FalseLikes,
			TrueDislikes: c.TrueDislikes, FalseDislikes: c.FalseDislikes})
	}
	return answer, nil
}

// GetProbePlot draws a plot of a version's report.
func (s *Server) GetProbePlot(ctx context.Context, request GetProbePlotRequestObject) (GetProbePlotResponseObject, error) {
	r, err := s.reportOf(ctx, request.Profile, request.Version)
	if err != nil {
		return nil, err
	}
	var drawing bytes.Buffer
	err = report.Draw(&drawing, report.Plot(request.Plot), r, request.Params.Threshold)
	if errors.Is(err, palate.ErrInvalid) {
		return nil, fmt.Errorf("version %d of %s has no %s: it was not measured: %w", request.Version, request.Profile, request.Plot, palate.ErrConflict)
	}
	return GetProbePlot200ImageSvgXMLResponse{Body: &drawing, ContentLength: int64(drawing.Len())}, err
}

// reportOf is the report of a version that was trained here.
func (s *Server) reportOf(ctx context.Context, name string, number int) (*judge.Report, error) {
	profile, err := resolve(ctx, name)
	if err != nil {
		return nil, err
	}
	version, err := s.services.Tastes.Version(ctx, profile, number)
	if err != nil {
		return nil, err
	}
	r, err := taste.ReportOf(version.ProbeVersion)
	if errors.Is(err, palate.ErrNotFound) {
		return nil, notJudgedHere(profile, number)
	}
	return r, err
}

func notJudgedHere(profile palate.Profile, number int) error {
	return fmt.Errorf("version %d of %s was imported: how good it is was found out elsewhere: %w", number, profile, palate.ErrConflict)
}

// CompareProbeVersions tests two versions in pairs.
func (s *Server) CompareProbeVersions(ctx context.Context, request CompareProbeVersionsRequestObject) (CompareProbeVersionsResponseObject, error) {
	for _, number := range []int{request.Version, request.Params.Other} {
		if _, err := s.reportOf(ctx, request.Profile, number); err != nil {
			return nil, err
		}
	}
	profile, err := resolve(ctx, request.Profile)
	if err != nil {
		return nil, err
	}
	d, err := s.services.Tastes.CompareVersions(ctx, profile, request.Version, request.Params.Other)
	return CompareProbeVersions200JSONResponse{Works: d.Works, Auc: d.AUC, Low: d.Low, High: d.High, P: d.P,
		Words: taste.DifferenceWords(d, request.Version, request.Params.Other)}, err
}

// sectionsOf are tables as the contract has them.
func sectionsOf(sections []report.Section) []ReportSection {
	out := []ReportSection{}
	for _, section := range sections {
		out = append(out, ReportSection{Title: section.Title, Note: optional(section.Note), Rows: section.Rows})
	}
	return out
}

// runsLookedThrough is how many of the newest jobs a comparison is looked for in.
const runsLookedThrough = 10_000

// GetArenaVerdict answers with what the newest comparison of models found.
func (s *Server) GetArenaVerdict(ctx context.Context, request GetArenaVerdictRequestObject) (GetArenaVerdictResponseObject, error) {
	profile, err := resolve(ctx, request.Profile)
	if err != nil {
		return nil, err
	}
	answer := GetArenaVerdict200JSONResponse{Verdicts: []string{}, Sections: []ReportSection{}}
	run, err := s.newestArena(ctx, profile)
	if run == nil || err != nil {
		return answer, err
	}
	var found arena.Report
	if err := json.Unmarshal(run.Result, &found); err != nil {
		return nil, fmt.Errorf("result of run %d: %w", run.ID, err)
	}
	page, at := found.Page(), run.FinishedAt.UTC()
	answer.Job, answer.FinishedAt, answer.Summary, answer.Sections = &run.ID, &at, optional(page.Summary), sectionsOf(page.Sections)
	answer.Verdicts = append(answer.Verdicts, page.Warnings...)
	return answer, nil
}

// newestArena is the newest comparison for a profile that came to its end, or nil.
func (s *Server) newestArena(ctx context.Context, profile palate.Profile) (*catalog.Run, error) {
	const atOnce = 500
	for before, looked := int64(0), 0; looked < runsLookedThrough; looked += atOnce {
		runs, err := s.services.Catalog.ListRuns(ctx, before, atOnce)
		if err != nil {
			return nil, err
		}
		for _, run := range runs {
			if run.Profile != profile {
				continue
			}
			if _, err := starter.ArenaOf(run); err == nil { // one that found out the cost alone is none
				return &run, nil
			}
		}
		if len(runs) < atOnce {
			break
		}
		before = runs[len(runs)-1].ID
	}
	return nil, nil
}

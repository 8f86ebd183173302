package api

import (
	"context"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/starter"
)

// StartJob begins a job, if the operator opened what it needs.
func (s *Server) StartJob(ctx context.Context, request StartJobRequestObject) (StartJobResponseObject, error) {
	if s.services.Starter == nil {
		return nil, fmt.Errorf("this server starts no jobs: %w", palate.ErrForbidden)
	}
	wanted := request.Body
	r := starter.Request{
		Kind: job.Kind(wanted.Kind), Seeds: valueOr(wanted.Seeds, nil), Name: valueOr(wanted.Name, ""),
		MaxPages: valueOr(wanted.MaxPages, 0), MaxPictures: valueOr(wanted.MaxPictures, 0), MaxDepth: wanted.MaxDepth,
		Path: valueOr(wanted.Path, ""), Verdict: palate.Verdict(valueOr(wanted.Verdict, "")), Retry: valueOr(wanted.Retry, false),
		Model: valueOr(wanted.Model, ""), Upgrade: valueOr(wanted.Upgrade, false),
		Deep: valueOr(wanted.Deep, false), Repair: valueOr(wanted.Repair, false), WithReferenced: valueOr(wanted.WithReferenced, false),
		Tuning: tuningOf(wanted.Finetune), Contest: contestOf(wanted.Arena), Confirm: valueOr(wanted.Confirm, false),
	}
	if wanted.Profile != nil {
		profile, err := resolve(ctx, *wanted.Profile)
		if err != nil {
			return nil, err
		}
		r.Profile = profile
	}
	r.Crawl = crawlOf(wanted)
	settings, err := settingsOf(wanted)
	if err != nil {
		return nil, err
	}
	r.Settings = settings
	run, err := s.services.Starter.Start(ctx, r)
	if err != nil {
		return nil, err
	}
	begun, err := jobOf(ctx, run)
	if err != nil {
		return nil, err
	}
	location := fmt.Sprintf("/v1/jobs/%d", run.ID)
	return StartJob202JSONResponse{Body: begun, Headers: StartJob202ResponseHeaders{Location: &location}}, nil
}

// CancelJob asks whichever process runs the job to stop.
func (s *Server) CancelJob(ctx context.Context, request CancelJobRequestObject) (CancelJobResponseObject, error) {
	if err := s.services.Catalog.CancelRun(ctx, request.Job); err != nil {
		return nil, err
	}
	run, err := s.services.Catalog.RunByID(ctx, request.Job)
	if err != nil {
		return nil, err
	}
	cancelled, err := jobOf(ctx, run)
	return CancelJob202JSONResponse(cancelled), err
}

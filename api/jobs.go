package api

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// ListJobs answers with a page of jobs.
func (s *Server) ListJobs(ctx context.Context, request ListJobsRequestObject) (ListJobsResponseObject, error) {
	before, err := numberCursor(request.Params.Cursor)
	if err != nil {
		return nil, err
	}
	s.endDead(ctx)
	limit := valueOr(request.Params.Limit, defaultLimit)
	runs, err := s.services.Catalog.ListRuns(ctx, before, limit)
	if err != nil {
		return nil, err
	}
	total, err := counted(request.Params.Count, func() (int, error) { return s.services.Catalog.CountRuns(ctx) })
	if err != nil {
		return nil, err
	}
	list := JobList{Jobs: make([]Job, len(runs)), Total: total}
	for i, run := range runs {
		if list.Jobs[i], err = jobOf(ctx, run); err != nil {
			return nil, err
		}
	}
	if len(runs) == limit {
		list.NextCursor = optional(strconv.FormatInt(runs[len(runs)-1].ID, 10))
	}
	return ListJobs200JSONResponse(list), nil
}

// ListJobLosses answers with a page of what a job did not take.
func (s *Server) ListJobLosses(ctx context.Context, request ListJobLossesRequestObject) (ListJobLossesResponseObject, error) {
	after, err := numberCursor(request.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := valueOr(request.Params.Limit, defaultLimit)
	losses, err := s.services.Catalog.RunLosses(ctx, request.Job, valueOr(request.Params.Reason, ""), after, limit)
	if err != nil {
		return nil, err
	}
	list := JobLossList{Losses: make([]JobLoss, len(losses))}
	for i, l := range losses {
		if !palate.CallerOf(ctx).Manages {
			whole, name := l.Path, lastElement(l.Path)
			l.Path, l.What = name, strings.ReplaceAll(l.What, whole, name)
		}
		list.Losses[i] = JobLoss{Path: l.Path, Reason: l.Reason, Kept: l.Kept, What: l.What}
	}
	if len(losses) == limit {
		list.NextCursor = optional(strconv.FormatInt(losses[limit-1].Number, 10))
	}
	return ListJobLosses200JSONResponse(list), nil
}

// GetJobLog answers with a page of a job's log.
func (s *Server) GetJobLog(ctx context.Context, request GetJobLogRequestObject) (GetJobLogResponseObject, error) {
	after, err := numberCursor(request.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := valueOr(request.Params.Limit, defaultLimit)
	lines, err := s.services.Catalog.RunLog(ctx, request.Job, after, limit)
	if err != nil {
		return nil, err
	}
	log := JobLog{Lines: make([]JobLine, len(lines))}
	for i, l := range lines {
		log.Lines[i] = JobLine{Number: l.Number, At: l.At, Warning: optional(l.Warning), Text: l.Text}
	}
	if len(lines) == limit {
		log.NextCursor = optional(strconv.FormatInt(lines[limit-1].Number, 10))
	}
	return GetJobLog200JSONResponse(log), nil
}

// GetJob answers with one job.
func (s *Server) GetJob(ctx context.Context, request GetJobRequestObject) (GetJobResponseObject, error) {
	run, err := s.services.Catalog.RunByID(ctx, request.Job)
	if err != nil {
		return nil, err
	}
	job, err := jobOf(ctx, run)
	return GetJob200JSONResponse(job), err
}

// jobOf is a run as the caller may know it: what it came to for a profile is for
// who may speak for that profile, and its log, and whom sites can ask of a crawl,
// for who manages the collection.
func jobOf(ctx context.Context, run catalog.Run) (Job, error) {
	caller := palate.CallerOf(ctx)
	if run.Profile != "" && !caller.May(run.Profile) {
		run.Profile, run.Progress, run.Result, run.Error = "", nil, nil, ""
	}
	job := Job{
		ID: run.ID, Kind: JobKind(run.Kind), Profile: optional(string(run.Profile)), State: JobState(run.State),
		Cancelling: optional(run.CancelAsked && run.State == catalog.Running),
		Done:       run.Done, Total: optional(run.Total), Error: optional(run.Error), Losses: optional(run.Losses), StartedAt: run.StartedAt.UTC(),
	}
	var err error
	if job.Progress, err = progressOf(run); err != nil {
		return Job{}, err
	}
	if caller.Manages {
		job.Lines = optional(run.Lines)
	} else if p := job.Progress; p != nil && p.Crawl != nil {
		p.Crawl.Contact = nil
	}
	if !run.FinishedAt.IsZero() {
		at := run.FinishedAt.UTC()
		job.FinishedAt = &at
	}
	if job.Progress != nil && job.Progress.Stage == JobStageLooking {
		return withPreview(job, run)
	}
	if len(run.Result) > 0 {
		var result map[string]any
		if err := json.Unmarshal(run.Result, &result); err != nil {
			return Job{}, fmt.Errorf("result of run %d: %w", run.ID, err)
		}
		if result != nil {
			job.Result = &result
		}
	}
	return job, nil
}

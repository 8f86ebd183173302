package main

import (
	"context"
	"fmt"
	"time"

	"github.com/palate-art/palate/internal/collection"
)

type jobsCommand struct {
	List jobsListCommand `cmd:"" default:"withargs" help:"Show them, the newest first."`
	Stop jobsStopCommand `cmd:"" help:"Ask a job to stop, whichever process runs it; what it has done is kept."`
}

type jobsListCommand struct {
	Limit int `help:"How many to show." default:"20"`
}

// Run lists the jobs of all processes.
func (c *jobsListCommand) Run(ctx context.Context, s *session) error {
	if c.Limit < 1 {
		return usagef("--limit is %d, want 1 or more", c.Limit)
	}
	return s.withHome(ctx, func(h *collection.Collection) error {
		runs, err := h.Jobs(ctx, c.Limit)
		if err != nil {
			return err
		}
		if s.JSON {
			return s.print(runs)
		}
		rows := [][]string{{"JOB", "KIND", "STATE", "DONE", "BEGAN", "ENDED", "ERROR"}}
		for _, run := range runs {
			done, state, ended := fmt.Sprint(run.Done), string(run.State), ""
			if run.Total > 0 {
				done = fmt.Sprintf("%d of %d", run.Done, run.Total)
			}
			if run.CancelAsked {
				state = "stopping"
			}
			if !run.FinishedAt.IsZero() {
				ended = run.FinishedAt.Local().Format(time.DateTime)
			}
			rows = append(rows, []string{fmt.Sprint(run.ID), run.Kind, state, done, run.StartedAt.Local().Format(time.DateTime), ended, shorten(run.Error, 60)})
		}
		s.table(rows...)
		return nil
	})
}

type jobsStopCommand struct {
	Job int64 `arg:"" help:"Its number, which palate jobs shows."`
}

// Run asks a job to stop.
func (c *jobsStopCommand) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		if err := h.StopJob(ctx, c.Job); err != nil {
			return err
		}
		s.say("job %d was asked to stop", c.Job)
		return nil
	})
}

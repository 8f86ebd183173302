package main

import (
	"context"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/terminal"
)

type jobsCommand struct {
	List jobsListCommand `cmd:"" default:"withargs" help:"Show them, the newest first."`
	Stop jobsStopCommand `cmd:"" help:"Ask a job to stop, whichever process runs it; what it has done is kept."`
}

type jobsListCommand struct {
	Limit int `help:"How many to show." default:"20" short:"n"`
}

// Run lists the jobs of all processes.
func (c *jobsListCommand) Run(ctx context.Context, s *session) error {
	if c.Limit < 1 {
		return usagef("--limit is %d, want 1 or more", c.Limit)
	}
	return s.withHome(ctx, func(h *collection.Collection) error {
		jobs, err := h.Jobs(ctx, c.Limit)
		if err != nil {
			return err
		}
		return terminal.List(s.Terminal, jobs, "no jobs yet", []string{"JOB", "KIND", "STATE", "DONE", "BEGAN", "ENDED", "ERROR"}, collection.Job.Row)
	})
}

type jobsStopCommand struct {
	Job int64 `arg:"" help:"Its number, which palate jobs shows."`
}

// Run asks a job to stop.
func (c *jobsStopCommand) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		err := h.StopJob(ctx, c.Job)
		if err == nil {
			s.Say("job %d was asked to stop", c.Job)
		}
		return err
	})
}

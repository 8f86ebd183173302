package main

import (
	"context"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/terminal"
)

type jobsCommand struct {
	List jobsListCommand `cmd:"" default:"withargs" help:"Show them, the newest first."`
	Log  jobsLogCommand  `cmd:"" help:"Show what happened while a job was at work: the newest thousand lines."`
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

type jobsLogCommand struct {
	Job    int64 `arg:"" help:"Its number, which palate jobs shows."`
	Follow bool  `help:"Go on with what comes until the job has ended." short:"f"`
}

// Run shows the log of a job, for programs as one JSON object a line.
func (c *jobsLogCommand) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		shown := 0
		err := h.JobLog(ctx, c.Job, c.Follow, func(l collection.JobLine) error {
			shown++
			return s.Show(l, func() { s.Say("%s", l.Words()) })
		})
		if err == nil && shown == 0 {
			s.Say("no log is kept of job %d", c.Job)
		}
		return err
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

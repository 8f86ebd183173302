package collection

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/terminal"
)

// Job is a piece of long work as people and programs read of it.
type Job struct {
	ID          int64            `json:"id"`
	Kind        string           `json:"kind"`
	Profile     palate.Profile   `json:"profile,omitempty"`
	State       catalog.RunState `json:"state"`
	CancelAsked bool             `json:"cancelling,omitempty"`
	Done        int64            `json:"done"`
	Total       int64            `json:"total,omitempty"`
	Result      json.RawMessage  `json:"result,omitempty"`
	Error       string           `json:"error,omitempty"`
	StartedAt   time.Time        `json:"started_at"`
	FinishedAt  time.Time        `json:"finished_at,omitzero"`
}

// Row is the job as a row of a table: number, kind, state, how far, when it began
// and ended, and why it failed.
func (j Job) Row() []string {
	done, state, ended := fmt.Sprint(j.Done), string(j.State), ""
	if j.Total > 0 {
		done = fmt.Sprintf("%d of %d", j.Done, j.Total)
	}
	if j.CancelAsked {
		state = "stopping"
	}
	if !j.FinishedAt.IsZero() {
		ended = terminal.Minute(j.FinishedAt)
	}
	return []string{fmt.Sprint(j.ID), j.Kind, state, done, terminal.Minute(j.StartedAt), ended, terminal.Shorten(j.Error, 60)}
}

// Jobs lists the newest jobs of all processes. What dead ones left is ended
// first, where the collection can be written.
func (c *Collection) Jobs(ctx context.Context, limit int) ([]Job, error) {
	if c.ReadOnly() == nil {
		if _, err := c.Catalog.EndDeadRuns(ctx); err != nil {
			return nil, err
		}
	}
	runs, err := c.Catalog.ListRuns(ctx, 0, limit)
	jobs := make([]Job, len(runs))
	for i, r := range runs {
		jobs[i] = Job{r.ID, r.Kind, r.Profile, r.State, r.CancelAsked && r.State == catalog.Running, r.Done, r.Total, r.Result, r.Error, r.StartedAt, r.FinishedAt}
	}
	return jobs, err
}

// JobLine is one line of a job's log as people and programs read it.
type JobLine struct {
	Number  int64     `json:"number"` // from 1
	At      time.Time `json:"at"`
	Warning bool      `json:"warning,omitempty"`
	Text    string    `json:"text"`
}

// Words are the line with its time.
func (l JobLine) Words() string {
	text := l.Text
	if l.Warning {
		text = "warning: " + text
	}
	return l.At.Local().Format(time.DateTime) + "  " + text
}

// JobLog gives a job's log to each, line by line, and with follow what comes until
// the job has ended.
func (c *Collection) JobLog(ctx context.Context, id int64, follow bool, each func(JobLine) error) error {
	const page = 1000
	for after := int64(0); ; {
		last, err := c.Catalog.LastChange(ctx)
		if err != nil {
			return err
		}
		run, err := c.Catalog.RunByID(ctx, id) // before its log, which is whole when it has ended
		if err != nil {
			return noJob(id, err)
		}
		lines, err := c.Catalog.RunLog(ctx, id, after, page)
		if err != nil {
			return err
		}
		for _, l := range lines {
			if err := each(JobLine(l)); err != nil {
				return err
			}
			after = l.Number
		}
		switch {
		case len(lines) == page:
		case !follow || run.State != catalog.Running:
			return nil
		default:
			if err := job.NextChange(ctx, c.Catalog, last); err != nil {
				return err
			}
			if c.ReadOnly() == nil {
				if _, err := c.Catalog.EndDeadRuns(ctx); err != nil {
					return err
				}
			}
		}
	}
}

func noJob(id int64, err error) error {
	if errors.Is(err, palate.ErrNotFound) {
		return fmt.Errorf("there is no job %d; palate jobs lists them: %w", id, palate.ErrNotFound)
	}
	return err
}

// StopJob asks whichever process runs a job to stop: palate.ErrConflict if it
// has ended.
func (c *Collection) StopJob(ctx context.Context, id int64) error {
	return noJob(id, c.Catalog.CancelRun(ctx, id))
}

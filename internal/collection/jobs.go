package collection

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
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

// StopJob asks whichever process runs a job to stop: palate.ErrConflict if it
// has ended.
func (c *Collection) StopJob(ctx context.Context, id int64) error {
	err := c.Catalog.CancelRun(ctx, id)
	if errors.Is(err, palate.ErrNotFound) {
		return fmt.Errorf("there is no job %d; palate jobs lists them: %w", id, palate.ErrNotFound)
	}
	return err
}

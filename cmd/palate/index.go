package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/qdrant"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/job"
)

type reindexCommand struct{}

// reindexReport is what reindex prints for programs.
type reindexReport struct {
	ModelID string  `json:"model_id"`
	Points  int     `json:"points"`
	Seconds float64 `json:"seconds"`
}

// Run fills the index anew from the catalog.
func (c *reindexCommand) Run(ctx context.Context, s *session) error {
	return withModel(ctx, s, func(h *home) error {
		begun := time.Now()
		if err := h.reindex(ctx); err != nil {
			return err
		}
		points, err := h.target().Count(ctx, index.Filter{})
		if err != nil {
			return err
		}
		report := reindexReport{string(h.embedder.Model()), points, time.Since(begun).Seconds()}
		if s.JSON {
			return s.print(report)
		}
		s.say("%d embeddings of %s indexed in %.1f s", report.Points, h.embedder.Name(), report.Seconds)
		return nil
	})
}

// withModel opens the collection and the model for a command.
func withModel(ctx context.Context, s *session, do func(*home) error) error {
	h, err := openHome(ctx, s)
	if err != nil {
		return err
	}
	if err = h.openModel(ctx); err == nil {
		err = do(h)
	}
	return errors.Join(err, h.close())
}

// target is the index that status, verify and reindex are about.
func (h *home) target() index.Index {
	if h.server != nil {
		return h.server
	}
	return h.index
}

// indexed is the result of the job.
type indexed struct {
	Points int `json:"points"`
}

// reindex rebuilds, as a job; it waits for another process that is at it.
func (h *home) reindex(ctx context.Context) error {
	defer h.session.finishProgress()
	_, err := job.Do(ctx, h.catalog, job.Reindex, "", func(ctx context.Context, j *job.Job) (r indexed, err error) {
		err = h.whenFree(ctx, 0, func() error {
			return h.follower.Rebuild(ctx, func(done, total int) {
				r.Points = done
				h.session.progress("index", "img", int64(done), int64(total))
				j.Progress(ctx, int64(done), int64(total))
			})
		})
		return r, err
	})
	return err
}

// whenFree does what another process may be doing to the index, waiting for
// that one; after patience, unless 0, it gives up with ingest.ErrFollowed.
func (h *home) whenFree(ctx context.Context, patience time.Duration, do func() error) error {
	begun := time.Now()
	for told := false; ; told = true {
		err := do()
		if !errors.Is(err, ingest.ErrFollowed) || patience > 0 && time.Since(begun) > patience {
			return err
		}
		if !told {
			h.session.note("%v; waiting for it", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(leaseRetry):
		}
	}
}

type indexCommand struct {
	Status indexStatusCommand `cmd:"" help:"Show what the index holds and how far it follows the catalog."`
	Verify indexVerifyCommand `cmd:"" help:"Compare the index with the catalog; exit code 1 if they differ."`
}

type indexStatusCommand struct{}

// indexStatus is what index status prints for programs.
type indexStatus struct {
	Index      string         `json:"index"` // "embedded" or "qdrant"
	Model      string         `json:"model"`
	ModelID    string         `json:"model_id"`
	Embeddings int            `json:"embeddings"` // in the catalog
	Points     int            `json:"points"`
	Change     uint64         `json:"change"` // the last one that the index has seen
	LastChange uint64         `json:"last_change"`
	Problem    string         `json:"problem,omitempty"` // why it can't answer
	Server     *qdrant.Status `json:"server,omitempty"`
}

// Run prints the state; an index that can't answer is an error.
func (c *indexStatusCommand) Run(ctx context.Context, s *session) error {
	return withModel(ctx, s, func(h *home) error {
		status, err := h.indexStatus(ctx)
		if s.JSON {
			return errors.Join(err, s.print(status))
		}
		s.say("Index        %s, of %s (%s)", status.Index, status.Model, h.embedder.Model().Short())
		s.say("Catalog      %d embeddings, change %d", status.Embeddings, status.LastChange)
		if err != nil {
			return err
		}
		s.say("Index holds  %d points, up to change %d", status.Points, status.Change)
		if status.Server != nil {
			printServer(s, *status.Server)
		}
		return nil
	})
}

func printServer(s *session, server qdrant.Status) {
	s.say("Server       Qdrant %s at %s", server.Version, server.Server)
	rows := [][]string{{"COLLECTION", "POINTS", "IN GRAPHS", "STATE", "SERVES"}}
	for _, c := range server.Collections {
		serves := ""
		switch {
		case c.Serves:
			serves = "this model"
		case c.Current:
			serves = "by the bare name"
		}
		rows = append(rows, []string{c.Name, fmt.Sprint(c.Points), fmt.Sprint(c.Indexed), c.State, serves})
	}
	s.table(rows...)
}

// behind reports whether a change behind that number concerns an index: the
// end of a job and a new probe do not.
func (h *home) behind(ctx context.Context, number uint64) (bool, error) {
	const page = 1000
	for {
		changes, err := h.catalog.ChangesAfter(ctx, number, page)
		if errors.Is(err, palate.ErrConflict) { // they are forgotten: it has to be made anew
			return true, nil
		}
		if err != nil {
			return false, err
		}
		for _, change := range changes {
			if change.Kind != catalog.RunChanged && change.Kind != catalog.ProbeChanged {
				return true, nil
			}
			number = change.Number
		}
		if len(changes) < page {
			return false, nil
		}
	}
}

func (h *home) indexStatus(ctx context.Context) (status indexStatus, err error) {
	status = indexStatus{Index: embeddedIndex, Model: h.embedder.Name(), ModelID: string(h.embedder.Model())}
	if status.Embeddings, err = h.catalog.CountEmbeddings(ctx, h.embedder.Model()); err != nil {
		return status, err
	}
	if status.LastChange, err = h.catalog.LastChange(ctx); err != nil {
		return status, err
	}
	if h.server == nil {
		err = h.catchUp(ctx) // it is empty until it is loaded
	} else {
		status.Index = "qdrant"
		var server qdrant.Status
		server, err = h.server.Status(ctx)
		status.Server = &server
	}
	if err == nil {
		status.Change, _, err = h.follower.Progress(ctx)
	}
	if err == nil {
		var behind bool
		if behind, err = h.behind(ctx, status.Change); err == nil && !behind {
			status.Change = status.LastChange
		}
	}
	if err == nil {
		err = h.target().Ready(ctx)
	}
	if err == nil {
		status.Points, err = h.target().Count(ctx, index.Filter{})
	}
	if err != nil {
		status.Problem = err.Error()
	}
	return status, err
}

type indexVerifyCommand struct {
	Sample int `help:"About how many points to read and compare in full." default:"1000"`
}

// verification is what index verify prints for programs.
type verification struct {
	Clean bool `json:"clean"`
	ingest.Verification
}

// Run lets the index catch up, as every command that searches does, and
// compares it with the catalog.
func (c *indexVerifyCommand) Run(ctx context.Context, s *session) error {
	if c.Sample < 0 {
		return usagef("--sample is %d, want 0 or more", c.Sample)
	}
	return withModel(ctx, s, func(h *home) error {
		err := h.whenFree(ctx, busyPatience, func() error { _, err := h.follower.CatchUp(ctx); return err })
		if err != nil && !errors.Is(err, ingest.ErrFollowed) {
			return err
		}
		v, err := ingest.Verify(ctx, h.catalog, h.target(), c.Sample, func(done, total int) {
			s.progress("verify", "img", int64(done), int64(total))
		})
		s.finishProgress()
		if err != nil {
			return err
		}
		if s.JSON {
			err = s.print(verification{v.Clean(), v})
		} else {
			printVerification(s, v)
		}
		if err == nil && !v.Clean() {
			err = errors.New("the index differs from the catalog; palate reindex fills it anew")
		}
		return err
	})
}

func printVerification(s *session, v ingest.Verification) {
	s.say("%d embeddings in the catalog, %d points in the index", v.Embeddings, v.Points)
	s.say("%d missing, %d foreign; of %d compared in full, %d have another vector and %d other attributes", v.Missing, v.Foreign, v.Checked, v.Damaged, v.Outdated)
	for _, id := range v.MissingImages {
		s.say("  missing   %s", id)
	}
	for _, id := range v.ForeignImages {
		s.say("  foreign   %s", id)
	}
	for _, id := range v.DamagedImages {
		s.say("  damaged   %s", id)
	}
	for _, id := range v.OutdatedImages {
		s.say("  outdated  %s", id)
	}
}

package collection

import (
	"context"
	"errors"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/qdrant"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/starter"
)

// Target is the index that status, verify and reindex are about.
func (m *Model) Target() index.Index {
	if m.server != nil {
		return m.server
	}
	return m.Index
}

// Reindexed is what filling the index anew came to.
type Reindexed struct {
	ModelID string  `json:"model_id"`
	Points  int     `json:"points"`
	Seconds float64 `json:"seconds"`
}

// Reindex fills the index anew from the catalog, as a job.
func (m *Model) Reindex(ctx context.Context) (Reindexed, error) {
	defer m.tell.EndProgress()
	begun := time.Now()
	_, err := job.Do(ctx, m.Catalog, job.Reindex, "", func(ctx context.Context, j *job.Job) (starter.Indexed, error) {
		return m.reindexAs(ctx, progress(ctx, j, m.tell, "index", "img"), progress(ctx, j, m.tell, "graphs", "img"))
	})
	if err != nil {
		return Reindexed{}, err
	}
	points, err := m.Target().Count(ctx, index.Filter{})
	return Reindexed{string(m.Embedder.Model()), points, time.Since(begun).Seconds()}, err
}

// ReindexAs implements starter.Steps.
func (m *Model) ReindexAs(ctx context.Context, j *job.Job) (starter.Indexed, error) {
	told := progress(ctx, j, Silent{}, "", "")
	return m.reindexAs(ctx, told, told)
}

// reindexAs waits for another process that is at it.
func (m *Model) reindexAs(ctx context.Context, loaded, prepared func(done, total int64)) (r starter.Indexed, err error) {
	told := ingest.Rebuilding{
		Loaded: func(done, total int) {
			r.Points = done
			loaded(int64(done), int64(total))
		},
		Prepared: func(done, total int) { prepared(int64(done), int64(total)) },
	}
	err = m.whenFree(ctx, 0, func() error { return m.Follower.Rebuild(ctx, told) })
	return r, err
}

// whenFree does what another process may be doing to the index, waiting for
// that one; after patience, unless 0, it gives up with ingest.ErrFollowed.
func (m *Model) whenFree(ctx context.Context, patience time.Duration, do func() error) error {
	begun := time.Now()
	for told := false; ; told = true {
		err := do()
		if !errors.Is(err, ingest.ErrFollowed) || patience > 0 && time.Since(begun) > patience {
			return err
		}
		if !told {
			note(m.tell, "%v; waiting for it", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retryEvery):
		}
	}
}

// IndexStatus is the state of an index.
type IndexStatus struct {
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

// behind reports whether a change behind that number concerns an index: the
// end of a job, a new probe and a model's successor do not.
func (m *Model) behind(ctx context.Context, number uint64) (bool, error) {
	const page = 1000
	for {
		changes, err := m.Catalog.ChangesAfter(ctx, number, page)
		if errors.Is(err, palate.ErrConflict) { // they are forgotten: it has to be made anew
			return true, nil
		}
		if err != nil {
			return false, err
		}
		for _, change := range changes {
			switch change.Kind {
			case catalog.RunChanged, catalog.ProbeChanged, catalog.ModelChanged:
			default:
				return true, nil
			}
			number = change.Number
		}
		if len(changes) < page {
			return false, nil
		}
	}
}

// whatHindersIt lets a server that is behind catch up, and tells how far it has
// come.
func (m *Model) whatHindersIt(ctx context.Context, at uint64) (uint64, error) {
	switch _, err := m.Follower.CatchUp(ctx); {
	case errors.Is(err, ingest.ErrFollowed): // another process is at it
		return at, nil
	case err != nil:
		return at, err
	}
	return m.Catalog.LastChange(ctx)
}

// IndexStatus tells what the index holds and how far it follows the catalog. An
// index that can't answer is an error, with as much of the status as there is.
func (m *Model) IndexStatus(ctx context.Context) (status IndexStatus, err error) {
	status = IndexStatus{Index: EmbeddedIndex, Model: m.Embedder.Name(), ModelID: string(m.Embedder.Model())}
	if status.Embeddings, err = m.Catalog.CountEmbeddings(ctx, m.Embedder.Model()); err != nil {
		return status, err
	}
	if status.LastChange, err = m.Catalog.LastChange(ctx); err != nil {
		return status, err
	}
	if m.server == nil {
		err = m.CatchUp(ctx) // it is empty until it is loaded
	} else {
		status.Index = "qdrant"
		var server qdrant.Status
		server, err = m.server.Status(ctx)
		status.Server = &server
	}
	if err == nil {
		status.Change, _, err = m.Follower.Progress(ctx)
	}
	if err == nil {
		var behind bool
		if behind, err = m.behind(ctx, status.Change); err == nil && !behind {
			status.Change = status.LastChange
		}
	}
	if err == nil {
		err = m.Target().Ready(ctx)
	}
	if err == nil && m.server != nil && status.Change < status.LastChange {
		status.Change, err = m.whatHindersIt(ctx, status.Change)
	}
	if err == nil {
		status.Points, err = m.Target().Count(ctx, index.Filter{})
	}
	if err != nil {
		status.Problem = err.Error()
	}
	return status, err
}

// VerifyIndex lets the index catch up, as every search does, and compares it
// with the catalog, about sample points of it in full.
func (m *Model) VerifyIndex(ctx context.Context, sample int) (ingest.Verification, error) {
	err := m.whenFree(ctx, busyPatience, func() error { _, err := m.Follower.CatchUp(ctx); return err })
	if err != nil && !errors.Is(err, ingest.ErrFollowed) {
		return ingest.Verification{}, err
	}
	defer m.tell.EndProgress()
	for again := false; ; again = true {
		v, err := ingest.Verify(ctx, m.Catalog, m.Target(), sample, func(done, total int) {
			m.tell.Progress("verify", "img", int64(done), int64(total))
		})
		if err != nil || v.Clean() || m.server == nil || again {
			return v, err
		}
		// A server that was just started answers while it still replays its log.
		select {
		case <-ctx.Done():
			return v, ctx.Err()
		case <-time.After(secondLook):
		}
	}
}

// secondLook is how long after a first look that found a difference a server's
// points are looked at again.
const secondLook = time.Second

package collection

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index/flat"
	"github.com/palate-art/palate/index/qdrant"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/verify"
)

// Verify holds the parts of the collection against each other, as a job. A
// collection that can't be written, as on a full disk, is looked at without one,
// and can't be mended.
func (c *Collection) Verify(ctx context.Context, config verify.Config) (report verify.Report, err error) {
	if config.Repair {
		if err := c.ReadOnly(); err != nil {
			return report, fmt.Errorf("--repair writes: %w", err)
		}
	}
	defer c.tell.EndProgress()
	j, err := c.beginIfWritten(ctx, job.Verify)
	if err != nil {
		return report, err
	}
	config.Progress = func(what string, done, total int) {
		c.tell.Progress("verify "+what, "", int64(done), int64(total))
	}
	if j == nil {
		return verify.Run(ctx, c.Verified(), config)
	}
	err = j.Do(ctx, func(ctx context.Context) (any, error) {
		var result verify.Result
		result, err = verifyAs(ctx, j, c.Verified(), config)
		report = result.Report
		return result, err
	})
	return report, err
}

// VerifyAs implements starter.Steps. The index of the model that is loaded is
// looked at as it serves.
func (m *Model) VerifyAs(ctx context.Context, j *job.Job, config verify.Config) (verify.Result, error) {
	parts := m.Verified()
	parts.Index = func(ctx context.Context, of catalog.Model) (verify.Index, error) {
		if of.ID != m.Embedder.Model() {
			return m.keptIndex(ctx, of)
		}
		return verify.Index{Index: m.Target(), Follow: m.Follower, Close: func() error { return nil }}, nil
	}
	return verifyAs(ctx, j, parts, config)
}

// verifyAs verifies for a job that has begun. Its progress counts what was
// looked at of all parts so far.
func verifyAs(ctx context.Context, j *job.Job, parts verify.Parts, config verify.Config) (verify.Result, error) {
	tell := config.Progress
	var part string
	var before, last int
	config.Progress = func(what string, done, total int) {
		if what != part || done < last {
			part, before = what, before+last
		}
		last = done
		j.Progress(ctx, int64(before+done), int64(before+max(done, total)))
		if tell != nil {
			tell(what, done, total)
		}
	}
	report, err := verify.Run(ctx, parts, config)
	say := j.Say
	if !report.Well() {
		say = j.Warn
	}
	for _, text := range report.Words(config.Repair) {
		say(ctx, "%s", text)
	}
	return verify.Result{Report: report, Whole: report.Well()}, err
}

// beginIfWritten begins a job, or none where the collection can't be written.
func (c *Collection) beginIfWritten(ctx context.Context, kind job.Kind) (*job.Job, error) {
	if c.ReadOnly() != nil {
		return nil, nil
	}
	j, err := job.Begin(ctx, c.Catalog, kind, "")
	if errors.Is(err, palate.ErrUnavailable) { // as on a full disk
		return nil, nil
	}
	return j, err
}

// Verified are the parts of the collection that a verification looks at.
func (c *Collection) Verified() verify.Parts {
	return verify.Parts{Catalog: c.Catalog, Store: c.Store, Collection: c.Pictures, Budget: c.config.Decoding, Index: c.keptIndex}
}

// keptIndex opens the index of a model's embeddings, if one is kept. It needs
// no model.
func (c *Collection) keptIndex(ctx context.Context, m catalog.Model) (verify.Index, error) {
	if c.config.Index != EmbeddedIndex {
		config, err := ServerConfig(c.config.Index)
		if err != nil {
			return verify.Index{}, err
		}
		server, err := qdrant.New(config, m.ID, m.Dim, c.logger)
		if err != nil {
			return verify.Index{}, err
		}
		if generation, err := server.Generation(ctx); err != nil || generation == "" {
			return verify.Index{}, errors.Join(err, server.Close())
		}
		return verify.Index{Index: server, Follow: ingest.NewFollower(c.Catalog, server, "qdrant-"+m.ID.Short(), c.logger), Close: server.Close}, nil
	}
	config := flat.DefaultConfig()
	config.Logger, config.Path = c.logger, filepath.Join(c.config.Folder, IndexFolder, m.ID.Short()+".flat")
	if _, err := os.Stat(config.Path); errors.Is(err, os.ErrNotExist) {
		return verify.Index{}, nil // it is made when it is needed
	}
	embedded, err := flat.Open(m.ID, m.Dim, config)
	if err != nil {
		return verify.Index{}, err
	}
	return verify.Index{Index: embedded, Follow: ingest.NewFollower(c.Catalog, embedded, "", c.logger), Close: embedded.Close}, nil
}

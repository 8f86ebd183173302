package collection

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/qdrant"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/job"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/starter"
	"github.com/palate-art/palate/internal/taste"
)

// Model is a collection seen by one model.
type Model struct {
	*Collection
	Embedder *Loaded
	Index    index.Index
	Tastes   *taste.Tastes
	Follower *ingest.Follower // of the server behind Index, or else of Index

	server  *qdrant.Index    // behind Index, where it is one
	spare   *ingest.Follower // of the embedded index that answers while server is away
	closers []func() error   // in the order of opening

	passing atomic.Bool // a job of this server passes the collection on to another model

	opening sync.Mutex             // of seeing
	seeing  embedder.PatchEmbedder // set by Patches
}

// OpenModel opens the collection's model and the index of its embeddings, for
// work with what is embedded: where something is, the model is loaded only if a
// picture is to be embedded after all, and where nothing is, no weights are
// downloaded.
func (c *Collection) OpenModel(ctx context.Context) (*Model, error) {
	m, err := c.openModel(ctx, c.Loader.LoadLater)
	if err == nil && m.Embedder.choice.among != "" {
		note(c.tell, "Note: %s", m.Embedder.choice.among)
	}
	return m, err
}

// OpenModelToEmbed is OpenModel for work that embeds pictures: the model is
// loaded at once, and it says what embeds them.
func (c *Collection) OpenModelToEmbed(ctx context.Context) (*Model, error) {
	return c.openModelToEmbed(ctx, c.Loader)
}

func (c *Collection) openModelToEmbed(ctx context.Context, l *Loader) (*Model, error) {
	m, err := c.openModel(ctx, func(ctx context.Context, used []Used) (*Loaded, error) { return l.Load(ctx, used, true) })
	if err != nil {
		return nil, err
	}
	if err := m.Embedder.Tell(ctx, c.tell); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

// openModel opens what load makes of the collection's models.
func (c *Collection) openModel(ctx context.Context, load func(context.Context, []Used) (*Loaded, error)) (*Model, error) {
	used, err := c.UsedModels(ctx)
	if err != nil {
		return nil, err
	}
	loaded, err := load(ctx, used)
	if err != nil {
		return nil, err
	}
	return c.use(ctx, loaded)
}

// use takes a loaded model for one of the collection's, which closes it, and
// opens what goes with it.
func (c *Collection) use(ctx context.Context, loaded *Loaded) (*Model, error) {
	m := &Model{Collection: c, Embedder: loaded, closers: []func() error{loaded.Close}}
	if err := m.open(ctx); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

func (m *Model) open(ctx context.Context) error {
	if m.Embedder.now != nil { // else the catalog is where it is known from
		if err := m.note(ctx); err != nil {
			return err
		}
	}
	if err := m.openIndex(); err != nil {
		return err
	}
	config := taste.DefaultConfig()
	config.Sketch = m.Pictures.Sketch
	var err error
	m.Tastes, err = taste.New(m.Catalog, m.Index, config, m.logger)
	return err
}

// note puts the model into the catalog.
func (m *Model) note(ctx context.Context) error {
	_, notTuned := m.Loader.Store().Tuned(m.Embedder.Settings().Model)
	description, err := models.Kept{Description: m.Embedder.Description(), Settings: m.Embedder.Settings(), FineTuned: notTuned == nil}.JSON()
	if err != nil {
		return err
	}
	return m.Catalog.PutModel(ctx, catalog.Model{ID: m.Embedder.Model(), Name: m.Embedder.Name(), Dim: m.Embedder.Dim(), Description: description})
}

// Close closes the model and what was opened for it, and leaves the collection
// open.
func (m *Model) Close() error { return closeAll(&m.closers) }

// retryEvery is how often something is tried that another process is at.
const retryEvery = 250 * time.Millisecond

// EmbedPending embeds what is not embedded yet, together with whoever else is
// at it, and returns when all of it is done.
func (m *Model) EmbedPending(ctx context.Context) (ingest.EmbedReport, error) {
	defer m.tell.EndProgress()
	if err := m.TellInt8(ctx); err != nil {
		return ingest.EmbedReport{}, err
	}
	pipeline, err := m.Embedder.Pipeline(ctx)
	if err != nil {
		return ingest.EmbedReport{}, err
	}
	return m.Pictures.EmbedAll(ctx, m.Embedder, pipeline, func(p ingest.EmbedReport) {
		m.tell.Progress("embed", "img", int64(p.Embedded+p.Failed), int64(p.Total))
	}, func() { note(m.tell, "another process is embedding the rest; waiting for it") })
}

// EmbedAs implements starter.Steps.
func (m *Model) EmbedAs(ctx context.Context, j *job.Job, retry bool) (ingest.EmbedReport, error) {
	if retry {
		if err := m.Catalog.ClearEmbeddingFailures(ctx, m.Embedder.Model()); err != nil {
			return ingest.EmbedReport{}, err
		}
	}
	pipeline, err := m.Embedder.Pipeline(ctx)
	if err != nil {
		return ingest.EmbedReport{}, err
	}
	return m.Pictures.EmbedAs(ctx, j, m.Embedder, pipeline)
}

var _ starter.Steps = (*Model)(nil)

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/qdrant"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/imagestore/disk"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/taste"
)

// home is an opened collection: everything that a command works on, wired
// together. Parts that a command does not ask for are not opened.
type home struct {
	session    *session
	catalog    *sqlite.Catalog
	store      *disk.Store
	collection *ingest.Collection
	closers    []func() error // in the order of opening

	modelClosers int // where in closers those of the model begin

	// Set by openModel.
	embedder *openedModel
	index    index.Index
	server   *qdrant.Index    // behind index, where it is one
	follower *ingest.Follower // of server, or else of index
	spare    *ingest.Follower // of the embedded index that answers while server is away
	tastes   *taste.Tastes

	opening sync.Mutex             // of seeing
	seeing  embedder.PatchEmbedder // set by patches
}

// openHome opens catalog and image store, making the folder if need be. A
// catalog that is not the one of the pictures beside it is refused.
func openHome(ctx context.Context, s *session) (*home, error) {
	return openHomeAs(ctx, s, false)
}

// openHomeToAdopt opens them whether they belong together or not.
func openHomeToAdopt(ctx context.Context, s *session) (*home, error) {
	return openHomeAs(ctx, s, true)
}

func openHomeAs(ctx context.Context, s *session, adopt bool) (*home, error) {
	if err := prepareFolder(s); err != nil {
		return nil, err
	}
	h := &home{session: s}
	var err error
	if h.store, err = disk.Open(filepath.Join(s.Data, "images")); err != nil {
		return nil, err
	}
	path := filepath.Join(s.Data, catalogFile)
	if info, err := os.Stat(path); !adopt && (errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0) {
		if err := ingest.RefuseLostCatalog(ctx, h.store, path); err != nil {
			return nil, err
		}
	}
	if h.catalog, err = sqlite.Open(ctx, path, sqlite.DefaultConfig()); err != nil {
		return nil, err
	}
	h.closers = append(h.closers, h.catalog.Close)
	h.tellOfCatalog()
	h.collection = ingest.NewCollection(h.catalog, h.store, picture.DefaultLimits()).Within(s.decoding)
	if !adopt {
		if err := h.collection.Recognise(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("collection %s: %w", s.Data, err), h.close())
		}
		h.seeClock(ctx, false)
	}
	reserve := ingest.NewReserve(filepath.Join(s.Data, reserveFile))
	h.collection.UseReserve(reserve)
	reserve.Fill()
	h.closers = append(h.closers, func() error {
		_ = h.collection.Note(context.Background()) // an older number is noticed less well, no more
		return nil
	})
	return h, nil
}

// openModel loads the model and the index of its embeddings, for commands that
// work with what is embedded: where nothing is, no weights are downloaded.
func (h *home) openModel(ctx context.Context) error {
	return h.open(ctx, false)
}

func (h *home) open(ctx context.Context, mayPull bool) error {
	used, err := usedModels(ctx, h.catalog)
	if err != nil {
		return err
	}
	opened, err := h.session.openEmbedder(ctx, used, mayPull)
	if err != nil {
		return err
	}
	return h.use(ctx, opened)
}

// use takes a loaded model for the collection's, which closes it, and opens
// what goes with it.
func (h *home) use(ctx context.Context, opened *openedModel) error {
	h.embedder, h.modelClosers = opened, len(h.closers)
	h.closers = append(h.closers, h.embedder.Close)
	description, err := json.Marshal(catalogModel{h.embedder.Description(), h.embedder.choice.settings})
	if err != nil {
		return err
	}
	if err := h.catalog.PutModel(ctx, catalog.Model{ID: h.embedder.Model(), Name: h.embedder.Name(), Dim: h.embedder.Dim(), Description: description}); err != nil {
		return err
	}
	if err := h.openIndex(); err != nil {
		return err
	}
	config := taste.DefaultConfig()
	config.Hashes = h.collection.Hashes
	h.tastes, err = taste.New(h.catalog, h.index, config, h.session.logger)
	return err
}

// openModelToEmbed is openModel for commands that embed pictures: it says
// what embeds them.
func (h *home) openModelToEmbed(ctx context.Context) error {
	if err := h.open(ctx, true); err != nil {
		return err
	}
	h.embedder.tell(h.session)
	return nil
}

func (s *session) loadRuntime(ctx context.Context) (*ort.Runtime, error) {
	config := s.runtimeConfig()
	config.Logger = s.logger
	config.Progress = func(stage string, done, total int64) {
		s.progress("ONNX Runtime: "+stage, "B", done, total)
	}
	rt, err := ort.Load(ctx, config)
	s.finishProgress()
	return rt, err
}

// leaseRetry is how often a lease is asked for that another process holds.
const leaseRetry = 250 * time.Millisecond

// embedPending embeds what is not embedded yet, together with whoever else is
// at it, and returns when all of it is done.
func (h *home) embedPending(ctx context.Context) (ingest.EmbedReport, error) {
	defer h.session.finishProgress()
	if err := h.tellInt8(ctx); err != nil {
		return ingest.EmbedReport{}, err
	}
	pipeline, err := h.embedder.Pipeline(ctx)
	if err != nil {
		return ingest.EmbedReport{}, err
	}
	return h.collection.EmbedAll(ctx, h.embedder, pipeline, func(p ingest.EmbedReport) {
		h.session.progress("embed", "img", int64(p.Embedded+p.Failed), int64(p.Total))
	}, func() { h.session.note("another process is embedding the rest; waiting for it") })
}

// close closes what was opened, the last first.
func (h *home) close() error {
	var errs []error
	for i := len(h.closers) - 1; i >= 0; i-- {
		errs = append(errs, h.closers[i]())
	}
	h.closers = nil
	return errors.Join(errs...)
}

// catalogFile is the catalog's file in the folder of the collection.
const catalogFile = "catalog.db"

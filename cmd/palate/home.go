package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/baseline"
	"github.com/palate-art/palate/embedder/onnx"
	"github.com/palate-art/palate/index/flat"
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

	// Set by openModel.
	embedder *onnx.Embedder
	index    *flat.Index
	follower *ingest.Follower
	tastes   *taste.Tastes
}

// openHome opens catalog and image store, making the folder if need be.
func openHome(ctx context.Context, s *session) (*home, error) {
	if err := os.MkdirAll(s.Data, 0o755); err != nil {
		return nil, fmt.Errorf("folder of the collection: %w", err)
	}
	h := &home{session: s}
	var err error
	if h.catalog, err = sqlite.Open(ctx, filepath.Join(s.Data, catalogFile), sqlite.DefaultConfig()); err != nil {
		return nil, err
	}
	h.closers = append(h.closers, h.catalog.Close)
	if h.store, err = disk.Open(filepath.Join(s.Data, "images")); err != nil {
		return nil, errors.Join(err, h.close())
	}
	h.collection = ingest.NewCollection(h.catalog, h.store, picture.DefaultLimits())
	return h, nil
}

// openModel loads the model and the index of its embeddings.
func (h *home) openModel(ctx context.Context) error {
	var err error
	if h.embedder, err = openEmbedder(ctx, h.session); err != nil {
		return err
	}
	h.closers = append(h.closers, h.embedder.Close)
	description, err := json.Marshal(h.embedder.Description())
	if err != nil {
		return err
	}
	if err := h.catalog.PutModel(ctx, catalog.Model{ID: h.embedder.Model(), Name: h.embedder.Name(), Dim: h.embedder.Dim(), Description: description}); err != nil {
		return err
	}
	if h.index, err = flat.New(h.embedder.Model(), h.embedder.Dim()); err != nil {
		return err
	}
	h.closers = append(h.closers, h.index.Close)
	h.follower = ingest.NewFollower(h.catalog, h.index, "", h.session.logger)
	config := taste.DefaultConfig()
	config.Hashes = h.collection.Hashes
	h.tastes, err = taste.New(h.catalog, h.index, config, h.session.logger)
	return err
}

// openEmbedder finds or fetches the runtime and loads the model.
func openEmbedder(ctx context.Context, s *session) (*onnx.Embedder, error) {
	rt, err := s.loadRuntime(ctx)
	if err != nil {
		return nil, err
	}
	config := onnx.DefaultConfig()
	if s.Model == "baseline" {
		model, description := baseline.Model()
		return onnx.Open(ctx, rt, model, description, config)
	}
	return onnx.OpenFile(ctx, rt, s.Model, config)
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

// embedPending embeds what is not embedded yet. While another process is at
// it, it waits for what that one leaves over.
func (h *home) embedPending(ctx context.Context) (ingest.EmbedReport, error) {
	defer h.session.finishProgress()
	for told := false; ; told = true {
		report, err := h.collection.EmbedPending(ctx, h.embedder, embedder.DefaultPipelineConfig(), func(p ingest.EmbedReport) {
			h.session.progress("embed", "img", int64(p.Embedded+p.Failed), int64(p.Total))
		})
		if !errors.Is(err, palate.ErrConflict) {
			return report, err
		}
		if !told {
			h.session.note("%v; waiting for it", err)
		}
		select {
		case <-ctx.Done():
			return report, ctx.Err()
		case <-time.After(leaseRetry):
		}
	}
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

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index/fallback"
	"github.com/palate-art/palate/index/flat"
	"github.com/palate-art/palate/index/qdrant"
	"github.com/palate-art/palate/internal/access"
	"github.com/palate-art/palate/internal/ingest"
)

// indexFlags say where the index is.
type indexFlags struct {
	IndexAddress  string `name:"index" help:"Index of the embeddings: \"embedded\", in memory, or a Qdrant server, qdrant://[key@]host[:port]/collection (options: see index/qdrant; ?key_file=FILE keeps the key out of the command line)." default:"embedded" placeholder:"ADDRESS"`
	IndexFallback bool   `help:"Answer from an embedded index as well while the Qdrant server can't be reached; it takes the memory of one."`
}

// embeddedIndex is the address of the index in memory.
const embeddedIndex = "embedded"

// busyPatience is how long a command waits for another process that brings
// the index up to date, before it searches what there is.
const busyPatience = 5 * time.Second

// serverConfig reads the address of a Qdrant server.
func (f *indexFlags) serverConfig() (qdrant.Config, error) {
	if !strings.HasPrefix(f.IndexAddress, qdrant.Scheme) {
		return qdrant.Config{}, usagef("--index is %q, want %q or an address that begins with %s; the rest is not shown, as it may hold a key",
			qdrant.Redact(f.IndexAddress), embeddedIndex, qdrant.Scheme)
	}
	config, err := qdrant.ParseAddress(f.IndexAddress)
	if err != nil {
		return qdrant.Config{}, usage(err)
	}
	return config, nil
}

// openIndex opens the index of the model's embeddings, and what keeps it up to
// date. A server need not be there yet.
func (h *home) openIndex() error {
	s, model, dim := h.session, h.embedder.Model(), h.embedder.Dim()
	if s.IndexAddress == embeddedIndex {
		if s.IndexFallback {
			return usagef("--index-fallback goes with --index %s…", qdrant.Scheme)
		}
		embedded, err := h.openEmbedded()
		if err != nil {
			return err
		}
		h.index, h.follower = embedded, ingest.NewFollower(h.catalog, embedded, "", s.logger)
		return nil
	}
	config, err := s.serverConfig()
	if err != nil {
		return err
	}
	if s.temporary {
		config.Collection += fmt.Sprintf("-demo-%d", os.Getpid())
	}
	if h.server, err = qdrant.New(config, model, dim, s.logger); err != nil {
		return err
	}
	h.closers = append(h.closers, h.server.Close)
	if s.temporary {
		h.closers = append(h.closers, func() error { return h.server.Drop(context.Background()) })
	}
	h.index, h.follower = h.server, ingest.NewFollower(h.catalog, h.server, "qdrant-"+model.Short(), s.logger)
	h.server.Consider(h.follower.Recent)
	if !s.IndexFallback {
		return nil
	}
	embedded, err := h.openEmbedded()
	if err != nil {
		return err
	}
	h.spare = ingest.NewFollower(h.catalog, embedded, "", s.logger)
	h.index, err = fallback.New(h.server, embedded, fallback.DefaultConfig(), s.logger)
	return err
}

// openEmbedded opens the embedded index with its side file, one for each model.
func (h *home) openEmbedded() (*flat.Index, error) {
	folder := filepath.Join(h.session.Data, indexFolder)
	config := flat.DefaultConfig()
	config.Logger = h.session.logger
	switch err := access.MakeFolders(folder); {
	case err == nil:
		config.Path = filepath.Join(folder, h.embedder.Model().Short()+".flat")
	case h.readOnly() == nil:
		return nil, fmt.Errorf("folder of the index: %w", err)
	}
	embedded, err := flat.Open(h.embedder.Model(), h.embedder.Dim(), config)
	if err == nil {
		h.closers = append(h.closers, embedded.Close)
	}
	return embedded, err
}

// catchUp brings the index up to date before it is searched. While another
// process is at it, it waits a little and then goes by what there is.
func (h *home) catchUp(ctx context.Context) error {
	if h.spare != nil {
		if _, err := h.spare.CatchUp(ctx); err != nil {
			return err
		}
	}
	err := h.whenFree(ctx, busyPatience, func() error { _, err := h.follower.CatchUp(ctx); return err })
	switch {
	case errors.Is(err, ingest.ErrFollowed):
		h.session.note("going by what it holds already")
		return nil
	case h.spare != nil && errors.Is(err, palate.ErrUnavailable):
		return nil // the fallback tells
	}
	return err
}

// loadIndex loads what goes with the process. A server is brought up to date
// while serving: it may be away, or empty.
func (h *home) loadIndex(ctx context.Context) error {
	switch {
	case h.spare != nil:
		_, err := h.spare.CatchUp(ctx)
		return err
	case h.server == nil:
		_, err := h.follower.CatchUp(ctx)
		return err
	}
	return nil
}

// followCatalog keeps the index up to date until ctx is done.
func (h *home) followCatalog(ctx context.Context, follow func(func() error)) {
	follow(func() error { return h.follower.Run(ctx, followAgain) })
	if h.spare != nil {
		follow(func() error { return h.spare.Run(ctx, followAgain) })
	}
}

package collection

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

// busyPatience is how long a command waits for another process that brings
// the index up to date, before it searches what there is.
const busyPatience = 5 * time.Second

// ServerConfig reads the address of a Qdrant server.
func ServerConfig(address string) (qdrant.Config, error) {
	if !strings.HasPrefix(address, qdrant.Scheme) {
		return qdrant.Config{}, askedf("--index is %q, want %q or an address that begins with %s; the rest is not shown, as it may hold a key",
			qdrant.Redact(address), EmbeddedIndex, qdrant.Scheme)
	}
	config, err := qdrant.ParseAddress(address)
	if err != nil {
		return qdrant.Config{}, asked(err)
	}
	return config, nil
}

// openIndex opens the index of the model's embeddings, and what keeps it up to
// date. A server need not be there yet.
func (m *Model) openIndex() error {
	config, model, dim := m.config, m.Embedder.Model(), m.Embedder.Dim()
	if config.Index == EmbeddedIndex {
		if config.Fallback {
			return askedf("--index-fallback goes with --index %s…", qdrant.Scheme)
		}
		embedded, err := m.openEmbedded()
		if err != nil {
			return err
		}
		m.Index, m.Follower = embedded, ingest.NewFollower(m.Catalog, embedded, "", m.logger)
		return nil
	}
	server, err := ServerConfig(config.Index)
	if err != nil {
		return err
	}
	if config.Temporary {
		server.Collection += fmt.Sprintf("-demo-%d", os.Getpid())
	}
	if m.server, err = qdrant.New(server, model, dim, m.logger); err != nil {
		return err
	}
	m.closers = append(m.closers, m.server.Close)
	if config.Temporary {
		m.closers = append(m.closers, func() error { return m.server.Drop(context.Background()) })
	}
	m.Index, m.Follower = m.server, ingest.NewFollower(m.Catalog, m.server, "qdrant-"+model.Short(), m.logger)
	m.server.Consider(m.Follower.Recent)
	if !config.Fallback {
		return nil
	}
	embedded, err := m.openEmbedded()
	if err != nil {
		return err
	}
	m.spare = ingest.NewFollower(m.Catalog, embedded, "", m.logger)
	m.Index, err = fallback.New(m.server, embedded, fallback.DefaultConfig(), m.logger)
	return err
}

// openEmbedded opens the embedded index with its side file, one for each model.
func (m *Model) openEmbedded() (*flat.Index, error) {
	folder := filepath.Join(m.config.Folder, IndexFolder)
	config := flat.DefaultConfig()
	config.Logger = m.logger
	switch err := access.MakeFolders(folder); {
	case err == nil:
		config.Path = filepath.Join(folder, m.Embedder.Model().Short()+".flat")
	case m.ReadOnly() == nil:
		return nil, fmt.Errorf("folder of the index: %w", err)
	}
	embedded, err := flat.Open(m.Embedder.Model(), m.Embedder.Dim(), config)
	if err == nil {
		m.closers = append(m.closers, embedded.Close)
	}
	return embedded, err
}

// CatchUp brings the index up to date before it is searched. While another
// process is at it, it waits a little and then goes by what there is.
func (m *Model) CatchUp(ctx context.Context) error {
	if m.spare != nil {
		if _, err := m.spare.CatchUp(ctx); err != nil {
			return err
		}
	}
	err := m.whenFree(ctx, busyPatience, func() error { _, err := m.Follower.CatchUp(ctx); return err })
	switch {
	case errors.Is(err, ingest.ErrFollowed):
		note(m.tell, "going by what it holds already")
		return nil
	case m.spare != nil && errors.Is(err, palate.ErrUnavailable):
		return nil // the fallback tells
	}
	return err
}

// loadIndex loads what goes with the process. A server is brought up to date
// while serving: it may be away, or empty.
func (m *Model) loadIndex(ctx context.Context) error {
	switch {
	case m.spare != nil:
		_, err := m.spare.CatchUp(ctx)
		return err
	case m.server == nil:
		_, err := m.Follower.CatchUp(ctx)
		return err
	}
	return nil
}

// followCatalog keeps the index up to date until ctx is done.
func (m *Model) followCatalog(ctx context.Context, follow func(func() error)) {
	follow(func() error { return m.Follower.Run(ctx, followAgain) })
	if m.spare != nil {
		follow(func() error { return m.spare.Run(ctx, followAgain) })
	}
}

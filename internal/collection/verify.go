package collection

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/palate-art/palate/index/flat"
	"github.com/palate-art/palate/index/qdrant"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/verify"
)

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

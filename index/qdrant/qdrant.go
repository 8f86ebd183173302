package qdrant

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/qdrant/go-client/qdrant"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// Index implements index.Persistent. Clear commits an empty collection.
type Index struct {
	client *qdrant.Client
	config Config
	model  palate.ModelID
	dim    int
	recent Recent
	logger *slog.Logger

	owner index.Owner

	// name is the alias, or the collection of a Staged.
	name string

	mu      sync.Mutex
	present served // what is asked and changed; without a name it is looked for

	warned sync.Once // of the server's version
	closed atomic.Bool
}

var (
	_ index.Persistent = (*Index)(nil)
	_ index.Staged     = (*Staged)(nil)
)

// Recent gives a profile's verdicts that the index may not have seen yet. An
// empty verdict, or palate.Skip, says that an earlier one is taken away.
type Recent func(ctx context.Context, p palate.Profile) (map[palate.ImageID]palate.Verdict, error)

// New returns the index of one model's embeddings, each of length dim. It
// does not reach for the server: that may be down.
func New(config Config, model palate.ModelID, dim int, logger *slog.Logger) (*Index, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if dim < 1 || dim > maxDim {
		return nil, fmt.Errorf("qdrant: dimension is %d, want 1 to %d: %w", dim, maxDim, palate.ErrInvalid)
	}
	if len(model) < modelDigits {
		return nil, fmt.Errorf("qdrant: model %q is no fingerprint: %w", model, palate.ErrInvalid)
	}
	config, err := config.withKey()
	if err != nil {
		return nil, err
	}
	client, err := connect(config)
	if err != nil {
		return nil, err
	}
	if config.exposesKey() {
		logger.Warn("the API key goes to the Qdrant server unencrypted; add ?tls=1 to its address", "server", config.server())
	}
	return &Index{client: client, config: config, model: model, dim: dim, logger: logger, name: aliasOf(config.Collection, model)}, nil
}

// maxDim is the server's limit.
const maxDim = 65536

// Consider lets filters by verdict see what recent gives. It is called before
// the index is used.
func (x *Index) Consider(recent Recent) { x.recent = recent }

// BelongTo implements index.Persistent. It is called before the index is used.
func (x *Index) BelongTo(owner index.Owner) { x.owner = owner }

// Model implements index.Index.
func (x *Index) Model() palate.ModelID { return x.model }

// Dim implements index.Index.
func (x *Index) Dim() int { return x.dim }

// Close implements index.Index.
func (x *Index) Close() error {
	if x.closed.Swap(true) {
		return nil
	}
	if err := x.client.Close(); err != nil {
		return fmt.Errorf("qdrant: close: %w", err)
	}
	return nil
}

// usable reports why a call can't begin.
func (x *Index) usable(ctx context.Context) error {
	if x.closed.Load() {
		return fmt.Errorf("qdrant: the index is closed: %w", palate.ErrUnavailable)
	}
	return ctx.Err()
}

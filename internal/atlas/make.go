package atlas

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// Embeddings are what a map is made of; a catalog has them.
type Embeddings interface {
	ListEmbeddings(ctx context.Context, m palate.ModelID, after palate.ImageID, limit int) ([]catalog.ImageEmbedding, error)
}

const (
	readAtOnce = 2000
	trustK     = 10
	// trustOf is of how many pictures the measure is told.
	trustOf = 400
)

// Make lays out what a model has embedded, and says how good the map is. It holds
// all embeddings in memory meanwhile, twice.
func Make(ctx context.Context, from Embeddings, model palate.ModelID, config Config) (*Map, error) {
	begun := time.Now()
	var ids []palate.ImageID
	var x []float32
	dim := 1
	for after := (palate.ImageID{}); ; {
		some, err := from.ListEmbeddings(ctx, model, after, readAtOnce)
		if err != nil {
			return nil, err
		}
		for _, e := range some {
			dim = len(e.Embedding)
			ids, x, after = append(ids, e.ID), append(x, e.Embedding...), e.ID
		}
		if len(some) < readAtOnce {
			break
		}
	}
	places, err := Layout(ctx, x, dim, config)
	if err != nil {
		return nil, err
	}
	made := Made{Model: model, At: begun.UTC().Truncate(time.Second), Neighbours: config.Neighbours, Seed: config.Seed, TrustK: trustK}
	if made.Trustworthiness, err = Trustworthiness(ctx, x, dim, places, trustK, trustOf, config.Seed); err != nil {
		return nil, err
	}
	principal, err := Principal(ctx, x, dim, config.Seed)
	if err != nil {
		return nil, err
	}
	if made.Principal, err = Trustworthiness(ctx, x, dim, principal, trustK, trustOf, config.Seed); err != nil {
		return nil, err
	}
	made.Seconds = time.Since(begun).Seconds()
	return New(made, ids, places), nil
}

// Kept is the map of a file, read when it is asked for and again when the file
// has changed. It is safe for concurrent use.
type Kept struct {
	path string

	mu   sync.Mutex
	of   os.FileInfo
	read *Map
}

// NewKept reads nothing yet.
func NewKept(path string) *Kept { return &Kept{path: path} }

// Map is the map as it is kept now; errors are those of Read.
func (k *Kept) Map() (*Map, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	info, err := os.Stat(k.path)
	if err == nil && k.of != nil && os.SameFile(info, k.of) && info.ModTime().Equal(k.of.ModTime()) {
		return k.read, nil
	}
	m, err := Read(k.path)
	if err != nil {
		return nil, err
	}
	k.of, k.read = info, m
	return m, nil
}

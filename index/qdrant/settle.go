package qdrant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/protobuf/proto"

	"github.com/palate-art/palate"
)

const (
	// settleEvery is how often a server is asked how far its graphs are.
	settleEvery = 250 * time.Millisecond
	// settlePatience is how long a server may have graphs to build and not be
	// at it.
	settlePatience = 30 * time.Second
)

// deferIndexing lets the server build no graphs for now: while points come they
// would be built over and over. What a server does not tell its threshold of is
// left as it is.
func (b *Staged) deferIndexing(ctx context.Context, info *qdrant.CollectionInfo) error {
	threshold := info.GetConfig().GetOptimizerConfig().GetIndexingThreshold()
	if threshold == 0 {
		return nil
	}
	if err := b.setIndexing(ctx, 0); err != nil {
		return err
	}
	b.indexing = threshold
	return nil
}

// resumeIndexing lets the server build graphs as it would have.
func (b *Staged) resumeIndexing(ctx context.Context) error {
	if b.indexing == 0 {
		return nil
	}
	if err := b.setIndexing(ctx, b.indexing); err != nil {
		return err
	}
	b.indexing = 0
	return nil
}

func (b *Staged) setIndexing(ctx context.Context, threshold uint64) error {
	err := b.client.UpdateCollection(ctx, &qdrant.UpdateCollection{CollectionName: b.name,
		OptimizersConfig: &qdrant.OptimizersConfigDiff{IndexingThreshold: proto.Uint64(threshold)}})
	if err != nil {
		return b.failed(ctx, fmt.Sprintf("let %s build graphs from %d kB on", b.name, threshold), err)
	}
	return nil
}

// Settle implements index.Staged.
func (b *Staged) Settle(ctx context.Context, progress func(done, total int)) error {
	if err := b.resumeIndexing(ctx); err != nil {
		return err
	}
	return b.Index.Settle(ctx, progress)
}

// Settle implements index.Persistent: it waits until the collection is green. A
// server that does not begin to build its graphs, or that can't be asked, is
// waited for a while.
func (x *Index) Settle(ctx context.Context, progress func(done, total int)) error {
	if _, err := x.serving(ctx); err != nil {
		return err
	}
	for worked := time.Now(); ; {
		info, err := x.servingInfo(ctx)
		patient := time.Since(worked) < settlePatience
		total := int(max(info.GetPointsCount(), 1)) - 1 // without the marker
		switch state := info.GetStatus(); {
		case err != nil && (!errors.Is(err, palate.ErrUnavailable) || !patient):
			return err
		case err != nil:
		case state == qdrant.CollectionStatus_Green:
			return nil
		case state == qdrant.CollectionStatus_Red:
			return fmt.Errorf("qdrant: %s is red (%s); the server's log says why: %w", x.config.server(), info.GetOptimizerStatus().GetError(), palate.ErrUnavailable)
		case state == qdrant.CollectionStatus_Yellow:
			worked = time.Now()
		case !patient:
			x.logger.WarnContext(ctx, "Qdrant has graphs to build and does not begin; searches are slower until it has", "server", x.config.server())
			return nil
		}
		if progress != nil && err == nil {
			progress(min(int(info.GetIndexedVectorsCount()), total), total)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(settleEvery):
		}
	}
}

// servingInfo looks at the collection that serves.
func (x *Index) servingInfo(ctx context.Context) (info *qdrant.CollectionInfo, err error) {
	err = x.read(ctx, "look at the collection", func(in served) (err error) {
		info, err = x.client.GetCollectionInfo(ctx, in.name)
		return err
	})
	return info, err
}

package qdrant

import (
	"context"
	"fmt"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/protobuf/proto"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// scrollIDs is how many IDs are listed at a time: half a megabyte.
const scrollIDs = 10_000

// Count implements index.Index.
func (x *Index) Count(ctx context.Context, f index.Filter) (int, error) {
	var count uint64
	err := x.read(ctx, "count", func(in served) error {
		filter, err := x.filterOf(ctx, in, f)
		if err != nil {
			return err
		}
		filter.MustNot = append(filter.MustNot, qdrant.NewHasID(marker))
		count, err = x.countIn(ctx, in, filter)
		return err
	})
	return int(count), err
}

// countIn counts the points of a collection. Where the server does not count
// exactly, they are listed.
func (x *Index) countIn(ctx context.Context, in served, filter *qdrant.Filter) (count uint64, err error) {
	if !in.limits.inexact {
		return x.client.Count(ctx, &qdrant.CountPoints{CollectionName: in.name, Filter: filter, Exact: proto.Bool(true), Timeout: x.serverTimeout(in.limits)})
	}
	request := &qdrant.ScrollPoints{CollectionName: in.name, Filter: filter, Limit: proto.Uint32(uint32(atMost(scrollIDs, in.limits.results))),
		WithPayload: qdrant.NewWithPayload(false), WithVectors: qdrant.NewWithVectors(false), Timeout: x.serverTimeout(in.limits)}
	for {
		var found []*qdrant.RetrievedPoint
		if found, request.Offset, err = x.client.ScrollAndOffset(ctx, request); err != nil {
			return 0, err
		}
		count += uint64(len(found))
		if request.Offset == nil {
			return count, nil
		}
	}
}

// IDs implements index.Index.
func (x *Index) IDs(ctx context.Context, after palate.ImageID, limit int) ([]palate.ImageID, error) {
	if limit < 1 {
		return nil, fmt.Errorf("qdrant: list: limit is %d, want at least 1: %w", limit, palate.ErrInvalid)
	}
	if err := x.usable(ctx); err != nil {
		return nil, err
	}
	ids := []palate.ImageID{}
	for from := pointID(after); from != nil && len(ids) < limit; { // after itself may be the first
		request := &qdrant.ScrollPoints{Offset: from, WithPayload: qdrant.NewWithPayload(false), WithVectors: qdrant.NewWithVectors(false)}
		var found []*qdrant.RetrievedPoint
		err := x.read(ctx, "list", func(in served) (err error) {
			request.CollectionName, request.Timeout = in.name, x.serverTimeout(in.limits)
			request.Limit = proto.Uint32(uint32(atMost(min(limit-len(ids), scrollIDs)+1, in.limits.results)))
			found, from, err = x.client.ScrollAndOffset(ctx, request)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			if id, ok := imageID(p.GetId()); ok && id != after && len(ids) < limit {
				ids = append(ids, id)
			}
		}
	}
	return ids, nil
}

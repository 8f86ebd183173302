package qdrant

import (
	"context"
	"fmt"
	"slices"

	"github.com/qdrant/go-client/qdrant"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

const (
	// batchIDs is how many points one operation names.
	batchIDs = 1000
	// batchOperations is how many payloads one call replaces.
	batchOperations = 250
	// upsertsAtOnce is how many upserts are under way: while the server does
	// one, the next is packed and sent.
	upsertsAtOnce = 4
)

// Upsert implements index.Index. The points go in several calls, some of
// them at once: a search meanwhile, or after a failure, sees any of them.
func (x *Index) Upsert(ctx context.Context, points []index.Point) error {
	if err := index.ValidatePoints(points, x.dim); err != nil {
		return fmt.Errorf("qdrant: upsert: %w", err)
	}
	structs, err := pointStructs(points)
	if err != nil {
		return fmt.Errorf("qdrant: upsert: %w", err)
	}
	if len(structs) == 0 {
		return nil
	}
	in, err := x.serving(ctx)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(upsertsAtOnce)
	for most := atMost(x.config.BatchPoints, in.limits.upserts); len(structs) > 0; {
		n, bytes := 1, proto.Size(structs[0])
		for n < len(structs) && n < most {
			if bytes += proto.Size(structs[n]); bytes > x.config.BatchBytes {
				break
			}
			n++
		}
		batch := structs[:n]
		structs = structs[n:]
		group.Go(func() error {
			return x.change(ctx, "upsert", func(target string) ([]*qdrant.UpdateResult, error) {
				return one(x.client.Upsert(ctx, &qdrant.UpsertPoints{CollectionName: target, Wait: proto.Bool(true), Points: batch}))
			})
		})
	}
	return group.Wait()
}

// pointStructs writes points as the server wants them. Of points with the
// same ID the last one counts.
func pointStructs(points []index.Point) (structs []*qdrant.PointStruct, err error) {
	last := make(map[palate.ImageID]int, len(points))
	for i, p := range points {
		last[p.ID] = i
	}
	for i, p := range points {
		if last[p.ID] != i {
			continue
		}
		payload, err := payloadOf(p.Attributes)
		if err != nil {
			return nil, fmt.Errorf("point %s: %w", p.ID, err)
		}
		structs = append(structs, &qdrant.PointStruct{Id: pointID(p.ID), Vectors: qdrant.NewVectors(p.Embedding...), Payload: payload})
	}
	return structs, nil
}

// change does a change on the collection that serves, once more if that was
// replaced meanwhile.
func (x *Index) change(ctx context.Context, what string, do func(target string) ([]*qdrant.UpdateResult, error)) error {
	for again := false; ; {
		in, err := x.serving(ctx)
		if err != nil {
			return err
		}
		if in.outdated {
			return x.superseded()
		}
		results, err := do(in.name)
		if err == nil {
			return x.completed(what, results...)
		}
		retried := again
		if again, err = x.missed(ctx, what, in, err); !again || retried {
			return err
		}
	}
}

// one makes a list of the only result.
func one(result *qdrant.UpdateResult, err error) ([]*qdrant.UpdateResult, error) {
	return []*qdrant.UpdateResult{result}, err
}

// completed reports whether the server has done all of it: what it has merely
// taken on may be lost.
func (x *Index) completed(what string, results ...*qdrant.UpdateResult) error {
	for _, r := range results {
		if r.GetStatus() != qdrant.UpdateStatus_Completed {
			return fmt.Errorf("qdrant: %s: %s answers %s, want Completed: %w", what, x.config.server(), r.GetStatus(), palate.ErrUnavailable)
		}
	}
	return nil
}

// update does operations in batches. They select points by a filter on IDs:
// naming an ID that is not stored would fail.
func (x *Index) update(ctx context.Context, what string, operations []*qdrant.PointsUpdateOperation) error {
	for batch := range slices.Chunk(operations, batchOperations) {
		err := x.change(ctx, what, func(target string) ([]*qdrant.UpdateResult, error) {
			return x.client.UpdateBatch(ctx, &qdrant.UpdateBatchPoints{CollectionName: target, Wait: proto.Bool(true), Operations: batch})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func stored(ids ...palate.ImageID) *qdrant.PointsSelector {
	return qdrant.NewPointsSelectorFilter(&qdrant.Filter{Must: []*qdrant.Condition{qdrant.NewHasID(pointIDs(ids)...)}})
}

// SetAttributes implements index.Index.
func (x *Index) SetAttributes(ctx context.Context, attributes map[palate.ImageID]index.Attributes) error {
	var operations []*qdrant.PointsUpdateOperation
	for id, a := range attributes {
		payload, err := payloadOf(a)
		if err != nil {
			return fmt.Errorf("qdrant: set attributes of %s: %w", id, err)
		}
		operations = append(operations, qdrant.NewPointsUpdateOverwritePayload(
			&qdrant.PointsUpdateOperation_OverwritePayload{Payload: payload, PointsSelector: stored(id)}))
	}
	return x.update(ctx, "set attributes", operations)
}

// Delete implements index.Index.
func (x *Index) Delete(ctx context.Context, ids []palate.ImageID) error {
	for batch := range slices.Chunk(ids, batchIDs) {
		err := x.change(ctx, "delete", func(target string) ([]*qdrant.UpdateResult, error) {
			return one(x.client.Delete(ctx, &qdrant.DeletePoints{CollectionName: target, Wait: proto.Bool(true), Points: qdrant.NewPointsSelectorIDs(pointIDs(batch))}))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

package qdrant

import (
	"context"
	"fmt"
	"slices"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/protobuf/proto"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// collapsePage is how many hits are fetched at a time, with their embeddings,
// until enough of them are kept.
const collapsePage = 500

// collapsed answers a query that leaves near duplicates out. The server can't
// compare hits with each other, so they are fetched and compared here.
func (x *Index) collapsed(ctx context.Context, q index.Query) ([]index.Hit, error) {
	vector, named, err := x.queryVector(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("qdrant: search: %w", err)
	}
	filter := q.Filter
	filter.NotIDs = append(slices.Clone(filter.NotIDs), named...)
	request := &qdrant.QueryPoints{Query: qdrant.NewQueryDense(vector), ScoreThreshold: q.Threshold, WithVectors: qdrant.NewWithVectors(true)}
	page := x.vectorsAtOnce(collapsePage)
	request.Limit = proto.Uint64(uint64(page))
	collapser := index.NewCollapser(q.Collapse, vector)
	seen := make(map[palate.ImageID]bool) // equal scores may change places between pages
	kept := []index.Hit{}
	for offset := uint64(0); len(kept) < q.Offset+q.Limit; offset += uint64(page) {
		request.Offset = proto.Uint64(offset)
		found, err := x.query(ctx, filter, request)
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			if !seen[p.hit.ID] && len(kept) < q.Offset+q.Limit && collapser.Keep(p.hit.Score, p.embedding) {
				kept = append(kept, p.hit)
			}
			seen[p.hit.ID] = true
		}
		if len(found) < page {
			break
		}
	}
	return kept[min(q.Offset, len(kept)):], nil
}

// queryVector gives the vector that a query asks with, and the points that it
// names.
func (x *Index) queryVector(ctx context.Context, q index.Query) (vector []float32, named []palate.ImageID, err error) {
	var positive, negative []palate.ImageID
	switch {
	case q.Near != nil:
		positive = []palate.ImageID{*q.Near}
	case q.Examples != nil:
		positive, negative = q.Examples.Positive, q.Examples.Negative
	default:
		return q.Vector, nil, nil
	}
	named = append(append(named, positive...), negative...)
	points, err := x.Get(ctx, named)
	if err != nil {
		return nil, nil, err
	}
	embeddings := make(map[palate.ImageID]palate.Embedding, len(points))
	for _, p := range points {
		embeddings[p.ID] = p.Embedding
	}
	sum := make([]float64, x.dim)
	add := func(ids []palate.ImageID, weight float64) error {
		for _, id := range ids {
			e, there := embeddings[id]
			if !there {
				return fmt.Errorf("image %s: %w", id, palate.ErrNotFound)
			}
			for i, v := range e {
				sum[i] += float64(v) * weight / float64(len(ids))
			}
		}
		return nil
	}
	weight := 1.0
	if len(negative) > 0 {
		weight = 2
	}
	if err := add(positive, weight); err != nil {
		return nil, nil, err
	}
	if err := add(negative, -1); err != nil {
		return nil, nil, err
	}
	vector = make([]float32, x.dim)
	for i, v := range sum {
		vector[i] = float32(v)
	}
	return vector, named, nil
}

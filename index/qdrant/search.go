package qdrant

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/protobuf/proto"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// batchVectors is how many embeddings are read at a time: 12 MB of 3072
// values each.
const batchVectors = 1000

// scrollIDs is how many IDs are listed at a time: half a megabyte.
const scrollIDs = 10_000

// read asks the collection that serves, once more if that was replaced
// meanwhile.
func (x *Index) read(ctx context.Context, what string, do func(in served) error) error {
	for again := false; ; {
		in, err := x.serving(ctx)
		if err != nil {
			return err
		}
		if err = do(in); err == nil {
			return nil
		}
		retried := again
		if again, err = x.missed(ctx, in.name, x.failed(ctx, what, err)); !again || retried {
			return err
		}
	}
}

// serverTimeout lets the server stop where nobody waits any more.
func (x *Index) serverTimeout() *uint64 {
	return proto.Uint64(uint64((x.config.SearchTimeout + time.Second - 1) / time.Second))
}

// Search implements index.Index.
func (x *Index) Search(ctx context.Context, q index.Query) ([]index.Hit, error) {
	if err := q.Validate(x.dim); err != nil {
		return nil, fmt.Errorf("qdrant: search: %w", err)
	}
	if q.Collapse != 0 {
		return x.collapsed(ctx, q)
	}
	found, err := x.query(ctx, q.Filter, &qdrant.QueryPoints{Query: queryOf(q), Params: x.searchParams(),
		ScoreThreshold: q.Threshold, Limit: proto.Uint64(uint64(q.Limit)), Offset: proto.Uint64(uint64(q.Offset)), Timeout: x.serverTimeout()})
	if err != nil {
		return nil, err
	}
	hits := make([]index.Hit, len(found))
	for i, p := range found {
		hits[i] = p.hit
	}
	return hits, nil
}

// scored is a hit, with its embedding where that was asked for.
type scored struct {
	hit       index.Hit
	embedding palate.Embedding
}

// query asks for what passes the filter, and puts equal scores in the order of
// IDs.
func (x *Index) query(ctx context.Context, f index.Filter, request *qdrant.QueryPoints) ([]scored, error) {
	var found []*qdrant.ScoredPoint
	err := x.read(ctx, "search", func(in served) (err error) {
		request.CollectionName = in.name
		if request.Filter, err = x.filterOf(ctx, in, f); err == nil {
			found, err = x.client.Query(ctx, request)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	hits := make([]scored, 0, len(found))
	for _, p := range found {
		if id, ok := imageID(p.GetId()); ok {
			hits = append(hits, scored{index.Hit{ID: id, Score: p.GetScore()}, p.GetVectors().GetVector().GetDense().GetData()})
		}
	}
	slices.SortStableFunc(hits, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.hit.Score, a.hit.Score), compareIDs(a.hit.ID, b.hit.ID))
	})
	return hits, nil
}

// queryOf writes the query vector. The server leaves the points out that are
// named in it.
func queryOf(q index.Query) *qdrant.Query {
	switch {
	case q.Near != nil:
		return qdrant.NewQueryID(pointID(*q.Near))
	case q.Examples != nil:
		return qdrant.NewQueryRecommend(&qdrant.RecommendInput{Positive: exampleInputs(q.Examples.Positive),
			Negative: exampleInputs(q.Examples.Negative), Strategy: qdrant.RecommendStrategy_AverageVector.Enum()})
	}
	return qdrant.NewQueryDense(q.Vector)
}

func exampleInputs(ids []palate.ImageID) []*qdrant.VectorInput {
	inputs := make([]*qdrant.VectorInput, len(ids))
	for i, id := range ids {
		inputs[i] = qdrant.NewVectorInputID(pointID(id))
	}
	return inputs
}

func (x *Index) searchParams() *qdrant.SearchParams {
	p := new(qdrant.SearchParams)
	if x.config.Exact {
		p.Exact = proto.Bool(true)
	}
	if x.config.HNSWSearch > 0 {
		p.HnswEf = proto.Uint64(uint64(x.config.HNSWSearch))
	}
	if x.config.Quantization != NoQuantization { // scores are of the embeddings as they were written
		p.Quantization = &qdrant.QuantizationSearchParams{Rescore: proto.Bool(true)}
		if x.config.Oversampling > 0 {
			p.Quantization.Oversampling = proto.Float64(x.config.Oversampling)
		}
	}
	return p
}

// Scores implements index.Index.
func (x *Index) Scores(ctx context.Context, vector []float32, ids []palate.ImageID) (map[palate.ImageID]float32, error) {
	if err := index.ValidateVector(vector, x.dim); err != nil {
		return nil, fmt.Errorf("qdrant: scores: %w", err)
	}
	if err := x.usable(ctx); err != nil {
		return nil, err
	}
	scores := make(map[palate.ImageID]float32, len(ids))
	for batch := range slices.Chunk(ids, batchIDs) {
		request := &qdrant.QueryPoints{Query: qdrant.NewQueryDense(vector), Limit: proto.Uint64(uint64(len(batch))),
			Filter: &qdrant.Filter{Must: []*qdrant.Condition{qdrant.NewHasID(pointIDs(batch)...)}},
			Params: &qdrant.SearchParams{Exact: proto.Bool(true)}, Timeout: x.serverTimeout()}
		err := x.read(ctx, "scores", func(in served) error {
			request.CollectionName = in.name
			found, err := x.client.Query(ctx, request)
			for _, p := range found {
				if id, ok := imageID(p.GetId()); ok {
					scores[id] = p.GetScore()
				}
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return scores, nil
}

// Get implements index.Index.
func (x *Index) Get(ctx context.Context, ids []palate.ImageID) ([]index.Point, error) {
	if err := x.usable(ctx); err != nil {
		return nil, err
	}
	points := make([]index.Point, 0, len(ids))
	for batch := range slices.Chunk(ids, batchVectors) {
		var found []*qdrant.RetrievedPoint
		err := x.read(ctx, "get", func(in served) (err error) {
			found, err = x.client.Get(ctx, &qdrant.GetPoints{CollectionName: in.name, Ids: pointIDs(batch),
				WithPayload: qdrant.NewWithPayload(true), WithVectors: qdrant.NewWithVectors(true), Timeout: x.serverTimeout()})
			return err
		})
		if err != nil {
			return nil, err
		}
		// The server tells of an ID once, in an order of its own.
		byID := make(map[palate.ImageID]index.Point, len(found))
		for _, p := range found {
			if id, ok := imageID(p.GetId()); ok {
				byID[id] = index.Point{ID: id, Embedding: p.GetVectors().GetVector().GetDense().GetData(), Attributes: attributesOf(p.GetPayload())}
			}
		}
		for _, id := range batch {
			if p, there := byID[id]; there {
				points = append(points, p)
			}
		}
	}
	return points, nil
}

// Count implements index.Index.
func (x *Index) Count(ctx context.Context, f index.Filter) (int, error) {
	var count uint64
	err := x.read(ctx, "count", func(in served) error {
		filter, err := x.filterOf(ctx, in, f)
		if err != nil {
			return err
		}
		filter.MustNot = append(filter.MustNot, qdrant.NewHasID(marker))
		count, err = x.client.Count(ctx, &qdrant.CountPoints{CollectionName: in.name, Filter: filter, Exact: proto.Bool(true), Timeout: x.serverTimeout()})
		return err
	})
	return int(count), err
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
		request := &qdrant.ScrollPoints{Offset: from, Limit: proto.Uint32(uint32(min(limit-len(ids), scrollIDs) + 1)),
			WithPayload: qdrant.NewWithPayload(false), WithVectors: qdrant.NewWithVectors(false), Timeout: x.serverTimeout()}
		var found []*qdrant.RetrievedPoint
		err := x.read(ctx, "list", func(in served) (err error) {
			request.CollectionName = in.name
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

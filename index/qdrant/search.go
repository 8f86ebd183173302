package qdrant

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/protobuf/proto"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// The most embeddings that are read at a time, and the most bytes of them.
const (
	batchVectors     = 1000
	batchVectorBytes = maxMessageBytes / 4
)

// vectorsAtOnce is how many embeddings are read at a time, at most that many.
func (x *Index) vectorsAtOnce(most int) int {
	return max(1, min(most, batchVectorBytes/(4*x.dim)))
}

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

// maxStrangers is how many points of somebody else are left out of searches.
const maxStrangers = 10_000

// query asks for what passes the filter, and puts equal scores in the order of
// IDs. Points that no image has the ID of are asked to be left out, and the query
// is repeated: the page is full and the next one begins where it ends.
func (x *Index) query(ctx context.Context, f index.Filter, request *qdrant.QueryPoints) ([]scored, error) {
	for {
		var found []*qdrant.ScoredPoint
		var known served
		err := x.read(ctx, "search", func(in served) (err error) {
			known, request.CollectionName = in, in.name
			if request.Filter, err = x.filterOf(ctx, in, f); err != nil {
				return err
			}
			if len(in.strangers) > 0 {
				request.Filter.MustNot = append(request.Filter.MustNot, qdrant.NewHasID(in.strangers...))
			}
			found, err = x.client.Query(ctx, request)
			return err
		})
		if err != nil {
			return nil, err
		}
		hits := make([]scored, 0, len(found))
		var strangers []*qdrant.PointId
		for _, p := range found {
			if id, ok := imageID(p.GetId()); ok {
				hits = append(hits, scored{index.Hit{ID: id, Score: p.GetScore()}, p.GetVectors().GetVector().GetDense().GetData()})
			} else {
				strangers = append(strangers, p.GetId())
			}
		}
		if len(strangers) > 0 {
			if err := x.leaveOut(known, strangers); err != nil {
				return nil, err
			}
			continue
		}
		slices.SortStableFunc(hits, func(a, b scored) int {
			return cmp.Or(cmp.Compare(b.hit.Score, a.hit.Score), compareIDs(a.hit.ID, b.hit.ID))
		})
		return hits, nil
	}
}

// leaveOut remembers points that are not palate's.
func (x *Index) leaveOut(in served, strangers []*qdrant.PointId) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.present.name != in.name {
		return nil // another collection serves by now
	}
	all := slices.Clone(x.present.strangers)
	for _, id := range strangers {
		if !slices.ContainsFunc(all, func(known *qdrant.PointId) bool { return proto.Equal(known, id) }) {
			all = append(all, id)
		}
	}
	if len(all) > maxStrangers {
		return fmt.Errorf("qdrant: %s holds more than %d points that are not palate's; palate reindex makes it anew: %w", in.name, maxStrangers, palate.ErrUnavailable)
	}
	x.present.strangers = all
	return nil
}

// Strangers names up to limit points that no image has the ID of: those that
// are named by numbers, which the server lists first.
func (x *Index) Strangers(ctx context.Context, limit int) ([]string, error) {
	var found []*qdrant.RetrievedPoint
	err := x.read(ctx, "list", func(in served) (err error) {
		found, err = x.client.Scroll(ctx, &qdrant.ScrollPoints{CollectionName: in.name, Limit: proto.Uint32(uint32(limit + 1)),
			WithPayload: qdrant.NewWithPayload(false), WithVectors: qdrant.NewWithVectors(false), Timeout: x.serverTimeout()})
		return err
	})
	var strangers []string
	for _, p := range found {
		number, ok := p.GetId().GetPointIdOptions().(*qdrant.PointId_Num)
		if ok && number.Num != marker.GetNum() && len(strangers) < limit {
			strangers = append(strangers, strconv.FormatUint(number.Num, 10))
		}
	}
	return strangers, err
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
	for batch := range slices.Chunk(ids, x.vectorsAtOnce(batchVectors)) {
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

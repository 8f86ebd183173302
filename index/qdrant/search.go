package qdrant

import (
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
		if again, err = x.missed(ctx, what, in, err); !again || retried {
			return err
		}
	}
}

// serverTimeout lets the server stop where nobody waits any more.
func (x *Index) serverTimeout(allowed limits) *uint64 {
	return proto.Uint64(uint64((atMost(x.config.SearchTimeout, allowed.timeout) + time.Second - 1) / time.Second))
}

// Search implements index.Index.
func (x *Index) Search(ctx context.Context, q index.Query) ([]index.Hit, error) {
	if err := q.Validate(x.dim); err != nil {
		return nil, fmt.Errorf("qdrant: search: %w", err)
	}
	if q.Collapse != 0 {
		return x.collapsed(ctx, q)
	}
	found, err := x.query(ctx, q.Filter, requestOf(q))
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

// query asks one query: see queries.
func (x *Index) query(ctx context.Context, f index.Filter, request *qdrant.QueryPoints) ([]scored, error) {
	found, err := x.queries(ctx, []index.Filter{f}, []*qdrant.QueryPoints{request})
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// pages asks for what the request does, in answers of at most that many results;
// 0 is one answer. Between two of them equal scores may change places.
func (x *Index) pages(ctx context.Context, request *qdrant.QueryPoints, most int) (found []*qdrant.ScoredPoint, err error) {
	limit, offset := request.GetLimit(), request.GetOffset()
	if most == 0 || limit <= uint64(most) {
		return x.client.Query(ctx, request)
	}
	defer func() { request.Limit, request.Offset = &limit, &offset }()
	seen := make(map[string]bool)
	for asked := uint64(0); asked < limit; asked += uint64(most) {
		request.Limit, request.Offset = proto.Uint64(min(uint64(most), limit-asked)), proto.Uint64(offset+asked)
		page, err := x.client.Query(ctx, request)
		if err != nil {
			return nil, err
		}
		for _, p := range page {
			if name := p.GetId().String(); !seen[name] {
				seen[name] = true
				found = append(found, p)
			}
		}
		if uint64(len(page)) < request.GetLimit() {
			break
		}
	}
	return found, nil
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
		found, err = x.client.Scroll(ctx, &qdrant.ScrollPoints{CollectionName: in.name, Limit: proto.Uint32(uint32(atMost(limit+1, in.limits.results))),
			WithPayload: qdrant.NewWithPayload(false), WithVectors: qdrant.NewWithVectors(false), Timeout: x.serverTimeout(in.limits)})
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

// requestOf asks what a query does but for its filter.
func requestOf(q index.Query) *qdrant.QueryPoints {
	return &qdrant.QueryPoints{Query: queryOf(q), ScoreThreshold: q.Threshold, Limit: proto.Uint64(uint64(q.Limit)), Offset: proto.Uint64(uint64(q.Offset))}
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

func (x *Index) searchParams(f index.Filter, allowed limits) *qdrant.SearchParams {
	p := new(qdrant.SearchParams)
	if x.config.Exact || saidByOne(f) && !allowed.inexact {
		p.Exact = proto.Bool(true)
	}
	if x.config.HNSWSearch > 0 {
		p.HnswEf = proto.Uint64(uint64(atMost(x.config.HNSWSearch, allowed.ef)))
	}
	if x.config.Quantization != NoQuantization { // scores are of the embeddings as they were written
		p.Quantization = &qdrant.QuantizationSearchParams{Rescore: proto.Bool(true)}
		if x.config.Oversampling > 0 {
			p.Quantization.Oversampling = proto.Float64(atMost(x.config.Oversampling, allowed.oversampling))
		}
	}
	return p
}

// saidByOne says whether only what one person has judged passes, which is some
// thousand points: the server compares with each of them in milliseconds, where
// its graph missed up to half of the best of 10,000 (bench/results/qdrant.md).
func saidByOne(f index.Filter) bool {
	return f.JudgedBy != "" || f.LikedBy != "" || f.DislikedBy != ""
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
	for len(ids) > 0 {
		n := 0
		err := x.read(ctx, "scores", func(in served) (err error) {
			n = min(len(ids), atMost(atMost(batchIDs, in.limits.values), in.limits.results))
			return x.score(ctx, in, vector, ids[:n], scores)
		})
		if err != nil {
			return nil, err
		}
		ids = ids[n:]
	}
	return scores, nil
}

// score adds the scores of a batch. Where the server does not compare exactly,
// it is done here.
func (x *Index) score(ctx context.Context, in served, vector []float32, ids []palate.ImageID, into map[palate.ImageID]float32) error {
	if in.limits.inexact {
		points, err := x.getFrom(ctx, in, ids)
		for _, p := range points {
			var sum float64
			for i, v := range p.Embedding {
				sum += float64(v) * float64(vector[i])
			}
			into[p.ID] = float32(sum)
		}
		return err
	}
	found, err := x.client.Query(ctx, &qdrant.QueryPoints{CollectionName: in.name, Query: qdrant.NewQueryDense(vector), Limit: proto.Uint64(uint64(len(ids))),
		Filter: &qdrant.Filter{Must: []*qdrant.Condition{qdrant.NewHasID(pointIDs(ids)...)}},
		Params: &qdrant.SearchParams{Exact: proto.Bool(true)}, Timeout: x.serverTimeout(in.limits)})
	for _, p := range found {
		if id, ok := imageID(p.GetId()); ok {
			into[id] = p.GetScore()
		}
	}
	return err
}

// Get implements index.Index.
func (x *Index) Get(ctx context.Context, ids []palate.ImageID) ([]index.Point, error) {
	if err := x.usable(ctx); err != nil {
		return nil, err
	}
	points := make([]index.Point, 0, len(ids))
	for batch := range slices.Chunk(ids, x.vectorsAtOnce(batchVectors)) {
		var found []index.Point
		err := x.read(ctx, "get", func(in served) (err error) {
			found, err = x.getFrom(ctx, in, batch)
			return err
		})
		if err != nil {
			return nil, err
		}
		points = append(points, found...)
	}
	return points, nil
}

// getFrom reads the points of a batch that are stored, in its order.
func (x *Index) getFrom(ctx context.Context, in served, ids []palate.ImageID) ([]index.Point, error) {
	found, err := x.client.Get(ctx, &qdrant.GetPoints{CollectionName: in.name, Ids: pointIDs(ids),
		WithPayload: qdrant.NewWithPayload(true), WithVectors: qdrant.NewWithVectors(true), Timeout: x.serverTimeout(in.limits)})
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
	points := make([]index.Point, 0, len(found))
	for _, id := range ids {
		if p, there := byID[id]; there {
			points = append(points, p)
		}
	}
	return points, nil
}

package qdranttest

import (
	"cmp"
	"context"
	"slices"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func (v pointsService) Query(_ context.Context, r *qdrant.QueryPoints) (*qdrant.QueryResponse, error) {
	if len(r.GetPrefetch()) > 0 || r.Using != nil || r.LookupFrom != nil || r.ShardKeySelector != nil {
		return nil, status.Error(codes.Unimplemented, "the stand-in knows no prefetch, no named vectors, no lookups and no shard keys")
	}
	limit := uint64(10)
	if r.Limit != nil {
		limit = r.GetLimit()
	}
	if limit < 1 {
		return nil, status.Error(codes.InvalidArgument, "Validation error in body: [limit: value 0 invalid, must be 1 or larger]")
	}
	v.s.mu.RLock()
	defer v.s.mu.RUnlock()
	c, err := v.s.find(r.GetCollectionName())
	if err != nil {
		return nil, err
	}
	if err := c.strict.checkQuery(r, c.indexes); err != nil {
		return nil, err
	}
	vector, left, err := c.queryVector(r.GetQuery())
	if err != nil {
		return nil, err
	}
	points, err := c.matching(r.GetFilter())
	if err != nil {
		return nil, err
	}
	answer := new(qdrant.QueryResponse)
	for _, p := range points {
		if p.vector == nil {
			continue
		}
		score := float32(product(vector, p.vector))
		if slices.Contains(left, p.id) || r.ScoreThreshold != nil && !(score > r.GetScoreThreshold()) {
			continue
		}
		payload, vectors, err := p.shown(r.GetWithPayload(), r.GetWithVectors())
		if err != nil {
			return nil, err
		}
		answer.Result = append(answer.Result, &qdrant.ScoredPoint{Id: p.id.proto(), Score: score, Payload: payload, Vectors: vectors})
	}
	slices.SortStableFunc(answer.Result, func(a, b *qdrant.ScoredPoint) int { return cmp.Compare(b.GetScore(), a.GetScore()) })
	answer.Result = answer.Result[min(int(r.GetOffset()), len(answer.Result)):]
	answer.Result = answer.Result[:min(int(limit), len(answer.Result))]
	return answer, nil
}

// QueryBatch answers all queries or, if one fails, none.
func (v pointsService) QueryBatch(ctx context.Context, r *qdrant.QueryBatchPoints) (*qdrant.QueryBatchResponse, error) {
	answer := new(qdrant.QueryBatchResponse)
	for _, query := range r.GetQueryPoints() {
		query.CollectionName, query.Timeout = r.GetCollectionName(), r.Timeout
		found, err := v.Query(ctx, query)
		if err != nil {
			return nil, err
		}
		answer.Result = append(answer.Result, &qdrant.BatchResult{Result: found.GetResult()})
	}
	return answer, nil
}

// queryVector gives the vector to compare with, and the points that are left
// out because the query names them.
func (c *collection) queryVector(query *qdrant.Query) (vector []float64, left []pointID, err error) {
	switch q := query.GetVariant().(type) {
	case *qdrant.Query_Nearest:
		return c.inputVector(q.Nearest)
	case *qdrant.Query_Recommend:
		if strategy := q.Recommend.GetStrategy(); strategy != qdrant.RecommendStrategy_AverageVector {
			return nil, nil, status.Errorf(codes.Unimplemented, "the stand-in does not know the strategy %s", strategy)
		}
		return c.average(q.Recommend.GetPositive(), q.Recommend.GetNegative())
	default:
		return nil, nil, status.Errorf(codes.Unimplemented, "the stand-in does not know the query %T", q)
	}
}

func (c *collection) inputVector(input *qdrant.VectorInput) (vector []float64, left []pointID, err error) {
	var stored []float32
	switch in := input.GetVariant().(type) {
	case *qdrant.VectorInput_Dense:
		stored = slices.Clone(in.Dense.GetData())
		if len(stored) != c.size {
			return nil, nil, status.Errorf(codes.InvalidArgument, "Wrong input: Vector dimension error: expected dim: %d, got %d", c.size, len(stored))
		}
		if c.normalises {
			normalise(stored)
		}
	case *qdrant.VectorInput_Id:
		id, err := parseID(in.Id)
		if err != nil {
			return nil, nil, err
		}
		p, ok := c.points[id]
		if !ok {
			return nil, nil, noPoint(id)
		}
		stored, left = p.vector, []pointID{id}
	default:
		return nil, nil, status.Errorf(codes.Unimplemented, "the stand-in does not know the vector %T", in)
	}
	vector = make([]float64, len(stored))
	for i, v := range stored {
		vector[i] = float64(v)
	}
	return vector, left, nil
}

// average is the strategy of that name: twice the mean of the positive
// examples less the mean of the negative ones.
func (c *collection) average(positive, negative []*qdrant.VectorInput) (vector []float64, left []pointID, err error) {
	if len(positive) == 0 {
		return nil, nil, status.Error(codes.InvalidArgument, "Wrong input: Positive vectors should not be empty with `average` strategy")
	}
	mean := func(inputs []*qdrant.VectorInput) ([]float64, error) {
		sum := make([]float64, c.size)
		for _, input := range inputs {
			v, named, err := c.inputVector(input)
			if err != nil {
				return nil, err
			}
			left = append(left, named...)
			for i := range sum {
				sum[i] += v[i] / float64(len(inputs))
			}
		}
		return sum, nil
	}
	vector, err = mean(positive)
	if err != nil || len(negative) == 0 {
		return vector, left, err
	}
	away, err := mean(negative)
	if err != nil {
		return nil, nil, err
	}
	for i := range vector {
		vector[i] = 2*vector[i] - away[i]
	}
	return vector, left, nil
}

func product(a []float64, b []float32) (sum float64) {
	for i, v := range b {
		sum += a[i] * float64(v)
	}
	return sum
}

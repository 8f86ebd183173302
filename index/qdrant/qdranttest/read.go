package qdranttest

import (
	"context"
	"maps"
	"slices"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func (v pointsService) Get(_ context.Context, r *qdrant.GetPoints) (*qdrant.GetResponse, error) {
	ids, err := parseIDs(r.GetIds())
	if err != nil {
		return nil, err
	}
	v.s.mu.RLock()
	defer v.s.mu.RUnlock()
	c, err := v.s.find(r.GetCollectionName())
	if err != nil {
		return nil, err
	}
	if err := c.strict.limit("timeout", r.GetTimeout(), c.strict.config.MaxTimeout); err != nil {
		return nil, err
	}
	answer := new(qdrant.GetResponse)
	told := make(map[pointID]bool)
	for _, id := range ids {
		if p, ok := c.points[id]; ok && !told[id] {
			told[id] = true
			retrieved, err := p.retrieved(r.GetWithPayload(), r.GetWithVectors())
			if err != nil {
				return nil, err
			}
			answer.Result = append(answer.Result, retrieved)
		}
	}
	return answer, nil
}

func (v pointsService) Count(_ context.Context, r *qdrant.CountPoints) (*qdrant.CountResponse, error) {
	v.s.mu.RLock()
	defer v.s.mu.RUnlock()
	c, err := v.s.find(r.GetCollectionName())
	if err != nil {
		return nil, err
	}
	if err := c.strict.checkRead(r, c.indexes, 0, r.GetExact()); err != nil {
		return nil, err
	}
	points, err := c.matching(r.GetFilter())
	if err != nil {
		return nil, err
	}
	return &qdrant.CountResponse{Result: &qdrant.CountResult{Count: uint64(len(points))}}, nil
}

func (v pointsService) Scroll(_ context.Context, r *qdrant.ScrollPoints) (*qdrant.ScrollResponse, error) {
	if r.OrderBy != nil || r.ShardKeySelector != nil {
		return nil, status.Error(codes.Unimplemented, "the stand-in scrolls in the order of ids")
	}
	limit := 10
	if r.Limit != nil {
		limit = int(r.GetLimit())
	}
	if limit < 1 {
		return nil, status.Error(codes.InvalidArgument, "Validation error in body: [limit: value 0 invalid, must be 1 or larger]")
	}
	var from pointID
	if r.Offset != nil {
		var err error
		if from, err = parseID(r.GetOffset()); err != nil {
			return nil, err
		}
	}
	withPayload := r.GetWithPayload()
	if withPayload == nil { // scroll alone shows the payload unasked
		withPayload = qdrant.NewWithPayload(true)
	}
	v.s.mu.RLock()
	defer v.s.mu.RUnlock()
	c, err := v.s.find(r.GetCollectionName())
	if err != nil {
		return nil, err
	}
	if err := c.strict.checkRead(r, c.indexes, uint64(limit), false); err != nil {
		return nil, err
	}
	points, err := c.matching(r.GetFilter())
	if err != nil {
		return nil, err
	}
	first, _ := slices.BinarySearchFunc(points, from, func(p *point, id pointID) int { return p.id.compare(id) })
	points = points[first:]
	answer := new(qdrant.ScrollResponse)
	if len(points) > limit {
		answer.NextPageOffset = points[limit].id.proto()
		points = points[:limit]
	}
	for _, p := range points {
		retrieved, err := p.retrieved(withPayload, r.GetWithVectors())
		if err != nil {
			return nil, err
		}
		answer.Result = append(answer.Result, retrieved)
	}
	return answer, nil
}

func (p *point) retrieved(withPayload *qdrant.WithPayloadSelector, withVectors *qdrant.WithVectorsSelector) (*qdrant.RetrievedPoint, error) {
	payload, vectors, err := p.shown(withPayload, withVectors)
	return &qdrant.RetrievedPoint{Id: p.id.proto(), Payload: payload, Vectors: vectors}, err
}

// shown gives what was asked for of a point.
func (p *point) shown(withPayload *qdrant.WithPayloadSelector, withVectors *qdrant.WithVectorsSelector) (map[string]*qdrant.Value, *qdrant.VectorsOutput, error) {
	var payload map[string]*qdrant.Value
	switch s := withPayload.GetSelectorOptions().(type) {
	case nil:
	case *qdrant.WithPayloadSelector_Enable:
		if s.Enable {
			payload = p.payload
		}
	case *qdrant.WithPayloadSelector_Include:
		payload = make(map[string]*qdrant.Value)
		for key, value := range maps.All(p.payload) {
			if slices.Contains(s.Include.GetFields(), key) {
				payload[key] = value
			}
		}
	default:
		return nil, nil, status.Errorf(codes.Unimplemented, "the stand-in does not know the payload selector %T", s)
	}
	var vectors *qdrant.VectorsOutput
	if withVectors.GetInclude() != nil {
		return nil, nil, status.Error(codes.Unimplemented, "the stand-in has no named vectors")
	}
	if withVectors.GetEnable() && p.vector != nil {
		vectors = &qdrant.VectorsOutput{VectorsOptions: &qdrant.VectorsOutput_Vector{Vector: &qdrant.VectorOutput{
			Vector: &qdrant.VectorOutput_Dense{Dense: &qdrant.DenseVector{Data: p.vector}}}}}
	}
	return payload, vectors, nil
}

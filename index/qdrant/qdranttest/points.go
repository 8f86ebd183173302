package qdranttest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"math"
	"slices"
	"strings"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// pointID is a number or a UUID.
type pointID struct {
	number  uint64
	uuid    [16]byte
	hasUUID bool
}

// compare puts numbers before UUIDs, as a real server does.
func (id pointID) compare(other pointID) int {
	switch {
	case id.hasUUID && other.hasUUID:
		return bytes.Compare(id.uuid[:], other.uuid[:])
	case id.hasUUID:
		return 1
	case other.hasUUID:
		return -1
	}
	return cmp.Compare(id.number, other.number)
}

// point is replaced, never changed, so that an answer under way keeps it.
type point struct {
	id      pointID
	vector  []float32 // nil if it has none: then no query by vectors finds it
	payload map[string]*qdrant.Value
}

// parseID reads a number, or a UUID with or without dashes, in any letter case.
func parseID(id *qdrant.PointId) (pointID, error) {
	if number, ok := id.GetPointIdOptions().(*qdrant.PointId_Num); ok {
		return pointID{number: number.Num}, nil
	}
	digits := id.GetUuid()
	if len(digits) == 36 && digits[8] == '-' && digits[13] == '-' && digits[18] == '-' && digits[23] == '-' {
		digits = strings.ReplaceAll(digits, "-", "")
	}
	parsed := pointID{hasUUID: true}
	if n, err := hex.Decode(parsed.uuid[:], []byte(digits[:min(len(digits), 32)])); err != nil || n != len(parsed.uuid) || len(digits) != 32 {
		return pointID{}, status.Errorf(codes.InvalidArgument, "Unable to parse UUID: %s", id.GetUuid())
	}
	return parsed, nil
}

func parseIDs(ids []*qdrant.PointId) ([]pointID, error) {
	parsed := make([]pointID, len(ids))
	for i, id := range ids {
		var err error
		if parsed[i], err = parseID(id); err != nil {
			return nil, err
		}
	}
	return parsed, nil
}

func (id pointID) proto() *qdrant.PointId {
	if !id.hasUUID {
		return qdrant.NewIDNum(id.number)
	}
	h := hex.EncodeToString(id.uuid[:])
	return qdrant.NewIDUUID(h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:])
}

func noPoint(id pointID) error {
	return status.Errorf(codes.NotFound, "Not found: No point with id %s found", id.proto())
}

type pointsService struct {
	qdrant.UnimplementedPointsServer
	s *Server
}

// change runs a change of one collection alone.
func (v pointsService) change(name string, wait bool, do func(*collection) error) (*qdrant.PointsOperationResponse, error) {
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	c, err := v.s.find(name)
	if err != nil {
		return nil, err
	}
	err = do(c)
	if err != nil && (wait || status.Code(err) == codes.Unimplemented) {
		return nil, err
	}
	return &qdrant.PointsOperationResponse{Result: c.updated(wait)}, nil
}

// updated is the answer to a change. Without waiting, nobody hears of errors.
func (c *collection) updated(wait bool) *qdrant.UpdateResult {
	result := &qdrant.UpdateResult{OperationId: c.nextOperation(), Status: qdrant.UpdateStatus_Acknowledged}
	if wait {
		result.Status = qdrant.UpdateStatus_Completed
	}
	return result
}

func (v pointsService) Upsert(_ context.Context, r *qdrant.UpsertPoints) (*qdrant.PointsOperationResponse, error) {
	if r.UpdateFilter != nil || r.UpdateMode != nil || r.ShardKeySelector != nil {
		return nil, status.Error(codes.Unimplemented, "the stand-in knows no conditional upsert and no shard keys")
	}
	fresh, err := parsePoints(r.GetPoints())
	if err != nil {
		return nil, err
	}
	return v.change(r.GetCollectionName(), r.GetWait(), func(c *collection) error { return c.upsert(fresh) })
}

func parsePoints(points []*qdrant.PointStruct) ([]*point, error) {
	if len(points) == 0 {
		return nil, status.Error(codes.InvalidArgument, "Bad request: Empty update request")
	}
	fresh := make([]*point, len(points))
	for i, p := range points {
		id, err := parseID(p.GetId())
		if err != nil {
			return nil, err
		}
		fresh[i] = &point{id: id, payload: p.GetPayload()}
		named, isNamed := p.GetVectors().GetVectorsOptions().(*qdrant.Vectors_Vectors)
		if isNamed && len(named.Vectors.GetVectors()) == 0 {
			continue // it has none
		}
		dense := p.GetVectors().GetVector().GetDense()
		if dense == nil {
			return nil, status.Error(codes.Unimplemented, "the stand-in wants one unnamed dense vector, or none")
		}
		fresh[i].vector = append([]float32{}, dense.GetData()...)
	}
	return fresh, nil
}

func (c *collection) upsert(fresh []*point) error {
	if err := c.strict.checkUpsert(len(fresh)); err != nil {
		return err
	}
	for _, p := range fresh {
		if p.vector != nil && len(p.vector) != c.size {
			return status.Errorf(codes.InvalidArgument, "Wrong input: Vector dimension error: expected dim: %d, got %d", c.size, len(p.vector))
		}
	}
	for _, p := range fresh {
		if c.normalises {
			normalise(p.vector)
		}
		c.points[p.id] = p
	}
	return nil
}

func normalise(v []float32) {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if sum == 0 {
		return
	}
	for i, x := range v {
		v[i] = float32(float64(x) / math.Sqrt(sum))
	}
}

// chosen gives the points that a selector names. A named point that is not
// there is left out, and told in absent.
func (c *collection) chosen(selector *qdrant.PointsSelector) (points []*point, absent []pointID, err error) {
	switch s := selector.GetPointsSelectorOneOf().(type) {
	case *qdrant.PointsSelector_Points:
		ids, err := parseIDs(s.Points.GetIds())
		if err != nil {
			return nil, nil, err
		}
		for _, id := range ids {
			if p, ok := c.points[id]; ok {
				points = append(points, p)
			} else {
				absent = append(absent, id)
			}
		}
	case *qdrant.PointsSelector_Filter:
		if err := c.strict.checkFilter(s.Filter, c.indexes, c.strict.config.UnindexedFilteringUpdate); err != nil {
			return nil, nil, err
		}
		points, err = c.matching(s.Filter)
	default:
		err = status.Error(codes.InvalidArgument, "Bad request: no points are selected")
	}
	return points, absent, err
}

// matching gives the points that pass, in the order of ids.
func (c *collection) matching(f *qdrant.Filter) ([]*point, error) {
	passes, err := compile(f)
	if err != nil {
		return nil, err
	}
	var found []*point
	for _, p := range c.points {
		if passes(p) {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b *point) int { return a.id.compare(b.id) })
	return found, nil
}

func (v pointsService) Delete(_ context.Context, r *qdrant.DeletePoints) (*qdrant.PointsOperationResponse, error) {
	return v.change(r.GetCollectionName(), r.GetWait(), func(c *collection) error {
		points, _, err := c.chosen(r.GetPoints())
		for _, p := range points {
			delete(c.points, p.id)
		}
		return err
	})
}

// CreateFieldIndex remembers the field; brute force needs no index.
func (v pointsService) CreateFieldIndex(_ context.Context, r *qdrant.CreateFieldIndexCollection) (*qdrant.PointsOperationResponse, error) {
	return v.change(r.GetCollectionName(), r.GetWait(), func(c *collection) error {
		if r.FieldType == nil {
			return status.Error(codes.InvalidArgument, "Bad request: no field type")
		}
		if _, err := parsePath(r.GetFieldName()); err != nil {
			return err
		}
		if err := c.strict.checkIndexes(len(c.indexes)); err != nil {
			return err
		}
		c.indexes[r.GetFieldName()] = r.GetFieldType()
		return nil
	})
}

// DeleteFieldIndex forgets the field.
func (v pointsService) DeleteFieldIndex(_ context.Context, r *qdrant.DeleteFieldIndexCollection) (*qdrant.PointsOperationResponse, error) {
	return v.change(r.GetCollectionName(), r.GetWait(), func(c *collection) error {
		delete(c.indexes, r.GetFieldName())
		return nil
	})
}

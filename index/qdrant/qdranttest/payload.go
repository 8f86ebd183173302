package qdranttest

import (
	"context"
	"maps"
	"strings"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// parsePath splits the name of a nested field, such as "liked.me".
func parsePath(path string) ([]string, error) {
	keys := strings.Split(path, ".")
	for _, key := range keys {
		if key == "" || strings.ContainsAny(key, "[]\"\\ ") {
			return nil, status.Errorf(codes.InvalidArgument, "Bad request: %q is no path that the stand-in knows", path)
		}
	}
	return keys, nil
}

// lookUp gives the value at a path, nil if there is none.
func lookUp(payload map[string]*qdrant.Value, path []string) *qdrant.Value {
	value := payload[path[0]]
	for _, key := range path[1:] {
		value = value.GetStructValue().GetFields()[key]
	}
	return value
}

// edit gives a payload in which change was done to the object at a path; the
// given payload stays as it is. Objects that are missing are made.
func edit(payload map[string]*qdrant.Value, path []string, change func(object map[string]*qdrant.Value)) map[string]*qdrant.Value {
	edited := maps.Clone(payload)
	if edited == nil {
		edited = make(map[string]*qdrant.Value)
	}
	if len(path) == 0 {
		change(edited)
		return edited
	}
	inner := edit(edited[path[0]].GetStructValue().GetFields(), path[1:], change)
	edited[path[0]] = qdrant.NewValueFromFields(inner)
	return edited
}

// rewrite replaces the payloads of the selected points.
func (c *collection) rewrite(selector *qdrant.PointsSelector, payload func(old map[string]*qdrant.Value) map[string]*qdrant.Value) error {
	points, absent, err := c.chosen(selector)
	if err != nil {
		return err
	}
	if len(absent) > 0 {
		return noPoint(absent[0])
	}
	for _, p := range points {
		c.points[p.id] = &point{id: p.id, vector: p.vector, payload: payload(p.payload)}
	}
	return nil
}

func (c *collection) setPayload(selector *qdrant.PointsSelector, payload map[string]*qdrant.Value, key *string) error {
	var path []string
	if key != nil {
		var err error
		if path, err = parsePath(*key); err != nil {
			return err
		}
	}
	return c.rewrite(selector, func(old map[string]*qdrant.Value) map[string]*qdrant.Value {
		return edit(old, path, func(object map[string]*qdrant.Value) { maps.Copy(object, payload) })
	})
}

func (c *collection) overwritePayload(selector *qdrant.PointsSelector, payload map[string]*qdrant.Value, key *string) error {
	if key != nil {
		return status.Error(codes.Unimplemented, "the stand-in overwrites whole payloads")
	}
	return c.rewrite(selector, func(map[string]*qdrant.Value) map[string]*qdrant.Value { return payload })
}

func (c *collection) deletePayload(selector *qdrant.PointsSelector, keys []string) error {
	paths := make([][]string, len(keys))
	for i, key := range keys {
		var err error
		if paths[i], err = parsePath(key); err != nil {
			return err
		}
	}
	return c.rewrite(selector, func(old map[string]*qdrant.Value) map[string]*qdrant.Value {
		for _, path := range paths {
			if lookUp(old, path) == nil {
				continue
			}
			last := len(path) - 1
			old = edit(old, path[:last], func(object map[string]*qdrant.Value) { delete(object, path[last]) })
		}
		return old
	})
}

func (v pointsService) SetPayload(_ context.Context, r *qdrant.SetPayloadPoints) (*qdrant.PointsOperationResponse, error) {
	return v.change(r.GetCollectionName(), r.GetWait(), func(c *collection) error {
		return c.setPayload(r.GetPointsSelector(), r.GetPayload(), r.Key)
	})
}

func (v pointsService) OverwritePayload(_ context.Context, r *qdrant.SetPayloadPoints) (*qdrant.PointsOperationResponse, error) {
	return v.change(r.GetCollectionName(), r.GetWait(), func(c *collection) error {
		return c.overwritePayload(r.GetPointsSelector(), r.GetPayload(), r.Key)
	})
}

func (v pointsService) DeletePayload(_ context.Context, r *qdrant.DeletePayloadPoints) (*qdrant.PointsOperationResponse, error) {
	return v.change(r.GetCollectionName(), r.GetWait(), func(c *collection) error {
		return c.deletePayload(r.GetPointsSelector(), r.GetKeys())
	})
}

// UpdateBatch does the operations one after another, up to the first that
// fails.
func (v pointsService) UpdateBatch(_ context.Context, r *qdrant.UpdateBatchPoints) (*qdrant.UpdateBatchResponse, error) {
	if len(r.GetOperations()) == 0 {
		return nil, status.Error(codes.InvalidArgument, "Bad request: Empty update request")
	}
	answer := new(qdrant.UpdateBatchResponse)
	_, err := v.change(r.GetCollectionName(), r.GetWait(), func(c *collection) error {
		for _, operation := range r.GetOperations() {
			if err := c.update(operation); err != nil {
				return err
			}
			answer.Result = append(answer.Result, c.updated(r.GetWait()))
		}
		return nil
	})
	return answer, err
}

func (c *collection) update(operation *qdrant.PointsUpdateOperation) error {
	switch o := operation.GetOperation().(type) {
	case *qdrant.PointsUpdateOperation_Upsert:
		fresh, err := parsePoints(o.Upsert.GetPoints())
		if err != nil {
			return err
		}
		return c.upsert(fresh)
	case *qdrant.PointsUpdateOperation_SetPayload_:
		return c.setPayload(o.SetPayload.GetPointsSelector(), o.SetPayload.GetPayload(), o.SetPayload.Key)
	case *qdrant.PointsUpdateOperation_OverwritePayload_:
		return c.overwritePayload(o.OverwritePayload.GetPointsSelector(), o.OverwritePayload.GetPayload(), o.OverwritePayload.Key)
	case *qdrant.PointsUpdateOperation_DeletePayload_:
		return c.deletePayload(o.DeletePayload.GetPointsSelector(), o.DeletePayload.GetKeys())
	default:
		return status.Errorf(codes.Unimplemented, "the stand-in does not know the operation %T", o)
	}
}

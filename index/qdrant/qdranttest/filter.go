package qdranttest

import (
	"slices"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// matchFilter reports whether a point passes; a nil filter passes all.
func matchFilter(f *qdrant.Filter, p *point) (bool, error) {
	must, err := countMatches(f.GetMust(), p)
	if err != nil || must < len(f.GetMust()) {
		return false, err
	}
	if not, err := countMatches(f.GetMustNot(), p); err != nil || not > 0 {
		return false, err
	}
	if should, err := countMatches(f.GetShould(), p); err != nil || should == 0 && len(f.GetShould()) > 0 {
		return false, err
	}
	if least := f.GetMinShould(); least != nil {
		should, err := countMatches(least.GetConditions(), p)
		return err == nil && uint64(should) >= least.GetMinCount(), err
	}
	return true, nil
}

func countMatches(conditions []*qdrant.Condition, p *point) (count int, err error) {
	for _, c := range conditions {
		matches, err := matchCondition(c, p)
		if err != nil {
			return 0, err
		}
		if matches {
			count++
		}
	}
	return count, nil
}

func matchCondition(condition *qdrant.Condition, p *point) (bool, error) {
	switch c := condition.GetConditionOneOf().(type) {
	case *qdrant.Condition_Field:
		return matchField(c.Field, p)
	case *qdrant.Condition_Filter:
		return matchFilter(c.Filter, p)
	case *qdrant.Condition_HasId:
		ids, err := parseIDs(c.HasId.GetHasId())
		return slices.Contains(ids, p.id), err
	case *qdrant.Condition_IsEmpty:
		path, err := parsePath(c.IsEmpty.GetKey())
		if err != nil {
			return false, err
		}
		value := lookUp(p.payload, path)
		list, isList := value.GetKind().(*qdrant.Value_ListValue)
		return value == nil || isNull(value) || isList && len(list.ListValue.GetValues()) == 0, nil
	case *qdrant.Condition_IsNull:
		path, err := parsePath(c.IsNull.GetKey())
		if err != nil {
			return false, err
		}
		return isNull(lookUp(p.payload, path)), nil
	default:
		return false, status.Errorf(codes.Unimplemented, "the stand-in does not know the condition %T", c)
	}
}

func isNull(value *qdrant.Value) bool {
	_, null := value.GetKind().(*qdrant.Value_NullValue)
	return null
}

// matchField reports whether the field, or one element of it if it is a list,
// meets the condition.
func matchField(f *qdrant.FieldCondition, p *point) (bool, error) {
	if f.GeoBoundingBox != nil || f.GeoRadius != nil || f.GeoPolygon != nil || f.ValuesCount != nil || f.DatetimeRange != nil || f.IsEmpty != nil || f.IsNull != nil {
		return false, status.Error(codes.Unimplemented, "the stand-in knows match and range")
	}
	path, err := parsePath(f.GetKey())
	if err != nil {
		return false, err
	}
	value := lookUp(p.payload, path)
	if value == nil {
		return false, nil
	}
	values := []*qdrant.Value{value}
	if list, isList := value.GetKind().(*qdrant.Value_ListValue); isList {
		values = list.ListValue.GetValues()
	}
	for _, v := range values {
		matches := inRange(f.GetRange(), v)
		if f.GetRange() == nil {
			if matches, err = matchValue(f.GetMatch(), v); err != nil {
				return false, err
			}
		}
		if matches {
			return true, nil
		}
	}
	return false, nil
}

func matchValue(match *qdrant.Match, value *qdrant.Value) (bool, error) {
	text, isText := value.GetKind().(*qdrant.Value_StringValue)
	switch m := match.GetMatchValue().(type) {
	case *qdrant.Match_Keyword:
		return isText && text.StringValue == m.Keyword, nil
	case *qdrant.Match_Keywords:
		return isText && slices.Contains(m.Keywords.GetStrings(), text.StringValue), nil
	case *qdrant.Match_ExceptKeywords:
		return isText && !slices.Contains(m.ExceptKeywords.GetStrings(), text.StringValue), nil
	case *qdrant.Match_Boolean:
		b, isBool := value.GetKind().(*qdrant.Value_BoolValue)
		return isBool && b.BoolValue == m.Boolean, nil
	default:
		return false, status.Errorf(codes.Unimplemented, "the stand-in does not know the match %T", m)
	}
}

func inRange(r *qdrant.Range, value *qdrant.Value) bool {
	var n float64
	switch v := value.GetKind().(type) {
	case *qdrant.Value_IntegerValue:
		n = float64(v.IntegerValue)
	case *qdrant.Value_DoubleValue:
		n = v.DoubleValue
	default:
		return false
	}
	return r != nil && (r.Lt == nil || n < *r.Lt) && (r.Gt == nil || n > *r.Gt) && (r.Lte == nil || n <= *r.Lte) && (r.Gte == nil || n >= *r.Gte)
}

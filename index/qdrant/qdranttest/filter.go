package qdranttest

import (
	"slices"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// test reports whether a point passes.
type test func(*point) bool

// compile reads a filter; nil passes all.
func compile(f *qdrant.Filter) (test, error) {
	var lists [4][]test
	for i, conditions := range [][]*qdrant.Condition{f.GetMust(), f.GetMustNot(), f.GetShould(), f.GetMinShould().GetConditions()} {
		for _, c := range conditions {
			t, err := compileCondition(c)
			if err != nil {
				return nil, err
			}
			lists[i] = append(lists[i], t)
		}
	}
	must, mustNot, should, atLeast := lists[0], lists[1], lists[2], lists[3]
	least := int(f.GetMinShould().GetMinCount())
	return func(p *point) bool {
		return passed(must, p) == len(must) && passed(mustNot, p) == 0 &&
			(len(should) == 0 || passed(should, p) > 0) && passed(atLeast, p) >= least
	}, nil
}

func passed(tests []test, p *point) (count int) {
	for _, t := range tests {
		if t(p) {
			count++
		}
	}
	return count
}

func compileCondition(condition *qdrant.Condition) (test, error) {
	switch c := condition.GetConditionOneOf().(type) {
	case *qdrant.Condition_Field:
		return compileField(c.Field)
	case *qdrant.Condition_Filter:
		return compile(c.Filter)
	case *qdrant.Condition_HasId:
		ids, err := parseIDs(c.HasId.GetHasId())
		named := make(map[pointID]bool, len(ids))
		for _, id := range ids {
			named[id] = true
		}
		return func(p *point) bool { return named[p.id] }, err
	case *qdrant.Condition_IsEmpty:
		path, err := parsePath(c.IsEmpty.GetKey())
		return func(p *point) bool {
			value := lookUp(p.payload, path)
			list, isList := value.GetKind().(*qdrant.Value_ListValue)
			return value == nil || isNull(value) || isList && len(list.ListValue.GetValues()) == 0
		}, err
	case *qdrant.Condition_IsNull:
		path, err := parsePath(c.IsNull.GetKey())
		return func(p *point) bool { return isNull(lookUp(p.payload, path)) }, err
	default:
		return nil, status.Errorf(codes.Unimplemented, "the stand-in does not know the condition %T", c)
	}
}

func isNull(value *qdrant.Value) bool {
	_, null := value.GetKind().(*qdrant.Value_NullValue)
	return null
}

// compileField asks whether the field, or one element of it if it is a list,
// meets the condition.
func compileField(f *qdrant.FieldCondition) (test, error) {
	if f.GeoBoundingBox != nil || f.GeoRadius != nil || f.GeoPolygon != nil || f.ValuesCount != nil || f.DatetimeRange != nil || f.IsEmpty != nil || f.IsNull != nil {
		return nil, status.Error(codes.Unimplemented, "the stand-in knows match and range")
	}
	path, err := parsePath(f.GetKey())
	if err != nil {
		return nil, err
	}
	matches := func(value *qdrant.Value) bool { return inRange(f.GetRange(), value) }
	if f.GetRange() == nil {
		if matches, err = compileMatch(f.GetMatch()); err != nil {
			return nil, err
		}
	}
	return func(p *point) bool {
		value := lookUp(p.payload, path)
		if list, isList := value.GetKind().(*qdrant.Value_ListValue); isList {
			return slices.ContainsFunc(list.ListValue.GetValues(), matches)
		}
		return value != nil && matches(value)
	}, nil
}

func compileMatch(match *qdrant.Match) (func(*qdrant.Value) bool, error) {
	ofText := func(matches func(string) bool) (func(*qdrant.Value) bool, error) {
		return func(value *qdrant.Value) bool {
			text, isText := value.GetKind().(*qdrant.Value_StringValue)
			return isText && matches(text.StringValue)
		}, nil
	}
	switch m := match.GetMatchValue().(type) {
	case *qdrant.Match_Keyword:
		return ofText(func(text string) bool { return text == m.Keyword })
	case *qdrant.Match_Keywords:
		return ofText(func(text string) bool { return slices.Contains(m.Keywords.GetStrings(), text) })
	case *qdrant.Match_ExceptKeywords:
		return ofText(func(text string) bool { return !slices.Contains(m.ExceptKeywords.GetStrings(), text) })
	case *qdrant.Match_Boolean:
		return func(value *qdrant.Value) bool {
			b, isBool := value.GetKind().(*qdrant.Value_BoolValue)
			return isBool && b.BoolValue == m.Boolean
		}, nil
	default:
		return nil, status.Errorf(codes.Unimplemented, "the stand-in does not know the match %T", m)
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
	return (r.Lt == nil || n < *r.Lt) && (r.Gt == nil || n > *r.Gt) && (r.Lte == nil || n <= *r.Lte) && (r.Gte == nil || n >= *r.Gte)
}

package qdranttest

import (
	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// strict is the strict mode of a collection: limits on what it may be asked.
// Those of its settings that are not looked at below are without effect.
type strict struct{ config *qdrant.StrictModeConfig }

// with gives the mode after a request that sets some of it.
func (s strict) with(config *qdrant.StrictModeConfig) strict {
	merged := proto.CloneOf(s.config)
	if config != nil {
		proto.Merge(merged, config)
	}
	return strict{merged}
}

func refused(format string, args ...any) error {
	return status.Errorf(codes.InvalidArgument, "Bad request: "+format, args...)
}

func (s strict) limit(name string, value uint64, limit *uint32) error {
	if s.config.GetEnabled() && limit != nil && value > uint64(*limit) {
		return refused("Limit exceeded %d > %d for \"%s\". Help: Reduce the \"%s\" parameter to or below %d.", value, *limit, name, name, *limit)
	}
	return nil
}

func (s strict) checkUpsert(points int) error {
	if limit := s.config.UpsertMaxBatchsize; s.config.GetEnabled() && limit != nil && uint64(points) > *limit {
		return refused("Limit exceeded %d > %d for \"upsert limit\". Help: Reduce the \"upsert limit\" parameter to or below %d.", points, *limit, *limit)
	}
	return nil
}

func (s strict) checkIndexes(present int) error {
	if limit := s.config.MaxPayloadIndexCount; s.config.GetEnabled() && limit != nil && uint64(present) >= *limit {
		return refused("Collection already has the maximum number of payload indices (%d). Help: Please delete an existing index before creating a new one.", *limit)
	}
	return nil
}

func (s strict) checkQuery(r *qdrant.QueryPoints, indexes map[string]qdrant.FieldType) error {
	limit := uint64(10)
	if r.Limit != nil {
		limit = r.GetLimit()
	}
	if err := s.checkRead(r, indexes, limit, r.GetParams().GetExact()); err != nil {
		return err
	}
	if most, asked := s.config.SearchMaxOversampling, r.GetParams().GetQuantization().GetOversampling(); s.config.GetEnabled() && most != nil && asked > float64(*most) {
		return refused("Limit exceeded %g > %g for \"oversampling\". Help: Reduce the \"oversampling\" parameter to or below %g.", asked, *most, *most)
	}
	return s.limit("hnsw_ef", r.GetParams().GetHnswEf(), s.config.SearchMaxHnswEf)
}

// asked is a request that reads.
type asked interface {
	GetFilter() *qdrant.Filter
	GetTimeout() uint64
}

func (s strict) checkRead(r asked, indexes map[string]qdrant.FieldType, limit uint64, exact bool) error {
	if err := s.limit("timeout", r.GetTimeout(), s.config.MaxTimeout); err != nil {
		return err
	}
	if err := s.limit("limit", limit, s.config.MaxQueryLimit); err != nil {
		return err
	}
	if s.config.GetEnabled() && exact && s.config.SearchAllowExact != nil && !s.config.GetSearchAllowExact() {
		return refused("Exact search disabled! Help: Set exact=false.")
	}
	return s.checkFilter(r.GetFilter(), indexes, s.config.UnindexedFilteringRetrieve)
}

// checkFilter looks at every condition, the nested ones too.
func (s strict) checkFilter(f *qdrant.Filter, indexes map[string]qdrant.FieldType, unindexed *bool) error {
	if f == nil || !s.config.GetEnabled() {
		return nil
	}
	conditions := flatten(f)
	if most := s.config.FilterMaxConditions; most != nil && uint64(len(conditions)) > *most {
		return refused("Filter condition limit reached (%d > %d). Help: Reduce the amount of conditions of your filter.", len(conditions), *most)
	}
	for _, c := range conditions {
		if _, indexed := indexes[c.GetField().GetKey()]; c.GetField() != nil && !indexed && unindexed != nil && !*unindexed {
			return refused("Index required but not found for \"%s\". Help: Create an index for this key or use a different filter.", c.GetField().GetKey())
		}
		size := max(len(c.GetHasId().GetHasId()), len(c.GetField().GetMatch().GetKeywords().GetStrings()), len(c.GetField().GetMatch().GetExceptKeywords().GetStrings()))
		if most := s.config.ConditionMaxSize; most != nil && uint64(size) > *most {
			return refused("Condition size limit reached (%d > %d). Help: Reduce the size of your condition.", size, *most)
		}
	}
	return nil
}

// flatten lists the conditions of a filter without those that are filters.
func flatten(f *qdrant.Filter) (conditions []*qdrant.Condition) {
	for _, list := range [][]*qdrant.Condition{f.GetMust(), f.GetMustNot(), f.GetShould(), f.GetMinShould().GetConditions()} {
		for _, c := range list {
			if inner := c.GetFilter(); inner != nil {
				conditions = append(conditions, flatten(inner)...)
			} else {
				conditions = append(conditions, c)
			}
		}
	}
	return conditions
}

package qdrant

import (
	"context"
	"fmt"
	"time"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// limits are what a server in strict mode allows of one collection; 0 is no
// limit. What the adapter chooses itself keeps within them; what they leave no
// way around is refused by the server, and told in its words.
type limits struct {
	results      int // of one answer
	upserts      int // points of one upsert
	values       int // of one condition, such as IDs
	ef           int
	oversampling float64
	timeout      time.Duration
	inexact      bool // exact comparison and exact counts are refused
}

func limitsOf(info *qdrant.CollectionInfo) limits {
	c := info.GetConfig().GetStrictModeConfig()
	if !c.GetEnabled() {
		return limits{}
	}
	return limits{results: int(c.GetMaxQueryLimit()), upserts: int(c.GetUpsertMaxBatchsize()), values: int(c.GetConditionMaxSize()),
		ef: int(c.GetSearchMaxHnswEf()), oversampling: float64(c.GetSearchMaxOversampling()),
		timeout: time.Duration(c.GetMaxTimeout()) * time.Second,
		inexact: c.SearchAllowExact != nil && !c.GetSearchAllowExact()}
}

// atMost is n, or the limit if that is less.
func atMost[T int | float64 | time.Duration](n, limit T) T {
	if limit > 0 {
		return min(n, limit)
	}
	return n
}

// tightened looks at the limits again after a refusal; again is true if they are
// others than those that were kept to.
func (x *Index) tightened(ctx context.Context, in served, refusal error) (again bool) {
	if status.Code(refusal) != codes.InvalidArgument {
		return false
	}
	info, err := x.client.GetCollectionInfo(ctx, in.name)
	if err != nil || limitsOf(info) == in.limits {
		return false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.present.name == in.name {
		x.present.limits = limitsOf(info)
	}
	return true
}

// inPieces makes conditions on lists of values, none longer than the limit.
func inPieces[T any](values []T, limit int, condition func([]T) *qdrant.Condition) (conditions []*qdrant.Condition) {
	for n := atMost(max(len(values), 1), limit); len(values) > 0; {
		n = min(n, len(values))
		conditions = append(conditions, condition(values[:n]))
		values = values[n:]
	}
	return conditions
}

// oneOf passes what meets any of the conditions.
func oneOf(conditions []*qdrant.Condition) *qdrant.Condition {
	if len(conditions) == 1 {
		return conditions[0]
	}
	return qdrant.NewFilterAsCondition(&qdrant.Filter{Should: conditions})
}

func (l limits) keywords(key string, values []string) *qdrant.Condition {
	return oneOf(inPieces(values, l.values, func(some []string) *qdrant.Condition { return qdrant.NewMatchKeywords(key, some...) }))
}

// named passes the points of these IDs.
func (l limits) named(ids []*qdrant.PointId) []*qdrant.Condition {
	return inPieces(ids, l.values, func(some []*qdrant.PointId) *qdrant.Condition { return qdrant.NewHasID(some...) })
}

// less says what of the configuration the server does not allow.
func (l limits) less(c Config) (less []string) {
	if ef := atMost(c.HNSWSearch, l.ef); ef < c.HNSWSearch {
		less = append(less, fmt.Sprintf("ef is %d of %d", ef, c.HNSWSearch))
	}
	if times := atMost(c.Oversampling, l.oversampling); times < c.Oversampling {
		less = append(less, fmt.Sprintf("oversampling is %g of %g", times, c.Oversampling))
	}
	if c.Exact && l.inexact {
		less = append(less, "exact=1 is refused")
	}
	return less
}

package qdrant

import (
	"context"
	"maps"
	"slices"

	"github.com/qdrant/go-client/qdrant"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// noPoint is an ID that no image has: a list of it passes nothing.
var noPoint palate.ImageID

// filterOf writes a filter as conditions on the payload. Verdicts that the
// payload may not have yet are conditions on IDs, which are quick for a
// thousand of them, not for everything judged.
func (x *Index) filterOf(ctx context.Context, in served, f index.Filter) (*qdrant.Filter, error) {
	out := new(qdrant.Filter)
	for _, list := range []struct {
		key    string
		values []string
	}{{keyArtists, f.Artists}, {keyLicences, f.Licences}, {keySites, f.Sites}, {keyCategories, f.Categories}} {
		if len(list.values) > 0 {
			out.Must = append(out.Must, in.limits.keywords(list.key, list.values))
		}
	}
	if f.YearFrom != 0 || f.YearTo != 0 {
		years := new(qdrant.Range) // one element of the list must lie in both bounds
		if f.YearFrom != 0 {
			years.Gte = qdrant.PtrOf(float64(f.YearFrom))
		}
		if f.YearTo != 0 {
			years.Lte = qdrant.PtrOf(float64(f.YearTo))
		}
		out.Must = append(out.Must, qdrant.NewRange(keyYears, years))
	}
	if f.IDs != nil {
		ids := f.IDs
		if len(ids) == 0 {
			ids = []palate.ImageID{noPoint}
		}
		out.Must = append(out.Must, oneOf(in.limits.named(pointIDs(ids))))
	}
	if len(f.NotIDs) > 0 {
		out.Must = append(out.Must, in.limits.noneOf(f.NotIDs))
	}
	for _, v := range verdictFilters(in, f) {
		if err := x.addVerdict(ctx, in, out, v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// noneOf passes all but these. A real server (1.17.1) lets a point pass whose
// ID alone is asked for and forbidden in one filter, unless the ban is a filter
// of its own.
func (l limits) noneOf(ids []palate.ImageID) *qdrant.Condition {
	return qdrant.NewFilterAsCondition(&qdrant.Filter{MustNot: l.named(pointIDs(ids))})
}

// verdictFilter is a condition on what one profile says.
type verdictFilter struct {
	profile palate.Profile
	// passes says which verdicts do; the empty one is no verdict.
	passes func(palate.Verdict) bool
	// payload is the condition on what is stored.
	payload *qdrant.Filter
}

func verdictFilters(in served, f index.Filter) []verdictFilter {
	isLiked := func(p palate.Profile, liked bool) []*qdrant.Condition {
		switch {
		case in.outdated:
			return []*qdrant.Condition{qdrant.NewMatchBool(keyLiked+"."+string(p), liked)}
		case liked:
			return []*qdrant.Condition{qdrant.NewMatchKeyword(keyLikedBy, string(p))}
		}
		return []*qdrant.Condition{qdrant.NewMatchKeyword(keyDislikedBy, string(p))}
	}
	isJudged := func(p palate.Profile) []*qdrant.Condition {
		return append(isLiked(p, true), isLiked(p, false)...)
	}
	judged := func(v palate.Verdict) bool { return v == palate.Like || v == palate.Dislike }
	var filters []verdictFilter
	if p := f.JudgedBy; p != "" {
		filters = append(filters, verdictFilter{p, judged, &qdrant.Filter{Should: isJudged(p)}})
	}
	if p := f.NotJudgedBy; p != "" {
		filters = append(filters, verdictFilter{p, func(v palate.Verdict) bool { return !judged(v) }, &qdrant.Filter{MustNot: isJudged(p)}})
	}
	if p := f.LikedBy; p != "" {
		filters = append(filters, verdictFilter{p, func(v palate.Verdict) bool { return v == palate.Like }, &qdrant.Filter{Must: isLiked(p, true)}})
	}
	if p := f.DislikedBy; p != "" {
		filters = append(filters, verdictFilter{p, func(v palate.Verdict) bool { return v == palate.Dislike }, &qdrant.Filter{Must: isLiked(p, false)}})
	}
	return filters
}

// addVerdict adds a condition on a verdict: what is stored passes, or is among
// the recent ones that do, and is not among the recent ones that do not.
func (x *Index) addVerdict(ctx context.Context, in served, out *qdrant.Filter, v verdictFilter) error {
	if _, err := palate.ParseProfile(string(v.profile)); err != nil {
		return err
	}
	var now, no []palate.ImageID
	if x.recent != nil {
		recent, err := x.recent(ctx, v.profile)
		if err != nil {
			return err
		}
		for _, id := range slices.SortedFunc(maps.Keys(recent), compareIDs) {
			if v.passes(recent[id]) {
				now = append(now, id)
			} else {
				no = append(no, id)
			}
		}
	}
	condition := qdrant.NewFilterAsCondition(v.payload)
	if len(now) > 0 {
		condition = qdrant.NewFilterAsCondition(&qdrant.Filter{Should: append(in.limits.named(pointIDs(now)), condition)})
	}
	out.Must = append(out.Must, condition)
	if len(no) > 0 {
		out.Must = append(out.Must, in.limits.noneOf(no))
	}
	return nil
}

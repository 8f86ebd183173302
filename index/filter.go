package index

import (
	"slices"

	"github.com/palate-art/palate"
)

// IsZero reports whether the filter passes everything.
func (f Filter) IsZero() bool {
	return len(f.Artists) == 0 && len(f.Licences) == 0 && len(f.Sites) == 0 && len(f.Categories) == 0 &&
		f.YearFrom == 0 && f.YearTo == 0 &&
		f.JudgedBy == "" && f.NotJudgedBy == "" && f.LikedBy == "" && f.DislikedBy == "" &&
		f.IDs == nil && len(f.NotIDs) == 0
}

// Matcher is a filter made ready to be asked about many points.
type Matcher struct {
	filter     Filter
	artists    set[string]
	licences   set[string]
	sites      set[string]
	categories set[string]
	ids        set[palate.ImageID] // nil passes all
	notIDs     set[palate.ImageID]
}

type set[T comparable] map[T]struct{}

func setOf[T comparable](values []T) set[T] {
	if len(values) == 0 {
		return nil
	}
	s := make(set[T], len(values))
	for _, v := range values {
		s[v] = struct{}{}
	}
	return s
}

// meets reports whether any value is in the set; an empty set asks nothing.
func (s set[T]) meets(values []T) bool {
	if len(s) == 0 {
		return true
	}
	return slices.ContainsFunc(values, s.has)
}

func (s set[T]) has(value T) bool {
	_, there := s[value]
	return there
}

// Matcher makes the filter ready.
func (f Filter) Matcher() Matcher {
	m := Matcher{
		filter: f, artists: setOf(f.Artists), licences: setOf(f.Licences), sites: setOf(f.Sites),
		categories: setOf(f.Categories), notIDs: setOf(f.NotIDs),
	}
	if f.IDs != nil {
		m.ids = make(set[palate.ImageID], len(f.IDs))
		for _, id := range f.IDs {
			m.ids[id] = struct{}{}
		}
	}
	return m
}

// Match reports whether a point passes.
func (m Matcher) Match(id palate.ImageID, a Attributes) bool {
	if m.ids != nil && !m.ids.has(id) || m.notIDs.has(id) {
		return false
	}
	return m.artists.meets(a.Artists) && m.licences.meets(a.Licences) && m.sites.meets(a.Sites) &&
		m.categories.meets(a.Categories) && m.filter.matchYears(a.Years) && m.filter.matchVerdicts(a.Verdicts)
}

func (f Filter) matchYears(years []int) bool {
	if f.YearFrom == 0 && f.YearTo == 0 {
		return true
	}
	return slices.ContainsFunc(years, func(year int) bool {
		return (f.YearFrom == 0 || year >= f.YearFrom) && (f.YearTo == 0 || year <= f.YearTo)
	})
}

func (f Filter) matchVerdicts(verdicts map[palate.Profile]palate.Verdict) bool {
	judged := func(p palate.Profile) bool { return verdicts[p] == palate.Like || verdicts[p] == palate.Dislike }
	return (f.JudgedBy == "" || judged(f.JudgedBy)) &&
		(f.NotJudgedBy == "" || !judged(f.NotJudgedBy)) &&
		(f.LikedBy == "" || verdicts[f.LikedBy] == palate.Like) &&
		(f.DislikedBy == "" || verdicts[f.DislikedBy] == palate.Dislike)
}

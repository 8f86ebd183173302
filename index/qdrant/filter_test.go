package qdrant_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/qdrant/qdranttest"
)

// TestFiltersAgreeWithTheMatcher compares random filters with index.Matcher
// on random points, while what recent gives overrides some of their verdicts.
func TestFiltersAgreeWithTheMatcher(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	x := newIndex(t, qdranttest.Run(t))
	profiles := []palate.Profile{"me", "you", "2nd-one_"}
	words := []string{"oil", "海", "a.b[0]", "O'Brien \"x\"", ""}
	some := func() (list []string) {
		for _, w := range words {
			if r.IntN(4) == 0 {
				list = append(list, w)
			}
		}
		return list
	}
	verdicts := []palate.Verdict{palate.Like, palate.Dislike}
	model := make(map[palate.ImageID]index.Attributes)
	var points []index.Point
	for i := range 120 {
		a := index.Attributes{Artists: some(), Licences: some(), Sites: some(), Categories: some()}
		for range r.IntN(3) {
			a.Years = append(a.Years, 1900+r.IntN(8))
		}
		for _, p := range profiles {
			if r.IntN(2) == 0 {
				if a.Verdicts == nil {
					a.Verdicts = make(map[palate.Profile]palate.Verdict)
				}
				a.Verdicts[p] = verdicts[r.IntN(2)]
			}
		}
		model[id(i)] = a
		points = append(points, index.Point{ID: id(i), Embedding: randomEmbedding(r, dim), Attributes: a})
	}
	must(t, x.Upsert(t.Context(), points))
	for pass, recent := range []bool{false, true} {
		if recent { // the payload is behind from here on
			newer := make(map[palate.Profile]map[palate.ImageID]palate.Verdict)
			for _, p := range profiles {
				newer[p] = make(map[palate.ImageID]palate.Verdict)
				for range 25 {
					at := id(r.IntN(140)) // some are not stored
					v := []palate.Verdict{palate.Like, palate.Dislike, palate.Skip, ""}[r.IntN(4)]
					newer[p][at] = v
					if a, there := model[at]; there {
						a.Verdicts = maps.Clone(a.Verdicts)
						if a.Verdicts == nil {
							a.Verdicts = make(map[palate.Profile]palate.Verdict)
						}
						a.Verdicts[p] = v
						model[at] = a
					}
				}
			}
			x.Consider(func(_ context.Context, p palate.Profile) (map[palate.ImageID]palate.Verdict, error) {
				return newer[p], nil
			})
		}
		passed := 0
		for range 150 {
			f := randomFilter(r, profiles, some)
			m := f.Matcher()
			var want []palate.ImageID
			for at, a := range model {
				if m.Match(at, a) {
					want = append(want, at)
				}
			}
			hits, err := x.Search(t.Context(), index.Query{Vector: points[0].Embedding, Filter: f, Limit: 1000})
			must(t, err)
			var got []palate.ImageID
			for _, h := range hits {
				got = append(got, h.ID)
			}
			byID := func(a, b palate.ImageID) int { return slices.Compare(a[:], b[:]) }
			slices.SortFunc(got, byID)
			slices.SortFunc(want, byID)
			if !slices.Equal(got, want) {
				t.Fatalf("pass %d: %+v: got %d points, want %d", pass, f, len(got), len(want))
			}
			count, err := x.Count(t.Context(), f)
			if err != nil || count != len(want) {
				t.Fatalf("pass %d: %+v: counted %d (%v), want %d", pass, f, count, err, len(want))
			}
			if len(want) > 0 && len(want) < len(model) {
				passed++
			}
		}
		if passed < 40 {
			t.Errorf("pass %d: only %d filters passed some points and not all: the test shows too little", pass, passed)
		}
	}
}

func randomFilter(r *rand.Rand, profiles []palate.Profile, some func() []string) (f index.Filter) {
	maybe := func() bool { return r.IntN(5) == 0 }
	for _, list := range []*[]string{&f.Artists, &f.Licences, &f.Sites, &f.Categories} {
		if maybe() {
			*list = some()
		}
	}
	if maybe() {
		f.YearFrom = 1900 + r.IntN(8)
	}
	if maybe() {
		f.YearTo = 1900 + r.IntN(8)
	}
	for _, p := range []*palate.Profile{&f.JudgedBy, &f.NotJudgedBy, &f.LikedBy, &f.DislikedBy} {
		if maybe() {
			*p = profiles[r.IntN(len(profiles))]
		}
	}
	ids := func() []palate.ImageID {
		list := []palate.ImageID{}
		for range r.IntN(100) {
			list = append(list, id(r.IntN(150)))
		}
		return list
	}
	if maybe() {
		f.IDs = ids()
	}
	if maybe() {
		f.NotIDs = ids()
	}
	return f
}

func TestAFilterThatCannotBeAsked(t *testing.T) {
	x := newIndex(t, qdranttest.Run(t))
	broken := errors.New("the catalog is away")
	x.Consider(func(context.Context, palate.Profile) (map[palate.ImageID]palate.Verdict, error) { return nil, broken })
	if _, err := x.Count(t.Context(), index.Filter{LikedBy: "me"}); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	if _, err := x.Count(t.Context(), index.Filter{Artists: []string{"a"}}); err != nil {
		t.Errorf("got %v for a filter without verdicts, want none", err)
	}
	for i, f := range []index.Filter{{LikedBy: "a.b"}, {NotJudgedBy: "x[0]"}} {
		if _, err := x.Search(t.Context(), index.Query{Vector: randomPoints(1)[0].Embedding, Filter: f, Limit: 1}); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("filter %d: got %v, want it invalid", i, err)
		}
	}
}

// Attributes come back as they were written, whatever was judged in between.
func TestAttributesAndJudgements(t *testing.T) {
	x := newIndex(t, qdranttest.Run(t))
	points := randomPoints(3)
	points[0].Attributes = index.Attributes{Artists: []string{"葛飾北斎"}, Licences: []string{"CC0"}, Sites: []string{"folder"},
		Categories: []string{"sea", "woodcut"}, Years: []int{1831, -300}, Verdicts: map[palate.Profile]palate.Verdict{"me": palate.Like}}
	must(t, x.Upsert(t.Context(), points))
	must(t, x.Judge(t.Context(), []index.Judgement{
		{ID: id(0), Profile: "you", Verdict: palate.Like}, {ID: id(0), Profile: "you", Verdict: palate.Dislike},
		{ID: id(1), Profile: "me", Verdict: palate.Like}, {ID: id(1), Profile: "me", Verdict: palate.Skip},
		{ID: id(99), Profile: "me", Verdict: palate.Like},
	}))
	must(t, x.SetAttributes(t.Context(), map[palate.ImageID]index.Attributes{id(2): {}, id(98): {Years: []int{1}}}))
	got, err := x.Get(t.Context(), []palate.ImageID{id(2), id(1), id(0), id(98), id(99)})
	must(t, err)
	if len(got) != 3 {
		t.Fatalf("got %d points, want the 3 stored", len(got))
	}
	want := points[0].Attributes
	want.Verdicts = map[palate.Profile]palate.Verdict{"me": palate.Like, "you": palate.Dislike}
	for i, want := range []index.Attributes{{}, points[1].Attributes, want} {
		if text := fmt.Sprint(got[i].Attributes); text != fmt.Sprint(want) {
			t.Errorf("point %d: got %s, want %v", i, text, want)
		}
	}
}

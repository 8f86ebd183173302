package indextest

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

func testEmpty(t *testing.T, s Subject) {
	x := begin(t, s, 8)
	q := index.Query{Vector: axis(8, 0), Limit: 10}
	for what, q := range map[string]index.Query{
		"no points":         q,
		"filter":            {Vector: q.Vector, Limit: 10, Filter: index.Filter{Artists: []string{"a"}}},
		"filter of absence": {Vector: q.Vector, Limit: 10, Filter: index.Filter{NotJudgedBy: "me"}},
		"page":              {Vector: q.Vector, Limit: 10, Offset: index.MaxOffset},
	} {
		if hits := x.search(q); hits == nil || len(hits) != 0 {
			t.Errorf("%s: got %v, want an empty list", what, hits)
		}
	}
	count, err := x.ix.Count(t.Context(), index.Filter{})
	x.ok("count", err)
	if count != 0 {
		t.Errorf("count is %d, want 0", count)
	}
	x.ok("upsert of none", x.ix.Upsert(t.Context(), nil))
	x.ok("delete of none", x.ix.Delete(t.Context(), nil))
	x.ok("judge of none", x.ix.Judge(t.Context(), nil))
	x.ok("attributes of none", x.ix.SetAttributes(t.Context(), nil))
	x.ok("clear", x.ix.Clear(t.Context()))
	x.ok("ready", x.ix.Ready(t.Context()))
	x.checkHeld("empty")
}

func testOne(t *testing.T, s Subject) {
	x := begin(t, s, 3, index.Point{ID: id(1), Embedding: at(3, 1, .6)})
	x.check("one", index.Query{Vector: axis(3, 0), Limit: 10})
	x.check("the other way", index.Query{Vector: []float32{-1, 0, 0}, Limit: 1})
	x.check("orthogonal", index.Query{Vector: axis(3, 2), Limit: 1})
	if hits := x.search(index.Query{Near: &x.want.ids()[0], Limit: 1}); len(hits) != 0 {
		t.Errorf("a point alone has neighbours %v", hits)
	}
	x.checkHeld("one")
	x.remove(id(1))
	x.check("gone", index.Query{Vector: axis(3, 0), Limit: 10})
	x.checkHeld("gone")
	x.upsert(index.Point{ID: id(1), Embedding: at(3, 2, .1)})
	x.check("back", index.Query{Vector: axis(3, 0), Limit: 10})
	x.checkHeld("back")
}

func testModel(t *testing.T, s Subject) {
	for _, dim := range []int{1, 2, 7, 64, 65, 500} {
		r := random(uint64(dim))
		x := begin(t, s, dim, points(r, 40, dim)...)
		if x.ix.Dim() != dim || x.ix.Model() != model {
			t.Errorf("index says %d and %s, want %d and %s", x.ix.Dim(), x.ix.Model(), dim, model)
		}
		x.check("of any dimension", index.Query{Vector: spread(r, dim), Limit: 7})
		x.checkHeld("of any dimension")
	}
}

func testGet(t *testing.T, s Subject) {
	x := begin(t, s, 16, points(random(1), 30, 16)...)
	x.checkHeld("after upsert")
	asked := []palate.ImageID{id(7), id(99), id(3), id(29)}
	got, err := x.ix.Get(t.Context(), asked)
	x.ok("get", err)
	if len(got) != 3 {
		t.Fatalf("got %d points, want 3", len(got))
	}
	for i, want := range ids(7, 3, 29) {
		x.samePoint("in the order asked", got[i], x.want[want])
	}
	got, err = x.ix.Get(t.Context(), nil)
	x.ok("get of none", err)
	if len(got) != 0 {
		t.Errorf("asking for none gives %d points", len(got))
	}
}

func testReplace(t *testing.T, s Subject) {
	r := random(2)
	x := begin(t, s, 12, points(r, 20, 12)...)
	again := points(r, 20, 12)[5:15]
	again[3].Attributes = index.Attributes{} // leaves nothing of the earlier ones
	x.upsert(again...)
	x.checkHeld("replaced")
	x.check("replaced", index.Query{Vector: spread(r, 12), Limit: 20})
	twice := []index.Point{{ID: id(3), Embedding: axis(12, 1)}, {ID: id(3), Embedding: axis(12, 2)}}
	x.upsert(twice...)
	x.checkHeld("the last of two in one call is kept")
	if hits := x.search(index.Query{Vector: axis(12, 1), Limit: 1}); hits[0].ID == id(3) {
		t.Error("the first of two in one call is still found")
	}
	x.ok("attributes", x.ix.SetAttributes(t.Context(), map[palate.ImageID]index.Attributes{id(0): {}, id(4): attributes(r), id(77): attributes(r)}))
	stored, err := x.ix.Get(t.Context(), ids(0, 77))
	x.ok("get", err)
	if len(stored) != 1 || describe(stored[0].Attributes) != describe(index.Attributes{}) {
		t.Errorf("after SetAttributes the index holds %v", stored)
	}
}

func testOwnership(t *testing.T, s Subject) {
	p := points(random(3), 1, 8)[0]
	p.Attributes = index.Attributes{Artists: []string{"before"}, Years: []int{1900}, Verdicts: map[palate.Profile]palate.Verdict{"me": palate.Like}}
	x := begin(t, s, 8)
	given := index.Point{ID: p.ID, Embedding: slices.Clone(p.Embedding), Attributes: index.Attributes{
		Artists: []string{"before"}, Years: []int{1900}, Verdicts: map[palate.Profile]palate.Verdict{"me": palate.Like}}}
	spoil := func(p index.Point) {
		for i := range p.Embedding {
			p.Embedding[i] = 9
		}
		p.Attributes.Artists[0], p.Attributes.Years[0], p.Attributes.Verdicts["me"] = "after", 2000, palate.Dislike
	}
	x.ok("upsert", x.ix.Upsert(t.Context(), []index.Point{given}))
	x.want.upsert([]index.Point{p})
	x.settle()
	spoil(given)
	x.checkHeld("after the caller changed what it gave")
	got, err := x.ix.Get(t.Context(), ids(0))
	x.ok("get", err)
	spoil(got[0])
	x.checkHeld("after the caller changed what it got")
	vector := axis(8, 0)
	x.search(index.Query{Vector: vector, Limit: 1})
	if !slices.Equal(vector, axis(8, 0)) {
		t.Error("a search changed the query vector")
	}
}

func testBadPoints(t *testing.T, s Subject) {
	good := points(random(4), 3, 4)
	x := begin(t, s, 4, good[0])
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for what, bad := range map[string]palate.Embedding{
		"none": nil, "empty": {}, "short": {1, 0, 0}, "long": {1, 0, 0, 0, 0}, "zero": {0, 0, 0, 0}, "not normalised": {3, 0, 0, 0}, "tiny": {1e-30, 0, 0, 0},
		"NaN": {nan, 0, 0, 1}, "all NaN": {nan, nan, nan, nan}, "infinite": {inf, 0, 0, 0}, "minus infinity": {0, -inf, 0, 0},
	} {
		err := x.ix.Upsert(t.Context(), []index.Point{good[1], {ID: id(0), Embedding: bad}, good[2]})
		x.wantKind(what, err, palate.ErrInvalid)
	}
	x.settle()
	x.checkHeld("after points that were refused")
	x.check("after points that were refused", index.Query{Vector: axis(4, 0), Limit: 5})
}

func testBadQueries(t *testing.T, s Subject) {
	x := begin(t, s, 4, points(random(5), 5, 4)...)
	v, one, gone := axis(4, 0), id(1), id(99)
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for what, q := range map[string]index.Query{
		"nothing asked":              {Limit: 1},
		"vector and id":              {Vector: v, Near: &one, Limit: 1},
		"vector and examples":        {Vector: v, Examples: &index.Examples{Positive: ids(1)}, Limit: 1},
		"short vector":               {Vector: v[:3], Limit: 1},
		"long vector":                {Vector: axis(5, 0), Limit: 1},
		"empty vector":               {Vector: []float32{}, Limit: 1},
		"zero vector":                {Vector: make([]float32, 4), Limit: 1},
		"NaN":                        {Vector: []float32{nan, 1, 1, 1}, Limit: 1},
		"infinity":                   {Vector: []float32{0, inf, 0, 0}, Limit: 1},
		"no limit":                   {Vector: v},
		"negative limit":             {Vector: v, Limit: -1},
		"limit too large":            {Vector: v, Limit: index.MaxLimit + 1},
		"negative offset":            {Vector: v, Limit: 1, Offset: -1},
		"offset too large":           {Vector: v, Limit: 1, Offset: index.MaxOffset + 1},
		"no positive example":        {Examples: &index.Examples{Negative: ids(1)}, Limit: 1},
		"no example":                 {Examples: &index.Examples{}, Limit: 1},
		"threshold NaN":              {Vector: v, Limit: 1, Threshold: &nan},
		"collapse too low":           {Vector: v, Limit: 1, Collapse: .5},
		"collapse too high":          {Vector: v, Limit: 1, Collapse: 1},
		"collapse NaN":               {Vector: v, Limit: 1, Collapse: nan},
		"collapse negative":          {Vector: v, Limit: 1, Collapse: -1},
		"several things at once bad": {Vector: v[:1], Limit: -1, Offset: -1},
	} {
		_, err := x.ix.Search(t.Context(), q)
		x.wantKind(what, err, palate.ErrInvalid)
	}
	for what, q := range map[string]index.Query{
		"near an absent one":      {Near: &gone, Limit: 1},
		"absent positive example": {Examples: &index.Examples{Positive: ids(1, 99)}, Limit: 1},
		"absent negative example": {Examples: &index.Examples{Positive: ids(1), Negative: ids(99)}, Limit: 1},
	} {
		_, err := x.ix.Search(t.Context(), q)
		x.wantKind(what, err, palate.ErrNotFound)
	}
	_, err := x.ix.Scores(t.Context(), []float32{0, 0, 0, 0}, ids(1))
	x.wantKind("scores of zero", err, palate.ErrInvalid)
	_, err = x.ix.Scores(t.Context(), v[:2], ids(1))
	x.wantKind("scores of a short vector", err, palate.ErrInvalid)
	_, err = x.ix.IDs(t.Context(), palate.ImageID{}, 0)
	x.wantKind("ids without a limit", err, palate.ErrInvalid)
}

func testUnknown(t *testing.T, s Subject) {
	r := random(6)
	x := begin(t, s, 6, points(r, 6, 6)...)
	x.ok("delete", x.ix.Delete(t.Context(), ids(50, 51)))
	x.ok("judge", x.ix.Judge(t.Context(), []index.Judgement{{ID: id(50), Profile: "me", Verdict: palate.Like}}))
	x.ok("attributes", x.ix.SetAttributes(t.Context(), map[palate.ImageID]index.Attributes{id(50): attributes(r)}))
	scores, err := x.ix.Scores(t.Context(), axis(6, 0), ids(50))
	x.ok("scores", err)
	if len(scores) != 0 {
		t.Errorf("scores of what is not stored: %v", scores)
	}
	x.settle()
	x.checkHeld("after changes to what is not stored")
}

func testCancelled(t *testing.T, s Subject) {
	x := begin(t, s, 4, points(random(7), 4, 4)...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := x.ix.Search(ctx, index.Query{Vector: axis(4, 0), Limit: 1}); err == nil {
		t.Error("a search with a cancelled context succeeds")
	}
	if err := x.ix.Upsert(ctx, points(random(8), 4, 4)); err == nil {
		t.Error("an upsert with a cancelled context succeeds")
	}
	x.checkHeld("after a cancelled upsert")
	x.check("after a cancelled search", index.Query{Vector: axis(4, 0), Limit: 4})
}

func testClosed(t *testing.T, s Subject) {
	x := begin(t, s, 4, points(random(9), 4, 4)...)
	x.ok("close", x.ix.Close())
	_, err := x.ix.Search(t.Context(), index.Query{Vector: axis(4, 0), Limit: 1})
	x.wantKind("search", err, palate.ErrUnavailable)
	_, err = x.ix.SearchBatch(t.Context(), []index.Query{{Vector: axis(4, 0), Limit: 1}})
	x.wantKind("batch of searches", err, palate.ErrUnavailable)
	x.wantKind("upsert", x.ix.Upsert(t.Context(), points(random(9), 4, 4)), palate.ErrUnavailable)
	x.wantKind("delete", x.ix.Delete(t.Context(), ids(1)), palate.ErrUnavailable)
	x.wantKind("judge", x.ix.Judge(t.Context(), []index.Judgement{{ID: id(1), Profile: "me"}}), palate.ErrUnavailable)
	x.wantKind("ready", x.ix.Ready(t.Context()), palate.ErrUnavailable)
	_, err = x.ix.Get(t.Context(), ids(1))
	x.wantKind("get", err, palate.ErrUnavailable)
	_, err = x.ix.Count(t.Context(), index.Filter{})
	x.wantKind("count", err, palate.ErrUnavailable)
	_, err = x.ix.Scores(t.Context(), axis(4, 0), ids(1))
	x.wantKind("scores", err, palate.ErrUnavailable)
	_, err = x.ix.IDs(t.Context(), palate.ImageID{}, 1)
	x.wantKind("ids", err, palate.ErrUnavailable)
}

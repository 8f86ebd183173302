package indextest

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

func testDuplicates(t *testing.T, s Subject) {
	r := random(10)
	all := points(r, 60, 24)
	for i := range all[:20] {
		all[40+i].Embedding = slices.Clone(all[i].Embedding)
	}
	x := begin(t, s, 24, all...)
	for i := range 10 {
		x.check("a vector stored twice", index.Query{Vector: all[i].Embedding, Limit: 5})
		x.check("near one of two", index.Query{Near: &all[i].ID, Limit: 5})
		hits := x.search(index.Query{Near: &all[i].ID, Limit: 1})
		if len(hits) != 1 || hits[0].ID != id(40+i) {
			t.Errorf("nearest to %s is %v, want its duplicate %s", all[i].ID, hits, id(40+i))
		}
	}
	x.remove(id(0))
	x.check("one of two deleted", index.Query{Vector: all[0].Embedding, Limit: 2})
}

func testTies(t *testing.T, s Subject) {
	var all []index.Point
	for i := range 50 { // groups of ten with one score, interleaved
		all = append(all, index.Point{ID: id(i), Embedding: at(4, 1+i%3, 1-float64(i%5)/10)})
	}
	x := begin(t, s, 4, all...)
	for _, limit := range []int{1, 7, 10, 15, 50} {
		for offset := 0; offset < 50; offset += 9 {
			q := index.Query{Vector: axis(4, 0), Limit: limit, Offset: offset}
			x.check(fmt.Sprint("ties, ", limit, " from ", offset), q)
			if offset > 0 {
				x.goOn(&q)
				x.check(fmt.Sprint("ties, ", limit, " on from ", offset), q)
			}
		}
	}
}

func testCollapse(t *testing.T, s Subject) {
	const dim = 32
	r := random(11)
	all := points(r, 90, dim)
	for i := range 60 { // 30 groups of three that are nearly the same
		all[30+i].Embedding = near(r, all[i%30].Embedding, .01)
	}
	x := begin(t, s, dim, all...)
	group := func(id palate.ImageID) int {
		return slices.IndexFunc(all, func(p index.Point) bool { return p.ID == id }) % 30
	}
	for n := range 20 {
		q := index.Query{Vector: spread(r, dim), Limit: 12, Offset: n, Collapse: .99}
		if n%2 == 1 {
			q.Vector = near(r, all[n].Embedding, .05)
		}
		x.check("collapsed", q)
		seen := map[int]bool{}
		for _, hit := range x.search(q) {
			if seen[group(hit.ID)] {
				t.Errorf("two near duplicates in one answer: %s", hit.ID)
			}
			seen[group(hit.ID)] = true
		}
	}
	q := index.Query{Vector: axis(dim, 0), Limit: 1000, Collapse: .99}
	if hits := x.search(q); len(hits) != 30 {
		t.Errorf("%d hits, want one of each of 30 groups", len(hits))
	}
	q.Filter.Artists = []string{"artist 0", "artist 1"}
	x.check("collapsed behind a filter", q)
	x.check("near, collapsed", index.Query{Near: &all[0].ID, Limit: 5, Collapse: .99})
}

func testProbeVector(t *testing.T, s Subject) {
	r := random(12)
	x := begin(t, s, 20, points(r, 80, 20)...)
	for _, scale := range []float32{1e-6, .01, 1, 37, 1e6} {
		w := spread(r, 20)
		for i := range w {
			w[i] *= scale
		}
		x.check(fmt.Sprint("vector of norm ", scale), index.Query{Vector: w, Limit: 80})
	}
	one := make([]float32, 20)
	one[3] = 2
	x.check("one value that is not zero", index.Query{Vector: one, Limit: 80})
	one[7] = 1e-20
	x.check("values far apart", index.Query{Vector: one, Limit: 80})
}

func testThreshold(t *testing.T, s Subject) {
	r := random(13)
	x := begin(t, s, 8, points(r, 100, 8)...)
	x.upsert(index.Point{ID: id(500), Embedding: at(8, 1, .5)}, index.Point{ID: id(501), Embedding: at(8, 2, .5)})
	inf := float32(math.Inf(1))
	for _, least := range []float32{-inf, -2, -.3, 0, .2, .7, 1.01, inf} {
		q := index.Query{Vector: axis(8, 0), Limit: 200, Threshold: &least}
		x.check(fmt.Sprint("above ", least), q)
		q.Limit, q.Offset = 10, 10
		x.check(fmt.Sprint("a page above ", least), q)
		for _, hit := range x.search(q) {
			if hit.Score <= least {
				t.Errorf("a hit of %v is not above %v", hit.Score, least)
			}
		}
	}
	half := float32(.5) // inner products with an axis are exact
	for _, hit := range x.search(index.Query{Vector: axis(8, 0), Limit: 200, Threshold: &half}) {
		if hit.ID == id(500) || hit.ID == id(501) {
			t.Error("a score equal to the threshold is not left out")
		}
	}
}

func testNear(t *testing.T, s Subject) {
	r := random(14)
	x := begin(t, s, 16, points(r, 70, 16)...)
	for n := range 20 {
		of := id(n)
		x.check("near", index.Query{Near: &of, Limit: 1 + r.IntN(80)})
		x.check("near, filtered", index.Query{Near: &of, Limit: 10, Filter: filter(r, .2, 70)})
		x.check("near, page", index.Query{Near: &of, Limit: 10, Offset: 5})
	}
}

func testExamples(t *testing.T, s Subject) {
	r := random(15)
	x := begin(t, s, 16, points(r, 120, 16)...)
	for range 30 {
		chosen := r.Perm(120)
		positive, negative := 1+r.IntN(6), r.IntN(6)
		e := index.Examples{Positive: ids(chosen[:positive]...), Negative: ids(chosen[positive : positive+negative]...)}
		x.check("examples", index.Query{Examples: &e, Limit: 30})
		x.check("examples, filtered", index.Query{Examples: &e, Limit: 30, Filter: filter(r, .15, 120)})
		x.check("examples, page", index.Query{Examples: &e, Limit: 7, Offset: 100})
	}
	twice := index.Examples{Positive: ids(1, 1, 2), Negative: ids(3, 3)}
	x.check("an example named twice weighs twice", index.Query{Examples: &twice, Limit: 30})
	// The formula, once by hand: 2·mean(positive) − mean(negative).
	y := begin(t, s, 4,
		index.Point{ID: id(0), Embedding: axis(4, 0)}, index.Point{ID: id(1), Embedding: axis(4, 1)},
		index.Point{ID: id(2), Embedding: axis(4, 2)}, index.Point{ID: id(3), Embedding: at(4, 1, .6)}, index.Point{ID: id(4), Embedding: at(4, 2, .8)})
	by := index.Examples{Positive: ids(0, 1), Negative: ids(2)}
	hits := y.search(index.Query{Examples: &by, Limit: 5})
	if len(hits) != 2 || hits[0].ID != id(3) || math.Abs(float64(hits[0].Score)-1.4) > 1e-5 || math.Abs(float64(hits[1].Score)-.2) > 1e-5 {
		t.Errorf("got %v, want %s with 1.4 and %s with .2", hits, id(3), id(4))
	}
}

func testPages(t *testing.T, s Subject) {
	r := random(16)
	const n = 230
	x := begin(t, s, 10, points(r, n, 10)...)
	q := index.Query{Vector: spread(r, 10)}
	for _, f := range []index.Filter{{}, {Categories: []string{"category 1", "category 2"}}, {NotJudgedBy: "me"}} {
		q.Filter = f
		var paged []palate.ImageID
		var last index.Hit
		for q.Limit, q.Offset = 17, 0; ; q.Offset += q.Limit {
			x.check(fmt.Sprint("page at ", q.Offset), q)
			hits := x.search(q)
			if q.Offset > 0 {
				on := q
				on.After = &last
				x.check(fmt.Sprint("page on from ", q.Offset), on)
			}
			if len(hits) > 0 {
				last = hits[len(hits)-1]
			}
			for _, hit := range hits {
				paged = append(paged, hit.ID)
			}
			if len(hits) < q.Limit {
				break
			}
		}
		if want := x.want.count(f); len(paged) != want && x.subject.Tolerances.exact() {
			t.Errorf("pages hold %d points, want %d", len(paged), want)
		}
		slices.SortFunc(paged, func(a, b palate.ImageID) int { return slices.Compare(a[:], b[:]) })
		if len(slices.Compact(paged)) != len(paged) && !x.subject.Tolerances.AnyTieOrder {
			t.Error("a point is on two pages")
		}
	}
	for _, limit := range []int{1, n - 1, n, n + 1, index.MaxLimit} {
		for _, offset := range []int{0, 1, n - 1, n, n + 1, index.MaxOffset} {
			x.check(fmt.Sprint(limit, " from ", offset), index.Query{Vector: q.Vector, Limit: limit, Offset: offset})
		}
	}
}

func testIDs(t *testing.T, s Subject) {
	x := begin(t, s, 4, points(random(17), 25, 4)...)
	x.remove(ids(3, 11)...)
	want := x.want.ids()
	for _, limit := range []int{1, 4, 23, 100} {
		var got []palate.ImageID
		for after := (palate.ImageID{}); ; {
			page, err := x.ix.IDs(t.Context(), after, limit)
			x.ok("ids", err)
			got = append(got, page...)
			if len(page) < limit {
				break
			}
			after = page[len(page)-1]
		}
		if !slices.Equal(got, want) {
			t.Errorf("ids by %d: got %v, want %v", limit, got, want)
		}
	}
	got, err := x.ix.IDs(t.Context(), id(3), 100) // from the place of one that is gone
	x.ok("ids", err)
	gone := id(3)
	from, _ := slices.BinarySearchFunc(want, gone, func(a, b palate.ImageID) int { return slices.Compare(a[:], b[:]) })
	if !slices.Equal(got, want[from:]) {
		t.Errorf("ids after one that is gone: got %v, want %v", got, want[from:])
	}
}

func testScores(t *testing.T, s Subject) {
	r := random(18)
	x := begin(t, s, 12, points(r, 40, 12)...)
	w := normals(r, 12)
	got, err := x.ix.Scores(t.Context(), w, ids(3, 39, 3, 77, 0))
	x.ok("scores", err)
	if len(got) != 3 {
		t.Errorf("%d scores, want 3: %v", len(got), got)
	}
	for _, n := range []int{3, 39, 0} {
		want := dot(w, x.want[id(n)].Embedding)
		if score, there := got[id(n)]; !there || math.Abs(float64(score)-want) > x.subject.Tolerances.ScoreError*math.Sqrt(dot(w, w))+1e-7 {
			t.Errorf("point %d scores %v, want %v", n, score, want)
		}
	}
}

package indextest

import (
	"bytes"
	"cmp"
	"slices"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/test/race"
)

// testClusters searches in tight clusters, where rounded vectors tell
// neighbours apart badly: on such data the best 4·k by rounded scores miss
// most of the true k.
func testClusters(t *testing.T, s Subject) {
	const dim, clusters, queries = 96, 20, 24
	n := 10_000
	if race.Enabled || testing.Short() {
		n = 4000
	}
	r := random(50)
	centres := make([]palate.Embedding, clusters)
	for i := range centres {
		centres[i] = spread(r, dim)
	}
	all := make([]index.Point, n)
	for i := range all {
		all[i] = index.Point{ID: id(i), Embedding: near(r, centres[r.IntN(clusters)], .02)}
	}
	x := begin(t, s, dim, all...)
	for i := range queries {
		q := index.Query{Vector: near(r, centres[i%clusters], .02), Limit: 10}
		if i%4 == 0 {
			q.Limit = 100
		}
		x.check("tight clusters", q)
	}
	for i := range 5 {
		x.check("a member", index.Query{Near: &all[i].ID, Limit: 20})
	}
}

// testMany searches among as many points as Tolerances.Points says.
func testMany(t *testing.T, s Subject) {
	const dim = 48
	n := s.Tolerances.Points
	r := random(51)
	x := begin(t, s, dim)
	rare := make([]palate.ImageID, 0, n/50)
	batch := make([]index.Point, 0, upsertBatch)
	slab := make([]float32, 0, n*dim)
	names := make([]palate.ImageID, n)
	for i := range n {
		e := spread(r, dim)
		slab = append(slab, e...)
		names[i] = id(i)
		p := index.Point{ID: names[i], Embedding: e, Attributes: index.Attributes{Categories: []string{"all", "odd"}[:1+i%2]}}
		if i%100 == 7 {
			p.Attributes.Artists = []string{"rare"}
			rare = append(rare, p.ID)
		}
		if batch = append(batch, p); len(batch) == cap(batch) || i == n-1 {
			x.ok("upsert", x.ix.Upsert(t.Context(), batch))
			batch = batch[:0]
		}
	}
	x.settle()
	for what, f := range map[string]index.Filter{
		"all": {}, "half": {Categories: []string{"odd"}}, "one in a hundred": {Artists: []string{"rare"}}, "by id": {IDs: rare[:min(500, len(rare))]},
		"all but": {NotIDs: rare[:min(500, len(rare))]},
	} {
		passes := func(i int) bool {
			return what == "all" || what == "half" && i%2 == 1 || what == "one in a hundred" && i%100 == 7 ||
				what == "by id" && i%100 == 7 && i/100 < 500 || what == "all but" && (i%100 != 7 || i/100 >= 500)
		}
		for range 4 {
			q := index.Query{Vector: spread(r, dim), Limit: 20, Filter: f}
			var all []ranked
			for i := range n {
				if passes(i) {
					all = append(all, ranked{names[i], dot(q.Vector, slab[i*dim:(i+1)*dim])})
				}
			}
			slices.SortFunc(all, func(a, b ranked) int {
				return cmp.Or(cmp.Compare(b.score, a.score), bytes.Compare(a.id[:], b.id[:]))
			})
			x.compare(what, q, x.search(q), all)
		}
	}
	count, err := x.ix.Count(t.Context(), index.Filter{Artists: []string{"rare"}})
	x.ok("count", err)
	if count != len(rare) {
		t.Errorf("%d points are rare, want %d", count, len(rare))
	}
}

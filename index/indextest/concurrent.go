package indextest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/test/race"
)

// beside runs changes one after the other, and looks in several goroutines
// until the changes are done, each at least once. The first failure stops all.
func beside(t *testing.T, changes, looks int, change func(n int) error, look func(g, n int) error) {
	t.Helper()
	var wait sync.WaitGroup
	var done atomic.Bool
	var first sync.Once
	fail := func(err error) {
		if err != nil {
			first.Do(func() { t.Error(err) })
			done.Store(true)
		}
	}
	for g := range looks {
		wait.Go(func() {
			for n := 0; n == 0 || !done.Load(); n++ {
				fail(look(g, n))
			}
		})
	}
	for n := 0; n < changes && !done.Load(); n++ {
		fail(change(n))
	}
	done.Store(true)
	wait.Wait()
}

// testConcurrent searches for points that stay while others come, change and
// go.
func testConcurrent(t *testing.T, s Subject) {
	const dim, stay, come = 16, 300, 2000
	r := random(40)
	x := begin(t, s, dim, points(r, stay, dim)...)
	queries := make([][]float32, 16)
	best := make([]ranked, len(queries))
	for i := range queries {
		queries[i] = near(r, x.want[id(r.IntN(stay))].Embedding, .1)
		best[i] = x.want.rank(index.Query{Vector: queries[i]})[0]
	}
	passing := points(r, stay+come, dim)[stay:]
	const batch = 20
	beside(t, come/batch, 4, func(n int) error {
		if err := x.ix.Upsert(t.Context(), passing[n*batch:(n+1)*batch]); err != nil {
			return err
		}
		if n > 2 {
			var gone []palate.ImageID
			for _, p := range passing[(n-2)*batch : (n-1)*batch-5] {
				gone = append(gone, p.ID)
			}
			return x.ix.Delete(t.Context(), gone)
		}
		return x.ix.Judge(t.Context(), []index.Judgement{{ID: id(n), Profile: "you", Verdict: palate.Like}})
	}, func(g, n int) error {
		i := (g + n) % len(queries)
		hits, err := x.ix.Search(t.Context(), index.Query{Vector: queries[i], Limit: 30})
		if err != nil {
			return err
		}
		if !slices.IsSortedFunc(hits, func(a, b index.Hit) int { return cmp.Compare(b.Score, a.Score) }) {
			return fmt.Errorf("hits out of order while points change: %v", hits)
		}
		there := slices.ContainsFunc(hits, func(h index.Hit) bool { return h.ID == best[i].id })
		if !there && x.subject.Tolerances.exact() {
			return fmt.Errorf("point %s, which stays and is nearest, is not found while others change", best[i].id)
		}
		if _, err := x.ix.Count(t.Context(), index.Filter{NotJudgedBy: "me"}); err != nil {
			return err
		}
		return nil
	})
	x.want.upsert(passing)
	for n := 3; n < come/batch; n++ {
		for _, p := range passing[(n-2)*batch : (n-1)*batch-5] {
			delete(x.want, p.ID)
		}
	}
	for n := range 3 {
		x.want.judge([]index.Judgement{{ID: id(n), Profile: "you", Verdict: palate.Like}})
	}
	x.settle()
	x.checkHeld("after concurrent use")
	for range 20 {
		x.checkFilter("after concurrent use", spread(r, dim), filter(r, .1, stay+come))
	}
}

// testAtomic turns points back and forth between two forms. A search that
// filters by one form must never see the other's vector.
func testAtomic(t *testing.T, s Subject) {
	const dim, n = 8, 64
	forms := [2][]index.Point{}
	for f := range forms {
		for i := range n {
			forms[f] = append(forms[f], index.Point{ID: id(i), Embedding: axis(dim, f), Attributes: index.Attributes{Artists: []string{fmt.Sprint("form ", f)}}})
		}
	}
	x := begin(t, s, dim, forms[0]...)
	turns := 150
	if race.Enabled {
		turns = 50
	}
	beside(t, turns, 3, func(turn int) error {
		return x.ix.Upsert(t.Context(), forms[1-turn%2][turn%3*20:])
	}, func(g, _ int) error {
		f := g % 2
		hits, err := x.ix.Search(t.Context(), index.Query{Vector: axis(dim, f), Limit: n, Filter: index.Filter{Artists: []string{fmt.Sprint("form ", f)}}})
		if err != nil {
			return err
		}
		seen := map[palate.ImageID]bool{}
		for _, hit := range hits {
			if math.Abs(float64(hit.Score)-1) > 1e-3 {
				return fmt.Errorf("a point of form %d scores %v: attributes of one write with the vector of another", f, hit.Score)
			}
			if seen[hit.ID] {
				return fmt.Errorf("point %s comes twice while it is replaced", hit.ID)
			}
			seen[hit.ID] = true
		}
		all, err := x.ix.Search(t.Context(), index.Query{Vector: axis(dim, 0), Limit: 2 * n})
		if err != nil {
			return err
		}
		if len(all) != n && x.subject.Tolerances.exact() {
			return fmt.Errorf("%d points are seen while %d are replaced", len(all), n)
		}
		stored, err := x.ix.Get(t.Context(), ids(g, n-1-g))
		if err != nil {
			return err
		}
		for _, p := range stored {
			for f := range forms {
				if p.Attributes.Artists[0] == fmt.Sprint("form ", f) && math.Abs(float64(p.Embedding[f])-1) > 1e-3 {
					return fmt.Errorf("point %s is half replaced: %v", p.ID, p)
				}
			}
		}
		return nil
	})
}

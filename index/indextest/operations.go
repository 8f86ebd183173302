package indextest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// testRandom holds drawn operations against the model, whatever their order.
func testRandom(t *testing.T, s Subject) {
	const dim, known, steps = 9, 80, 400
	r := random(30)
	x := begin(t, s, dim)
	for step := range steps {
		what := fmt.Sprint("step ", step, ", ", x.operate(r, dim, known))
		x.settle()
		q := index.Query{Vector: normals(r, dim), Filter: filter(r, .1, known), Limit: 1 + r.IntN(40), Offset: r.IntN(20)}
		if r.IntN(4) == 0 {
			q.Collapse = .95
		}
		x.check(what, q)
		if q.Offset > 0 {
			x.goOn(&q)
			x.check(what+", going on", q)
		}
		if step%10 == 9 {
			x.checkHeld(what)
			x.checkFilter(what, spread(r, dim), filter(r, .2, known))
		}
	}
}

func (t *trial) operate(r *rand.Rand, dim, known int) string {
	t.Helper()
	ctx := t.Context()
	some := func(most int) []palate.ImageID {
		list := make([]palate.ImageID, 1+r.IntN(most))
		for i := range list {
			list[i] = id(r.IntN(known))
		}
		return list
	}
	switch n := r.IntN(100); {
	case n < 40:
		var batch []index.Point
		for _, id := range some(12) {
			p := index.Point{ID: id, Embedding: spread(r, dim), Attributes: attributes(r)}
			if len(t.want) > 0 && r.IntN(3) == 0 { // like one that is there
				p.Embedding = near(r, t.want[t.want.ids()[r.IntN(len(t.want))]].Embedding, .01*float64(r.IntN(2)))
			}
			batch = append(batch, p)
		}
		t.upsert(batch...)
		return "upsert"
	case n < 60:
		t.remove(some(6)...)
		return "delete"
	case n < 75:
		described := map[palate.ImageID]index.Attributes{}
		for _, id := range some(10) {
			described[id] = attributes(r)
		}
		t.ok("attributes", t.ix.SetAttributes(ctx, described))
		t.want.setAttributes(described)
		return "attributes"
	case n < 96:
		var judgements []index.Judgement
		for _, id := range some(15) {
			judgements = append(judgements, index.Judgement{ID: id, Profile: profiles[r.IntN(len(profiles))], Verdict: verdict(r)})
		}
		t.ok("judge", t.ix.Judge(ctx, judgements))
		t.want.judge(judgements)
		return "judge"
	case n < 99:
		t.reopen()
		return "reopen"
	}
	t.ok("clear", t.ix.Clear(ctx))
	t.want = plain{}
	return "clear"
}

func (t *trial) reopen() {
	t.Helper()
	t.ix = t.subject.Reopen(t.T, t.ix, t.want.points())
	t.settle()
}

func testReopen(t *testing.T, s Subject) {
	r := random(31)
	x := begin(t, s, 16, points(r, 500, 16)...)
	x.remove(ids(1, 2, 3, 499)...)
	x.upsert(index.Point{ID: id(10), Embedding: spread(r, 16), Attributes: attributes(r)})
	judged := []index.Judgement{{ID: id(11), Profile: "me", Verdict: palate.Like}, {ID: id(12), Profile: "you", Verdict: palate.Dislike}}
	x.ok("judge", x.ix.Judge(t.Context(), judged))
	x.want.judge(judged)
	for round := range 3 {
		x.reopen()
		x.checkHeld(fmt.Sprint("reopened ", round))
		for range 10 {
			x.checkFilter("reopened", spread(r, 16), filter(r, .15, 500))
		}
		x.upsert(index.Point{ID: id(600 + round), Embedding: spread(r, 16), Attributes: attributes(r)})
		x.remove(id(20 + round))
		x.checkHeld(fmt.Sprint("changed after reopening ", round))
	}
}

func testClear(t *testing.T, s Subject) {
	r := random(32)
	all := points(r, 200, 8)
	x := begin(t, s, 8, all...)
	for round := range 2 {
		x.ok("clear", x.ix.Clear(t.Context()))
		x.want = plain{}
		x.settle()
		x.checkHeld("cleared")
		x.check("cleared", index.Query{Vector: axis(8, 0), Limit: 5})
		x.checkFilter("cleared", axis(8, 0), index.Filter{NotJudgedBy: "me"})
		x.upsert(all[:100+50*round]...)
		x.checkHeld("rebuilt")
		x.checkFilter("rebuilt", spread(r, 8), index.Filter{Artists: []string{"artist 1", "artist 2"}})
	}
}

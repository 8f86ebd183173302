package indextest

import (
	"fmt"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// checkFilter holds count and ranking behind a filter against the model.
func (t *trial) checkFilter(what string, vector []float32, f index.Filter) {
	t.Helper()
	count, err := t.ix.Count(t.Context(), f)
	t.ok("count", err)
	if want := t.want.count(f); count != want {
		t.Fatalf("%s: %d points pass %+v, want %d", what, count, f, want)
	}
	t.check(fmt.Sprintf("%s %+v", what, f), index.Query{Vector: vector, Limit: 1000, Filter: f})
	t.check(fmt.Sprintf("%s %+v, a few", what, f), index.Query{Vector: vector, Limit: 5, Filter: f})
}

func testEachFilter(t *testing.T, s Subject) {
	r := random(20)
	x := begin(t, s, 12, points(r, 300, 12)...)
	for _, f := range []index.Filter{
		{},
		{Artists: []string{"artist 1"}}, {Artists: []string{"artist 1", "artist 2", "nobody"}}, {Artists: []string{"nobody"}},
		{Licences: []string{"licence 0"}}, {Sites: []string{"site 2", "site 2"}}, {Categories: []string{"category 5"}},
		{Categories: []string{"artist 1"}}, // a value of another field
		{YearFrom: 1900}, {YearTo: 1900}, {YearFrom: 1900, YearTo: 1900}, {YearFrom: 1890, YearTo: 1899}, {YearFrom: 1910, YearTo: 1890}, {YearFrom: 3000}, {YearTo: -5},
		{JudgedBy: "me"}, {NotJudgedBy: "me"}, {LikedBy: "you"}, {DislikedBy: "a-b_c"}, {NotJudgedBy: "nobody"}, {JudgedBy: "nobody"}, {LikedBy: "nobody"}, {DislikedBy: "nobody"},
		{LikedBy: "me", DislikedBy: "me"}, {LikedBy: "me", DislikedBy: "you"}, {JudgedBy: "me", NotJudgedBy: "me"}, {LikedBy: "me", NotJudgedBy: "you"},
		{IDs: ids(1, 2, 3)}, {IDs: ids(1, 1, 999)}, {IDs: []palate.ImageID{}}, {IDs: ids(999)},
		{NotIDs: ids(1, 2, 3)}, {NotIDs: ids(999)}, {NotIDs: []palate.ImageID{}}, {IDs: ids(1, 2, 3), NotIDs: ids(2)}, {IDs: ids(7), NotIDs: ids(7)},
	} {
		x.checkFilter("one kind", spread(r, 12), f)
	}
}

func testFilters(t *testing.T, s Subject) {
	r := random(21)
	x := begin(t, s, 12, points(r, 400, 12)...)
	for range 150 {
		x.checkFilter("combined", spread(r, 12), filter(r, .3, 400))
	}
}

func testText(t *testing.T, s Subject) {
	texts := []string{"a", "A", "a ", "á", "a\u0301", "Ночной Дозор", "100% _real_", "quote\"d", "'", "a,b", "北斎", "null", "0", "a\nb", `back\slash`}
	var all []index.Point
	for i, text := range texts {
		all = append(all, index.Point{ID: id(i), Embedding: at(4, 1+i%3, .5), Attributes: index.Attributes{
			Artists: []string{text}, Licences: []string{text}, Sites: []string{text}, Categories: []string{text}}})
	}
	x := begin(t, s, 4, all...)
	x.checkHeld("texts")
	for _, text := range append(texts, "", "b", "%", "_") {
		one := []string{text}
		for _, f := range []index.Filter{{Artists: one}, {Licences: one}, {Sites: one}, {Categories: one}} {
			x.checkFilter("text", axis(4, 0), f)
		}
	}
}

func testJudge(t *testing.T, s Subject) {
	r := random(22)
	all := points(r, 30, 6)
	x := begin(t, s, 6, all...)
	check := func(what string) {
		t.Helper()
		x.settle()
		x.checkHeld(what)
		for _, p := range profiles {
			for _, f := range []index.Filter{{JudgedBy: p}, {NotJudgedBy: p}, {LikedBy: p}, {DislikedBy: p}} {
				x.checkFilter(what, axis(6, 0), f)
			}
		}
	}
	judge := func(what string, judgements ...index.Judgement) {
		t.Helper()
		x.ok(what, x.ix.Judge(t.Context(), judgements))
		x.want.judge(judgements)
		check(what)
	}
	judge("like", index.Judgement{ID: id(1), Profile: "me", Verdict: palate.Like}, index.Judgement{ID: id(2), Profile: "you", Verdict: palate.Like})
	judge("dislike instead", index.Judgement{ID: id(1), Profile: "me", Verdict: palate.Dislike})
	judge("skip takes it away", index.Judgement{ID: id(1), Profile: "me", Verdict: palate.Skip})
	judge("so does none", index.Judgement{ID: id(2), Profile: "you"})
	judge("the last of several in one call", index.Judgement{ID: id(3), Profile: "me", Verdict: palate.Like},
		index.Judgement{ID: id(3), Profile: "me", Verdict: palate.Dislike}, index.Judgement{ID: id(3), Profile: "you", Verdict: palate.Dislike},
		index.Judgement{ID: id(3), Profile: "you"}, index.Judgement{ID: id(900), Profile: "me", Verdict: palate.Like})
	judge("a new profile", index.Judgement{ID: id(4), Profile: "new-1", Verdict: palate.Like})
	var many []index.Judgement
	for range 300 {
		many = append(many, index.Judgement{ID: id(r.IntN(30)), Profile: profiles[r.IntN(3)], Verdict: verdict(r)})
	}
	judge("many in one call", many...)
	x.remove(id(5))
	x.upsert(index.Point{ID: id(5), Embedding: all[5].Embedding}) // comes back without its verdicts
	check("deleted and back")
}

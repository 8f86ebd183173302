package catalogtest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

func testCopies(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, catalog.Catalog, func() catalog.Catalog){
		"kept, united, of a version":      copiesKept,
		"deleted and restored":            copiesDeleted,
		"what was not looked at":          copiesNotLookedAt,
		"pairs unite as in a plain model": copiesAsInAModel,
	})
}

// together are IDs in their order.
func together(ids ...palate.ImageID) []palate.ImageID {
	slices.SortFunc(ids, func(a, b palate.ImageID) int { return bytes.Compare(a[:], b[:]) })
	return ids
}

func inWorks(t *testing.T, what string, c catalog.Catalog, version int, want ...[]palate.ImageID) {
	t.Helper()
	slices.SortFunc(want, func(a, b []palate.ImageID) int { return bytes.Compare(a[0][:], b[0][:]) })
	if got := must(c.Works(t.Context(), version))(t); !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("%s: got works %v, want %v", what, got, want)
	}
}

func copiesKept(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	ids, gone := fill(t, c, 7), picture(9).ID
	equal(t, "before", must(c.CountCopies(ctx, 1))(t), catalog.CopyCounts{NotLookedAt: 7})
	inWorks(t, "before", c, 1)
	equal(t, "copies of one that was not looked at", len(must(c.CopiesOf(ctx, 1, ids[0]))(t)), 0)
	unchanged(t, c, "copies", func() {
		ok(t, "PutCopies", c.PutCopies(ctx, 1, []palate.ImageID{ids[0], ids[1], gone, ids[2]}, [][2]palate.ImageID{{ids[0], ids[1]}, {ids[2], gone}, {gone, ids[2]}, {ids[2], ids[3]}, {ids[3], ids[2]}}))
		ok(t, "PutCopies of nothing", c.PutCopies(ctx, 1, nil, nil))
	})
	inWorks(t, "two pairs", c, 1, together(ids[0], ids[1]), together(ids[2], ids[3]))
	equal(t, "one of a pair was not looked at", must(c.CountCopies(ctx, 1))(t), catalog.CopyCounts{LookedAt: 3, NotLookedAt: 4, Works: 2, Images: 4})
	ok(t, "PutCopies", c.PutCopies(ctx, 1, []palate.ImageID{ids[3], ids[4], ids[5]}, [][2]palate.ImageID{{ids[4], ids[3]}}))
	inWorks(t, "a third", c, 1, together(ids[0], ids[1]), together(ids[2], ids[3], ids[4]))
	ok(t, "PutCopies of one pair", c.PutCopies(ctx, 1, nil, [][2]palate.ImageID{{ids[1], ids[4]}}))
	ok(t, "PutCopies again", c.PutCopies(ctx, 1, []palate.ImageID{ids[0]}, nil))
	ok(t, "Close", c.Close())
	c = again()
	inWorks(t, "united", c, 1, together(ids[:5]...))
	equalList(t, "copies of one", must(c.CopiesOf(ctx, 1, ids[1]))(t), together(ids[0], ids[2], ids[3], ids[4]))
	equal(t, "counts", must(c.CountCopies(ctx, 1))(t), catalog.CopyCounts{LookedAt: 6, NotLookedAt: 1, Works: 1, Images: 5})
	_, err := c.CopiesOf(ctx, 1, gone)
	wantKind(t, "copies of what is not there", err, palate.ErrNotFound)

	inWorks(t, "of another version", c, 2)
	equal(t, "copies by another version", len(must(c.CopiesOf(ctx, 2, ids[1]))(t)), 0)
	ok(t, "PutCopies of another version", c.PutCopies(ctx, 2, []palate.ImageID{ids[0]}, [][2]palate.ImageID{{ids[0], ids[6]}}))
	inWorks(t, "of the next version", c, 2, together(ids[0], ids[6]))
	inWorks(t, "of the former version", c, 1, together(ids[1:5]...))
	equal(t, "counts of the next version", must(c.CountCopies(ctx, 2))(t), catalog.CopyCounts{LookedAt: 1, NotLookedAt: 6, Works: 1, Images: 2, Former: 5})
	equal(t, "counts of a version that nobody put", must(c.CountCopies(ctx, 3))(t), catalog.CopyCounts{NotLookedAt: 7, Former: 6})
}

func copiesDeleted(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 4)
	ok(t, "PutCopies", c.PutCopies(ctx, 1, ids, [][2]palate.ImageID{{ids[0], ids[1]}, {ids[1], ids[2]}}))
	ok(t, "DeleteImage", c.DeleteImage(ctx, ids[1], "a test"))
	inWorks(t, "the rest of a work", c, 1, together(ids[0], ids[2]))
	equal(t, "without it", must(c.CountCopies(ctx, 1))(t), catalog.CopyCounts{LookedAt: 3, Works: 1, Images: 2})
	ok(t, "DeleteImage", c.DeleteImage(ctx, ids[0], "a test"))
	inWorks(t, "one alone", c, 1)
	ok(t, "RestoreImage", c.RestoreImage(ctx, ids[1]))
	equal(t, "restored, not looked at", must(c.CountCopies(ctx, 1))(t), catalog.CopyCounts{LookedAt: 2, NotLookedAt: 1})
	// It has the number that it had, and is of no work by that.
	ok(t, "PutCopies", c.PutCopies(ctx, 1, []palate.ImageID{ids[1]}, nil))
	inWorks(t, "restored and looked at", c, 1)
}

func copiesNotLookedAt(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 5)
	none := palate.ImageID{}
	equal(t, "of no model", len(must(c.NotLookedAt(ctx, 1, "m", none, 9))(t)), 0)
	ok(t, "PutModel", c.PutModel(ctx, catalog.Model{ID: "m", Dim: 2}))
	var put []catalog.ImageEmbedding
	for _, id := range ids[:4] {
		put = append(put, catalog.ImageEmbedding{ID: id, Embedding: palate.Embedding{.6, .8}})
	}
	ok(t, "PutEmbeddings", c.PutEmbeddings(ctx, "m", put))
	all := together(ids[:4]...)
	equalList(t, "all", must(c.NotLookedAt(ctx, 1, "m", none, 9))(t), all)
	equalList(t, "a part", must(c.NotLookedAt(ctx, 1, "m", all[0], 2))(t), all[1:3])
	ok(t, "PutCopies", c.PutCopies(ctx, 2, []palate.ImageID{all[1]}, [][2]palate.ImageID{{all[1], all[2]}}))
	equalList(t, "the rest, with the other of a pair", must(c.NotLookedAt(ctx, 2, "m", none, 9))(t), []palate.ImageID{all[0], all[2], all[3]})
	for _, version := range []int{1, 3} {
		equalList(t, "by another version", must(c.NotLookedAt(ctx, version, "m", none, 9))(t), all)
	}
	_, err := c.NotLookedAt(ctx, 1, "m", none, 0)
	wantKind(t, "no limit", err, palate.ErrInvalid)
}

// copiesAsInAModel puts random pairs and holds the works against those found by
// walking along the pairs.
func copiesAsInAModel(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx, random := t.Context(), rand.New(rand.NewPCG(8, 1))
	ids := fill(t, c, 24)
	of := map[palate.ImageID]int{} // what stands for the work of each
	for i, id := range ids {
		of[id] = i
	}
	for round := range 8 {
		var pairs [][2]palate.ImageID
		for range 3 {
			a, b := ids[random.IntN(len(ids))], ids[random.IntN(len(ids))]
			pairs = append(pairs, [2]palate.ImageID{a, b})
			from, to := of[b], of[a]
			for id, work := range of {
				if work == from {
					of[id] = to
				}
			}
		}
		ok(t, "PutCopies", c.PutCopies(ctx, 1, []palate.ImageID{ids[3*round]}, pairs))
		byWork := map[int][]palate.ImageID{}
		for id, work := range of {
			byWork[work] = append(byWork[work], id)
		}
		var want [][]palate.ImageID
		for _, work := range byWork {
			if len(work) > 1 {
				want = append(want, together(work...))
			}
		}
		inWorks(t, fmt.Sprintf("after %d rounds", round+1), c, 1, want...)
	}
}

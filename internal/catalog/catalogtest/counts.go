package catalogtest

import (
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
)

func testCounts(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, catalog.Catalog, func() catalog.Catalog){
		"are those of the lists": countsOfLists,
	})
}

func countsOfLists(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ids := fill(t, c, 9)
	for i, id := range ids[:6] {
		rate(t, c, "me", id, []palate.Verdict{palate.Like, palate.Dislike, palate.Skip}[i%3])
	}
	rate(t, c, "you", ids[0], palate.Dislike)
	for what, q := range map[string]catalog.ImageQuery{
		"all": {}, "a search": {Search: "picture 7"}, "a filter": {Filter: index.Filter{Artists: []string{"Artist 1"}}},
		"both": {Search: "PICTURE", Filter: index.Filter{LikedBy: "me", YearTo: 1902}}, "damaged": {Damaged: true},
	} {
		q.Limit = 2
		equal(t, what, must(c.CountListed(t.Context(), q))(t), len(listAll(t, c, q)))
	}
	for _, v := range []palate.Verdict{"", palate.Like, palate.Dislike, palate.Skip} {
		standing := must(c.StandingRatings(t.Context(), "me", catalog.RatingQuery{Verdict: v, Limit: 100}))(t)
		equal(t, "ratings "+string(v), must(c.CountRatings(t.Context(), "me", v))(t), len(standing))
	}
	equal(t, "ratings of nobody", must(c.CountRatings(t.Context(), "nobody", ""))(t), 0)
	_, err := c.CountRatings(t.Context(), "me", "love")
	wantKind(t, "no verdict", err, palate.ErrInvalid)
	for _, id := range ids[:3] {
		ok(t, "DeleteImage", c.DeleteImage(t.Context(), id, "test"))
	}
	ok(t, "PurgeImage", c.PurgeImage(t.Context(), ids[1], "test"))
	equal(t, "trash", must(c.CountTrash(t.Context(), time.Time{}))(t), 2)
	last := must(c.LatestTrash(t.Context(), time.Time{}, 1))(t)[0]
	equal(t, "trash before the last", must(c.CountTrash(t.Context(), last.DeletedAt))(t), 1)
	equal(t, "ratings without what is in the trash", must(c.CountRatings(t.Context(), "me", ""))(t), 3)
}

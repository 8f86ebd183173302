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
	third := must(c.Image(t.Context(), ids[2]))(t)
	for what, q := range map[string]catalog.ImageQuery{
		"all": {}, "a search": {Search: "picture 7"}, "a filter": {Filter: index.Filter{Artists: []string{"Artist 1"}}},
		"skipped": {SkippedBy: "me"}, "skipped by nobody": {SkippedBy: "nobody"}, "the oldest first": {Order: catalog.Oldest, Filter: index.Filter{JudgedBy: "me"}},
		"both": {Search: "PICTURE", Filter: index.Filter{LikedBy: "me", YearTo: 1902}}, "damaged": {Damaged: true},
		"since then": {AddedAfter: third.AddedAt}, "since then and liked": {AddedAfter: third.AddedAt, Filter: index.Filter{LikedBy: "me"}},
		"since ever": {AddedAfter: time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC)}, "since the end": {AddedAfter: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}, "crawled": {Crawled: true},
	} {
		q.Limit = 2
		listed := listAll(t, c, q)
		equal(t, what, must(c.CountListed(t.Context(), q))(t), len(listed))
		var outlined []palate.ImageID
		for _, o := range must(c.Outlines(t.Context(), q))(t) {
			image := must(c.Image(t.Context(), o.ID))(t)
			equal(t, "width and height", [2]int{o.Width, o.Height}, [2]int{image.Width, image.Height})
			outlined = append(outlined, o.ID)
		}
		equalList(t, "outlines of "+what, outlined, listed)
	}
	equal(t, "since the third", must(c.CountListed(t.Context(), catalog.ImageQuery{AddedAfter: third.AddedAt}))(t), 6)
	equal(t, "skipped", must(c.CountListed(t.Context(), catalog.ImageQuery{SkippedBy: "me"}))(t), 2)
	_, err := c.Outlines(t.Context(), catalog.ImageQuery{Order: "best"})
	wantKind(t, "no order", err, palate.ErrInvalid)
	for _, v := range []palate.Verdict{"", palate.Like, palate.Dislike, palate.Skip} {
		standing := must(c.StandingRatings(t.Context(), "me", catalog.RatingQuery{Verdict: v, Limit: 100}))(t)
		equal(t, "ratings "+string(v), must(c.CountRatings(t.Context(), "me", v))(t), len(standing))
	}
	equal(t, "ratings of nobody", must(c.CountRatings(t.Context(), "nobody", ""))(t), 0)
	_, err = c.CountRatings(t.Context(), "me", "love")
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

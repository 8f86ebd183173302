package catalogtest

import (
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// ratingsInBulk holds that many are cleared and undone at once as one by one,
// all or none, and that saying it again does nothing.
func ratingsInBulk(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 4)
	first := rate(t, c, "me", ids[0], palate.Like)
	second := rate(t, c, "me", ids[1], palate.Dislike)
	rate(t, c, "other", ids[0], palate.Skip)
	cleared := must(c.ClearRatings(ctx, "me", append([]palate.ImageID{picture(9).ID}, ids...)))(t)
	equal(t, "take-backs", len(cleared), 2)
	for _, id := range ids[:2] {
		wantVerdict(t, c, "me", id, "")
	}
	wantVerdict(t, c, "other", ids[0], palate.Skip)
	unchanged(t, c, "nothing to clear", func() {
		equal(t, "take-backs of nothing", len(must(c.ClearRatings(ctx, "me", ids))(t)), 0)
		equal(t, "undos of nothing", len(must(c.UndoRatings(ctx, "me", nil))(t)), 0)
		_, err := c.UndoRatings(ctx, "me", []int64{cleared[0], 1 << 40})
		wantKind(t, "one entry is not there", err, palate.ErrNotFound)
		_, err = c.UndoRatings(ctx, "other", cleared)
		wantKind(t, "entries of another profile", err, palate.ErrNotFound)
	})
	equalList(t, "undone", must(c.UndoRatings(ctx, "me", cleared))(t), []int64{cleared[1], cleared[0]})
	wantVerdict(t, c, "me", ids[0], palate.Like)
	wantVerdict(t, c, "me", ids[1], palate.Dislike)
	unchanged(t, c, "undone already", func() {
		equal(t, "undone again", len(must(c.UndoRatings(ctx, "me", cleared))(t)), 0)
	})
	// What was said since stays.
	later := rate(t, c, "me", ids[1], palate.Skip)
	equalList(t, "undone", must(c.UndoRatings(ctx, "me", []int64{first.Entry, second.Entry}))(t), []int64{second.Entry, first.Entry})
	wantVerdict(t, c, "me", ids[0], "")
	wantVerdict(t, c, "me", ids[1], palate.Skip)
	equal(t, "what stands", must(c.StandingRating(ctx, "me", ids[1]))(t).Entry, later.Entry)
}

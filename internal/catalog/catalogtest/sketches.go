package catalogtest

import (
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

func testSketches(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, catalog.Catalog, func() catalog.Catalog){
		"kept, replaced, of a version": sketchesKept,
	})
}

func sketchesKept(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 3)
	gone := picture(9).ID
	none := func(version int, id palate.ImageID) {
		t.Helper()
		_, err := c.SketchOf(ctx, version, id)
		wantKind(t, "a sketch that is not there", err, palate.ErrNotFound)
	}
	none(1, ids[0])
	unchanged(t, c, "sketches", func() {
		ok(t, "PutSketches", c.PutSketches(ctx, 1, map[palate.ImageID][]byte{ids[0]: {1, 0}, gone: {2}, ids[2]: {3}}))
		ok(t, "PutSketches of nothing", c.PutSketches(ctx, 1, nil))
	})
	none(1, ids[1])
	none(1, gone)
	none(2, ids[0])
	ok(t, "PutSketches", c.PutSketches(ctx, 2, map[palate.ImageID][]byte{ids[2]: {4}}))
	err := c.PutSketches(ctx, 2, map[palate.ImageID][]byte{ids[0]: {5}, ids[1]: nil})
	wantKind(t, "a sketch without bytes", err, palate.ErrInvalid)
	ok(t, "Close", c.Close())
	c = again()
	equal(t, "the first", string(must(c.SketchOf(ctx, 1, ids[0]))(t)), "\x01\x00")
	equal(t, "the replaced", string(must(c.SketchOf(ctx, 2, ids[2]))(t)), "\x04")
	none(1, ids[2])
	ok(t, "DeleteImage", c.DeleteImage(ctx, ids[0], "a test"))
	none(1, ids[0])
}

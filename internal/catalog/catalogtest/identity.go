package catalogtest

import (
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

func testIdentity(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, catalog.Catalog, func() catalog.Catalog){
		"a catalog has an identity that stays":    identityStays,
		"states are told in the order of the ids": imageStates,
	})
	t.Run("two catalogs are two", func(t *testing.T) {
		t.Parallel()
		one, _ := open(t)
		two, _ := open(t)
		if a, b := must(one.Identity(t.Context()))(t), must(two.Identity(t.Context()))(t); a.Catalog == b.Catalog {
			t.Errorf("both are %q", a.Catalog)
		}
	})
}

func identityStays(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	first := must(c.Identity(ctx))(t)
	if first.Catalog == "" || first.Store != "" {
		t.Errorf("a new catalog: got %+v, want an identity and no store", first)
	}
	fill(t, c, 2)
	equal(t, "another handle", must(again().Identity(ctx))(t), first)
	unchanged(t, c, "SetStore", func() { ok(t, "SetStore", c.SetStore(ctx, "store one")) })
	equal(t, "with a store", must(again().Identity(ctx))(t), catalog.Identity{Catalog: first.Catalog, Store: "store one"})
	ok(t, "SetStore", again().SetStore(ctx, "store two"))
	equal(t, "with another", must(c.Identity(ctx))(t), catalog.Identity{Catalog: first.Catalog, Store: "store two"})
}

func imageStates(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 3)
	ok(t, "DeleteImage", c.DeleteImage(ctx, ids[1], "x"))
	asked := []palate.ImageID{ids[2], picture(9).ID, ids[1], ids[0], ids[2]}
	equalList(t, "ImageStates", must(c.ImageStates(ctx, asked))(t), []catalog.ImageState{
		catalog.PresentImage, catalog.UnknownImage, catalog.TrashedImage, catalog.PresentImage, catalog.PresentImage,
	})
	equal(t, "of nothing", len(must(c.ImageStates(ctx, nil))(t)), 0)
	ok(t, "LiftTombstone", c.LiftTombstone(ctx, ids[1]))
	equalList(t, "a lifted one", must(c.ImageStates(ctx, ids[1:2]))(t), []catalog.ImageState{catalog.UnknownImage})
}

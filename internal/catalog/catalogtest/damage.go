package catalogtest

import (
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

func testDamage(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, catalog.Catalog, func() catalog.Catalog){
		"kept with an image":         damageKept,
		"put later, and changed":     damagePut,
		"listed, counted, looked up": damageListed,
		"heard of a known image":     damageHeard,
		"survives the trash":         damageTrashed,
	})
}

// damaged is picture n, decoded, with what is wrong with it.
func damaged(n int, what string) catalog.Image {
	image := picture(n)
	image.Decoded, image.Damage = true, what
	return image
}

// told is what the catalog says of the damage of an image.
func told(t *testing.T, c catalog.Catalog, id palate.ImageID) string {
	t.Helper()
	image := must(c.Image(t.Context(), id))(t)
	if !image.Decoded {
		if image.Damage != "" {
			t.Errorf("image %v has the damage %q and was not decoded", id, image.Damage)
		}
		return "unknown"
	}
	return image.Damage
}

func damageKept(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	unknown, whole := add(t, c, picture(1), sourceOf(1)), add(t, c, damaged(2, ""), sourceOf(2))
	cut := add(t, c, damaged(3, "its data end after 62 % of it; the rest is grey \xff"), sourceOf(3))
	ok(t, "Close", c.Close())
	c = again()
	equal(t, "nobody looked", told(t, c, unknown), "unknown")
	equal(t, "whole", told(t, c, whole), "")
	equal(t, "cut", told(t, c, cut), "its data end after 62 % of it; the rest is grey \uFFFD")
	impossible := picture(4)
	impossible.Damage = "seen by nobody"
	_, err := c.AddImage(t.Context(), impossible, sourceOf(4), nil)
	wantKind(t, "a damage that nobody saw", err, palate.ErrInvalid)
}

func damagePut(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 3)
	gone := picture(9).ID
	before := must(c.LastChange(ctx))(t)
	ok(t, "PutDamage", c.PutDamage(ctx, []catalog.Damage{{ID: ids[0]}, {ID: gone, What: "x"}, {ID: ids[2], What: "cut"}}))
	equal(t, "whole", told(t, c, ids[0]), "")
	equal(t, "untold", told(t, c, ids[1]), "unknown")
	equal(t, "cut", told(t, c, ids[2]), "cut")
	changes := must(c.ChangesAfter(ctx, before, 10))(t)
	if len(changes) != 1 || changes[0].Kind != catalog.ImageChanged || changes[0].Image != ids[2] {
		t.Errorf("changes: got %+v, want one of image %v", changes, ids[2])
	}
	unchanged(t, c, "the same again", func() {
		ok(t, "PutDamage", c.PutDamage(ctx, []catalog.Damage{{ID: ids[0]}, {ID: ids[2], What: "cut"}}))
		ok(t, "PutDamage of nothing", c.PutDamage(ctx, nil))
	})
	ok(t, "PutDamage", c.PutDamage(ctx, []catalog.Damage{{ID: ids[2], What: "less is there"}}))
	equal(t, "another sentence", told(t, c, ids[2]), "less is there")
	ok(t, "PutDamage", c.PutDamage(ctx, []catalog.Damage{{ID: ids[2]}}))
	equal(t, "whole after all", told(t, c, ids[2]), "")
	equal(t, "changes in all", must(c.LastChange(ctx))(t)-before, uint64(3))
}

func damageListed(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	equal(t, "of none", must(c.CountDamage(ctx))(t), catalog.DamageCount{})
	for n, image := range []catalog.Image{picture(0), damaged(1, "cut"), damaged(2, ""), picture(3), damaged(4, "cut"), picture(5)} {
		add(t, c, image, sourceOf(n))
	}
	equal(t, "count", must(c.CountDamage(ctx))(t), catalog.DamageCount{Damaged: 2, Unknown: 3})
	page := must(c.ListImages(ctx, catalog.ImageQuery{Damaged: true, Limit: 1}))(t)
	equalList(t, "first page", idsOf(page.Images), []palate.ImageID{picture(4).ID})
	equal(t, "what is said in lists", page.Images[0].Damage, "cut")
	page = must(c.ListImages(ctx, catalog.ImageQuery{Damaged: true, Limit: 1, After: page.Next}))(t)
	equalList(t, "second page", idsOf(page.Images), []palate.ImageID{picture(1).ID})
	equal(t, "after the last", page.Next, "")
	oldest := must(c.ListImages(ctx, catalog.ImageQuery{Damaged: true, Search: "picture 1", Order: catalog.Oldest, Limit: 10}))(t)
	equalList(t, "with a search", idsOf(oldest.Images), []palate.ImageID{picture(1).ID})

	var undecoded []palate.ImageID
	for after := (palate.ImageID{}); ; {
		some := must(c.Undecoded(ctx, after, 2))(t)
		undecoded = append(undecoded, idsOf(some)...)
		if len(some) < 2 {
			break
		}
		equal(t, "sources of what is undecoded", len(some[0].Sources), 1)
		after = some[1].ID
	}
	want := map[palate.ImageID]bool{picture(0).ID: true, picture(3).ID: true, picture(5).ID: true}
	for i, id := range undecoded {
		if !want[id] || i > 0 && undecoded[i-1].String() >= id.String() {
			t.Errorf("undecoded: got %v, want %v in the order of ids", undecoded, want)
		}
	}
	equal(t, "undecoded", len(undecoded), len(want))
	_, err := c.Undecoded(ctx, palate.ImageID{}, 0)
	wantKind(t, "a limit of 0", err, palate.ErrInvalid)
}

func damageHeard(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	id := add(t, c, picture(1), sourceOf(1))
	add(t, c, damaged(1, "cut"), sourceOf(2))
	equal(t, "heard with a further source", told(t, c, id), "cut")
	add(t, c, picture(1), sourceOf(3))
	equal(t, "after one who did not look", told(t, c, id), "cut")
	add(t, c, damaged(1, "by other words"), sourceOf(4))
	equal(t, "what is known stays", told(t, c, id), "cut")
}

func damageTrashed(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	cut, whole, unknown := add(t, c, damaged(1, "cut"), sourceOf(1)), add(t, c, damaged(2, ""), sourceOf(2)), add(t, c, picture(3), sourceOf(3))
	for _, id := range []palate.ImageID{cut, whole, unknown} {
		ok(t, "DeleteImage", c.DeleteImage(ctx, id, "why not"))
	}
	equal(t, "in the trash", must(c.CountDamage(ctx))(t), catalog.DamageCount{})
	for _, id := range []palate.ImageID{cut, whole, unknown} {
		ok(t, "RestoreImage", c.RestoreImage(ctx, id))
	}
	equal(t, "cut", told(t, c, cut), "cut")
	equal(t, "whole", told(t, c, whole), "")
	equal(t, "unknown", told(t, c, unknown), "unknown")
}

package catalogtest

import (
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/catalog"
)

func testTombstones(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, catalog.Catalog, func() catalog.Catalog){
		"a deleted image goes with all it had":      deletedGoes,
		"a deleted image stays away":                deletedStaysAway,
		"an upload's address is no place":           uploadAddress,
		"a lifted tombstone lets it come back":      lifted,
		"what does not exist is not found":          missingTombstones,
		"tombstones are listed newest first":        listTombstones,
		"a shared address leaves the other's image": sharedAddress,
	})
}

func deletedGoes(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 3)
	ok(t, "PutModel", c.PutModel(ctx, catalog.Model{ID: "m", Dim: 2}))
	ok(t, "PutEmbeddings", c.PutEmbeddings(ctx, "m", []catalog.ImageEmbedding{{ID: ids[0], Embedding: palate.Embedding{1, 0}}}))
	ok(t, "FailEmbedding", c.FailEmbedding(ctx, "m", ids[1], "broken"))
	for _, id := range ids {
		rate(t, c, "me", id, palate.Like)
	}
	ok(t, "DeleteImage", c.DeleteImage(ctx, ids[0], "not art"))
	ok(t, "DeleteImage", c.DeleteImage(ctx, ids[1], ""))

	_, err := c.Image(ctx, ids[0])
	wantKind(t, "Image", err, palate.ErrNotFound)
	equal(t, "images", must(c.CountImages(ctx, noFilter))(t), 1)
	equal(t, "embeddings", must(c.CountEmbeddings(ctx, "m"))(t), 0)
	equal(t, "failures", len(must(c.EmbeddingFailures(ctx, "m"))(t)), 0)
	equal(t, "attributes", len(must(c.AttributesOf(ctx, ids))(t)), 1)
	equal(t, "external id", len(must(c.ImagesByExternalID(ctx, "obj-0"))(t)), 0)
	equalList(t, "unembedded", idsOf(must(c.Unembedded(ctx, "m", 10))(t)), ids[2:])

	// The ratings stay in the log and count no more.
	equal(t, "log", len(must(c.RatingLog(ctx, "me", 0, 10))(t)), 3)
	_, err = c.StandingRating(ctx, "me", ids[0])
	wantKind(t, "StandingRating", err, palate.ErrNotFound)
	equal(t, "verdicts", len(must(c.StandingVerdicts(ctx, "me", nil))(t)), 1)
	equal(t, "likes", must(c.Profiles(ctx))(t)[0].Likes, 1)
	equal(t, "standing", len(must(c.StandingRatings(ctx, "me", catalog.RatingQuery{Limit: 9}))(t)), 1)
	_, err = c.Rate(ctx, catalog.Rating{Profile: "me", Image: ids[0], Verdict: palate.Like, Shown: palate.ShownAPI})
	wantKind(t, "Rate", err, palate.ErrNotFound)
	wantKind(t, "ClearRating", c.ClearRating(ctx, "me", ids[0]), palate.ErrNotFound)

	ok(t, "PutEmbeddings of a deleted image", c.PutEmbeddings(ctx, "m", []catalog.ImageEmbedding{
		{ID: ids[0], Embedding: palate.Embedding{1, 0}}, {ID: ids[2], Embedding: palate.Embedding{0, 1}},
	}))
	equal(t, "embeddings", must(c.CountEmbeddings(ctx, "m"))(t), 1)
	wantKind(t, "FailEmbedding", c.FailEmbedding(ctx, "m", ids[0], "x"), palate.ErrNotFound)
}

func deletedStaysAway(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	id := add(t, c, picture(1), sourceOf(1))
	add(t, c, picture(1), sourceOf(2))
	ok(t, "DeleteImage", c.DeleteImage(ctx, id, "not art"))
	for _, c := range []catalog.Catalog{c, again()} {
		known := must(c.Addresses(ctx, []string{sourceOf(1).Address, sourceOf(2).Address, sourceOf(3).Address}))(t)
		equalList(t, "Addresses", known, []crawler.Standing{crawler.StandingDeleted, crawler.StandingDeleted, crawler.StandingNew})
		unchanged(t, c, "adding what was deleted", func() {
			// The file from elsewhere, and another file from there.
			equal(t, "file", must(c.AddImage(ctx, picture(1), sourceOf(3), nil))(t), catalog.Added{Tombstoned: true})
			equal(t, "address", must(c.AddImage(ctx, picture(2), sourceOf(2), nil))(t), catalog.Added{Tombstoned: true})
		})
		equal(t, "images", must(c.CountImages(ctx, noFilter))(t), 0)
	}
	tomb := must(c.TombstoneOf(ctx, id))(t)
	equal(t, "reason", tomb.Reason, "not art")
	equal(t, "id", tomb.ID, id)
	if tomb.DeletedAt.IsZero() {
		t.Error("the tombstone has no time")
	}
}

func uploadAddress(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	upload := palate.Source{Address: "upload:photo.jpg", Site: "upload"}
	ok(t, "DeleteImage", c.DeleteImage(t.Context(), add(t, c, picture(1), upload), "x"))
	equalList(t, "Addresses", must(c.Addresses(t.Context(), []string{upload.Address}))(t), []crawler.Standing{crawler.StandingNew})
	equal(t, "another file of that name", must(c.AddImage(t.Context(), picture(2), upload, nil))(t), catalog.Added{Image: true, Source: true})
	equal(t, "the same file", must(c.AddImage(t.Context(), picture(1), upload, nil))(t), catalog.Added{Tombstoned: true})
}

func lifted(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	id := add(t, c, picture(1), sourceOf(1))
	ok(t, "PutModel", c.PutModel(ctx, catalog.Model{ID: "m", Dim: 2}))
	rate(t, c, "me", id, palate.Like)
	rate(t, c, "me", id, palate.Dislike)
	for range 2 {
		ok(t, "DeleteImage", c.DeleteImage(ctx, id, "mistake"))
		ok(t, "LiftTombstone", c.LiftTombstone(ctx, id))
		_, err := c.TombstoneOf(ctx, id)
		wantKind(t, "TombstoneOf", err, palate.ErrNotFound)
		equalList(t, "Addresses", must(c.Addresses(ctx, []string{sourceOf(1).Address}))(t), []crawler.Standing{crawler.StandingNew})
		equal(t, "AddImage", must(c.AddImage(ctx, picture(1), sourceOf(1), nil))(t), catalog.Added{Image: true, Source: true})
		equal(t, "unembedded", len(must(c.Unembedded(ctx, "m", 5))(t)), 1)
		wantVerdict(t, c, "me", id, palate.Dislike)
		equal(t, "dislikes", must(c.Profiles(ctx))(t)[0].Dislikes, 1)
	}
}

func missingTombstones(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	id := add(t, c, picture(1), sourceOf(1))
	unchanged(t, c, "what does not exist", func() {
		wantKind(t, "DeleteImage", c.DeleteImage(ctx, picture(2).ID, "x"), palate.ErrNotFound)
		wantKind(t, "LiftTombstone", c.LiftTombstone(ctx, id), palate.ErrNotFound)
		_, err := c.TombstoneOf(ctx, id)
		wantKind(t, "TombstoneOf", err, palate.ErrNotFound)
	})
	ok(t, "DeleteImage", c.DeleteImage(ctx, id, "x"))
	wantKind(t, "second DeleteImage", c.DeleteImage(ctx, id, "y"), palate.ErrNotFound)
	equal(t, "reason", must(c.TombstoneOf(ctx, id))(t).Reason, "x")
}

func listTombstones(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ids := fill(t, c, 4)
	for _, id := range ids {
		ok(t, "DeleteImage", c.DeleteImage(t.Context(), id, "why "+id.String()))
	}
	var got []palate.ImageID
	for _, tomb := range must(c.Tombstones(t.Context()))(t) {
		got = append(got, tomb.ID)
		equal(t, "reason", tomb.Reason, "why "+tomb.ID.String())
	}
	equalList(t, "Tombstones", got, backwards(ids))
}

func sharedAddress(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	shared := sourceOf(1)
	first, second := add(t, c, picture(1), shared), add(t, c, picture(2), shared)
	ok(t, "DeleteImage", c.DeleteImage(ctx, first, "x"))
	// It can still be refreshed where it is known.
	equal(t, "refresh", must(c.AddImage(ctx, picture(2), shared, nil))(t), catalog.Added{})
	equalList(t, "kept by the other", must(c.Addresses(ctx, []string{shared.Address}))(t), []crawler.Standing{crawler.StandingKept})
	ok(t, "DeleteImage", c.DeleteImage(ctx, second, "x"))
	ok(t, "LiftTombstone", c.LiftTombstone(ctx, first))
	equalList(t, "still deleted with the second", must(c.Addresses(ctx, []string{shared.Address}))(t), []crawler.Standing{crawler.StandingDeleted})
}

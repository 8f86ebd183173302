package catalogtest

import (
	"math/rand/v2"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

func testInspections(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, catalog.Catalog, func() catalog.Catalog){
		"nothing is wrong with what calls made":     testInspectSound,
		"a dropped embedding is made again":         testDropEmbeddings,
		"images are drawn at random, each one once": testSampleImages,
	})
}

func testInspectSound(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx, random := t.Context(), rand.New(rand.NewPCG(7, 8))
	ids := fill(t, c, 12)
	ok(t, "PutModel", c.PutModel(ctx, catalog.Model{ID: "m", Name: "m", Dim: 4}))
	for _, id := range ids[:8] {
		ok(t, "PutEmbeddings", c.PutEmbeddings(ctx, "m", []catalog.ImageEmbedding{{ID: id, Embedding: unit(random, 4)}}))
	}
	ok(t, "FailEmbedding", c.FailEmbedding(ctx, "m", ids[9], "too dark"))
	for range 60 {
		p, id := palate.Profile([]string{"a", "b"}[random.IntN(2)]), ids[random.IntN(len(ids))]
		switch random.IntN(4) {
		case 0:
			_, _ = c.UndoRating(ctx, p, 0) // there may be none
		case 1:
			_ = c.ClearRating(ctx, p, id)
		default:
			must(c.Rate(ctx, catalog.Rating{Profile: p, Image: id, Verdict: palate.Like, Shown: palate.ShownGallery}))(t)
		}
	}
	ok(t, "DeleteImage", c.DeleteImage(ctx, ids[3], "a test"))
	ok(t, "DeleteImage", c.DeleteImage(ctx, ids[4], "a test"))
	ok(t, "RestoreImage", c.RestoreImage(ctx, ids[4]))

	wantSound(t, c, "m", 7)
	equal(t, "problems of the file", len(must(c.Check(ctx))(t)), 0)
	unchanged(t, c, "remembering what is listed", func() { ok(t, "Remember", c.Remember(ctx, "m")) })
	before := must(c.StandingVerdicts(ctx, "a", nil))(t)
	ok(t, "RestoreStandings", c.RestoreStandings(ctx, "a"))
	after := must(c.StandingVerdicts(ctx, "a", nil))(t)
	equal(t, "standing ratings", len(after), len(before))
	wantSound(t, c, "m", 7)
	_, err := c.InspectEmbeddings(ctx, "other", nil)
	wantKind(t, "embeddings of an unknown model", err, palate.ErrNotFound)
	_, err = c.Forgotten(ctx, "m", 0)
	wantKind(t, "a limit of 0", err, palate.ErrInvalid)
}

func wantSound(t *testing.T, c catalog.Catalog, m palate.ModelID, embeddings int) {
	t.Helper()
	read, err := c.InspectEmbeddings(t.Context(), m, func(bad catalog.BadEmbedding) error {
		t.Errorf("embedding of %v: got %q, want it sound", bad.Image, bad.Reason)
		return nil
	})
	ok(t, "InspectEmbeddings", err)
	equal(t, "embeddings read", read, embeddings)
	equal(t, "forgotten images", len(must(c.Forgotten(t.Context(), m, 10))(t)), 0)
	bad, _, err := c.InspectStandings(t.Context(), 5)
	ok(t, "InspectStandings", err)
	if len(bad) > 0 {
		t.Errorf("standing ratings: got %+v, want them sound", bad)
	}
}

func testDropEmbeddings(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx, random := t.Context(), rand.New(rand.NewPCG(9, 10))
	ids := fill(t, c, 3)
	ok(t, "PutModel", c.PutModel(ctx, catalog.Model{ID: "m", Name: "m", Dim: 4}))
	for _, id := range ids {
		ok(t, "PutEmbeddings", c.PutEmbeddings(ctx, "m", []catalog.ImageEmbedding{{ID: id, Embedding: unit(random, 4)}}))
	}
	last := must(c.LastChange(ctx))(t)
	ok(t, "DropEmbeddings", c.DropEmbeddings(ctx, "m", []palate.ImageID{ids[1], {1}}))
	changes := must(c.ChangesAfter(ctx, last, 10))(t)
	if len(changes) != 1 || changes[0].Kind != catalog.EmbeddingChanged || changes[0].Image != ids[1] {
		t.Errorf("changes: got %+v, want that of one embedding", changes)
	}
	equalList(t, "to be embedded", idsOf(must(c.Unembedded(ctx, "m", 10))(t)), ids[1:2])
	equal(t, "embeddings", must(c.CountEmbeddings(ctx, "m"))(t), 2)
	wantKind(t, "an unknown model", c.DropEmbeddings(ctx, "other", ids), palate.ErrNotFound)
}

func testSampleImages(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	equal(t, "of none", len(must(c.SampleImages(ctx, 10))(t)), 0)
	ids := fill(t, c, 20)
	equalList(t, "of few", idsOf(must(c.SampleImages(ctx, 20))(t)), ids)
	drawn := map[palate.ImageID]int{}
	for range 60 {
		images := must(c.SampleImages(ctx, 5))(t)
		seen := map[palate.ImageID]bool{}
		for _, image := range images {
			if seen[image.ID] {
				t.Errorf("image %v was drawn twice at once", image.ID)
			}
			seen[image.ID] = true
			drawn[image.ID]++
		}
		if len(images) == 0 || len(images) > 5 {
			t.Errorf("got %d images, want 1 to 5", len(images))
		}
	}
	if len(drawn) < 10 {
		t.Errorf("60 draws of 5 met %d of 20 images, want most of them", len(drawn))
	}
}

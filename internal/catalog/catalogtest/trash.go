package catalogtest

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
)

func testTrash(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, catalog.Catalog, func() catalog.Catalog){
		"a restored image has all that it had": restored,
		"a purged image can't be restored":     purged,
		"the trash is listed oldest first":     listTrash,
		"what is not in the trash":             notInTrash,
		"a lifted tombstone empties the trash": liftedFromTrash,
	})
}

// everything is what a catalog tells of three images.
type everything struct {
	Images     []catalog.Image
	Embeddings []catalog.ImageEmbedding
	Failures   map[palate.ImageID]string
	Unembedded []palate.ImageID
	Verdicts   map[palate.ImageID]palate.Verdict
	Standing   []catalog.Rating
	Profiles   []catalog.ProfileSummary
	Attributes map[palate.ImageID]index.Attributes
	Addresses  []crawler.Standing
	External   []catalog.Image
	Found      []catalog.Image
	Tombstones []catalog.Tombstone
}

func tellEverything(t *testing.T, c catalog.Catalog, ids []palate.ImageID) (e everything) {
	t.Helper()
	ctx := t.Context()
	e.Images = must(c.ListImages(ctx, catalog.ImageQuery{Limit: 100}))(t).Images
	e.Embeddings = must(c.ListEmbeddings(ctx, "m", palate.ImageID{}, 100))(t)
	e.Failures = must(c.EmbeddingFailures(ctx, "m"))(t)
	e.Unembedded = idsOf(must(c.Unembedded(ctx, "n", 100))(t))
	e.Verdicts = must(c.StandingVerdicts(ctx, "me", nil))(t)
	e.Standing = must(c.StandingRatings(ctx, "me", catalog.RatingQuery{Limit: 100}))(t)
	e.Profiles = must(c.Profiles(ctx))(t)
	e.Attributes = must(c.AttributesOf(ctx, ids))(t)
	e.Addresses = must(c.Addresses(ctx, []string{sourceOf(0).Address, sourceOf(7).Address, sourceOf(1).Address}))(t)
	e.External = must(c.ImagesByExternalID(ctx, "obj-7"))(t)
	e.Found = must(c.ListImages(ctx, catalog.ImageQuery{Search: "picture 7", Limit: 100}))(t).Images
	e.Tombstones = must(c.Tombstones(ctx))(t)
	return e
}

func restored(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 3)
	add(t, c, picture(0), sourceOf(7)) // a second source
	for _, m := range []palate.ModelID{"m", "n"} {
		ok(t, "PutModel", c.PutModel(ctx, catalog.Model{ID: m, Dim: 2}))
	}
	ok(t, "PutEmbeddings", c.PutEmbeddings(ctx, "m", []catalog.ImageEmbedding{{ID: ids[0], Embedding: palate.Embedding{1, 0}}}))
	ok(t, "FailEmbedding", c.FailEmbedding(ctx, "m", ids[1], "broken"))
	rate(t, c, "me", ids[0], palate.Dislike)
	rate(t, c, "me", ids[0], palate.Like)
	rate(t, c, "me", ids[1], palate.Skip)
	rate(t, c, "you", ids[1], palate.Like)
	before := tellEverything(t, c, ids)
	for _, id := range ids[:2] {
		for range 2 { // a second time after the first has come back
			ok(t, "DeleteImage", c.DeleteImage(ctx, id, "by mistake"))
			equalList(t, "in the trash", must(c.ImageStates(ctx, []palate.ImageID{id}))(t), []catalog.ImageState{catalog.TrashedImage})
			equal(t, "tombstone", must(c.TombstoneOf(ctx, id))(t).Trashed, true)
			last := must(c.LastChange(ctx))(t)
			ok(t, "RestoreImage", again().RestoreImage(ctx, id))
			if after := tellEverything(t, c, ids); !reflect.DeepEqual(after, before) {
				t.Fatalf("restored: got\n%+v\nwant\n%+v", after, before)
			}
			told := map[catalog.ChangeKind]int{}
			for _, change := range must(c.ChangesAfter(ctx, last, 100))(t) {
				if change.Image != id {
					t.Errorf("a change of another image: %+v", change)
				}
				told[change.Kind]++
			}
			want := map[catalog.ChangeKind]int{catalog.ImageChanged: 1, catalog.EmbeddingChanged: 1, catalog.RatingChanged: 1}
			if id == ids[1] {
				want = map[catalog.ChangeKind]int{catalog.ImageChanged: 1, catalog.RatingChanged: 2}
			}
			if !reflect.DeepEqual(told, want) {
				t.Errorf("got the changes %v, want %v", told, want)
			}
		}
	}
	// It takes part as any other.
	equal(t, "refreshed", must(c.AddImage(ctx, picture(0), sourceOf(0), nil))(t), catalog.Added{})
	rate(t, c, "me", ids[0], palate.Dislike)
	wantVerdict(t, c, "me", ids[0], palate.Dislike)
}

func purged(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 2)
	ok(t, "DeleteImage", c.DeleteImage(ctx, ids[0], "not art"))
	ok(t, "PurgeImage of what is in the trash", c.PurgeImage(ctx, ids[0], "later"))
	ok(t, "PurgeImage of what is there", c.PurgeImage(ctx, ids[1], "taken down"))
	for i, reason := range []string{"not art", "taken down"} {
		tomb := must(c.TombstoneOf(ctx, ids[i]))(t)
		equal(t, "reason", tomb.Reason, reason)
		equal(t, "in the trash", tomb.Trashed, false)
		wantKind(t, "RestoreImage", c.RestoreImage(ctx, ids[i]), palate.ErrNotFound)
		wantKind(t, "second PurgeImage", c.PurgeImage(ctx, ids[i], "again"), palate.ErrNotFound)
		equal(t, "kept away", must(c.AddImage(ctx, picture(i), sourceOf(i), nil))(t), catalog.Added{Tombstoned: true})
	}
	equalList(t, "states", must(c.ImageStates(ctx, ids))(t), []catalog.ImageState{catalog.DeletedImage, catalog.DeletedImage})
	equal(t, "trash", len(must(c.Trash(ctx, time.Time{}, 10))(t)), 0)
	equal(t, "images", must(c.CountImages(ctx, noFilter))(t), 0)
}

func listTrash(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 4)
	for _, i := range []int{2, 0, 3} {
		ok(t, "DeleteImage", c.DeleteImage(ctx, ids[i], "why"))
	}
	all := must(again().Trash(ctx, time.Time{}, 10))(t)
	var got []palate.ImageID
	for _, thrown := range all {
		got = append(got, thrown.ID)
	}
	equalList(t, "Trash", got, []palate.ImageID{ids[2], ids[0], ids[3]})
	want := catalog.Trashed{ID: ids[2], Title: "Picture 2", Artist: "Artist 2", Bytes: picture(2).Bytes, Format: "jpeg",
		Width: picture(2).Width, Height: picture(2).Height, Reason: "why", DeletedAt: all[0].DeletedAt}
	equal(t, "the first", all[0], want)
	latest := must(c.LatestTrash(ctx, time.Time{}, 10))(t)
	slices.Reverse(latest)
	same := func(what string, got, want []catalog.Trashed) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	same("the other way round", latest, all)
	same("latest, limited", must(c.LatestTrash(ctx, time.Time{}, 1))(t), all[2:])
	same("latest before the last", must(c.LatestTrash(ctx, all[2].DeletedAt, 1))(t), all[1:2])
	equal(t, "limited", len(must(c.Trash(ctx, time.Time{}, 2))(t)), 2)
	equal(t, "before the second", len(must(c.Trash(ctx, all[1].DeletedAt, 10))(t)), 1)
	equal(t, "before all", len(must(c.Trash(ctx, all[0].DeletedAt.Add(-time.Hour), 10))(t)), 0)
	equal(t, "after all", len(must(c.Trash(ctx, time.Now().Add(time.Hour), 10))(t)), 3)
	kept := must(c.TrashedImages(ctx, palate.ImageID{}, 10))(t)
	equal(t, "images in the trash", len(kept), 3)
	equalList(t, "the rest of them", idsOf(must(c.TrashedImages(ctx, kept[0].ID, 10))(t)), idsOf(kept[1:]))
	for _, image := range kept {
		if image.ID != palate.NewImageID(image.SHA256) || image.Bytes == 0 {
			t.Errorf("an image in the trash: got %+v, want its hash and length", image)
		}
	}
	for _, limit := range []int{0, -1, 1001} {
		_, err := c.Trash(ctx, time.Time{}, limit)
		wantKind(t, "limit", err, palate.ErrInvalid)
	}
}

func notInTrash(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	id := add(t, c, picture(1), sourceOf(1))
	unchanged(t, c, "what is not in the trash", func() {
		wantKind(t, "RestoreImage of what is there", c.RestoreImage(ctx, id), palate.ErrNotFound)
		wantKind(t, "RestoreImage of the unknown", c.RestoreImage(ctx, picture(2).ID), palate.ErrNotFound)
		wantKind(t, "PurgeImage of the unknown", c.PurgeImage(ctx, picture(2).ID, "x"), palate.ErrNotFound)
	})
}

func liftedFromTrash(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	id := add(t, c, picture(1), sourceOf(1))
	ok(t, "DeleteImage", c.DeleteImage(ctx, id, "x"))
	ok(t, "LiftTombstone", c.LiftTombstone(ctx, id))
	equal(t, "trash", len(must(c.Trash(ctx, time.Time{}, 10))(t)), 0)
	wantKind(t, "RestoreImage", c.RestoreImage(ctx, id), palate.ErrNotFound)
	equal(t, "as a new one", must(c.AddImage(ctx, picture(1), sourceOf(1), nil))(t), catalog.Added{Image: true, Source: true})
}

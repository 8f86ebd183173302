package catalogtest

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

func testChanges(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, catalog.Catalog, func() catalog.Catalog){
		"every kind is recorded":           changeKinds,
		"numbers go on after compaction":   compaction,
		"followers remember their number":  followers,
		"a number never given is conflict": unknownNumber,
	})
}

func changeKinds(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	equal(t, "at first", must(c.LastChange(ctx))(t), 0)
	ids := fill(t, c, 1)
	add(t, c, picture(0), sourceOf(1))
	ok(t, "PutModel", c.PutModel(ctx, catalog.Model{ID: "m", Dim: 1}))
	ok(t, "PutEmbeddings", c.PutEmbeddings(ctx, "m", []catalog.ImageEmbedding{{ID: ids[0], Embedding: palate.Embedding{1}}}))
	rate(t, c, "me", ids[0], palate.Like)
	must(c.UndoRating(ctx, "me", 0))(t)
	must(c.AddProbe(ctx, probeOf("me", "m", true)))(t)
	ok(t, "DeleteImage", c.DeleteImage(ctx, ids[0], "x"))
	got := must(again().ChangesAfter(ctx, 0, 100))(t)
	want := []catalog.Change{
		{Kind: catalog.ImageChanged, Image: ids[0]},
		{Kind: catalog.ImageChanged, Image: ids[0]},
		{Kind: catalog.EmbeddingChanged, Image: ids[0], Model: "m"},
		{Kind: catalog.RatingChanged, Image: ids[0], Profile: "me"},
		{Kind: catalog.RatingChanged, Image: ids[0], Profile: "me"},
		{Kind: catalog.ProbeChanged, Profile: "me", Model: "m"},
		{Kind: catalog.ImageDeleted, Image: ids[0]},
	}
	var before uint64
	for i := range got {
		if got[i].Number <= before {
			t.Errorf("number %d follows %d", got[i].Number, before)
		}
		before = got[i].Number
		got[i].Number = 0
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	equal(t, "LastChange", must(c.LastChange(ctx))(t), before)
	equal(t, "after the last", len(must(c.ChangesAfter(ctx, before, 5))(t)), 0)
	_, err := c.ChangesAfter(ctx, 0, 0)
	wantKind(t, "no limit", err, palate.ErrInvalid)
}

func compaction(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	fill(t, c, 6)
	all := must(c.ChangesAfter(ctx, 0, 100))(t)
	ok(t, "CompactChanges", c.CompactChanges(ctx, all[2].Number))
	ok(t, "further back", c.CompactChanges(ctx, all[0].Number))
	_, err := again().ChangesAfter(ctx, all[1].Number, 10)
	wantKind(t, "compacted away", err, palate.ErrConflict)
	_, err = c.ChangesAfter(ctx, 0, 10)
	wantKind(t, "from the beginning", err, palate.ErrConflict)
	rest := must(c.ChangesAfter(ctx, all[2].Number, 2))(t)
	equalList(t, "rest", rest, all[3:5])
	ok(t, "all", c.CompactChanges(ctx, all[5].Number))
	equal(t, "last stays", must(c.LastChange(ctx))(t), all[5].Number)
	equal(t, "none after", len(must(c.ChangesAfter(ctx, all[5].Number, 9))(t)), 0)
	add(t, c, picture(9), sourceOf(9))
	next := must(c.ChangesAfter(ctx, all[5].Number, 9))(t)
	if len(next) != 1 || next[0].Number <= all[5].Number {
		t.Errorf("after compaction: got %+v", next)
	}
}

func followers(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	equal(t, "at first", must(c.FollowedTo(ctx, "index"))(t), 0)
	ok(t, "SetFollowedTo", c.SetFollowedTo(ctx, "index", 7))
	ok(t, "SetFollowedTo", c.SetFollowedTo(ctx, "filter", 3))
	ok(t, "SetFollowedTo", c.SetFollowedTo(ctx, "index", 5))
	equal(t, "index", must(again().FollowedTo(ctx, "index"))(t), 5)
	equal(t, "filter", must(c.FollowedTo(ctx, "filter"))(t), 3)
	if got := must(again().Followers(ctx))(t); len(got) != 2 || got["index"] != 5 || got["filter"] != 3 {
		t.Errorf("Followers: got %v", got)
	}
	wantKind(t, "no name", c.SetFollowedTo(ctx, "", 1), palate.ErrInvalid)
}

func unknownNumber(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	fill(t, c, 2)
	last := must(c.LastChange(t.Context()))(t)
	for _, number := range []uint64{last + 1, 1 << 63} {
		_, err := c.ChangesAfter(t.Context(), number, 5)
		wantKind(t, fmt.Sprint("after ", number), err, palate.ErrConflict)
	}
}

func testLeases(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, catalog.Catalog, func() catalog.Catalog){
		"one holder at a time":          oneHolder,
		"any name will do":              leaseNames,
		"closing gives leases back":     closingReleases,
		"a catalog excludes itself too": selfExclusion,
	})
}

func oneHolder(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	other := again()
	train := must(c.AcquireLease(ctx, "train"))(t)
	_, err := other.AcquireLease(ctx, "train")
	wantKind(t, "held by the first", err, palate.ErrConflict)
	if err != nil && !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("%q does not name the process %d", err, os.Getpid())
	}
	embed := must(other.AcquireLease(ctx, "embed"))(t)
	_, err = c.AcquireLease(ctx, "embed")
	wantKind(t, "held by the second", err, palate.ErrConflict)
	ok(t, "Release", train.Release())
	taken := must(other.AcquireLease(ctx, "train"))(t)
	ok(t, "second Release of a lease given back", train.Release())
	_, err = c.AcquireLease(ctx, "train")
	wantKind(t, "held by the second", err, palate.ErrConflict)
	ok(t, "Release", embed.Release())
	ok(t, "Release", taken.Release())
	ok(t, "Release", must(c.AcquireLease(ctx, "train"))(t).Release())
}

func leaseNames(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	other := again()
	for _, name := range []string{"crawl:https://example/a?b=c", "../../escape", "Großes Museum", "a/b", strings.Repeat("long", 500), "TRAIN", "train", "con", "a\x00b"} {
		lease := must(c.AcquireLease(t.Context(), name))(t)
		_, err := other.AcquireLease(t.Context(), name)
		wantKind(t, name, err, palate.ErrConflict)
		defer func() { ok(t, "Release", lease.Release()) }()
	}
	_, err := c.AcquireLease(t.Context(), "")
	wantKind(t, "no name", err, palate.ErrInvalid)
}

func closingReleases(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	lease := must(c.AcquireLease(t.Context(), "train"))(t)
	ok(t, "Close", c.Close())
	taken := must(again().AcquireLease(t.Context(), "train"))(t)
	ok(t, "Release after Close", lease.Release())
	ok(t, "Release", taken.Release())
}

func selfExclusion(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	lease := must(c.AcquireLease(t.Context(), "train"))(t)
	_, err := c.AcquireLease(t.Context(), "train")
	wantKind(t, "second", err, palate.ErrConflict)
	ok(t, "Release", lease.Release())
	ok(t, "Release", must(c.AcquireLease(t.Context(), "train"))(t).Release())
}

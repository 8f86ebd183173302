package catalogtest

import (
	"math/rand/v2"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

func testUpgrades(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, catalog.Catalog, func() catalog.Catalog){
		"an upgrade begins, ends and can be turned round": upgrades,
		"a forgotten model has embedded nothing":          forgetModel,
	})
}

func upgrades(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	for _, id := range []palate.ModelID{"old", "new", "newer"} {
		ok(t, "PutModel", c.PutModel(ctx, catalog.Model{ID: id, Dim: 4}))
	}
	stand := func(c catalog.Catalog, want ...catalog.Upgrade) {
		t.Helper()
		got := must(c.Upgrades(ctx))(t)
		if len(got) != len(want) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
		for i, u := range got {
			if u.From != want[i].From || u.To != want[i].To || u.FinishedAt.IsZero() != want[i].FinishedAt.IsZero() || u.StartedAt.IsZero() {
				t.Errorf("got %+v, want %+v", u, want[i])
			}
		}
	}
	stand(c)
	wantKind(t, "to itself", c.BeginUpgrade(ctx, "old", "old"), palate.ErrInvalid)
	wantKind(t, "to a model that was not put", c.BeginUpgrade(ctx, "old", "none"), palate.ErrNotFound)
	wantKind(t, "ends before it begins", c.FinishUpgrade(ctx, "old", "new"), palate.ErrNotFound)
	ok(t, "begin", c.BeginUpgrade(ctx, "old", "newer"))
	ok(t, "begin another in its place", c.BeginUpgrade(ctx, "old", "new"))
	ok(t, "begin again", c.BeginUpgrade(ctx, "old", "new"))
	stand(c, catalog.Upgrade{From: "old", To: "new"})
	wantKind(t, "end of what was replaced", c.FinishUpgrade(ctx, "old", "newer"), palate.ErrNotFound)
	ok(t, "finish", c.FinishUpgrade(ctx, "old", "new"))
	finished := must(c.Upgrades(ctx))(t)
	told := must(c.LastChange(ctx))(t)
	ok(t, "finish again", c.FinishUpgrade(ctx, "old", "new"))
	ok(t, "begin what is finished", c.BeginUpgrade(ctx, "old", "new"))
	equal(t, "changes by what changed nothing", must(c.LastChange(ctx))(t), told)
	for i, change := range must(c.ChangesAfter(ctx, 0, 10))(t) {
		if want := []palate.ModelID{"newer", "new", "new"}; i >= len(want) || change.Kind != catalog.ModelChanged || change.Model != want[i] {
			t.Errorf("change %d is %+v, want that of %v at each beginning and end", i, change, want)
		}
	}
	equal(t, "changes of three beginnings and ends", told, 3)
	stand(again(), finished...)
	wantKind(t, "cancel what is finished", c.CancelUpgrade(ctx, "old", "new"), palate.ErrConflict)
	stand(c, finished...)
	ok(t, "back", c.BeginUpgrade(ctx, "new", "old"))
	stand(c, catalog.Upgrade{From: "new", To: "old"})
	wantKind(t, "cancel another", c.CancelUpgrade(ctx, "new", "newer"), palate.ErrNotFound)
	told = must(c.LastChange(ctx))(t)
	ok(t, "cancel", c.CancelUpgrade(ctx, "new", "old"))
	equal(t, "changes of a cancellation", must(c.LastChange(ctx))(t), told+1)
	stand(c)
	wantKind(t, "cancel again", c.CancelUpgrade(ctx, "new", "old"), palate.ErrNotFound)
}

func forgetModel(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 3)
	r := rand.New(rand.NewPCG(7, 8))
	for _, id := range []palate.ModelID{"old", "new"} {
		ok(t, "PutModel", c.PutModel(ctx, catalog.Model{ID: id, Dim: 4}))
		ok(t, "PutEmbeddings", c.PutEmbeddings(ctx, id, []catalog.ImageEmbedding{{ID: ids[0], Embedding: unit(r, 4)}, {ID: ids[1], Embedding: unit(r, 4)}}))
		ok(t, "FailEmbedding", c.FailEmbedding(ctx, id, ids[2], "broken"))
		_, err := c.AddProbe(ctx, catalog.ProbeVersion{Profile: "me", Model: id, Weights: []byte{1}, Current: true})
		ok(t, "AddProbe", err)
	}
	ok(t, "begin", c.BeginUpgrade(ctx, "old", "new"))
	last := must(c.LastChange(ctx))(t)
	equal(t, "embeddings that went", must(c.ForgetModel(ctx, "old"))(t), 2)
	equal(t, "of the forgotten", must(c.CountEmbeddings(ctx, "old"))(t), 0)
	equal(t, "of the other", must(c.CountEmbeddings(ctx, "new"))(t), 2)
	equal(t, "to embed again", len(must(c.Unembedded(ctx, "old", 10))(t)), 3)
	equal(t, "of the other to embed", len(must(c.Unembedded(ctx, "new", 10))(t)), 0)
	equal(t, "failures", len(must(c.EmbeddingFailures(ctx, "old"))(t)), 0)
	equal(t, "upgrades", len(must(c.Upgrades(ctx))(t)), 0)
	_, err := c.CurrentProbe(ctx, "me", "old")
	wantKind(t, "its probe", err, palate.ErrNotFound)
	_, err = c.CurrentProbe(ctx, "me", "new")
	ok(t, "the other's probe", err)
	must(c.ChangesAfter(ctx, 0, 1000))(t)
	if now := must(c.LastChange(ctx))(t); now < last {
		t.Errorf("the last change was %d and is %d", last, now)
	}
	ok(t, "embed again", c.PutEmbeddings(ctx, "old", []catalog.ImageEmbedding{{ID: ids[0], Embedding: unit(r, 4)}}))
	_, err = c.ForgetModel(ctx, "none")
	wantKind(t, "one that was not put", err, palate.ErrNotFound)
}

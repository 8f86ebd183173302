package catalogtest

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

func testEmbeddings(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, catalog.Catalog, func() catalog.Catalog){
		"come back bit by bit in any order asked": embeddingsComeBack,
		"what can't be is refused as a whole":     embeddingsRefused,
		"the unembedded shrink to none":           unembedded,
		"what is to be embedded is claimed":       claims,
		"failures are passed by until cleared":    embeddingFailures,
		"models keep what they were":              models,
		"lists end where they should":             embeddingLists,
		"models do not mix":                       separateModels,
	})
}

func embeddingsComeBack(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 5)
	ok(t, "PutModel", c.PutModel(ctx, catalog.Model{ID: "m", Dim: 384}))
	r := rand.New(rand.NewPCG(5, 6))
	want := map[palate.ImageID]palate.Embedding{}
	var put []catalog.ImageEmbedding
	for _, id := range ids[:4] {
		want[id] = unit(r, 384)
		put = append(put, catalog.ImageEmbedding{ID: id, Embedding: want[id]})
	}
	ok(t, "PutEmbeddings", c.PutEmbeddings(ctx, "m", put))
	want[ids[1]] = unit(r, 384)
	ok(t, "replace", c.PutEmbeddings(ctx, "m", []catalog.ImageEmbedding{{ID: ids[1], Embedding: want[ids[1]]}}))
	for _, c := range []catalog.Catalog{c, again()} {
		got := must(c.EmbeddingsOf(ctx, "m", []palate.ImageID{ids[3], ids[4], ids[1], picture(9).ID, ids[0]}))(t)
		var order []palate.ImageID
		for _, e := range got {
			order = append(order, e.ID)
			if !slices.Equal(e.Embedding, want[e.ID]) {
				t.Errorf("embedding of %v differs", e.ID)
			}
		}
		equalList(t, "order", order, []palate.ImageID{ids[3], ids[1], ids[0]})
		there := must(c.Embedded(ctx, "m", []palate.ImageID{ids[3], ids[4], picture(9).ID, ids[0]}))(t)
		if !reflect.DeepEqual(there, map[palate.ImageID]bool{ids[3]: true, ids[0]: true}) {
			t.Errorf("Embedded: got %v", there)
		}
		equal(t, "embedded by another model", len(must(c.Embedded(ctx, "n", ids))(t)), 0)
		equal(t, "count", must(c.CountEmbeddings(ctx, "m"))(t), 4)
	}
	equal(t, "of no images", len(must(c.EmbeddingsOf(ctx, "m", nil))(t)), 0)
	equal(t, "of no images", len(must(c.Embedded(ctx, "m", nil))(t)), 0)
	ok(t, "nothing to put", c.PutEmbeddings(ctx, "m", nil))
}

func embeddingsRefused(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 2)
	ok(t, "PutModel", c.PutModel(ctx, catalog.Model{ID: "m", Dim: 2}))
	good := catalog.ImageEmbedding{ID: ids[0], Embedding: palate.Embedding{0.6, 0.8}}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	unchanged(t, c, "refused embeddings", func() {
		for what, e := range map[string]palate.Embedding{
			"NaN": {nan, 1}, "infinity": {inf, 0}, "short": {1}, "long": {1, 0, 0}, "none": nil, "not normalised": {3, 4}, "zero": {0, 0},
		} {
			err := c.PutEmbeddings(ctx, "m", []catalog.ImageEmbedding{good, {ID: ids[1], Embedding: e}})
			wantKind(t, what, err, palate.ErrInvalid)
		}
		// It is refused even where the image is gone.
		wantKind(t, "NaN of no image", c.PutEmbeddings(ctx, "m", []catalog.ImageEmbedding{{ID: picture(9).ID, Embedding: palate.Embedding{nan, 0}}}), palate.ErrInvalid)
		wantKind(t, "unknown model", c.PutEmbeddings(ctx, "other", []catalog.ImageEmbedding{good}), palate.ErrNotFound)
		wantKind(t, "failure of an unknown model", c.FailEmbedding(ctx, "other", ids[0], "x"), palate.ErrNotFound)
		wantKind(t, "failure of no image", c.FailEmbedding(ctx, "m", picture(9).ID, "x"), palate.ErrNotFound)
	})
	equal(t, "kept", must(c.CountEmbeddings(ctx, "m"))(t), 0)
	equal(t, "unembedded", len(must(c.Unembedded(ctx, "m", 9))(t)), 2)
}

func unembedded(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 5)
	equalList(t, "before the model is put", idsOf(must(c.Unembedded(ctx, "m", 3))(t)), ids[:3])
	ok(t, "PutModel", c.PutModel(ctx, catalog.Model{ID: "m", Dim: 2}))
	late := add(t, c, picture(50), sourceOf(50))
	images := must(c.Unembedded(ctx, "m", 3))(t)
	equalList(t, "oldest first", idsOf(images), ids[:3])
	equal(t, "sources", len(images[0].Sources), 1)
	put := func(id palate.ImageID) {
		ok(t, "PutEmbeddings", c.PutEmbeddings(ctx, "m", []catalog.ImageEmbedding{{ID: id, Embedding: palate.Embedding{1, 0}}}))
	}
	put(ids[0])
	put(ids[2])
	ok(t, "FailEmbedding", c.FailEmbedding(ctx, "m", ids[3], "broken"))
	equalList(t, "what is left", idsOf(must(c.Unembedded(ctx, "m", 9))(t)), []palate.ImageID{ids[1], ids[4], late})
	put(ids[1])
	put(ids[4])
	put(late)
	equal(t, "in the end", len(must(c.Unembedded(ctx, "m", 9))(t)), 0)
	_, err := c.Unembedded(ctx, "m", 0)
	wantKind(t, "no limit", err, palate.ErrInvalid)
}

// Whoever claims gets what nobody else has; a claim ends with the work, or with
// the run.
func claims(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx, other := t.Context(), again()
	ids := fill(t, c, 10)
	work := func(what string, wantFree, wantClaimed bool) {
		t.Helper()
		free, claimed, err := other.EmbeddingWork(ctx, "m")
		ok(t, what, err)
		if free != wantFree || claimed != wantClaimed {
			t.Errorf("%s: got %v and %v, want %v and %v", what, free, claimed, wantFree, wantClaimed)
		}
	}
	work("before the model is put", true, false)
	mine, lease := start(t, c, "embed")
	_, err := c.ClaimUnembedded(ctx, "m", mine.ID, 3)
	wantKind(t, "before the model is put", err, palate.ErrNotFound)
	ok(t, "PutModel", c.PutModel(ctx, catalog.Model{ID: "m", Name: "m", Dim: 2}))
	theirs, _ := start(t, other, "embed")
	equalList(t, "mine", idsOf(must(c.ClaimUnembedded(ctx, "m", mine.ID, 4))(t)), ids[:4])
	equalList(t, "theirs", idsOf(must(other.ClaimUnembedded(ctx, "m", theirs.ID, 4))(t)), ids[4:8])
	work("some of both", true, true)
	equal(t, "all are listed still", len(must(c.Unembedded(ctx, "m", 20))(t)), 10)
	equalList(t, "the rest", idsOf(must(c.ClaimUnembedded(ctx, "m", mine.ID, 4))(t)), ids[8:])
	equal(t, "no more", len(must(other.ClaimUnembedded(ctx, "m", theirs.ID, 4))(t)), 0)
	work("all claimed", false, true)
	// One that was claimed by the other is taken all the same.
	ok(t, "PutEmbeddings", c.PutEmbeddings(ctx, "m", []catalog.ImageEmbedding{{ID: ids[0], Embedding: palate.Embedding{0.6, 0.8}}, {ID: ids[4], Embedding: palate.Embedding{0.6, 0.8}}}))
	ok(t, "FailEmbedding", c.FailEmbedding(ctx, "m", ids[1], "broken"))
	ok(t, "FinishRun", other.FinishRun(ctx, theirs.ID, catalog.Cancelled, nil, ""))
	work("theirs are given up", true, true)
	_, err = other.ClaimUnembedded(ctx, "m", theirs.ID, 1)
	wantKind(t, "a run that has ended", err, palate.ErrConflict)
	_, err = c.ClaimUnembedded(ctx, "m", 99, 1)
	wantKind(t, "no run", err, palate.ErrNotFound)
	_, err = c.ClaimUnembedded(ctx, "m", mine.ID, 0)
	wantKind(t, "no limit", err, palate.ErrInvalid)
	equalList(t, "what they gave up", idsOf(must(c.ClaimUnembedded(ctx, "m", mine.ID, 20))(t)), ids[5:8])
	ok(t, "Release", lease.Release()) // as the end of the process does
	equal(t, "dead", must(other.EndDeadRuns(ctx))(t), 1)
	heirs, _ := start(t, other, "embed")
	equalList(t, "of the dead", idsOf(must(other.ClaimUnembedded(ctx, "m", heirs.ID, 20))(t)),
		[]palate.ImageID{ids[2], ids[3], ids[5], ids[6], ids[7], ids[8], ids[9]})
}

func embeddingFailures(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 3)
	for _, m := range []palate.ModelID{"m", "n"} {
		ok(t, "PutModel", c.PutModel(ctx, catalog.Model{ID: m, Dim: 2}))
		for _, id := range ids {
			ok(t, "FailEmbedding", c.FailEmbedding(ctx, m, id, "first"))
		}
	}
	ok(t, "FailEmbedding again", c.FailEmbedding(ctx, "m", ids[1], "truncated: ümläut"))
	ok(t, "PutEmbeddings", c.PutEmbeddings(ctx, "m", []catalog.ImageEmbedding{{ID: ids[0], Embedding: palate.Embedding{1, 0}}}))
	got := must(c.EmbeddingFailures(ctx, "m"))(t)
	if want := map[palate.ImageID]string{ids[1]: "truncated: ümläut", ids[2]: "first"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	equal(t, "unembedded", len(must(c.Unembedded(ctx, "m", 9))(t)), 0)
	ok(t, "ClearEmbeddingFailures", c.ClearEmbeddingFailures(ctx, "m"))
	equalList(t, "tried again", idsOf(must(c.Unembedded(ctx, "m", 9))(t)), ids[1:])
	equal(t, "failures", len(must(c.EmbeddingFailures(ctx, "m"))(t)), 0)
	equal(t, "the other model's", len(must(c.EmbeddingFailures(ctx, "n"))(t)), 3)
}

func models(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	m := catalog.Model{ID: "m", Name: "Modèle", Dim: 2, Description: json.RawMessage(`{"fit": "crop"}`)}
	ok(t, "PutModel", c.PutModel(ctx, m))
	ok(t, "PutModel", c.PutModel(ctx, catalog.Model{ID: "n", Dim: 3}))
	ok(t, "same again", c.PutModel(ctx, catalog.Model{ID: "m", Name: "Renamed", Dim: 2, Description: json.RawMessage(`{}`)}))
	got := must(c.Models(ctx))(t)
	if len(got) != 2 || got[0].ID != "m" || got[0].Name != "Renamed" || got[0].Dim != 2 || !bytes.Equal(got[0].Description, m.Description) || got[1].ID != "n" {
		t.Errorf("got %+v", got)
	}
	wantKind(t, "another dimension", c.PutModel(ctx, catalog.Model{ID: "m", Dim: 5}), palate.ErrConflict)
	for what, bad := range map[string]catalog.Model{
		"no id": {Dim: 2}, "no dimension": {ID: "x"}, "negative dimension": {ID: "x", Dim: -1}, "no JSON": {ID: "x", Dim: 1, Description: json.RawMessage("{")},
	} {
		wantKind(t, what, c.PutModel(ctx, bad), palate.ErrInvalid)
	}
	equal(t, "models", len(must(c.Models(ctx))(t)), 2)
}

func embeddingLists(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	ids := fill(t, c, 10)
	ok(t, "PutModel", c.PutModel(ctx, catalog.Model{ID: "m", Dim: 2}))
	for _, id := range ids {
		ok(t, "PutEmbeddings", c.PutEmbeddings(ctx, "m", []catalog.ImageEmbedding{{ID: id, Embedding: palate.Embedding{1, 0}}}))
	}
	slices.SortFunc(ids, func(a, b palate.ImageID) int { return bytes.Compare(a[:], b[:]) })
	for _, limit := range []int{1, 3, 5, 10, 100} {
		var got []palate.ImageID
		var after palate.ImageID
		for {
			page := must(c.ListEmbeddings(ctx, "m", after, limit))(t)
			for _, e := range page {
				got = append(got, e.ID)
				after = e.ID
			}
			if len(page) < limit {
				break
			}
		}
		equalList(t, "ids", got, ids)
	}
	_, err := c.ListEmbeddings(ctx, "m", palate.ImageID{}, 0)
	wantKind(t, "no limit", err, palate.ErrInvalid)
	equal(t, "of another model", len(must(c.ListEmbeddings(ctx, "x", palate.ImageID{}, 5))(t)), 0)
}

func separateModels(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	id := fill(t, c, 1)[0]
	ok(t, "PutModel", c.PutModel(ctx, catalog.Model{ID: "m", Dim: 2}))
	ok(t, "PutModel", c.PutModel(ctx, catalog.Model{ID: "n", Dim: 1}))
	ok(t, "PutEmbeddings", c.PutEmbeddings(ctx, "m", []catalog.ImageEmbedding{{ID: id, Embedding: palate.Embedding{1, 0}}}))
	ok(t, "PutEmbeddings", c.PutEmbeddings(ctx, "n", []catalog.ImageEmbedding{{ID: id, Embedding: palate.Embedding{-1}}}))
	for m, want := range map[palate.ModelID]palate.Embedding{"m": {1, 0}, "n": {-1}} {
		got := must(c.EmbeddingsOf(ctx, m, []palate.ImageID{id}))(t)
		if len(got) != 1 || !slices.Equal(got[0].Embedding, want) {
			t.Errorf("%s: got %v, want %v", m, got, want)
		}
	}
}

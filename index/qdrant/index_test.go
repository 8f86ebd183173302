package qdrant_test

import (
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	client "github.com/qdrant/go-client/qdrant"
	"google.golang.org/protobuf/proto"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/qdrant"
	"github.com/palate-art/palate/index/qdrant/qdranttest"
)

func TestEveryCallHasADeadlineAndEveryChangeWaits(t *testing.T) {
	s := qdranttest.Run(t)
	asked := observe(s)
	ctx := t.Context()
	x := newIndex(t, s)
	points := randomPoints(20)
	must(t, x.Upsert(ctx, points))
	must(t, x.SetAttributes(ctx, map[palate.ImageID]index.Attributes{id(1): {Sites: []string{"site"}}}))
	must(t, x.Judge(ctx, []index.Judgement{{ID: id(1), Profile: "me", Verdict: palate.Like}, {ID: id(2), Profile: "me"}}))
	must(t, x.Delete(ctx, []palate.ImageID{id(3)}))
	must(t, x.Ready(ctx))
	_, err := x.Search(ctx, index.Query{Vector: points[0].Embedding, Limit: 3})
	must(t, err)
	_, err = x.Get(ctx, []palate.ImageID{id(1)})
	must(t, err)
	_, err = x.Count(ctx, index.Filter{})
	must(t, err)
	_, err = x.IDs(ctx, palate.ImageID{}, 10)
	must(t, err)
	_, err = x.Scores(ctx, points[0].Embedding, []palate.ImageID{id(1)})
	must(t, err)
	_, err = x.Status(ctx)
	must(t, err)
	changes := 0
	for _, r := range asked.of("") {
		if !r.deadline {
			t.Errorf("%s came without a deadline", r.method)
		}
		fields := r.message.ProtoReflect().Descriptor().Fields()
		if wait := fields.ByName("wait"); wait != nil {
			changes++
			if !r.message.ProtoReflect().Get(wait).Bool() {
				t.Errorf("%s does not wait", r.method)
			}
		}
	}
	if changes < 5+1+1+2+1 {
		t.Errorf("saw %d changes, want those of this test", changes)
	}
}

func TestPayloadIndexesComeBeforeTheUpload(t *testing.T) {
	s := qdranttest.Run(t)
	asked := observe(s)
	x := newIndex(t, s)
	points := randomPoints(2)
	points[0].Attributes.Verdicts = map[palate.Profile]palate.Verdict{"me": palate.Like}
	must(t, x.Upsert(t.Context(), points))
	must(t, x.Judge(t.Context(), []index.Judgement{{ID: id(1), Profile: "you-2", Verdict: palate.Dislike}, {ID: id(0), Profile: "me", Verdict: palate.Dislike}}))
	must(t, x.Judge(t.Context(), []index.Judgement{{ID: id(0), Profile: "you-2", Verdict: palate.Like}}))
	want := map[string]client.FieldType{
		"artists": client.FieldType_FieldTypeKeyword, "licences": client.FieldType_FieldTypeKeyword,
		"sites": client.FieldType_FieldTypeKeyword, "categories": client.FieldType_FieldTypeKeyword,
		"years":    client.FieldType_FieldTypeInteger,
		"liked_by": client.FieldType_FieldTypeKeyword, "disliked_by": client.FieldType_FieldTypeKeyword,
	}
	if got := s.FieldIndexes(modelAlias); !maps.Equal(got, want) {
		t.Errorf("got payload indexes %v, want %v, whoever judges", got, want)
	}
	if n := len(asked.of("Points/CreateFieldIndex")); n != len(want) {
		t.Errorf("payload indexes were made %d times, want each of %d once", n, len(want))
	}
	order := asked.of("Points/")
	first := slices.IndexFunc(order, func(r request) bool { return strings.HasSuffix(r.method, "/Upsert") })
	for i, r := range order {
		if field, ok := r.message.(*client.CreateFieldIndexCollection); ok && i > first {
			t.Errorf("the index of %s came after the upload", field.GetFieldName())
		}
	}
}

func TestWhatTheServerWouldTakeIsRefusedBeforeItIsSent(t *testing.T) {
	s := qdranttest.Run(t)
	x := newIndex(t, s)
	must(t, x.Upsert(t.Context(), randomPoints(3)))
	asked := observe(s)
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, e := range map[string]palate.Embedding{
		"NaN": {nan, 0, 0, 0, 0, 0, 0, 1}, "infinity": {inf, 0, 0, 0, 0, 0, 0, 0}, "zero": make(palate.Embedding, dim),
		"not normalised": {2, 0, 0, 0, 0, 0, 0, 0}, "another dimension": {1, 0, 0},
	} {
		good := randomPoints(1)[0]
		good.ID = id(77)
		if err := x.Upsert(t.Context(), []index.Point{good, {ID: id(9), Embedding: e}}); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("upsert of %s: got %v, want it invalid", name, err)
		}
		if name == "not normalised" {
			continue
		}
		if _, err := x.Search(t.Context(), index.Query{Vector: e, Limit: 1}); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("search of %s: got %v, want it invalid", name, err)
		}
		if _, err := x.Scores(t.Context(), e, []palate.ImageID{id(1)}); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("scores of %s: got %v, want it invalid", name, err)
		}
	}
	for name, a := range map[string]index.Attributes{
		"text": {Artists: []string{"\xff"}}, "profile": {Verdicts: map[palate.Profile]palate.Verdict{"a.b": palate.Like}},
	} {
		if err := x.Upsert(t.Context(), []index.Point{{ID: id(9), Embedding: randomPoints(1)[0].Embedding, Attributes: a}}); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("upsert of a bad %s: got %v, want it invalid", name, err)
		}
		if err := x.SetAttributes(t.Context(), map[palate.ImageID]index.Attributes{id(1): a}); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("setting a bad %s: got %v, want it invalid", name, err)
		}
	}
	if err := x.Judge(t.Context(), []index.Judgement{{ID: id(1), Profile: "a[0]", Verdict: palate.Like}}); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("judging as a[0]: got %v, want it invalid", err)
	}
	if got := asked.of(""); len(got) > 0 {
		t.Errorf("%d requests were sent, want none: %v", len(got), got)
	}
}

func TestLargeAnswersAndBoundedRequests(t *testing.T) {
	const wide, count = 768, 2000 // 6 MB of vectors: more than gRPC takes by default
	s := qdranttest.Run(t)
	asked := observe(s)
	x := open(t, configFor(t, s.Address(), func(c *qdrant.Config) { c.BatchPoints, c.BatchBytes = 1500, 2<<20 }), model, wide)
	must(t, x.Clear(t.Context()))
	r := rand.New(rand.NewPCG(3, 4))
	points := make([]index.Point, count)
	ids := make([]palate.ImageID, count)
	for i := range points {
		ids[i] = id(i)
		points[i] = index.Point{ID: ids[i], Embedding: randomEmbedding(r, wide), Attributes: index.Attributes{Categories: []string{strings.Repeat("long ", 20)}}}
	}
	points = append(points, index.Point{ID: id(5), Embedding: points[6].Embedding}) // the last one of an ID counts
	must(t, x.Upsert(t.Context(), points))
	for _, u := range asked.of("Points/Upsert") {
		if n := proto.Size(u.message); n > 2<<20+1<<10 {
			t.Errorf("an upsert has %d bytes, want at most 2 MB and its frame", n)
		}
	}
	got, err := x.Get(t.Context(), append(ids, id(4), id(count+1)))
	must(t, err)
	if len(got) != count+1 || got[count].ID != id(4) {
		t.Fatalf("got %d points, want %d and one of them again", len(got), count)
	}
	for i, p := range got[:count] {
		want := points[i]
		if i == 5 {
			want = points[count]
		}
		if p.ID != ids[i] || !slices.Equal(p.Embedding, want.Embedding) {
			t.Fatalf("point %d: got %s and another vector than was written", i, p.ID)
		}
	}
}

// Under Dot, scores scale with the query: a probe's weights go as they are.
func TestScoresAreInnerProducts(t *testing.T) {
	x := newIndex(t, qdranttest.Run(t))
	points := randomPoints(40)
	must(t, x.Upsert(t.Context(), points))
	weights := make([]float32, dim)
	for i := range weights {
		weights[i] = float32(i)*3.5 - 9
	}
	product := func(e palate.Embedding) (sum float64) {
		for i := range e {
			sum += float64(e[i]) * float64(weights[i])
		}
		return sum
	}
	hits, err := x.Search(t.Context(), index.Query{Vector: weights, Limit: 40})
	must(t, err)
	scores, err := x.Scores(t.Context(), weights, []palate.ImageID{id(3), id(39), id(1000)})
	must(t, err)
	if len(hits) != 40 || len(scores) != 2 {
		t.Fatalf("got %d hits and %d scores, want 40 and 2", len(hits), len(scores))
	}
	for _, h := range hits {
		want := product(points[int(h.ID[1])].Embedding)
		if math.Abs(float64(h.Score)-want) > 1e-5 {
			t.Errorf("%s: got %v, want %v", h.ID, h.Score, want)
		}
		if s, asked := scores[h.ID]; asked && s != h.Score {
			t.Errorf("%s: got the score %v alone and %v in a search", h.ID, s, h.Score)
		}
	}
}

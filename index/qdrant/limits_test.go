package qdrant_test

import (
	"errors"
	"math"
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

// narrow limits everything that a strict mode can and palate knows a way around.
func narrow() *client.StrictModeConfig {
	return &client.StrictModeConfig{
		Enabled: proto.Bool(true), MaxQueryLimit: proto.Uint32(7), MaxTimeout: proto.Uint32(2), UnindexedFilteringRetrieve: proto.Bool(false),
		UnindexedFilteringUpdate: proto.Bool(false), SearchMaxHnswEf: proto.Uint32(64), SearchAllowExact: proto.Bool(false),
		SearchMaxOversampling: proto.Float32(1.5), UpsertMaxBatchsize: proto.Uint64(9), ConditionMaxSize: proto.Uint64(4), MaxPayloadIndexCount: proto.Uint64(7),
	}
}

// A strict server answers as a lenient one does, however narrow its limits.
func TestLimitsOfAStrictServerAreKept(t *testing.T) {
	ctx := t.Context()
	lenient, strict := qdranttest.Run(t), qdranttest.Run(t)
	strict.SetStrictMode(narrow())
	settings := func(c *qdrant.Config) { c.Quantization, c.Oversampling = qdrant.ScalarQuantization, 3 }
	points := randomPoints(60)
	var ids []palate.ImageID
	for _, p := range points {
		ids = append(ids, p.ID)
	}
	var judgements []index.Judgement
	for n := range 30 {
		judgements = append(judgements, index.Judgement{ID: id(n), Profile: "me", Verdict: palate.Like})
	}
	both := []*qdrant.Index{newIndex(t, lenient, settings), newIndex(t, strict, settings)}
	for _, x := range both {
		must(t, x.Upsert(ctx, points))
		must(t, x.Judge(ctx, judgements))
		must(t, x.SetAttributes(ctx, map[palate.ImageID]index.Attributes{id(40): {Artists: []string{"another"}}}))
		must(t, x.Delete(ctx, ids[55:]))
	}
	same := func(what string, ask func(x *qdrant.Index) (any, error)) {
		t.Helper()
		want, err := ask(both[0])
		must(t, err)
		if got, err := ask(both[1]); err != nil || !equal(got, want) {
			t.Errorf("%s: got %v, %v; want %v as from a lenient server", what, got, err, want)
		}
	}
	vector := points[3].Embedding
	for name, f := range map[string]index.Filter{
		"all": {}, "ids": {IDs: ids[10:40]}, "none": {IDs: []palate.ImageID{}}, "not ids": {NotIDs: ids[:33]}, "liked": {LikedBy: "me"}, "unrated": {NotJudgedBy: "me"},
		"artists": {Artists: []string{"artist 1", "artist 2", "artist 3", "artist 4", "artist 5", "another"}}, "years": {YearFrom: 1810, YearTo: 1840, IDs: ids},
	} {
		same("count "+name, func(x *qdrant.Index) (any, error) { return x.Count(ctx, f) })
		for _, offset := range []int{0, 13} {
			same("search "+name, func(x *qdrant.Index) (any, error) {
				return x.Search(ctx, index.Query{Vector: vector, Filter: f, Limit: 25, Offset: offset})
			})
		}
		same("searches together, "+name, func(x *qdrant.Index) (any, error) {
			found, err := x.SearchBatch(ctx, []index.Query{{Vector: vector, Filter: f, Limit: 5}, {Vector: vector, Filter: f, Limit: 25}, {Vector: points[9].Embedding, Limit: 6}, {Vector: vector, Limit: 3}})
			return slices.Concat(found...), err
		})
		same("without near duplicates, "+name, func(x *qdrant.Index) (any, error) {
			return x.Search(ctx, index.Query{Vector: vector, Filter: f, Limit: 25, Collapse: .99})
		})
	}
	same("scores", func(x *qdrant.Index) (any, error) { return x.Scores(ctx, vector, ids) })
	same("list", func(x *qdrant.Index) (any, error) { return x.IDs(ctx, id(4), 30) })
	same("all", func(x *qdrant.Index) (any, error) { return x.Get(ctx, ids) })
	rebuilt, err := both[1].Stage(ctx)
	must(t, err)
	must(t, rebuilt.Upsert(ctx, points))
	must(t, rebuilt.Commit(ctx))
	if n := count(t, both[1]); n != 60 {
		t.Errorf("after a rebuild: got %d points, want 60", n)
	}
}

// equal compares answers; scores may differ in the last place of a float32.
func equal(got, want any) bool {
	near := func(a, b float32) bool { return math.Abs(float64(a)-float64(b)) < 1e-6 }
	switch want := want.(type) {
	case int:
		return got == want
	case []palate.ImageID:
		return slices.EqualFunc(got.([]palate.ImageID), want, func(a, b palate.ImageID) bool { return a == b })
	case []index.Hit:
		return slices.EqualFunc(got.([]index.Hit), want, func(a, b index.Hit) bool { return a.ID == b.ID && near(a.Score, b.Score) })
	case []index.Point:
		return slices.EqualFunc(got.([]index.Point), want, func(a, b index.Point) bool {
			return a.ID == b.ID && slices.EqualFunc(a.Embedding, b.Embedding, near) && a.Attributes.Verdicts["me"] == b.Attributes.Verdicts["me"]
		})
	case map[palate.ImageID]float32:
		got := got.(map[palate.ImageID]float32)
		for id, score := range want {
			if other, there := got[id]; !there || !near(other, score) {
				return false
			}
		}
		return len(got) == len(want)
	}
	return false
}

// Limits that are set while a process runs are noticed by the first refusal.
func TestLimitsThatAreSetMeanwhile(t *testing.T) {
	ctx := t.Context()
	s := qdranttest.Run(t)
	x := newIndex(t, s)
	points := randomPoints(40)
	must(t, x.Upsert(ctx, points))
	query := index.Query{Vector: points[0].Embedding, Limit: 40}
	want, err := x.Search(ctx, query)
	must(t, err)
	must(t, somebodyElse(t, s).UpdateCollection(ctx, &client.UpdateCollection{CollectionName: modelAlias, StrictModeConfig: narrow()}))
	if got, err := x.Search(ctx, query); err != nil || !equal(got, want) {
		t.Errorf("got %d hits and %v, want the %d from before", len(got), err, len(want))
	}
	must(t, x.Upsert(ctx, points))
}

// What there is no way around is told in the server's words, and not as the
// caller's mistake.
func TestLimitsThatLeaveNoWayAreTold(t *testing.T) {
	s := qdranttest.Run(t)
	s.SetStrictMode(&client.StrictModeConfig{Enabled: proto.Bool(true), FilterMaxConditions: proto.Uint64(5), ConditionMaxSize: proto.Uint64(2)})
	x := newIndex(t, s)
	points := randomPoints(20)
	must(t, x.Upsert(t.Context(), points))
	var ids []palate.ImageID
	for _, p := range points {
		ids = append(ids, p.ID)
	}
	_, err := x.Search(t.Context(), index.Query{Vector: points[0].Embedding, Limit: 5, Filter: index.Filter{IDs: ids}})
	if !errors.Is(err, palate.ErrUnavailable) || errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), "Filter condition limit reached (10 > 5)") {
		t.Errorf("got %v, want it unavailable and the server's reason", err)
	}
}

// A payload index that somebody deleted is made again where the server allows
// no more of them than palate needs.
func TestAPayloadIndexIsMadeAgainUnderALimit(t *testing.T) {
	s := qdranttest.Run(t)
	s.SetStrictMode(narrow())
	x := newIndex(t, s)
	for _, field := range []string{"years", "artists"} {
		_, err := somebodyElse(t, s).DeleteFieldIndex(t.Context(), &client.DeleteFieldIndexCollection{CollectionName: modelAlias, FieldName: field, Wait: proto.Bool(true)})
		must(t, err)
		state, err := x.State(t.Context())
		if err != nil || len(state.Missing) != 1 || !strings.Contains(state.Missing[0], field) {
			t.Errorf("got %+v and %v, want that the index of %s is missing", state, err, field)
		}
		must(t, x.Repair(t.Context()))
	}
	if got := len(s.FieldIndexes(modelAlias)); got != 7 {
		t.Errorf("got %d payload indexes, want 7", got)
	}
}

func TestStatusTellsWhatStrictModeLeavesLessOf(t *testing.T) {
	s := qdranttest.Run(t)
	s.SetStrictMode(narrow())
	x := newIndex(t, s)
	status, err := x.Status(t.Context())
	must(t, err)
	if got, want := status.Collections[0].Less, []string{"ef is 64 of 512"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	exact := open(t, configFor(t, s.Address(), func(c *qdrant.Config) {
		c.Exact, c.Quantization, c.Oversampling, c.BatchPoints = true, qdrant.ScalarQuantization, 3, 5
	}), model, dim)
	status, err = exact.Status(t.Context())
	must(t, err)
	if got, want := status.Collections[0].Less, []string{"ef is 64 of 512", "oversampling is 1.5 of 3", "exact=1 is refused"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

package qdrant_test

import (
	"errors"
	"maps"
	"reflect"
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

const (
	modelAlias = "palate-a1a1a1a1a1a1-v2"
	otherAlias = "palate-b2b2b2b2b2b2-v2"
)

func count(t *testing.T, x index.Index) int {
	t.Helper()
	n, err := x.Count(t.Context(), index.Filter{})
	must(t, err)
	return n
}

func TestARebuildServesTheOldPointsUntilItIsCommitted(t *testing.T) {
	ctx := t.Context()
	s := qdranttest.Run(t)
	x := newIndex(t, s)
	must(t, x.Upsert(ctx, randomPoints(10)))
	first, err := x.Generation(ctx)
	must(t, err)

	dropped, err := x.Stage(ctx) // of a process that was killed
	must(t, err)
	must(t, dropped.Upsert(ctx, randomPoints(1)))
	b, err := x.Stage(ctx)
	must(t, err)
	must(t, b.Upsert(ctx, randomPoints(25)))
	must(t, x.Delete(ctx, []palate.ImageID{id(0)}))
	if got := count(t, x); got != 9 {
		t.Errorf("before the commit: got %d points, want 9", got)
	}
	if got := count(t, b); got != 25 {
		t.Errorf("in the rebuild: got %d points, want 25", got)
	}
	if got := s.Collections(); len(got) != 2 || !slices.Contains(got, first) {
		t.Errorf("got collections %v, want the one that serves and the rebuild", got)
	}
	other := open(t, configFor(t, s.Address()), model, dim) // another process, that knows the old collection
	must(t, other.Upsert(ctx, randomPoints(9)))
	must(t, b.Commit(ctx))
	second, err := x.Generation(ctx)
	must(t, err)
	if second == first || !strings.HasPrefix(second, modelAlias+"-") {
		t.Errorf("got generation %s after %s, want another", second, first)
	}
	if got := s.Collections(); !slices.Equal(got, []string{second}) {
		t.Errorf("got collections %v, want %s alone", got, second)
	}
	if got, want := s.Aliases(), map[string]string{modelAlias: second, "palate": second}; !maps.Equal(got, want) {
		t.Errorf("got aliases %v, want %v", got, want)
	}
	must(t, other.Delete(ctx, []palate.ImageID{id(0)})) // goes to the new one
	for name, x := range map[string]*qdrant.Index{"the process that rebuilt": x, "the other process": other} {
		if got := count(t, x); got != 24 {
			t.Errorf("%s: got %d points, want 24", name, got)
		}
	}
}

func TestModelsLieSideBySide(t *testing.T) {
	ctx := t.Context()
	s := qdranttest.Run(t)
	x := newIndex(t, s)
	must(t, x.Upsert(ctx, randomPoints(10)))
	old := open(t, configFor(t, s.Address()), model, dim)

	next := open(t, configFor(t, s.Address()), otherModel, 4)
	must(t, next.Clear(ctx)) // nothing is embedded by it yet
	if got := s.Aliases(); got["palate"] != got[modelAlias] || got[otherAlias] == "" {
		t.Errorf("an empty collection took over: %v", got)
	}
	b, err := next.Stage(ctx)
	must(t, err)
	for i := range 10 {
		must(t, b.Upsert(ctx, []index.Point{{ID: id(i), Embedding: palate.Embedding{0, 0, 0, 1}}}))
	}
	must(t, b.Commit(ctx))
	if got := s.Aliases(); got["palate"] != got[otherAlias] || got[modelAlias] == "" {
		t.Errorf("got aliases %v, want the filled model to be the current one", got)
	}
	if hits, err := old.Search(ctx, index.Query{Vector: randomPoints(1)[0].Embedding, Limit: 3}); err != nil || len(hits) != 3 {
		t.Errorf("a process of the model before: got %d hits, %v; want its own points", len(hits), err)
	}
	status, err := next.Status(ctx)
	must(t, err)
	if len(status.Collections) != 2 || status.Version != qdranttest.Version {
		t.Fatalf("got status %+v, want both collections", status)
	}
	for i, want := range []qdrant.Collection{{Points: 10, State: "green"}, {Points: 10, State: "green", Serves: true, Current: true}} {
		got := status.Collections[i]
		got.Name = ""
		if !reflect.DeepEqual(got, want) {
			t.Errorf("collection %d: got %+v, want %+v", i, got, want)
		}
	}
}

func TestAServerThatLostItsDisk(t *testing.T) {
	ctx := t.Context()
	s := qdranttest.Run(t)
	x := newIndex(t, s)
	must(t, x.Upsert(ctx, randomPoints(3)))
	s.Wipe()
	for name, err := range map[string]error{
		"search": func() error {
			_, err := x.Search(ctx, index.Query{Vector: randomPoints(1)[0].Embedding, Limit: 1})
			return err
		}(),
		"upsert": x.Upsert(ctx, randomPoints(1)),
		"ready":  x.Ready(ctx),
	} {
		if !errors.Is(err, palate.ErrUnavailable) || errors.Is(err, palate.ErrNotFound) || !strings.Contains(err.Error(), "palate reindex") {
			t.Errorf("%s: got %v, want it unavailable and what to do", name, err)
		}
	}
	if got, err := x.Generation(ctx); err != nil || got != "" {
		t.Errorf("got generation %q, %v; want none", got, err)
	}
	must(t, x.Clear(ctx))
	must(t, x.Upsert(ctx, randomPoints(2)))
	if got := count(t, x); got != 2 {
		t.Errorf("got %d points, want 2", got)
	}
}

func TestANameThatIsTakenIsNotTouched(t *testing.T) {
	s := qdranttest.Run(t)
	foreign := open(t, configFor(t, s.Address(), func(c *qdrant.Config) { c.Collection = "theirs" }), model, dim)
	must(t, foreign.Clear(t.Context()))
	taken := s.Collections()[0]
	x := open(t, configFor(t, s.Address(), func(c *qdrant.Config) { c.Collection = taken }), model, dim)
	if err := x.Clear(t.Context()); !errors.Is(err, palate.ErrConflict) {
		t.Errorf("got %v, want %v", err, palate.ErrConflict)
	}
	if _, err := foreign.Count(t.Context(), index.Filter{}); err != nil {
		t.Errorf("the other collection: %v", err)
	}
	// A name that begins like the first one's collections.
	longer := open(t, configFor(t, s.Address(), func(c *qdrant.Config) { c.Collection = "theirs-a1a1a1a1a1a1-v1-more" }), model, dim)
	must(t, longer.Clear(t.Context()))
	must(t, foreign.Clear(t.Context()))
	must(t, foreign.Drop(t.Context()))
	if _, err := longer.Count(t.Context(), index.Filter{}); err != nil {
		t.Errorf("the collection of the longer name: %v", err)
	}
	if status, err := foreign.Status(t.Context()); err != nil || len(status.Collections) != 0 {
		t.Errorf("after Drop: got %+v, %v; want nothing of that name", status, err)
	}
}

func TestABuildThatIsClosedClosesNothingElse(t *testing.T) {
	x := newIndex(t, qdranttest.Run(t))
	b, err := x.Stage(t.Context())
	must(t, err)
	must(t, b.Close())
	if err := b.Upsert(t.Context(), randomPoints(1)); !errors.Is(err, palate.ErrUnavailable) {
		t.Errorf("got %v, want %v", err, palate.ErrUnavailable)
	}
	must(t, x.Upsert(t.Context(), randomPoints(1)))
}

func TestLayout(t *testing.T) {
	s := qdranttest.Run(t)
	newIndex(t, s)
	plain := s.Created("palate")
	if plain.ShardNumber != nil || plain.ReplicationFactor != nil || plain.WriteConsistencyFactor != nil || plain.HnswConfig != nil || plain.QuantizationConfig != nil {
		t.Errorf("by default got %v, want the rest left to the server", plain)
	}
	newIndex(t, s, func(c *qdrant.Config) {
		c.Collection, c.Shards, c.Replicas, c.WriteConsistency = "large", 6, 3, 2
		c.HNSWLinks, c.HNSWBuild, c.OnDisk, c.Quantization = 32, 200, true, qdrant.ScalarQuantization
	})
	got := s.Created("large")
	got.CollectionName = ""
	want := &client.CreateCollection{
		ShardNumber: proto.Uint32(6), ReplicationFactor: proto.Uint32(3), WriteConsistencyFactor: proto.Uint32(2),
		HnswConfig:         &client.HnswConfigDiff{M: proto.Uint64(32), EfConstruct: proto.Uint64(200)},
		VectorsConfig:      client.NewVectorsConfig(&client.VectorParams{Size: dim, Distance: client.Distance_Dot, OnDisk: proto.Bool(true)}),
		QuantizationConfig: client.NewQuantizationScalar(&client.ScalarQuantization{Type: client.QuantizationType_Int8, AlwaysRam: proto.Bool(true)}),
	}
	if !proto.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	newIndex(t, s, func(c *qdrant.Config) { c.Collection, c.Quantization = "bits", qdrant.BinaryQuantization })
	if s.Created("bits").GetQuantizationConfig().GetBinary() == nil {
		t.Errorf("got %v, want binary quantization", s.Created("bits"))
	}
}

func TestSearchSettings(t *testing.T) {
	s := qdranttest.Run(t)
	asked := observe(s)
	x := newIndex(t, s, func(c *qdrant.Config) {
		c.HNSWSearch, c.Exact, c.Quantization, c.Oversampling = 300, true, qdrant.ScalarQuantization, 3
	})
	_, err := x.Search(t.Context(), index.Query{Vector: randomPoints(1)[0].Embedding, Limit: 1})
	must(t, err)
	got := asked.of("Points/Query")[0].message.(*client.QueryPoints)
	want := &client.SearchParams{HnswEf: proto.Uint64(300), Exact: proto.Bool(true),
		Quantization: &client.QuantizationSearchParams{Rescore: proto.Bool(true), Oversampling: proto.Float64(3)}}
	if !proto.Equal(got.GetParams(), want) {
		t.Errorf("got %v, want %v", got.GetParams(), want)
	}
	if got.GetTimeout() != 10 {
		t.Errorf("the server is given %d s, want the 10 of a search", got.GetTimeout())
	}
}

// A graph misses points of a list that one person made.
func TestWhatOnePersonJudgedIsComparedExactly(t *testing.T) {
	s := qdranttest.Run(t)
	asked := observe(s)
	x := newIndex(t, s)
	filters := []index.Filter{{JudgedBy: "me"}, {LikedBy: "me"}, {DislikedBy: "me"}, {NotJudgedBy: "me"}, {Artists: []string{"Roth"}}, {}}
	want := []bool{true, true, true, false, false, false}
	for _, f := range filters {
		_, err := x.Search(t.Context(), index.Query{Vector: randomPoints(1)[0].Embedding, Filter: f, Limit: 1})
		must(t, err)
	}
	var got []bool
	for _, call := range asked.of("Points/Query") {
		got = append(got, call.message.(*client.QueryPoints).GetParams().GetExact())
	}
	if !slices.Equal(got, want) {
		t.Errorf("searches by %+v are exact: %v, want %v", filters, got, want)
	}
}

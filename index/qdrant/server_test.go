package qdrant_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	client "github.com/qdrant/go-client/qdrant"
	"google.golang.org/protobuf/proto"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/flat"
	"github.com/palate-art/palate/index/qdrant"
	"github.com/palate-art/palate/index/qdrant/qdranttest"
	"github.com/palate-art/palate/test/race"
)

// onBoth runs a test on the stand-in, and on the server that PALATE_TEST_QDRANT
// names. The index there has a collection of its own, which is deleted.
func onBoth(t *testing.T, test func(t *testing.T, config qdrant.Config)) {
	t.Run("stand-in", func(t *testing.T) { test(t, configFor(t, qdranttest.Run(t).Address())) })
	t.Run("server", func(t *testing.T) {
		address := os.Getenv("PALATE_TEST_QDRANT")
		if address == "" {
			t.Skip("opt-in: PALATE_TEST_QDRANT names no server")
		}
		config := configFor(t, address, func(c *qdrant.Config) { c.Collection = fmt.Sprintf("palate-test-%d", time.Now().UnixNano()) })
		t.Cleanup(func() {
			for _, m := range []palate.ModelID{model, otherModel} {
				x, err := qdrant.New(config, m, dim, quiet)
				must(t, err)
				must(t, x.Drop(context.Background())) // the test's is over
				must(t, x.Close())
			}
		})
		test(t, config)
	})
}

// rawClient is another program on the same server.
func rawClient(t *testing.T, c qdrant.Config) *client.Client {
	t.Helper()
	raw, err := client.NewClient(&client.Config{Host: c.Host, Port: c.Port, SkipCompatibilityCheck: true})
	must(t, err)
	t.Cleanup(func() { must(t, raw.Close()) })
	return raw
}

// A thousand random requests are answered as the embedded index does, with a
// thousand random changes between them.
func TestRandomRequestsAreAnsweredAsByTheEmbeddedIndex(t *testing.T) {
	const stored, requests = 400, 1000
	onBoth(t, func(t *testing.T, config qdrant.Config) {
		ctx := t.Context()
		r := rand.New(rand.NewPCG(17, 1000))
		x := open(t, config, model, dim)
		must(t, x.Clear(ctx))
		embedded, err := flat.Open(model, dim, flat.DefaultConfig())
		must(t, err)
		defer func() { must(t, embedded.Close()) }()
		both := []index.Index{embedded, x}
		known := make(map[palate.ImageID]bool)
		for range requests {
			change := randomChange(r, stored, known)
			for _, ix := range both {
				must(t, change(ctx, ix))
			}
			ask, what := randomRequest(r, stored, known)
			want, err := ask(ctx, embedded)
			must(t, err)
			if got, err := ask(ctx, x); err != nil || !sameAnswer(got, want) {
				t.Fatalf("%s: got %v and %v, want %v", what, got, err, want)
			}
		}
	})
}

var testProfiles = []palate.Profile{"me", "you", "2nd-one_"}

// randomChange is one change that any index can do; known follows it.
func randomChange(r *rand.Rand, stored int, known map[palate.ImageID]bool) func(ctx context.Context, ix index.Index) error {
	verdicts := []palate.Verdict{palate.Like, palate.Dislike, palate.Skip, ""}
	at := id(r.IntN(stored))
	attributes := index.Attributes{Artists: []string{fmt.Sprintf("artist %d", r.IntN(9))}, Sites: []string{fmt.Sprintf("site %d", r.IntN(3))}, Years: []int{1800 + r.IntN(99)}}
	switch r.IntN(6) {
	case 0, 1:
		points := []index.Point{{ID: at, Embedding: randomEmbedding(r, dim), Attributes: attributes}, {ID: id(r.IntN(stored)), Embedding: randomEmbedding(r, dim)}}
		for _, p := range points {
			known[p.ID] = true
		}
		return func(ctx context.Context, ix index.Index) error { return ix.Upsert(ctx, points) }
	case 2:
		if r.IntN(3) == 0 {
			delete(known, at)
			return func(ctx context.Context, ix index.Index) error { return ix.Delete(ctx, []palate.ImageID{at}) }
		}
		return func(ctx context.Context, ix index.Index) error {
			return ix.SetAttributes(ctx, map[palate.ImageID]index.Attributes{at: attributes})
		}
	}
	var judgements []index.Judgement
	for range 3 {
		judgements = append(judgements, index.Judgement{ID: id(r.IntN(stored)), Profile: testProfiles[r.IntN(3)], Verdict: verdicts[r.IntN(4)]})
	}
	return func(ctx context.Context, ix index.Index) error { return ix.Judge(ctx, judgements) }
}

// randomRequest is one question that any index can answer.
func randomRequest(r *rand.Rand, stored int, known map[palate.ImageID]bool) (ask func(ctx context.Context, ix index.Index) (any, error), what string) {
	some := func() (list []string) { return []string{fmt.Sprintf("artist %d", r.IntN(9)), "site 1"} }
	f := randomFilter(r, testProfiles, some)
	q := index.Query{Vector: randomEmbedding(r, dim), Filter: f, Limit: 1 + r.IntN(60), Offset: r.IntN(20)}
	var ids []palate.ImageID
	for range 30 {
		ids = append(ids, id(r.IntN(stored)))
	}
	switch r.IntN(6) {
	case 0:
		return func(ctx context.Context, ix index.Index) (any, error) { return ix.Count(ctx, f) }, fmt.Sprintf("count %+v", f)
	case 1:
		return func(ctx context.Context, ix index.Index) (any, error) { return ix.Scores(ctx, q.Vector, ids) }, "scores"
	case 2:
		return func(ctx context.Context, ix index.Index) (any, error) { return ix.IDs(ctx, ids[0], 25) }, "list"
	case 3:
		var examples index.Examples
		for at := range known {
			if examples.Positive = append(examples.Positive, at); len(examples.Positive) == 3 {
				break
			}
		}
		if len(examples.Positive) > 0 {
			q.Vector, q.Examples = nil, &examples
		}
	case 4:
		q.Collapse, q.Offset = .95, 0
	}
	return func(ctx context.Context, ix index.Index) (any, error) { return ix.Search(ctx, q) }, fmt.Sprintf("search %+v", q)
}

// sameAnswer compares answers: scores within float32, and hits apart from the
// order of those that score the same.
func sameAnswer(got, want any) bool {
	hits, isHits := want.([]index.Hit)
	if !isHits {
		return equal(got, want)
	}
	found := got.([]index.Hit)
	near := func(a, b index.Hit) bool { return a.Score-b.Score < 2e-6 && b.Score-a.Score < 2e-6 }
	for i, want := range hits {
		if len(found) != len(hits) || !near(found[i], want) {
			return false
		}
		tied := i == len(hits)-1 || near(want, hits[i+1]) || i > 0 && near(want, hits[i-1])
		if !tied && found[i].ID != want.ID {
			return false
		}
	}
	return len(found) == len(hits)
}

// Five hundred profiles fit under a limit of a hundred payload indexes and a
// strict server's refusal of filters without one.
func TestFiveHundredProfilesOnAStrictServer(t *testing.T) {
	race.Long(t)
	const profiles, rated = 500, 20
	onBoth(t, func(t *testing.T, config qdrant.Config) {
		ctx := t.Context()
		x := open(t, config, model, dim)
		must(t, x.Clear(ctx))
		must(t, rawClient(t, config).UpdateCollection(ctx, &client.UpdateCollection{CollectionName: config.Collection, StrictModeConfig: &client.StrictModeConfig{
			Enabled: proto.Bool(true), UnindexedFilteringRetrieve: proto.Bool(false), UnindexedFilteringUpdate: proto.Bool(false), MaxPayloadIndexCount: proto.Uint64(100)}}))
		points := randomPoints(200)
		must(t, x.Upsert(ctx, points))
		standing := make(map[palate.ImageID]map[palate.Profile]palate.Verdict)
		for n := range profiles {
			p := palate.Profile("p" + strconv.Itoa(n))
			if got, err := x.Count(ctx, index.Filter{JudgedBy: p}); err != nil || got != 0 { // before its first verdict
				t.Fatalf("%s: counted %d, %v; want 0", p, got, err)
			}
			var judgements []index.Judgement
			for i := range rated {
				at, verdict := id((n+7*i)%200), palate.Like
				if i%2 == 0 {
					verdict = palate.Dislike
				}
				if standing[at] == nil {
					standing[at] = make(map[palate.Profile]palate.Verdict)
				}
				standing[at][p] = verdict
				judgements = append(judgements, index.Judgement{ID: at, Profile: p, Verdict: verdict, Standing: standing[at]})
			}
			must(t, x.Judge(ctx, judgements))
		}
		for _, n := range []int{0, 95, 96, 100, 499} {
			p := palate.Profile("p" + strconv.Itoa(n))
			for want, f := range map[int]index.Filter{rated: {JudgedBy: p}, rated / 2: {LikedBy: p}, 200 - rated: {NotJudgedBy: p}} {
				if got, err := x.Count(ctx, f); err != nil || got != want {
					t.Errorf("%+v: counted %d, %v; want %d", f, got, err, want)
				}
			}
		}
		must(t, x.Clear(ctx)) // a rebuild is not stopped either
		must(t, x.Upsert(ctx, points))
	})
}

// A strict server with narrow limits, set while the process runs, is asked
// within them.
func TestNarrowLimitsOnBoth(t *testing.T) {
	onBoth(t, func(t *testing.T, config qdrant.Config) {
		ctx := t.Context()
		x := open(t, config, model, dim)
		must(t, x.Clear(ctx))
		points := randomPoints(60)
		must(t, x.Upsert(ctx, points))
		var ids []palate.ImageID
		for _, p := range points {
			ids = append(ids, p.ID)
		}
		ask := func() (answers []any) {
			t.Helper()
			for _, f := range []index.Filter{{}, {IDs: ids[10:40]}, {NotIDs: ids[:33]}, {NotJudgedBy: "me"}, {Artists: []string{"artist 1", "artist 2", "artist 3", "artist 4", "artist 5"}}} {
				n, err := x.Count(ctx, f)
				must(t, err)
				hits, err := x.Search(ctx, index.Query{Vector: points[3].Embedding, Filter: f, Limit: 25, Offset: 3})
				must(t, err)
				answers = append(answers, n, hits)
			}
			scores, err := x.Scores(ctx, points[3].Embedding, ids)
			must(t, err)
			listed, err := x.IDs(ctx, ids[2], 50)
			must(t, err)
			return append(answers, scores, listed)
		}
		before := ask()
		must(t, rawClient(t, config).UpdateCollection(ctx, &client.UpdateCollection{CollectionName: config.Collection, StrictModeConfig: narrow()}))
		for i, got := range ask() {
			if !equal(got, before[i]) {
				t.Errorf("answer %d: got %v, want %v as before there were limits", i, got, before[i])
			}
		}
		must(t, x.Upsert(ctx, points))
		must(t, x.Judge(ctx, []index.Judgement{{ID: ids[0], Profile: "me", Verdict: palate.Like}, {ID: ids[1], Profile: "me", Verdict: palate.Like},
			{ID: ids[2], Profile: "me", Verdict: palate.Like}, {ID: ids[3], Profile: "me", Verdict: palate.Like}, {ID: ids[4], Profile: "me", Verdict: palate.Like}}))
		if n, err := x.Count(ctx, index.Filter{LikedBy: "me"}); err != nil || n != 5 {
			t.Errorf("counted %d, %v; want 5", n, err)
		}
	})
}

// A server whose process is stopped neither refuses nor answers.
func TestAServerThatAcceptsAndSaysNothing(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer silent.Close()
	x := open(t, configFor(t, silent.Addr().String(), func(c *qdrant.Config) { c.SearchTimeout = 2 * time.Second }), model, dim)
	begun := time.Now()
	for range 3 {
		if _, err := x.Search(t.Context(), index.Query{Vector: randomPoints(1)[0].Embedding, Limit: 1}); err == nil {
			t.Error("a server that says nothing: got no error")
		}
	}
	if took := time.Since(begun); took > 8*time.Second {
		t.Errorf("three searches waited %v", took)
	}
}

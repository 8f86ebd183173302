package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	client "github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/qdrant/qdranttest"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/test/race"
)

// asked is everything that a process reads from the index.
func asked(ctx context.Context, p process) map[string]error {
	errs := make(map[string]error)
	_, errs["search"] = p.Search(ctx, index.Query{Vector: embedding(0), Limit: 3})
	_, errs["search of the judged"] = p.Search(ctx, index.Query{Vector: embedding(0), Limit: 3, Filter: index.Filter{LikedBy: "me"}})
	_, errs["collapsed search"] = p.Search(ctx, index.Query{Vector: embedding(0), Limit: 3, Collapse: .95})
	_, errs["scores"] = p.Scores(ctx, embedding(0), []palate.ImageID{{}})
	_, errs["get"] = p.Get(ctx, []palate.ImageID{{}})
	_, errs["count"] = p.Count(ctx, index.Filter{})
	_, errs["ids"] = p.IDs(ctx, palate.ImageID{}, 3)
	errs["ready"] = p.Ready(ctx)
	return errs
}

// mustBeRefused wants every call to say that the points are another's, and what
// to do.
func mustBeRefused(t *testing.T, p process) {
	t.Helper()
	for what, err := range asked(t.Context(), p) {
		if !errors.Is(err, palate.ErrConflict) || !errors.Is(err, palate.ErrUnavailable) || !strings.Contains(err.Error(), "palate reindex") {
			t.Errorf("%s: got %v, want a refusal and what to do", what, err)
		}
	}
}

func mustAnswer(t *testing.T, p process) {
	t.Helper()
	for what, err := range asked(t.Context(), p) {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Two catalogs on one name of one server: neither ever answers from the other's
// points, also not the process that was answering when they came.
func TestAnotherCatalogsPointsAreNotSearched(t *testing.T) {
	mine, theirs := newCollection(t, 5), newCollection(t, 9)
	theirs.server = mine.server
	my, their := mine.process(mine.catalog), theirs.process(theirs.catalog)
	mine.mustBeClean(my)
	mustBeRefused(t, their)
	mustAnswer(t, my)
	must(t, their.Rebuild(t.Context(), ingest.Rebuilding{}))
	mustAnswer(t, their)
	mustBeRefused(t, my)
	if _, err := mine.process(mine.catalog).CatchUp(t.Context()); !errors.Is(err, palate.ErrConflict) {
		t.Errorf("got %v, want a conflict", err)
	}
	theirs.mustBeClean(their)
	must(t, my.Rebuild(t.Context(), ingest.Rebuilding{}))
	mine.mustBeClean(my)
	mustBeRefused(t, their)
}

// copyOf is a copy of the catalog, as a backup that was restored.
func (c *collection) copyOf() *collection {
	c.t.Helper()
	copied := *c
	copied.path += ".copy"
	for _, end := range []string{"", "-wal"} {
		content, err := os.ReadFile(c.path + end)
		must(c.t, err)
		must(c.t, os.WriteFile(copied.path+end, content, 0o600))
	}
	copied.catalog = copied.openCatalog()
	return &copied
}

func TestACopyOfTheCatalogAndTheCatalogDoNotShareAnIndex(t *testing.T) {
	original := newCollection(t, 20)
	here := original.process(original.catalog)
	original.mustBeClean(here)
	restored := original.copyOf()
	original.rate(1, "me", palate.Like)
	original.mustBeClean(here)

	there := restored.process(restored.catalog)
	mustBeRefused(t, there)
	restored.rate(2, "me", palate.Like)
	restored.rate(3, "me", palate.Like)
	if _, err := there.CatchUp(t.Context()); !errors.Is(err, palate.ErrConflict) || !strings.Contains(err.Error(), "palate reindex") {
		t.Errorf("got %v, want a conflict and what to do", err)
	}
	if n, err := here.Count(t.Context(), index.Filter{LikedBy: "me"}); err != nil || n != 1 {
		t.Errorf("the original: got %d liked and %v, want its own one", n, err)
	}
	must(t, there.Rebuild(t.Context(), ingest.Rebuilding{}))
	restored.mustBeClean(there)
	mustBeRefused(t, here)
}

func TestAnOlderSnapshotUnderTheSameNameIsCaughtUpWith(t *testing.T) {
	for name, forget := range map[string]bool{"the catalog remembers": false, "the catalog has forgotten": true} {
		t.Run(name, func(t *testing.T) {
			c := newCollection(t, 40)
			p := c.process(c.catalog)
			c.mustBeClean(p)
			generation := c.server.Aliases()[alias]
			snapshot := c.server.Snapshot(alias)
			for n := range 30 {
				c.rate(n, "me", palate.Like)
			}
			c.add(3)
			must(t, c.catalog.DeleteImage(t.Context(), c.ids[35], "gone"))
			c.mustBeClean(p)
			c.server.Restore(generation, snapshot)
			if forget {
				last, err := c.catalog.LastChange(t.Context())
				must(t, err)
				must(t, c.catalog.CompactChanges(t.Context(), last-1))
			}
			next := c.process(c.catalog)
			c.mustBeClean(next)
			if n, err := next.Count(t.Context(), index.Filter{LikedBy: "me"}); err != nil || n != 30 {
				t.Errorf("got %d liked and %v, want 30", n, err)
			}
			if got := c.server.Aliases()[alias]; (got == generation) == forget {
				t.Errorf("got generation %s after %s; filled anew should be %v", got, generation, forget)
			}
		})
	}
}

// dial is the client as somebody else has it.
func (c *collection) dial() *client.Client {
	c.t.Helper()
	host, port, err := net.SplitHostPort(c.server.Address())
	must(c.t, err)
	number, err := strconv.Atoi(port)
	must(c.t, err)
	raw, err := client.NewClient(&client.Config{Host: host, Port: number, SkipCompatibilityCheck: true})
	must(c.t, err)
	c.t.Cleanup(func() { must(c.t, raw.Close()) })
	return raw
}

// fillAsBefore fills a collection as releases did before the lists of profiles:
// with a boolean for each profile.
func (c *collection) fillAsBefore(liked map[int]bool) (generation string) {
	c.t.Helper()
	ctx := c.t.Context()
	raw := c.dial()
	before := strings.TrimSuffix(alias, "v2") + "v1"
	generation = before + "-20250102t030405-0a1b2c3d"
	must(c.t, raw.CreateCollection(ctx, &client.CreateCollection{CollectionName: generation,
		VectorsConfig: client.NewVectorsConfig(&client.VectorParams{Size: dim, Distance: client.Distance_Dot})}))
	must(c.t, raw.CreateAlias(ctx, before, generation))
	must(c.t, raw.CreateAlias(ctx, "palate", generation))
	for n, id := range c.ids {
		payload := map[string]any{"sites": []any{"museum.example"}}
		if like, judged := liked[n]; judged {
			payload["liked"] = map[string]any{"me": like}
		}
		_, err := raw.Upsert(ctx, &client.UpsertPoints{CollectionName: generation, Wait: client.PtrOf(true), Points: []*client.PointStruct{
			{Id: client.NewIDUUID(id.String()), Vectors: client.NewVectors(embedding(n)...), Payload: client.NewValueMap(payload)}}})
		must(c.t, err)
	}
	last, err := c.catalog.LastChange(ctx)
	must(c.t, err)
	must(c.t, c.catalog.SetFollowedTo(ctx, "qdrant-test:"+generation, last))
	must(c.t, c.catalog.SetFollowedTo(ctx, "qdrant-test:"+generation+":filled", 1))
	return generation
}

func TestAnEarlierReleasesPointsServeUntilNewOnesAreThere(t *testing.T) {
	c := newCollection(t, 30)
	liked := map[int]bool{1: true, 2: true, 3: false}
	for n, like := range liked {
		verdict := palate.Dislike
		if like {
			verdict = palate.Like
		}
		c.rate(n, "me", verdict)
	}
	before := c.fillAsBefore(liked)
	c.rate(4, "me", palate.Like) // the points have not seen it
	p := c.process(c.catalog)
	counts := func() string {
		t.Helper()
		var counts []int
		for _, f := range []index.Filter{{LikedBy: "me"}, {DislikedBy: "me"}, {JudgedBy: "me"}, {NotJudgedBy: "me"}, {NotJudgedBy: "nobody"}} {
			n, err := p.Count(t.Context(), f)
			must(t, err)
			hits, err := p.Search(t.Context(), index.Query{Vector: embedding(0), Filter: f, Limit: 100})
			must(t, err)
			if len(hits) != n {
				t.Errorf("%+v: got %d hits, counted %d", f, len(hits), n)
			}
			counts = append(counts, n)
		}
		return fmt.Sprint(counts)
	}
	var meanwhile string
	var once sync.Once
	upserts(c.server, func() {
		once.Do(func() { meanwhile = counts() })
	})
	if got, want := counts(), "[2 1 3 27 30]"; got != want {
		t.Errorf("before anything was looked at: got %s, want %s", got, want)
	}
	c.mustBeClean(p)
	const want = "[3 1 4 26 30]"
	if meanwhile == "" || counts() != want {
		t.Errorf("got %s while new points were written and %s afterwards, want %s in the end", meanwhile, counts(), want)
	}
	if got := c.server.Collections(); len(got) != 1 || slices.Contains(got, before) {
		t.Errorf("got collections %v, want the new one alone", got)
	}
	if got := c.server.Aliases(); got["palate"] != got[alias] || len(got) != 2 {
		t.Errorf("got aliases %v, want the model's and the bare name on the new collection", got)
	}
}

func TestAPayloadIndexThatWasDeletedIsMadeAgain(t *testing.T) {
	c := newCollection(t, 3)
	c.mustBeClean(c.process(c.catalog))
	want := len(c.server.FieldIndexes(alias))
	_, err := c.dial().DeleteFieldIndex(t.Context(), &client.DeleteFieldIndexCollection{CollectionName: alias, FieldName: "liked_by", Wait: client.PtrOf(true)})
	must(t, err)
	p := c.process(c.catalog)
	if state, err := p.State(t.Context()); err != nil || len(state.Missing) != 1 || !strings.Contains(state.Missing[0], "liked_by") {
		t.Errorf("got %+v and %v, want it told as missing", state, err)
	}
	c.mustBeClean(p)
	if got := len(c.server.FieldIndexes(alias)); got != want {
		t.Errorf("got %d payload indexes, want %d", got, want)
	}
}

// As a hosted server has it: filters on unindexed fields are refused, and at
// most 100 payload indexes are made.
func TestHundredsOfProfilesOnAStrictServer(t *testing.T) {
	race.Long(t)
	const profiles = 500
	c := newCollection(t, 50)
	c.server.SetStrictMode(&client.StrictModeConfig{Enabled: client.PtrOf(true), UnindexedFilteringRetrieve: client.PtrOf(false),
		UnindexedFilteringUpdate: client.PtrOf(false), MaxPayloadIndexCount: client.PtrOf(uint64(100))})
	p := c.process(c.catalog)
	c.mustBeClean(p)
	name := func(n int) palate.Profile { return palate.Profile(fmt.Sprintf("visitor-%d", n)) }
	for n := range profiles {
		if got, err := p.Count(t.Context(), index.Filter{NotJudgedBy: name(n)}); err != nil || got != 50 {
			t.Fatalf("%s has judged nothing: got %d unjudged and %v, want all", name(n), got, err)
		}
		c.rate(n%50, name(n), palate.Like)
		c.rate((n+1)%50, name(n), palate.Dislike)
		if n%100 == 0 {
			c.mustBeClean(p)
		}
	}
	c.mustBeClean(p)
	for n := range profiles {
		hits, err := p.Search(t.Context(), index.Query{Vector: embedding(0), Limit: 100, Filter: index.Filter{LikedBy: name(n)}})
		if err != nil || len(hits) != 1 || hits[0].ID != c.ids[n%50] {
			t.Fatalf("%s: got %v and %v, want the one that it likes", name(n), hits, err)
		}
	}
	if got := len(c.server.FieldIndexes(alias)); got > 7 {
		t.Errorf("got %d payload indexes, want as many as before anybody judged", got)
	}
}

func TestAnIndexThatDoesNotFollowIsNotReady(t *testing.T) {
	c := newCollection(t, 5)
	p := c.process(c.catalog)
	c.mustBeClean(p)
	c.server.Break(qdranttest.Fault{Methods: []string{"UpdateBatch"}, Code: codes.InvalidArgument})
	c.rate(1, "me", palate.Like)
	if _, err := p.CatchUp(t.Context()); !errors.Is(err, palate.ErrUnavailable) || errors.Is(err, palate.ErrInvalid) {
		t.Errorf("got %v, want it unavailable, not the caller's fault", err)
	}
	if err := p.Ready(t.Context()); !errors.Is(err, palate.ErrUnavailable) {
		t.Errorf("got %v, want that the index does not follow", err)
	}
	c.server.Heal()
	c.mustBeClean(p)
	must(t, p.Ready(t.Context()))
}

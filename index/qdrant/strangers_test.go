package qdrant_test

import (
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	client "github.com/qdrant/go-client/qdrant"
	"google.golang.org/protobuf/proto"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/qdrant"
	"github.com/palate-art/palate/index/qdrant/qdranttest"
)

// somebodyElse is the client as another program has it.
func somebodyElse(t *testing.T, s *qdranttest.Server) *client.Client {
	t.Helper()
	host, port, err := net.SplitHostPort(s.Address())
	must(t, err)
	number, err := strconv.Atoi(port)
	must(t, err)
	raw, err := client.NewClient(&client.Config{Host: host, Port: number, SkipCompatibilityCheck: true})
	must(t, err)
	t.Cleanup(func() { must(t, raw.Close()) })
	return raw
}

// Somebody else's points on top of a ranking are passed over, and pages are full
// and follow on each other all the same.
func TestForeignPointsLeaveNoPageEmpty(t *testing.T) {
	const foreign = 25
	s := qdranttest.Run(t)
	x := newIndex(t, s)
	points := randomPoints(40)
	must(t, x.Upsert(t.Context(), points))
	query := index.Query{Vector: points[7].Embedding, Limit: 40}
	want, err := x.Search(t.Context(), query)
	must(t, err)
	raw := somebodyElse(t, s)
	for n := range foreign {
		_, err := raw.Upsert(t.Context(), &client.UpsertPoints{CollectionName: modelAlias, Wait: proto.Bool(true), Points: []*client.PointStruct{
			{Id: client.NewIDNum(uint64(n + 1)), Vectors: client.NewVectors(points[7].Embedding...)}}})
		must(t, err)
	}
	for _, process := range []*qdrant.Index{x, open(t, configFor(t, s.Address()), model, dim)} {
		var got []index.Hit
		for offset := 0; ; offset += 10 {
			page, err := process.Search(t.Context(), index.Query{Vector: query.Vector, Limit: 10, Offset: offset})
			must(t, err)
			if got = append(got, page...); len(page) < 10 {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %d hits page by page, want the %d from before", len(got), len(want))
		}
		batch, err := process.SearchBatch(t.Context(), []index.Query{query, {Vector: query.Vector, Limit: 10}})
		if must(t, err); !slices.Equal(batch[0], want) || !slices.Equal(batch[1], want[:10]) {
			t.Errorf("got %d and %d hits of two searches together, want what was there before", len(batch[0]), len(batch[1]))
		}
		collapsed, err := process.Search(t.Context(), index.Query{Vector: query.Vector, Limit: 10, Collapse: .998})
		if err != nil || len(collapsed) != 10 {
			t.Errorf("without near duplicates: got %d hits and %v, want 10", len(collapsed), err)
		}
	}
	strangers, err := x.Strangers(t.Context(), 3)
	if err != nil || !slices.Equal(strangers, []string{"1", "2", "3"}) {
		t.Errorf("got strangers %v and %v, want the first three", strangers, err)
	}
}

// A server that hangs keeps the first search waiting for a moment and the next
// ones hardly at all.
func TestAServerThatHangsIsNotedAndLeftAlone(t *testing.T) {
	s := qdranttest.Run(t)
	x := newIndex(t, s, func(c *qdrant.Config) { c.SearchTimeout = 2 * time.Second })
	must(t, x.Upsert(t.Context(), randomPoints(5)))
	query := index.Query{Vector: randomPoints(1)[0].Embedding, Limit: 5}
	asked := observe(s)
	s.Break(qdranttest.Fault{Delay: time.Hour})
	for n, most := range []int{1, 1, 1} { // one question in all
		_, err := x.Search(t.Context(), query)
		if !errors.Is(err, palate.ErrUnavailable) || !strings.Contains(err.Error(), "no answer in time") {
			t.Errorf("search %d: got %v, want that no answer comes", n, err)
		}
		if got := len(asked.of("Points/Query")); got > most {
			t.Errorf("search %d: the server was asked %d times, want %d", n, got, most)
		}
	}
	s.Heal()
	if _, err := x.Search(t.Context(), query); err != nil {
		t.Errorf("it answers again: got %v", err)
	}
}

// What gRPC says of a lost connection is not for who searches.
func TestMessagesHoldNoTextOfTheNetwork(t *testing.T) {
	s := qdranttest.Run(t)
	x := newIndex(t, s)
	must(t, x.Upsert(t.Context(), randomPoints(5)))
	query := index.Query{Vector: randomPoints(1)[0].Embedding, Limit: 5}
	s.Stop()
	nowhere := open(t, configFor(t, "127.0.0.1:1", func(c *qdrant.Config) { c.Host = "no-such-host.invalid" }), model, dim)
	tls := open(t, configFor(t, s.Address(), func(c *qdrant.Config) { c.TLS = true }), model, dim)
	for name, x := range map[string]*qdrant.Index{"stopped": x, "unknown": nowhere, "TLS": tls} {
		_, err := x.Search(t.Context(), query)
		if !errors.Is(err, palate.ErrUnavailable) {
			t.Errorf("%s: got %v, want it unavailable", name, err)
			continue
		}
		for _, text := range []string{"rpc error", "desc =", "dial", "tcp", "transport", "lookup", "EOF"} {
			if strings.Contains(err.Error(), text) {
				t.Errorf("%s: got %q, which has %q in it", name, err, text)
			}
		}
	}
}

// Embeddings of tens of thousands of values are read in batches that a message
// holds.
func TestWideEmbeddingsAreReadInBatches(t *testing.T) {
	const wide, points = 60_000, 150 // 36 MB
	s := qdranttest.Run(t)
	x := open(t, configFor(t, s.Address()), model, wide)
	must(t, x.Clear(t.Context()))
	ids := make([]palate.ImageID, points)
	for n := range ids {
		ids[n] = id(n)
		e := make(palate.Embedding, wide)
		e[n] = 1
		must(t, x.Upsert(t.Context(), []index.Point{{ID: ids[n], Embedding: e}}))
	}
	asked := observe(s)
	got, err := x.Get(t.Context(), ids)
	if err != nil || len(got) != points {
		t.Fatalf("got %d points and %v, want %d", len(got), err, points)
	}
	for _, r := range asked.of("Points/Get") {
		if n := len(r.message.(*client.GetPoints).GetIds()); n*wide*4 > 16<<20 {
			t.Errorf("%d embeddings of %d values were asked for at once", n, wide)
		}
	}
}

func TestAServerLaterThanAnyThatIsKnownIsTold(t *testing.T) {
	s := qdranttest.Run(t)
	x := newIndex(t, s)
	for version, warned := range map[string]bool{"1.17.1": false, "1.19.4": false, "1.20.0": true} {
		s.SetVersion(version)
		status, err := x.Status(t.Context())
		if err != nil || (status.Warning != "") != warned {
			t.Errorf("version %s: got %q and %v, want a warning: %v", version, status.Warning, err, warned)
		}
		must(t, x.Ready(t.Context()))
	}
}

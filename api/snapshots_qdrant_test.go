package api_test

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/api"
	"github.com/palate-art/palate/index/qdrant"
	"github.com/palate-art/palate/index/qdrant/qdranttest"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/taste"
	"github.com/palate-art/palate/probe"
)

// A list over Qdrant has every image of the collection, with the chances that
// the embedded index gives, and what is known of the last as of the first. The
// stand-in has some more than one request asks for; the server whose executable
// PALATE_TEST_QDRANT_BINARY names has more than a search may give.
func TestASnapshotOverQdrantGoesToTheEndOfTheCollection(t *testing.T) {
	ctx, size, address := t.Context(), 1200, ""
	if os.Getenv("PALATE_TEST_QDRANT_BINARY") != "" {
		size, address = 12_000, qdranttest.RunProcess(t).Address()
	} else {
		address = qdranttest.Run(t).Address()
	}
	f := newFixture(t)
	reds, blues := f.add(t, 12, red, "Roth"), f.add(t, 12, blue, "Blau")
	f.rate(t, palate.Like, reds...)
	f.rate(t, palate.Dislike, blues...)
	random := rand.New(rand.NewPCG(16, 4))
	var embeddings []catalog.ImageEmbedding
	for i := range size {
		sum := sha256.Sum256(fmt.Append(nil, "no file ", i))
		id := palate.NewImageID(sum)
		_, err := f.catalog.AddImage(ctx, catalog.Image{ID: id, SHA256: sum, Bytes: 1, Format: "png", Width: 3, Height: 2}, palate.Source{Address: fmt.Sprintf("https://museum.example/more/%d.png", i)}, nil)
		must(t, err)
		e, norm := make(palate.Embedding, coloursDim), 0.
		for j := range e {
			e[j] = float32(random.NormFloat64())
			norm += float64(e[j] * e[j])
		}
		for j := range e {
			e[j] /= float32(math.Sqrt(norm))
		}
		embeddings = append(embeddings, catalog.ImageEmbedding{ID: id, Embedding: e})
	}
	must(t, f.catalog.PutEmbeddings(ctx, colours{}.Model(), embeddings))
	f.follow(t)
	// One that goes by inner products alone, which is what the index is asked.
	training, err := f.tastes.BeginAs(ctx, palate.DefaultProfile, probe.Logistic)
	must(t, err)
	_, err = training.Finish(ctx)
	must(t, err)

	quiet := slog.New(slog.DiscardHandler)
	config := qdrant.DefaultConfig()
	host, port, err := net.SplitHostPort(address)
	must(t, err)
	config.Host = host
	config.Port, err = strconv.Atoi(port)
	must(t, err)
	ix, err := qdrant.New(config, colours{}.Model(), coloursDim, quiet)
	must(t, err)
	defer func() { must(t, ix.Close()) }()
	follower := ingest.NewFollower(f.catalog, ix, "qdrant-test", quiet)
	_, err = follower.CatchUp(ctx)
	must(t, err)
	tastes, err := taste.New(f.catalog, ix, taste.DefaultConfig(), quiet)
	must(t, err)
	server, err := api.New(api.Services{Starter: f.jobs, Catalog: f.catalog, Store: f.store, Collection: f.collection, Index: ix,
		Follower: follower, Embedder: colours{}, Tastes: tastes}, api.DefaultConfig(), quiet)
	must(t, err)
	web := httptest.NewServer(server.Handler())
	defer web.Close()
	over := *f
	over.url = web.URL

	begun := time.Now()
	got := over.snapshot(t, `{"order":"score"}`)
	took := time.Since(begun)
	begun = time.Now()
	want := f.snapshot(t, `{"order":"score"}`)
	t.Logf("%d images: %v over Qdrant, %v embedded", size+24, took.Round(time.Millisecond), time.Since(begun).Round(time.Millisecond))
	if got.Total != size+24 || want.Total != size+24 {
		t.Fatalf("got %d images over Qdrant and %d embedded, want %d", got.Total, want.Total, size+24)
	}
	chances := map[palate.ImageID]byte{}
	for i, id := range want.ids {
		chances[id] = want.chances[i]
	}
	for i, id := range got.ids {
		chance, is := chances[id]
		if delete(chances, id); !is {
			t.Fatalf("place %d: image %v is there twice, or not in the collection", i, id)
		}
		if d := int(got.chances[i]) - int(chance); d < -1 || d > 1 || got.chances[i] > 100 {
			t.Fatalf("place %d: got a chance of %d %%, want %d", i, got.chances[i], chance)
		}
		if i > 0 && got.chances[i] > got.chances[i-1] {
			t.Fatalf("place %d has a chance of %d %%, the one before %d", i, got.chances[i], got.chances[i-1])
		}
	}
	last := over.items(t, got, size+24-3, 10)
	if len(last) != 3 || last[2].Place != size+23 || last[2].Image.ID != got.ids[size+23].String() || last[2].Score == nil || *last[2].Score > *last[0].Score {
		t.Errorf("the last places: got %+v", last)
	}
}

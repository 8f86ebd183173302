package ingest_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	client "github.com/qdrant/go-client/qdrant"
	"google.golang.org/protobuf/proto"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index/qdrant"
	"github.com/palate-art/palate/index/qdrant/qdranttest"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/ingest"
)

const (
	dim   = 8
	alias = "palate-c3c3c3c3c3c3-v2"
)

var (
	model = palate.ModelID(strings.Repeat("c3", 32))
	quiet = slog.New(slog.DiscardHandler)
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// collection is a catalog of images with embeddings, and a server: a stand-in,
// unless address leads to another.
type collection struct {
	t             *testing.T
	path          string
	catalog       *sqlite.Catalog
	server        *qdranttest.Server
	address, name string // of a real server, and of the index there
	ids           []palate.ImageID
}

func newCollection(t *testing.T, images int) *collection {
	t.Helper()
	c := &collection{t: t, path: filepath.Join(t.TempDir(), "catalog.db"), server: qdranttest.Run(t)}
	c.catalog = c.openCatalog()
	must(t, c.catalog.PutModel(t.Context(), catalog.Model{ID: model, Name: "test", Dim: dim}))
	c.add(images)
	return c
}

func (c *collection) openCatalog() *sqlite.Catalog {
	c.t.Helper()
	opened, err := sqlite.Open(c.t.Context(), c.path, sqlite.DefaultConfig())
	must(c.t, err)
	c.t.Cleanup(func() { must(c.t, opened.Close()) })
	return opened
}

// add gives the catalog images that are embedded.
func (c *collection) add(images int) {
	c.t.Helper()
	var embeddings []catalog.ImageEmbedding
	for range images {
		n := len(c.ids)
		sum := sha256.Sum256([]byte(strconv.Itoa(n)))
		image := catalog.Image{ID: palate.NewImageID(sum), SHA256: sum, Bytes: 1, Format: "png", Width: 1, Height: 1}
		source := palate.Source{Address: fmt.Sprintf("https://museum.example/%d.png", n), Site: "museum.example", Artist: fmt.Sprintf("artist %d", n%3), Year: 1900 + n%50}
		_, err := c.catalog.AddImage(c.t.Context(), image, source, nil)
		must(c.t, err)
		c.ids = append(c.ids, image.ID)
		embeddings = append(embeddings, catalog.ImageEmbedding{ID: image.ID, Embedding: embedding(n)})
	}
	must(c.t, c.catalog.PutEmbeddings(c.t.Context(), model, embeddings))
}

func embedding(n int) palate.Embedding {
	r := rand.New(rand.NewPCG(7, uint64(n)))
	e := make(palate.Embedding, dim)
	var norm float64
	for i := range e {
		e[i] = float32(r.NormFloat64())
		norm += float64(e[i]) * float64(e[i])
	}
	for i := range e {
		e[i] /= float32(math.Sqrt(norm))
	}
	return e
}

func (c *collection) rate(n int, p palate.Profile, v palate.Verdict) {
	c.t.Helper()
	_, err := c.catalog.Rate(c.t.Context(), catalog.Rating{Profile: p, Image: c.ids[n], Verdict: v, Shown: palate.ShownAPI})
	must(c.t, err)
}

// process is what one palate process has of the index.
type process struct {
	*qdrant.Index
	*ingest.Follower
}

func (c *collection) process(on catalog.Catalog) process {
	c.t.Helper()
	address := c.address
	if address == "" {
		address = c.server.Address()
	}
	host, port, err := net.SplitHostPort(address)
	must(c.t, err)
	config := qdrant.DefaultConfig()
	if c.name != "" {
		config.Collection = c.name
	}
	config.Host, config.RetryWait, config.Attempts = host, time.Millisecond, 2
	config.Port, err = strconv.Atoi(port)
	must(c.t, err)
	x, err := qdrant.New(config, model, dim, quiet)
	must(c.t, err)
	c.t.Cleanup(func() { must(c.t, x.Close()) })
	f := ingest.NewFollower(on, x, "qdrant-test", quiet)
	x.Consider(f.Recent)
	return process{x, f}
}

// mustBeClean lets the process catch up and compares everything.
func (c *collection) mustBeClean(p process) {
	c.t.Helper()
	_, err := p.CatchUp(c.t.Context())
	must(c.t, err)
	v, err := ingest.Verify(c.t.Context(), c.catalog, p.Index, 1<<30, nil)
	must(c.t, err)
	if !v.Clean() || v.Checked != v.Embeddings || v.Points != v.Embeddings {
		c.t.Errorf("got %+v, want the index to hold what the catalog does", v)
	}
}

// upserts counts the points that a server is sent.
func upserts(s *qdranttest.Server, meanwhile func()) func() int {
	var mu sync.Mutex
	points := 0
	s.Observe(func(_ context.Context, _ string, request proto.Message) {
		if u, ok := request.(*client.UpsertPoints); ok {
			mu.Lock()
			points += len(u.GetPoints())
			mu.Unlock()
			if meanwhile != nil {
				meanwhile()
			}
		}
	})
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		return points
	}
}

package ingest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"image"
	"image/png"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/onnx"
	"github.com/palate-art/palate/index/flat"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/imagestore"
	"github.com/palate-art/palate/internal/imagestore/disk"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/onnxgraph"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/picture"
)

// tiny is an ONNX model whose embedding of a picture is its 4×4 pixels, less
// grey, normalised.
var tiny = sync.OnceValues(func() (*onnx.Embedder, error) {
	runtime, err := ort.Load(context.Background(), ort.ConfigFromEnv())
	if err != nil {
		return nil, err
	}
	g := &onnxgraph.Graph{
		Name:    "tiny",
		Inputs:  []onnxgraph.Value{{Name: "in", Type: onnxgraph.Float32, Shape: onnxgraph.Batched(3, 4, 4)}},
		Outputs: []onnxgraph.Value{{Name: "out", Type: onnxgraph.Float32, Shape: onnxgraph.Batched(48)}},
	}
	g.Op("Flatten", "out", []string{"in"})
	model, err := onnxgraph.NewModel(g, 17).Marshal()
	if err != nil {
		return nil, err
	}
	return onnx.Open(context.Background(), runtime, model, embedder.Description{
		Name: "tiny", Input: embedder.InputDescription{Name: "in", Width: 4, Height: 4, Layout: embedder.LayoutNCHW},
		Fit: embedder.FitStretch, Resample: embedder.Bicubic, Mean: [3]float64{.5, .5, .5}, Std: [3]float64{.5, .5, .5},
		Output: embedder.OutputDescription{Name: "out", Pooling: embedder.PoolNone}, Normalise: embedder.NormaliseL2, NumericClass: embedder.NumericFloat,
	}, onnx.DefaultConfig())
})

// fixture is a collection of real parts in a temporary folder.
type fixture struct {
	t          *testing.T
	folder     string
	catalog    *sqlite.Catalog
	store      *disk.Store
	collection *ingest.Collection
	embedder   *onnx.Embedder
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, folder: t.TempDir()}
	var err error
	f.embedder, err = tiny()
	f.ok("model", err)
	f.store, err = disk.Open(f.images())
	f.ok("store", err)
	f.catalog = f.again()
	f.ok("PutModel", f.catalog.PutModel(t.Context(), catalog.Model{ID: f.model(), Name: "tiny", Dim: f.embedder.Dim()}))
	f.collection = ingest.NewCollection(f.catalog, f.store, picture.DefaultLimits())
	return f
}

func (f *fixture) images() string        { return filepath.Join(f.folder, "images") }
func (f *fixture) model() palate.ModelID { return f.embedder.Model() }

// again opens the catalog by a further handle, as another process would.
func (f *fixture) again() *sqlite.Catalog {
	f.t.Helper()
	c, err := sqlite.Open(f.t.Context(), filepath.Join(f.folder, "catalog.db"), sqlite.DefaultConfig())
	f.ok("catalog", err)
	f.t.Cleanup(func() {
		if err := c.Close(); err != nil {
			f.t.Error(err)
		}
	})
	return c
}

func (f *fixture) ok(what string, err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatalf("%s: %v", what, err)
	}
}

// painting is the n-th picture of a test: coloured squares of its own.
func painting(n int) []byte {
	random := rand.New(rand.NewPCG(uint64(n), 11))
	m := image.NewNRGBA(image.Rect(0, 0, 48, 40))
	for y := range 4 {
		for x := range 4 {
			colour := [3]uint8{uint8(random.UintN(256)), uint8(random.UintN(256)), uint8(random.UintN(256))}
			for i := range 120 {
				at := m.PixOffset(12*x+i%12, 10*y+i/12)
				copy(m.Pix[at:], append(colour[:], 255))
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		panic(err) // a buffer takes everything
	}
	return out.Bytes()
}

func sourceOf(n int) palate.Source {
	return palate.Source{
		Address: fmt.Sprintf("https://museum.example/%d.png", n), Site: "museum.example", Title: fmt.Sprint("Painting ", n),
		Artist: fmt.Sprint("Artist ", n%3), Year: 1800 + n%200,
	}
}

// add puts the paintings from one number to another into the collection.
func (f *fixture) add(from, to int) []palate.ImageID {
	f.t.Helper()
	var ids []palate.ImageID
	for n := from; n < to; n++ {
		added, err := f.collection.Add(f.t.Context(), painting(n), sourceOf(n))
		f.ok("Add", err)
		ids = append(ids, added.ID)
	}
	return ids
}

// oneByOne keeps the order of calls, so that tests can stop at one.
var oneByOne = embedder.PipelineConfig{PrepareWorkers: 1, EmbedWorkers: 1, BatchSize: 1, Window: 1}

func (f *fixture) embed() ingest.EmbedReport {
	f.t.Helper()
	report, err := f.collection.EmbedPending(f.t.Context(), f.embedder, embedder.DefaultPipelineConfig(), nil)
	f.ok("EmbedPending", err)
	return report
}

func (f *fixture) rate(id palate.ImageID, p palate.Profile, v palate.Verdict) {
	f.t.Helper()
	_, err := f.catalog.Rate(f.t.Context(), catalog.Rating{Profile: p, Image: id, Verdict: v, Shown: palate.ShownGallery})
	f.ok("Rate", err)
}

// index is an empty index with its follower.
func (f *fixture) index() (*flat.Index, *ingest.Follower) {
	f.t.Helper()
	ix, err := flat.New(f.model(), f.embedder.Dim())
	f.ok("index", err)
	return ix, ingest.NewFollower(f.again(), ix, "", slog.New(slog.DiscardHandler))
}

func (f *fixture) catchUp(follower *ingest.Follower) {
	f.t.Helper()
	_, err := follower.CatchUp(f.t.Context())
	f.ok("CatchUp", err)
}

// countingEmbedder is an embedder that tells of every picture before it is
// embedded.
type countingEmbedder struct {
	embedder.Embedder
	before func(pictures int)
}

func (e countingEmbedder) Embed(ctx context.Context, inputs []embedder.Input) ([]palate.Embedding, error) {
	e.before(len(inputs))
	return e.Embedder.Embed(ctx, inputs)
}

// tellingCatalog is a catalog that tells of embeddings before and after it
// writes them.
type tellingCatalog struct {
	catalog.Catalog
	before, after func()
}

func (c tellingCatalog) PutEmbeddings(ctx context.Context, m palate.ModelID, e []catalog.ImageEmbedding) error {
	c.before()
	err := c.Catalog.PutEmbeddings(ctx, m, e)
	c.after()
	return err
}

// gateStore is a store whose files are asked for at a gate.
type gateStore struct {
	*disk.Store
	open func(palate.ImageID) error
}

func (s gateStore) Open(ctx context.Context, id palate.ImageID) (io.ReadSeekCloser, error) {
	if err := s.open(id); err != nil {
		return nil, err
	}
	return s.Store.Open(ctx, id)
}

var _ imagestore.InPlace = gateStore{}

func writeFile(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// fileOf is where the store keeps an image.
func (f *fixture) fileOf(id palate.ImageID) string {
	return filepath.Join(f.images(), "files", id.String()[:2], id.String())
}

func sum(content []byte) [sha256.Size]byte { return sha256.Sum256(content) }

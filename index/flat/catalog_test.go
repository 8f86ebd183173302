package flat_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/flat"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/test/race"
)

const catalogDim = 4

// collection is a catalog whose images change at random, all of them embedded.
type collection struct {
	*testing.T
	r       *rand.Rand
	catalog *sqlite.Catalog
	images  []palate.ImageID
	sources int
}

func newCollection(t *testing.T) *collection {
	t.Helper()
	config := sqlite.DefaultConfig()
	c, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "catalog.db"), config)
	ok(t, err)
	t.Cleanup(func() { _ = c.Close() })
	ok(t, c.PutModel(t.Context(), catalog.Model{ID: model, Name: "test", Dim: catalogDim}))
	return &collection{T: t, r: random(7), catalog: c}
}

func (c *collection) source() palate.Source {
	word := func(kind string, n int) string {
		if c.r.IntN(4) == 0 {
			return ""
		}
		return fmt.Sprint(kind, " ", c.r.IntN(n))
	}
	c.sources++ // an address of a deleted image would not come back
	s := palate.Source{Address: fmt.Sprint("https://a.example/", c.sources), Site: word("site", 3), Artist: word("artist", 5), Licence: word("licence", 3), RetrievedAt: time.Unix(1, 0)}
	if c.r.IntN(3) > 0 {
		s.Year = 1880 + c.r.IntN(15)
	}
	for range c.r.IntN(3) {
		s.Categories = append(s.Categories, fmt.Sprint("category ", c.r.IntN(4)))
	}
	return s
}

// change does one thing that a person or a crawl could do.
func (c *collection) change(ctx context.Context) {
	c.Helper()
	pick := func() palate.ImageID { return c.images[c.r.IntN(len(c.images))] }
	switch n := c.r.IntN(10); {
	case len(c.images) < 3 || n < 4:
		var sum [32]byte
		for i := range sum {
			sum[i] = byte(c.r.IntN(256))
		}
		image := catalog.Image{ID: palate.NewImageID(sum), SHA256: sum, Format: "png", Width: 1, Height: 1, Bytes: 1, AddedAt: time.Unix(1, 0)}
		_, err := c.catalog.AddImage(ctx, image, c.source(), nil)
		ok(c.T, err)
		ok(c.T, c.catalog.PutEmbeddings(ctx, model, []catalog.ImageEmbedding{{ID: image.ID, Embedding: spread(c.r, catalogDim)}}))
		c.images = append(c.images, image.ID)
	case n < 6:
		found, err := c.catalog.Image(ctx, pick())
		ok(c.T, err)
		_, err = c.catalog.AddImage(ctx, found, c.source(), nil)
		ok(c.T, err)
	case n < 9:
		verdict := []palate.Verdict{palate.Like, palate.Dislike, palate.Skip}[c.r.IntN(3)]
		_, err := c.catalog.Rate(ctx, catalog.Rating{Profile: palate.Profile([]string{"me", "you"}[c.r.IntN(2)]), Image: pick(), Verdict: verdict, Shown: palate.ShownAPI})
		ok(c.T, err)
	default:
		gone := pick()
		ok(c.T, c.catalog.DeleteImage(ctx, gone, "test"))
		c.images = slices.DeleteFunc(c.images, func(id palate.ImageID) bool { return id == gone })
	}
}

func (c *collection) filter() (f index.Filter) {
	text := func(kind string, n int) []string {
		if c.r.IntN(4) > 0 {
			return nil
		}
		return []string{fmt.Sprint(kind, " ", c.r.IntN(n)), fmt.Sprint(kind, " ", c.r.IntN(n+1))}
	}
	f.Artists, f.Licences, f.Sites, f.Categories = text("artist", 5), text("licence", 3), text("site", 3), text("category", 4)
	if c.r.IntN(4) == 0 {
		f.YearFrom = 1880 + c.r.IntN(15)
	}
	if c.r.IntN(4) == 0 {
		f.YearTo = 1880 + c.r.IntN(15)
	}
	for _, by := range []*palate.Profile{&f.JudgedBy, &f.NotJudgedBy, &f.LikedBy, &f.DislikedBy} {
		if c.r.IntN(6) == 0 {
			*by = palate.Profile([]string{"me", "you", "nobody"}[c.r.IntN(3)])
		}
	}
	some := func() []palate.ImageID { return c.images[:c.r.IntN(len(c.images)+1)] }
	if c.r.IntN(6) == 0 {
		f.IDs = some()
	}
	if c.r.IntN(6) == 0 {
		f.NotIDs = some()
	}
	return f
}

// TestFiltersFollowTheCatalog lets the catalog change, follows its numbers,
// and compares what filters pass with what SQL says, over several lives of
// the index.
func TestFiltersFollowTheCatalog(t *testing.T) {
	race.Long(t)
	ctx := t.Context()
	c := newCollection(t)
	config := flat.DefaultConfig()
	config.Path = filepath.Join(t.TempDir(), "x.flat")
	steps := 40
	if testing.Short() {
		steps = 10
	}
	for life := range 4 {
		ix := open(t, model, catalogDim, config)
		follower := ingest.NewFollower(c.catalog, ix, "", slog.New(slog.DiscardHandler))
		if life > 0 && ix.Position() == 0 {
			t.Errorf("life %d has to load everything again", life)
		}
		for step := range steps {
			for range 5 {
				c.change(ctx)
			}
			_, err := follower.CatchUp(ctx)
			ok(t, err)
			for range 6 {
				compareWithSQL(t, fmt.Sprint("life ", life, " step ", step), c.catalog, ix, c.filter())
			}
		}
		ok(t, ix.Close())
	}
}

func compareWithSQL(t *testing.T, what string, c catalog.Catalog, ix index.Index, f index.Filter) {
	t.Helper()
	page, err := c.ListImages(t.Context(), catalog.ImageQuery{Filter: f, Order: catalog.Oldest, Limit: 1000})
	ok(t, err)
	hits, err := ix.Search(t.Context(), index.Query{Vector: []float32{1, 0, 0, 0}, Filter: f, Limit: 1000})
	ok(t, err)
	count, err := ix.Count(t.Context(), f)
	ok(t, err)
	passes := make(map[palate.ImageID]bool, len(hits))
	for _, hit := range hits {
		passes[hit.ID] = true
	}
	if len(hits) != len(page.Images) || count != len(page.Images) {
		t.Fatalf("%s: %+v passes %d points and counts %d, SQL says %d", what, f, len(hits), count, len(page.Images))
	}
	for _, image := range page.Images {
		if !passes[image.ID] {
			t.Fatalf("%s: %+v does not pass %s, SQL says it does", what, f, image.ID)
		}
	}
}

package sqlite_test

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
)

const (
	benchImages  = 100_000
	benchRatings = 10_000
	benchDim     = 384
)

// BenchmarkCatalog asks the questions of a server, a crawl and an embedding
// run of a catalog with 100,000 images, 10,000 ratings and 1,000,000 tasks.
func BenchmarkCatalog(b *testing.B) {
	c, ids := bigCatalog(b)
	ctx := context.Background()
	check := func(b *testing.B, err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	unit := make(palate.Embedding, benchDim)
	unit[0] = 1
	n := 0
	for name, f := range map[string]func(b *testing.B){
		"ListImages/newest 50": func(b *testing.B) {
			_, err := c.ListImages(ctx, catalog.ImageQuery{Limit: 50})
			check(b, err)
		},
		"ListImages/search rare": func(b *testing.B) {
			_, err := c.ListImages(ctx, catalog.ImageQuery{Search: "NUMBER 77777", Limit: 50})
			check(b, err)
		},
		"ListImages/not judged": func(b *testing.B) {
			_, err := c.ListImages(ctx, catalog.ImageQuery{Filter: index.Filter{NotJudgedBy: "me"}, Limit: 50})
			check(b, err)
		},
		"ListImages/artist and year": func(b *testing.B) {
			_, err := c.ListImages(ctx, catalog.ImageQuery{Filter: index.Filter{Artists: []string{"Artist 7"}, YearFrom: 1850, YearTo: 1870}, Limit: 50})
			check(b, err)
		},
		"FacetValues/artist": func(b *testing.B) {
			_, err := c.FacetValues(ctx, catalog.FacetQuery{Facet: catalog.ArtistFacet, Limit: 20})
			check(b, err)
		},
		"FacetValues/year": func(b *testing.B) {
			_, err := c.FacetValues(ctx, catalog.FacetQuery{Facet: catalog.YearFacet, Limit: 1000})
			check(b, err)
		},
		"FacetValues/category": func(b *testing.B) {
			_, err := c.FacetValues(ctx, catalog.FacetQuery{Facet: catalog.CategoryFacet, Limit: 20})
			check(b, err)
		},
		"FacetValues/artist searched": func(b *testing.B) {
			_, err := c.FacetValues(ctx, catalog.FacetQuery{Facet: catalog.ArtistFacet, Search: "no artist", Limit: 20})
			check(b, err)
		},
		"CountImages/liked": func(b *testing.B) {
			_, err := c.CountImages(ctx, index.Filter{LikedBy: "me"})
			check(b, err)
		},
		"CountImages/10000 ids": func(b *testing.B) {
			_, err := c.CountImages(ctx, index.Filter{IDs: ids[:10_000]})
			check(b, err)
		},
		"CountImages/all": func(b *testing.B) {
			_, err := c.CountImages(ctx, index.Filter{})
			check(b, err)
		},
		"StandingVerdicts/all": func(b *testing.B) {
			_, err := c.StandingVerdicts(ctx, "me", nil)
			check(b, err)
		},
		"Profiles": func(b *testing.B) {
			_, err := c.Profiles(ctx)
			check(b, err)
		},
		"Unembedded/64": func(b *testing.B) {
			_, err := c.Unembedded(ctx, "m", 64)
			check(b, err)
		},
		"AttributesOf/1000": func(b *testing.B) {
			_, err := c.AttributesOf(ctx, ids[:1000])
			check(b, err)
		},
		"ListEmbeddings/1000": func(b *testing.B) {
			_, err := c.ListEmbeddings(ctx, "m", ids[b.N%1000], 1000)
			check(b, err)
		},
		"Rate": func(b *testing.B) {
			n++
			_, err := c.Rate(ctx, catalog.Rating{Profile: "me", Image: ids[n], Verdict: palate.Like, Shown: palate.ShownAPI})
			check(b, err)
		},
		"PutEmbeddings/64": func(b *testing.B) {
			n++
			var batch []catalog.ImageEmbedding
			for i := range 64 {
				batch = append(batch, catalog.ImageEmbedding{ID: ids[(64*n+i)%len(ids)], Embedding: unit})
			}
			check(b, c.PutEmbeddings(ctx, "m", batch))
		},
		"CrawlProgress": func(b *testing.B) {
			_, err := c.CrawlProgress(ctx, "museum")
			check(b, err)
		},
		"NextTasks and FinishTask": func(b *testing.B) {
			tasks, _, err := c.NextTasks(ctx, "museum", 1)
			check(b, err)
			n++
			_, err = c.FinishTask(ctx, "museum", tasks[0], crawler.Outcome{State: crawler.Visited}, []crawler.Task{{Kind: crawler.Page, URL: fmt.Sprint("found ", n)}})
			check(b, err)
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f(b)
			}
		})
	}
}

// bigCatalog writes its rows past the methods, in one commit.
func bigCatalog(b *testing.B) (*sqlite.Catalog, []palate.ImageID) {
	b.Helper()
	path := filepath.Join(b.TempDir(), "catalog.db")
	c, err := sqlite.Open(b.Context(), path, sqlite.DefaultConfig())
	if err == nil {
		err = c.PutModel(b.Context(), catalog.Model{ID: "m", Dim: benchDim})
	}
	if err == nil {
		_, err = c.BeginCrawl(b.Context(), "museum", []crawler.Task{{Kind: crawler.Page, URL: "seed"}})
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	exec := func(query string, args ...any) {
		if _, err := db.Exec(query, args...); err != nil {
			b.Fatalf("%s: %v", query, err)
		}
	}
	exec("BEGIN IMMEDIATE")
	r := rand.New(rand.NewPCG(1, 1))
	vector := make([]byte, 4*benchDim)
	var ids []palate.ImageID
	for n := range benchImages {
		p := picture(n)
		ids = append(ids, p.ID)
		no := n + 1
		exec("INSERT INTO images (id, sha256, bytes, format, width, height, added_at) VALUES (?, ?, 1, 'png', 1, 1, 1)", p.ID[:], p.SHA256[:])
		exec(`INSERT INTO sources (image, address, page, site, external_id, original_name, title, artist, year, date, medium, licence, licence_url, credit, retrieved_at, search)
			VALUES (?1, 'https://upload.example/wikipedia/commons/' || ?2, 'https://example/' || ?2, 'example', ?2, ?2, 'Painting number ' || ?1, 'Artist ' || (?1 % 997), 1800 + ?1 % 200, '', 'oil on canvas', 'CC0', '', '', 1, 'painting number ' || ?1 || char(0) || 'artist ' || (?1 % 997))`,
			no, hex.EncodeToString(p.ID[:]))
		exec("INSERT INTO categories (source, place, category, image) VALUES (?1, 0, 'category ' || (?1 % 100), ?1)", no)
		if n%100 == 0 {
			exec("INSERT INTO unembedded (model, image) VALUES (1, ?)", no)
		} else {
			exec("INSERT INTO embeddings (model, id, image, vector) VALUES (1, ?, ?, ?)", p.ID[:], no, vector)
		}
	}
	for entry := 1; entry <= benchRatings; entry++ {
		no := 1 + r.IntN(benchImages)
		exec("INSERT INTO ratings (profile, image, verdict, shown, probe_version, at) VALUES ('me', ?, 'like', 'gallery', 0, 5)", ids[no-1][:])
		exec("INSERT INTO standing (profile, image, verdict, entry) VALUES ('me', ?, 'like', ?) ON CONFLICT DO UPDATE SET entry = excluded.entry", no, entry)
	}
	exec("INSERT INTO profiles VALUES ('me', ?)", benchRatings)
	exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
		INSERT INTO tasks (crawl, key, kind, rank, url, referer, depth, attempts, not_before, state, reason, detail, source)
		SELECT 1, randomblob(16), 'page', 1, 'https://example/' || i, '', 1, 0, 0, iif(i % 2, 'pending', 'visited'), '', '', '{}' FROM n`)
	exec("COMMIT")
	return c, ids
}

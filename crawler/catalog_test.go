package crawler_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/imagestore/disk"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/museum"
	"github.com/palate-art/palate/internal/picture"
)

func TestCrawlIntoTheRealCatalogSurvivesStops(t *testing.T) {
	m := openMuseum(t, small, museum.Behaviour{EndlessPages: true})
	works := artworks(t, m)
	folder := t.TempDir()
	db := openCatalog(t, folder)
	store, err := disk.Open(filepath.Join(folder, "images"))
	if err != nil {
		t.Fatal(err)
	}
	keeper := ingest.NewCollection(db, store, picture.DefaultLimits())
	cfg := quick()
	cfg.MaxPages = 60
	kept := 0
	for _, seed := range []crawler.Seed{commons(t, m), gallery(m)} {
		for visits := 5; ; visits *= 4 {
			left := visits
			ctx, stop := context.WithCancel(t.Context())
			cr, err := crawler.New(cfg, db, keeper, crawler.Options{DialContext: m.DialContext, Progress: func(crawler.Report) {
				if left--; left == 0 {
					stop()
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			report, err := checkedRun(t, cr, ctx, seed.URL, []crawler.Seed{seed})
			stop()
			checkFunnel(t, report)
			kept += report.Kept
			if progress, err := db.CrawlProgress(t.Context(), seed.URL); err != nil || progress.Pages != report.Pages || progress.Pending != report.Pending {
				t.Errorf("the catalog says %+v (%v), the report %+v", progress, err, report)
			}
			if err == nil {
				if report.Kept+report.Known < few {
					t.Errorf("%s gave %d, want %d: %v", seed.URL, report.Kept+report.Known, few, report.Lost)
				}
				break
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		}
	}
	if kept != few {
		t.Errorf("kept %d by both sites, want each work once: %d", kept, few)
	}
	page, err := db.ListImages(t.Context(), catalog.ImageQuery{Limit: 100})
	if err != nil || len(page.Images) != few {
		t.Fatalf("%d images in the catalog, want %d: %v", len(page.Images), few, err)
	}
	for _, image := range page.Images {
		w, ok := works[image.ID]
		if !ok {
			t.Errorf("%s is no work", image.ID)
		}
		if len(image.Sources) != 2 || image.Title() != w.Title {
			t.Errorf("work %d has %d sources and the title %q, want 2 and %q", w.Index, len(image.Sources), image.Title(), w.Title)
		}
	}
}

func openCatalog(t *testing.T, folder string) *sqlite.Catalog {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(folder, "palate.db"), sqlite.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

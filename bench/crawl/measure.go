package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/baseline"
	"github.com/palate-art/palate/embedder/onnx"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/imagestore/disk"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/picture"
)

type round struct {
	Pictures            int     `json:"pictures"`
	Seconds             float64 `json:"seconds"`
	EmbedSeconds        float64 `json:"embed_seconds,omitempty"` // of those
	PerSecond           float64 `json:"pictures_per_second"`
	CPUMillisecondsEach float64 `json:"cpu_ms_per_picture"`   // of this process, not the site's
	OfAllowed           float64 `json:"of_allowed,omitempty"` // its pace as a part of what latency and parallel requests allow
}

func (r round) String() string {
	text := fmt.Sprintf("%d pictures in %.2f s: %.0f a second, %.2f ms of CPU each", r.Pictures, r.Seconds, r.PerSecond, r.CPUMillisecondsEach)
	if r.OfAllowed > 0 {
		text += fmt.Sprintf("; %.2f of what the latency allows", r.OfAllowed)
	}
	if r.EmbedSeconds > 0 {
		text += fmt.Sprintf("; %.2f s of it to embed them", r.EmbedSeconds)
	}
	return text
}

// opened is a collection in a folder of its own.
type opened struct {
	folder   string
	catalog  *sqlite.Catalog
	pictures *ingest.Collection
}

func open(ctx context.Context) (*opened, error) {
	folder, err := os.MkdirTemp("", "palate-bench-crawl-")
	if err != nil {
		return nil, err
	}
	store, err := disk.Open(filepath.Join(folder, "images"))
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	catalog, err := sqlite.Open(ctx, filepath.Join(folder, "palate.db"), sqlite.DefaultConfig())
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return &opened{folder, catalog, ingest.NewCollection(catalog, store, picture.DefaultLimits())}, nil
}

func (c *opened) close() error { return errors.Join(c.catalog.Close(), os.RemoveAll(c.folder)) }

// keeping is how many pictures may be judged and kept beside the requests, as in
// palate crawl.
const keeping = 4

func (c *opened) crawl(ctx context.Context, o options, path string, progress func(crawler.Report)) (crawler.Report, error) {
	cfg := crawler.DefaultConfig()
	cfg.AllowNoContact = true
	cfg.MaxPages = 1_000_000
	cfg.Site, cfg.Workers = crawler.SiteLimits{Parallelism: o.parallel}, min(o.parallel+keeping, 64)
	crawling, err := crawler.New(cfg, c.catalog, c.pictures, crawler.Options{Logger: slog.New(slog.DiscardHandler), Progress: progress})
	if err != nil {
		return crawler.Report{}, err
	}
	return crawling.Run(ctx, "bench", []crawler.Seed{{URL: "http://" + o.site + path}})
}

func measure(ctx context.Context, o options) (r round, err error) {
	c, err := open(ctx)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	var model *onnx.Embedder
	if o.embed {
		if model, err = openModel(ctx, o.fast); err != nil {
			return r, err
		}
		defer model.Close()
		if err := c.catalog.PutModel(ctx, catalog.Model{ID: model.Model(), Name: model.Name(), Dim: model.Dim()}); err != nil {
			return r, err
		}
	}
	began, before := time.Now(), cpu()
	report, err := c.crawl(ctx, o, "/", nil)
	if err != nil {
		return r, err
	}
	if report.Kept != o.pictures {
		return r, fmt.Errorf("kept %d of %d pictures: %v", report.Kept, o.pictures, report.Lost)
	}
	r.Pictures = o.pictures
	if model != nil {
		embedding := time.Now()
		done, err := c.pictures.EmbedPending(ctx, model, embedder.DefaultPipelineConfig(), nil)
		if err != nil {
			return r, err
		}
		if done.Embedded != o.pictures {
			return r, fmt.Errorf("embedded %d of %d pictures", done.Embedded, o.pictures)
		}
		r.EmbedSeconds = time.Since(embedding).Seconds()
	}
	r.Seconds = time.Since(began).Seconds()
	r.PerSecond = float64(o.pictures) / r.Seconds
	if o.latency > 0 && model == nil {
		r.OfAllowed = r.PerSecond * o.latency.Seconds() / float64(o.parallel)
	}
	r.CPUMillisecondsEach = (cpu() - before).Seconds() * 1000 / float64(o.pictures)
	return r, nil
}

// openModel opens the model that needs no weights: what is measured is the way
// to a model, which decoding takes most of.
func openModel(ctx context.Context, fast bool) (*onnx.Embedder, error) {
	runtime, err := ort.Load(ctx, ort.ConfigFromEnv())
	if err != nil {
		return nil, err
	}
	graph, description := baseline.Model()
	if fast {
		description = description.By(picture.Current().Without(picture.JPEGWhole))
	}
	return onnx.Open(ctx, runtime, graph, description, onnx.DefaultConfig())
}

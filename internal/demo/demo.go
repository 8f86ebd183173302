package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/museum"
)

// Config says how large the museum is and who visits it.
type Config struct {
	Pictures int // in the museum
	Visit
	Version string // of the program, which the crawl introduces itself with
}

// Report is what the demo found. Its keys are promised to programs.
type Report struct {
	crawler.Report         // the funnel: pages, candidates, fetched, kept, known, lost
	Images         int     `json:"images"`
	Embedded       int     `json:"embedded"`
	Indexed        int     `json:"indexed"`
	Model          string  `json:"model"`
	ModelID        string  `json:"model_id"`
	Provider       string  `json:"provider"`
	ImagesPerSec   float64 `json:"images_per_second"`
	Visited
	Neighbors Neighbors          `json:"neighbors"`
	Top       []Top              `json:"top"`
	ByStage   map[string]float64 `json:"stage_seconds"`
	Seconds   float64            `json:"seconds"`
	Stages    []Stage            `json:"-"` // in their order
}

// Stage is how long one part of the demo took.
type Stage struct {
	Name    string
	Seconds float64
}

// Demo is a demo on a collection.
type Demo struct {
	// Model is the collection seen by its model, once Run has opened it and
	// until Close.
	Model *collection.Model

	collection *collection.Collection
	config     Config
	museum     *museum.Museum
	styles     map[palate.ImageID]string
	report     Report
	closers    []func() error // in the order of opening
}

// New prepares a demo on an opened collection, which Close leaves open.
func New(c *collection.Collection, config Config) *Demo {
	return &Demo{collection: c, config: config}
}

// Close closes the museum and the model.
func (d *Demo) Close() {
	for i := len(d.closers) - 1; i >= 0; i-- {
		_ = d.closers[i]() // it goes with the program
	}
	d.closers = nil
}

// Run does the whole job, once: the stages one after another. An error names the
// stage that failed.
func (d *Demo) Run(ctx context.Context) (Report, error) {
	begun := time.Now()
	d.report.ByStage = make(map[string]float64)
	for _, stage := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"runtime and model", d.openModel},
		{"museum", d.openMuseum},
		{"crawl", d.crawl},
		{"embed", d.embed},
		{"index", d.index},
		{"rate", d.rate},
		{"train", d.train},
		{"look", d.look},
	} {
		from := time.Now()
		if err := stage.do(ctx); err != nil {
			return d.report, fmt.Errorf("demo: %s: %w", stage.name, err)
		}
		took := time.Since(from).Seconds()
		d.report.ByStage[stage.name] = took
		d.report.Stages = append(d.report.Stages, Stage{stage.name, took})
	}
	d.report.Seconds = time.Since(begun).Seconds()
	return d.report, nil
}

func (d *Demo) openModel(ctx context.Context) (err error) {
	if d.Model, err = d.collection.OpenModelToEmbed(ctx); err == nil {
		d.closers = append(d.closers, d.Model.Close)
	}
	return err
}

// openMuseum draws the pictures and serves them on loopback.
func (d *Demo) openMuseum(context.Context) error {
	config := museum.DefaultConfig()
	config.Pictures = d.config.Pictures
	m, err := museum.New(config)
	if err != nil {
		return err
	}
	stop, err := m.Start("127.0.0.1:0")
	if err != nil {
		return err
	}
	d.closers = append(d.closers, stop)
	d.museum = m
	return nil
}

func (d *Demo) crawl(ctx context.Context) error {
	job := collection.Crawl{Name: "demo", Config: collection.MuseumCrawl(d.config.Version), Seeds: []crawler.Seed{{URL: d.museum.GalleryURL()}}, Dial: d.museum.DialContext}
	report, err := d.collection.Crawl(ctx, job)
	if err != nil {
		return err
	}
	d.report.Report = report
	artworks, err := d.museum.Artworks(ctx)
	if err != nil {
		return err
	}
	d.styles = make(map[palate.ImageID]string)
	for _, work := range artworks {
		d.styles[work.ImageID] = work.Style
	}
	d.report.Images, err = d.Model.Catalog.CountImages(ctx, index.Filter{})
	return err
}

func (d *Demo) embed(ctx context.Context) error {
	done, err := d.Model.EmbedPending(ctx)
	if err != nil {
		return err
	}
	d.report.Embedded, d.report.ImagesPerSec = done.Embedded, done.ImagesPerSecond
	e := d.Model.Embedder
	d.report.Model, d.report.ModelID, d.report.Provider = e.Name(), string(e.Model()), e.Provider()
	return nil
}

func (d *Demo) index(ctx context.Context) (err error) {
	if err = d.Model.CatchUp(ctx); err == nil {
		d.report.Indexed, err = d.Model.Index.Count(ctx, index.Filter{})
	}
	return err
}

func (d *Demo) rate(ctx context.Context) (err error) {
	d.report.Visited, err = d.config.rate(ctx, d.Model, d.styles)
	return err
}

func (d *Demo) train(ctx context.Context) error {
	return d.config.train(ctx, d.Model, d.styles, &d.report.Visited)
}

// Package verify holds the parts of a collection against each other: files
// against rows, thumbnails, embeddings and the index against the catalog, the
// standing ratings against the log. What is derived is made right from what it
// derives from, and a file that is lost from a copy that is at hand. Nothing
// that a person may own is deleted: what nobody knows is moved aside.
package verify

import (
	"context"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/imagestore"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/picture"
)

// Parts are what is held against each other.
type Parts struct {
	Catalog    catalog.Catalog
	Store      imagestore.Store
	Collection *ingest.Collection
	// Budget is what thumbnails are decoded in.
	Budget *picture.Budget
	// Index opens the index of a model's embeddings. Index.Index is nil where
	// none is kept, so that there is nothing to look at.
	Index func(ctx context.Context, m catalog.Model) (Index, error)
}

// Index is an index with what fills it.
type Index struct {
	Index  index.Index
	Follow *ingest.Follower
	Close  func() error
}

// Config says how much is looked at and what is done about it.
type Config struct {
	// Deep reads every file, decodes every thumbnail and every picture that
	// nobody has decoded since the catalog keeps what that tells (which it then
	// keeps), compares every point of
	// the index and reads the whole catalog, instead of lengths and a sample.
	Deep bool
	// Repair mends what can be mended.
	Repair bool
	// OlderThan leaves files without a row alone that came later, as the row
	// of work under way may come yet.
	OlderThan time.Duration
	// Progress, if not nil, is told how many of how many are done, of what.
	Progress func(what string, done, total int)
}

// DefaultConfig looks and mends nothing.
func DefaultConfig() Config { return Config{OlderThan: time.Minute} }

// indexSample is how many points of an index are compared unless all are.
const indexSample = 1000

// run is one verification.
type run struct {
	Parts
	Config
	report Report
}

// Run looks at everything and tells what is wrong with it, and what of that
// was mended.
func Run(ctx context.Context, p Parts, c Config) (Report, error) {
	r := &run{Parts: p, Config: c, report: newReport(c)}
	for _, step := range []struct {
		what string
		look func(context.Context) error
	}{
		{"files", r.files},
		{"pictures", r.pictures},
		{"orphans", r.orphans},
		{"thumbnails", r.thumbnails},
		{"embeddings", r.embeddings},
		{"standing ratings", r.standings},
		{"index", r.indexes},
		{"catalog", r.file},
	} {
		if err := step.look(ctx); err != nil {
			return r.report, fmt.Errorf("verify the %s: %w", step.what, err)
		}
	}
	r.report.Complete = true
	return r.report, nil
}

func (r *run) progress(what string, done, total int) {
	if r.Progress != nil {
		r.Progress(what, done, total)
	}
}

// file looks at the catalog's own file, after what is mendable in it was
// mended.
func (r *run) file(ctx context.Context) error {
	if !r.Deep {
		return nil
	}
	problems, err := r.Catalog.Check(ctx)
	for _, problem := range problems {
		r.report.add(Finding{Damage: CatalogDamaged, Detail: problem})
	}
	return err
}

// standings holds the standing ratings against the log.
func (r *run) standings(ctx context.Context) error {
	bad, profiles, err := r.Catalog.InspectStandings(ctx, named)
	if err != nil {
		return err
	}
	r.report.Profiles = profiles
	for _, b := range bad {
		f := Finding{Damage: StandingsDiffer, Profile: b.Profile,
			Detail: fmt.Sprintf("%d ratings of the log do not stand, %d stand that it does not give, %d stand otherwise", b.Missing, b.Extra, b.Other)}
		if len(b.Images) > 0 {
			f.Image, f.Detail = b.Images[0], f.Detail+", such as that of image "+b.Images[0].String()
		}
		if r.Repair {
			if err := r.Catalog.RestoreStandings(ctx, b.Profile); err != nil {
				return err
			}
			f.Mended = "worked out from the log again"
		}
		r.report.add(f)
	}
	return nil
}

// titleOf names an image to people, where the catalog has it.
func (r *run) titleOf(ctx context.Context, id palate.ImageID) string {
	image, err := r.Catalog.Image(ctx, id)
	if err != nil {
		return ""
	}
	return image.Title()
}

package ingest_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/folder"
	"github.com/palate-art/palate/internal/ingest"
)

// spoilt is a source with fields that can't be taken.
func spoilt() palate.Source {
	s := sourceOf(0)
	s.Page, s.LicenceURL, s.Year, s.Title = "javascript:alert(1)", "data:text/html,x", 1e9, strings.Repeat("x", 1<<20)
	return s
}

// What a site says that can't be taken is dropped, and the picture kept.
func TestACrawledPictureIsKeptWithoutWhatCanNotBeTaken(t *testing.T) {
	f := newFixture(t)
	source := spoilt()
	_, err := f.catalog.BeginCrawl(t.Context(), "crawl", []crawler.Task{{Kind: crawler.Image, URL: source.Address}})
	f.ok("BeginCrawl", err)
	tasks, _, err := f.catalog.NextTasks(t.Context(), "crawl", 1)
	f.ok("NextTasks", err)
	kept, id, err := f.collection.Keep(t.Context(), "crawl", tasks[0], crawler.Find{Content: painting(0), Source: source, Format: "png", Width: 48, Height: 40})
	if err != nil || kept != crawler.KeptNew {
		t.Fatalf("got %q and %v, want it kept", kept, err)
	}
	image, err := f.catalog.Image(t.Context(), id)
	f.ok("Image", err)
	if s := image.Sources[0]; s.Page != "" || s.LicenceURL != "" || s.Year != 0 || s.Title != "" || s.Artist != source.Artist || s.Address != source.Address {
		t.Errorf("got %.500v, want the artist and the address alone", s)
	}
}

// Somebody who gives such a source is told.
func TestAGivenSourceThatCanNotBeTakenIsRefused(t *testing.T) {
	f := newFixture(t)
	var wrong *palate.FieldError
	if _, err := f.collection.Add(t.Context(), painting(0), spoilt()); !errors.As(err, &wrong) || wrong.Field != "page" {
		t.Errorf("Add: got %.500v, want that the page can't be taken", err)
	}
	_, err := f.collection.Import(t.Context(), ingest.Import{Mode: ingest.Copy, Files: []folder.File{{Path: "/none", Source: spoilt()}}})
	if !errors.As(err, &wrong) || wrong.Field != "page" {
		t.Errorf("Import: got %.500v, want that the page can't be taken", err)
	}
	if count, err := f.catalog.CountImages(t.Context(), noFilter); err != nil || count != 0 {
		t.Errorf("got %d images (%v), want none", count, err)
	}
}

package program

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/imagestore/disk"
	"github.com/palate-art/palate/internal/museum"
)

// Look opens the catalog of a collection that nobody works on.
func Look(t *testing.T, home string, at func(context.Context, catalog.Catalog) error) {
	t.Helper()
	ctx := context.Background()
	c, err := sqlite.Open(ctx, filepath.Join(home, collection.CatalogFile), sqlite.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := at(ctx, c); err != nil {
		t.Fatal(err)
	}
}

// EmptyHome is the folder of a collection that holds nothing.
func EmptyHome(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, collection.ImagesFolder), 0o700); err != nil {
		t.Fatal(err)
	}
	return home
}

// Site is a museum that runs on in a process of its own.
type Site struct {
	T    *testing.T
	Addr string
	Log  string // its access log
}

// StartMuseum starts a museum for one test.
func StartMuseum(t *testing.T, pictures int) Site {
	t.Helper()
	log := filepath.Join(t.TempDir(), "access.jsonl")
	p := Start(t, "museum", "--addr", "127.0.0.1:0", "--pictures", fmt.Sprint(pictures), "--access-log", log, "--json")
	return Site{t, p.Address(), log}
}

// Address waits until a museum tells where it listens.
func (p *Process) Address() string {
	p.T.Helper()
	var told struct {
		Addr string `json:"addr"`
	}
	Eventually(p.T, "the museum tells its address", func() bool {
		return json.Unmarshal([]byte(p.Out.String()), &told) == nil
	})
	return told.Addr
}

// PictureRequests are the requests that were answered with an original.
func (s Site) PictureRequests() []museum.Access {
	s.T.Helper()
	content, err := os.ReadFile(s.Log)
	if err != nil {
		s.T.Fatal(err)
	}
	// What follows the last end of a line is still being written.
	written := content[:bytes.LastIndexByte(content, '\n')+1]
	var requests []museum.Access
	for line := range bytes.Lines(written) {
		var a museum.Access
		if err := json.Unmarshal(line, &a); err != nil {
			s.T.Fatalf("access log: %v: %s", err, line)
		}
		if a.Work >= 0 && a.Method == "GET" {
			requests = append(requests, a)
		}
	}
	return requests
}

// Collected is what a collection's folder holds while nobody works on it.
type Collected struct {
	Images     []catalog.Image
	Files      []palate.ImageID
	Unfinished []string // files that were being written
	Models     []catalog.Model
	Embeddings map[palate.ImageID]int // of the first model
}

func LookInto(t *testing.T, folder string) Collected {
	t.Helper()
	ctx := context.Background()
	c, err := sqlite.Open(ctx, filepath.Join(folder, collection.CatalogFile), sqlite.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	page, err := c.ListImages(ctx, catalog.ImageQuery{Limit: 1000})
	if err != nil || page.Next != "" {
		t.Fatalf("got %v and a next page %q, want all images on one", err, page.Next)
	}
	seen := Collected{Images: page.Images, Embeddings: map[palate.ImageID]int{}}
	store, err := disk.Open(filepath.Join(folder, "images"))
	if err != nil {
		t.Fatal(err)
	}
	err = store.Walk(ctx, func(id palate.ImageID) error {
		seen.Files = append(seen.Files, id)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen.Unfinished, err = filepath.Glob(filepath.Join(folder, "images", "tmp", "*")); err != nil {
		t.Fatal(err)
	}
	if seen.Models, err = c.Models(ctx); err != nil {
		t.Fatal(err)
	}
	for _, model := range seen.Models[:min(1, len(seen.Models))] {
		embeddings, err := c.ListEmbeddings(ctx, model.ID, palate.ImageID{}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range embeddings {
			seen.Embeddings[e.ID]++
		}
	}
	return seen
}

// MustHaveFileOfEveryRow fails for a row without a file.
func (c Collected) MustHaveFileOfEveryRow(t *testing.T) {
	t.Helper()
	for _, image := range c.Images {
		if !slices.Contains(c.Files, image.ID) {
			t.Errorf("image %s has a row and no file", image.ID)
		}
	}
}

// MustHaveRowOfEveryFile fails for a file without a row.
func (c Collected) MustHaveRowOfEveryFile(t *testing.T) {
	t.Helper()
	for _, id := range c.Files {
		if !slices.ContainsFunc(c.Images, func(i catalog.Image) bool { return i.ID == id }) {
			t.Errorf("file %s has no row", id)
		}
	}
}

// Works are the museum's works in the collection by Work.Index; a gallery
// gives their accession numbers, MediaWiki their titles.
func (c Collected) Works(t *testing.T) map[int]catalog.Image {
	t.Helper()
	index := make(map[string]int)
	for _, work := range PlannedWorks(t, KillPictures) {
		index[work.ExternalID], index[work.CommonsTitle] = work.Index, work.Index
	}
	works := make(map[int]catalog.Image)
	for _, image := range c.Images {
		named := false
		for _, source := range image.Sources { // a list's thumbnail does not name its work
			if work, known := index[source.ExternalID]; known {
				works[work], named = image, true
			}
		}
		if !named {
			t.Errorf("image %s names no work of the museum: %+v", image.ID, image.Sources)
		}
	}
	return works
}

const KillPictures = 120

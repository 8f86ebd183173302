package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/imagestore/disk"
	"github.com/palate-art/palate/internal/museum"
)

// site is a museum that runs on in a process of its own.
type site struct {
	t    *testing.T
	addr string
	log  string // its access log
}

// startMuseum starts a museum for one test.
func startMuseum(t *testing.T, pictures int) site {
	t.Helper()
	log := filepath.Join(t.TempDir(), "access.jsonl")
	p := start(t, "museum", "--addr", "127.0.0.1:0", "--pictures", fmt.Sprint(pictures), "--access-log", log, "--json")
	return site{t, p.address(), log}
}

// address waits until a museum tells where it listens.
func (p *process) address() string {
	p.t.Helper()
	var told struct {
		Addr string `json:"addr"`
	}
	eventually(p.t, "the museum tells its address", func() bool {
		return json.Unmarshal([]byte(p.out.String()), &told) == nil
	})
	return told.Addr
}

// pictureRequests are the requests that were answered with an original.
func (s site) pictureRequests() []museum.Access {
	s.t.Helper()
	file, err := os.Open(s.log)
	if err != nil {
		s.t.Fatal(err)
	}
	defer file.Close()
	var requests []museum.Access
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var a museum.Access
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			s.t.Fatalf("access log: %v: %s", err, lines.Text())
		}
		if a.Work >= 0 && a.Method == "GET" {
			requests = append(requests, a)
		}
	}
	if err := lines.Err(); err != nil {
		s.t.Fatal(err)
	}
	return requests
}

// collected is what a collection's folder holds while nobody works on it.
type collected struct {
	images     []catalog.Image
	files      []palate.ImageID
	unfinished []string // files that were being written
	models     []catalog.Model
	embeddings map[palate.ImageID]int // of the first model
}

func lookInto(t *testing.T, folder string) collected {
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
	seen := collected{images: page.Images, embeddings: map[palate.ImageID]int{}}
	store, err := disk.Open(filepath.Join(folder, "images"))
	if err != nil {
		t.Fatal(err)
	}
	err = store.Walk(ctx, func(id palate.ImageID) error {
		seen.files = append(seen.files, id)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen.unfinished, err = filepath.Glob(filepath.Join(folder, "images", "tmp", "*")); err != nil {
		t.Fatal(err)
	}
	if seen.models, err = c.Models(ctx); err != nil {
		t.Fatal(err)
	}
	for _, model := range seen.models[:min(1, len(seen.models))] {
		embeddings, err := c.ListEmbeddings(ctx, model.ID, palate.ImageID{}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range embeddings {
			seen.embeddings[e.ID]++
		}
	}
	return seen
}

// mustHaveFileOfEveryRow fails for a row without a file.
func (c collected) mustHaveFileOfEveryRow(t *testing.T) {
	t.Helper()
	for _, image := range c.images {
		if !slices.Contains(c.files, image.ID) {
			t.Errorf("image %s has a row and no file", image.ID)
		}
	}
}

// mustHaveRowOfEveryFile fails for a file without a row.
func (c collected) mustHaveRowOfEveryFile(t *testing.T) {
	t.Helper()
	for _, id := range c.files {
		if !slices.ContainsFunc(c.images, func(i catalog.Image) bool { return i.ID == id }) {
			t.Errorf("file %s has no row", id)
		}
	}
}

// works are the museum's works in the collection by Work.Index; a gallery
// gives their accession numbers, MediaWiki their titles.
func (c collected) works(t *testing.T) map[int]catalog.Image {
	t.Helper()
	index := make(map[string]int)
	for _, work := range plannedWorks(t, killPictures) {
		index[work.ExternalID], index[work.CommonsTitle] = work.Index, work.Index
	}
	works := make(map[int]catalog.Image)
	for _, image := range c.images {
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

const killPictures = 120

func TestAKilledCrawlRepeatsNothing(t *testing.T) {
	longRace(t)
	museum := startMuseum(t, killPictures)
	for _, way := range []struct {
		name  string
		flags []string
		kills int
	}{{"gallery", nil, 10}, {"MediaWiki", []string{"--mediawiki"}, 5}} {
		t.Run(way.name, func(t *testing.T) { killCrawls(t, museum, way.kills, way.flags) })
	}
}

func killCrawls(t *testing.T, museum site, kills int, flags []string) {
	folder := t.TempDir()
	args := append([]string{"crawl", "--museum", museum.addr, "--data", folder, "--json"}, flags...)
	random := rand.New(rand.NewPCG(1, 2))
	committed := make(map[int]time.Time) // when it was known of each work that its row is durable
	before := len(museum.pictureRequests())
	midway := 0
	for range kills {
		crawl := start(t, args...)
		time.Sleep(startUp + time.Duration(50+random.IntN(550))*time.Millisecond)
		crawl.kill()
		dead := time.Now()
		seen := lookInto(t, folder)
		seen.mustHaveFileOfEveryRow(t)
		works := seen.works(t)
		for work := range committed {
			if _, there := works[work]; !there {
				t.Errorf("work %d was in the catalog and is gone", work)
			}
		}
		if len(works) > len(committed) && len(works) < killPictures {
			midway++
		}
		for work := range works {
			if committed[work].IsZero() {
				committed[work] = dead
			}
		}
	}
	if midway < kills/5 {
		t.Errorf("only %d of %d kills came in the middle of work: the test shows nothing", midway, kills)
	}
	type funnel struct {
		Pages, Candidates, Fetched, Kept, Known, Pending int
		Lost                                             map[string]int
	}
	last := jsonValues[funnel](t, start(t, args...).mustEnd())
	if got := last[len(last)-1]; got.Kept+got.Known < killPictures || got.Pending != 0 {
		t.Errorf("the last run: got %+v, want all %d pictures", got, killPictures)
	}
	final := lookInto(t, folder)
	final.mustHaveFileOfEveryRow(t)
	final.mustHaveRowOfEveryFile(t)
	works := final.works(t)
	if len(final.images) != killPictures || len(works) != killPictures {
		t.Errorf("got %d images of %d works, want %d", len(final.images), len(works), killPictures)
	}
	requests := museum.pictureRequests()[before:]
	for _, request := range requests {
		if at := committed[request.Work]; !at.IsZero() && request.Time.After(at) {
			t.Errorf("work %d was fetched again at %v, after its commit before %v", request.Work, request.Time, at)
		}
		if at := works[request.Work].AddedAt; request.Time.After(at) {
			t.Errorf("work %d was fetched again at %v, after its row of %v", request.Work, request.Time, at)
		}
	}
	t.Logf("%d kills midway, %d pictures, %d fetches", midway, len(final.images), len(requests))

	again := jsonValues[funnel](t, start(t, args...).mustEnd())
	if got := again[len(again)-1]; got.Known < killPictures || got.Kept != 0 {
		t.Errorf("a second whole crawl: got %+v, want everything known and nothing new", got)
	}
	for _, request := range museum.pictureRequests()[before+len(requests):] {
		t.Errorf("a second whole crawl fetched %s", request.Path)
	}
}

func TestAKilledEmbedRepeatsNothing(t *testing.T) {
	longRace(t)
	museum := startMuseum(t, killPictures)
	folder := t.TempDir()
	start(t, "crawl", "--museum", museum.addr, "--data", folder).mustEnd()
	random := rand.New(rand.NewPCG(3, 4))
	midway, embedded := 0, 0
	killed := func(embed *process) {
		t.Helper()
		embed.kill()
		seen := lookInto(t, folder)
		if len(seen.embeddings) < embedded {
			t.Errorf("got %d embeddings after a kill, there had been %d", len(seen.embeddings), embedded)
		}
		if len(seen.embeddings) > embedded && len(seen.embeddings) < killPictures {
			midway++
		}
		embedded = len(seen.embeddings)
	}
	for range 5 {
		embed := start(t, "embed", "--data", folder)
		time.Sleep(startUp + time.Duration(100+random.IntN(700))*time.Millisecond)
		killed(embed)
	}
	if midway == 0 && embedded == 0 { // all died before their first write
		embed := start(t, "embed", "--data", folder)
		eventually(t, "something is embedded", func() bool { return len(lookInto(t, folder).embeddings) > 0 })
		killed(embed)
	}
	t.Logf("%d kills midway, the last one at %d of %d", midway, embedded, killPictures)
	if midway == 0 {
		t.Error("no kill came in the middle of work: the test shows nothing")
	}
	mustEmbedTheRest(t, folder, embedded)
}

// mustEmbedTheRest runs embed to its end, once to do what is left and once to
// find nothing left.
func mustEmbedTheRest(t *testing.T, folder string, embedded int) {
	t.Helper()
	type report struct{ Total, Embedded, Failed int }
	last := jsonRun[report](t, "embed", "--data", folder)
	if want := (report{killPictures - embedded, killPictures - embedded, 0}); last != want {
		t.Errorf("after kills with %d embedded: got %+v, want %+v", embedded, last, want)
	}
	final := lookInto(t, folder)
	if len(final.models) != 1 || len(final.embeddings) != killPictures {
		t.Errorf("got %d models and %d embeddings, want one and %d", len(final.models), len(final.embeddings), killPictures)
	}
	for id, n := range final.embeddings {
		if n != 1 {
			t.Errorf("image %s has %d embeddings, want one", id, n)
		}
	}
	if again := jsonRun[report](t, "embed", "--data", folder); again != (report{}) {
		t.Errorf("got %+v embedded again, want nothing", again)
	}
}

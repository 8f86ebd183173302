package processes_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

func TestAKilledCrawlRepeatsNothing(t *testing.T) {
	race.Long(t)
	museum := program.StartMuseum(t, program.KillPictures)
	for _, way := range []struct {
		name  string
		flags []string
		kills int
	}{{"gallery", nil, 10}, {"MediaWiki", []string{"--mediawiki"}, 5}} {
		t.Run(way.name, func(t *testing.T) { killCrawls(t, museum, way.kills, way.flags) })
	}
}

func killCrawls(t *testing.T, museum program.Site, kills int, flags []string) {
	folder := t.TempDir()
	args := append([]string{"crawl", "--museum", museum.Addr, "--data", folder, "--json"}, flags...)
	random := rand.New(rand.NewPCG(1, 2))
	committed := make(map[int]time.Time) // when it was known of each work that its row is durable
	before := len(museum.PictureRequests())
	midway := 0
	for range kills {
		asked := len(museum.PictureRequests())
		crawl := program.Start(t, args...)
		for begun := time.Now(); len(museum.PictureRequests()) == asked && time.Since(begun) < program.Patience/2; {
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Duration(random.IntN(250)) * time.Millisecond)
		crawl.Kill()
		dead := time.Now()
		seen := program.LookInto(t, folder)
		seen.MustHaveFileOfEveryRow(t)
		works := seen.Works(t)
		for work := range committed {
			if _, there := works[work]; !there {
				t.Errorf("work %d was in the catalog and is gone", work)
			}
		}
		if len(works) > len(committed) && len(works) < program.KillPictures {
			midway++
		}
		for work := range works {
			if committed[work].IsZero() {
				committed[work] = dead
			}
		}
		if len(works) == program.KillPictures {
			break // nothing is left that a kill could interrupt
		}
	}
	if midway < kills/5 {
		t.Errorf("only %d of %d kills came in the middle of work: the test shows nothing", midway, kills)
	}
	type funnel struct {
		Pages, Candidates, Fetched, Kept, Known, Pending int
		Lost                                             map[string]int
	}
	last := program.JSONValues[funnel](t, program.Start(t, args...).MustEnd())
	if got := last[len(last)-1]; got.Kept+got.Known < program.KillPictures || got.Pending != 0 {
		t.Errorf("the last run: got %+v, want all %d pictures", got, program.KillPictures)
	}
	final := program.LookInto(t, folder)
	final.MustHaveFileOfEveryRow(t)
	final.MustHaveRowOfEveryFile(t)
	works := final.Works(t)
	if len(final.Images) != program.KillPictures || len(works) != program.KillPictures {
		t.Errorf("got %d images of %d works, want %d", len(final.Images), len(works), program.KillPictures)
	}
	requests := museum.PictureRequests()[before:]
	for _, request := range requests {
		if at := committed[request.Work]; !at.IsZero() && request.Time.After(at) {
			t.Errorf("work %d was fetched again at %v, after its commit before %v", request.Work, request.Time, at)
		}
		if at := works[request.Work].AddedAt; request.Time.After(at) {
			t.Errorf("work %d was fetched again at %v, after its row of %v", request.Work, request.Time, at)
		}
	}
	t.Logf("%d kills midway, %d pictures, %d fetches", midway, len(final.Images), len(requests))

	again := program.JSONValues[funnel](t, program.Start(t, args...).MustEnd())
	if got := again[len(again)-1]; got.Known < program.KillPictures || got.Kept != 0 {
		t.Errorf("a second whole crawl: got %+v, want everything known and nothing new", got)
	}
	for _, request := range museum.PictureRequests()[before+len(requests):] {
		t.Errorf("a second whole crawl fetched %s", request.Path)
	}
}

func TestAKilledEmbedRepeatsNothing(t *testing.T) {
	race.Long(t)
	museum := program.StartMuseum(t, program.KillPictures)
	folder := t.TempDir()
	program.Start(t, "crawl", "--museum", museum.Addr, "--data", folder).MustEnd()
	random := rand.New(rand.NewPCG(3, 4))
	midway, embedded := 0, 0
	killed := func(embed *program.Process) {
		t.Helper()
		embed.Kill()
		seen := program.LookInto(t, folder)
		if len(seen.Embeddings) < embedded {
			t.Errorf("got %d embeddings after a kill, there had been %d", len(seen.Embeddings), embedded)
		}
		if len(seen.Embeddings) > embedded && len(seen.Embeddings) < program.KillPictures {
			midway++
		}
		embedded = len(seen.Embeddings)
	}
	for range 5 {
		embed := program.Start(t, "embed", "--data", folder)
		time.Sleep(program.StartUp + time.Duration(100+random.IntN(700))*time.Millisecond)
		killed(embed)
	}
	if midway == 0 && embedded == 0 { // all died before their first write
		embed := program.Start(t, "embed", "--data", folder)
		program.Eventually(t, "something is embedded", func() bool { return len(program.LookInto(t, folder).Embeddings) > 0 })
		killed(embed)
	}
	t.Logf("%d kills midway, the last one at %d of %d", midway, embedded, program.KillPictures)
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
	last := program.JSONRun[report](t, "embed", "--data", folder)
	if want := (report{program.KillPictures - embedded, program.KillPictures - embedded, 0}); last != want {
		t.Errorf("after kills with %d embedded: got %+v, want %+v", embedded, last, want)
	}
	final := program.LookInto(t, folder)
	if len(final.Models) != 1 || len(final.Embeddings) != program.KillPictures {
		t.Errorf("got %d models and %d embeddings, want one and %d", len(final.Models), len(final.Embeddings), program.KillPictures)
	}
	for id, n := range final.Embeddings {
		if n != 1 {
			t.Errorf("image %s has %d embeddings, want one", id, n)
		}
	}
	if again := program.JSONRun[report](t, "embed", "--data", folder); again != (report{}) {
		t.Errorf("got %+v embedded again, want nothing", again)
	}
}

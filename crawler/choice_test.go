package crawler_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
)

// shelf is a site of three rooms with pictures of several sizes.
func shelf() files {
	return files{
		"site.test/":       `<a href="/room/1">1</a><a href="/room/2">2</a><a href="/shop">shop</a>`,
		"site.test/room/1": `<img src="/i/wide.png" alt="A harbour"><img src="/i/tall.png" alt="A tower">`,
		"site.test/room/2": `<img src="/i/small.png" alt="A boat"><img src="/i/large.png" alt="Harbour at night">`,
		"site.test/shop":   `<img src="/i/shop.png" alt="A mug">`,

		"site.test/i/wide.png": "png 800x300", "site.test/i/tall.png": "png 300x800", "site.test/i/small.png": "png 220x220",
		"site.test/i/large.png": "png 1200x900", "site.test/i/shop.png": "png 500x500",
	}
}

func TestOnlyWhatIsChosenIsTakenAndTheRestIsCounted(t *testing.T) {
	for name, test := range map[string]struct {
		choose func(*crawler.Config)
		kept   string
		lost   map[string]int
	}{
		"all":           {func(*crawler.Config) {}, "large shop small tall wide", map[string]int{}},
		"include":       {func(c *crawler.Config) { c.Include = []string{`/room/`} }, "large small tall wide", map[string]int{"page_excluded": 1}},
		"exclude":       {func(c *crawler.Config) { c.Exclude = []string{`/shop$`, `wide`} }, "large small tall", map[string]int{"page_excluded": 1, "excluded": 1}},
		"width":         {func(c *crawler.Config) { c.Filter = []string{"width>=500"} }, "large shop wide", map[string]int{"filtered": 2}},
		"aspect":        {func(c *crawler.Config) { c.Filter = []string{"aspect>1, aspect < 2"} }, "large", map[string]int{"filtered": 4}},
		"type":          {func(c *crawler.Config) { c.Filter = []string{"type=jpeg|webp"} }, "", map[string]int{"filtered": 5}},
		"title":         {func(c *crawler.Config) { c.Filter = []string{"title~harbour"} }, "large wide", map[string]int{"filtered": 3}},
		"not the title": {func(c *crawler.Config) { c.Filter = []string{"title!~harbour"} }, "shop small tall", map[string]int{"filtered": 2}},
		"unknown year":  {func(c *crawler.Config) { c.Filter = []string{"year>=1800"} }, "", map[string]int{"filtered": 5}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := quick()
			test.choose(&cfg)
			kept, report := crawlFiles(t, cfg, shelf())
			var names []string
			for address := range kept {
				names = append(names, strings.TrimSuffix(strings.TrimPrefix(address, "http://site.test/i/"), ".png"))
			}
			slices.Sort(names)
			if got := strings.Join(names, " "); got != test.kept || !maps.Equal(report.Lost, test.lost) {
				t.Errorf("kept %q and lost %v, want %q and %v", got, report.Lost, test.kept, test.lost)
			}
		})
	}
}

func TestFilterOfATitleCostsNoRequest(t *testing.T) {
	cfg := quick()
	cfg.Filter = []string{"title=nothing"}
	q := &requests{next: shelf()}
	crawlFiles(t, cfg, q)
	if got := q.of("/i/"); len(got) > 0 {
		t.Errorf("asked for %q", got)
	}
}

func TestRangeTakesCandidatesByTheirNumber(t *testing.T) {
	for text, want := range map[string]int{"1-3": 3, "3": 1, "4-": 7, "-2": 2, "9-20": 2, "11-": 0} {
		cfg := quick()
		cfg.Range = text
		kept, report := crawlFiles(t, cfg, album(10))
		if len(kept) != want || report.Lost["out_of_range"] != 10-want {
			t.Errorf("%s: kept %d, lost %v; want %d of 10", text, len(kept), report.Lost, want)
		}
		for i := range 10 {
			if _, taken := kept[fmt.Sprintf("http://site.test/%d.png", i)]; text == "1-3" && taken != (i < 3) {
				t.Errorf("%s: picture %d taken: %v", text, i, taken)
			}
		}
	}
}

func TestAChoiceThatMakesNoSenseIsRefused(t *testing.T) {
	for name, choose := range map[string]func(*crawler.Config){
		"include": func(c *crawler.Config) { c.Include = []string{"("} }, "exclude": func(c *crawler.Config) { c.Exclude = []string{"["} },
		"field": func(c *crawler.Config) { c.Filter = []string{"colour=red"} }, "number": func(c *crawler.Config) { c.Filter = []string{"width>=big"} },
		"operator": func(c *crawler.Config) { c.Filter = []string{"title>a"} }, "no operator": func(c *crawler.Config) { c.Filter = []string{"width"} },
		"range": func(c *crawler.Config) { c.Range = "9-3" }, "no range": func(c *crawler.Config) { c.Range = "-" },
	} {
		cfg := quick()
		choose(&cfg)
		if err := cfg.Validate(); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s: error is %v, want ErrInvalid", name, err)
		}
	}
}

func FuzzFilter(f *testing.F) {
	f.Add("width>=1000, aspect<2")
	f.Add("title!~a|b,year=1900")
	f.Fuzz(func(_ *testing.T, text string) {
		cfg := quick()
		cfg.Filter, cfg.Range = []string{text}, text
		_ = cfg.Validate()
	})
}

func TestADryRunFetchesNoPicture(t *testing.T) {
	q := &requests{next: shelf()}
	s, c := serve(t, q), newCollection()
	cfg := quick()
	cfg.DryRun = true
	var found []string
	cr, err := crawler.New(cfg, c, c, crawler.Options{DialContext: s.dial, Found: func(task crawler.Task) { found = append(found, task.URL+" "+task.Source.Title) }})
	if err != nil {
		t.Fatal(err)
	}
	report, err := checkedRun(t, cr, t.Context(), "test", []crawler.Seed{{URL: "http://site.test/"}})
	if !errors.Is(err, crawler.ErrNothingKept) || report.Lost[crawler.ReasonDryRun] != 5 || len(q.of("/i/")) != 0 {
		t.Errorf("lost %v, asked for %q (%v): want 5 that are not fetched", report.Lost, q.of("/i/"), err)
	}
	if len(found) != 5 || !slices.Contains(found, "http://site.test/i/wide.png A harbour") {
		t.Errorf("found %q, want 5 with their titles", found)
	}
}

// A bound holds in a dry run as it would in the crawl: beyond it, of all
// rounds, no more are found.
func TestADryRunEndsWhereTheCrawlWould(t *testing.T) {
	q := &requests{next: shelf()}
	s, c := serve(t, q), newCollection()
	cfg := quick()
	cfg.DryRun, cfg.MaxPictures = true, 2
	found := 0
	cr, err := crawler.New(cfg, c, c, crawler.Options{DialContext: s.dial, Found: func(crawler.Task) { found++ }})
	if err != nil {
		t.Fatal(err)
	}
	report, _ := checkedRun(t, cr, t.Context(), "test", []crawler.Seed{{URL: "http://site.test/"}})
	if found != 2 || report.Lost[crawler.ReasonDryRun] != 2 || report.Lost["picture_limit"]+report.Lost["page_picture_limit"] == 0 {
		t.Errorf("found %d, lost %v: want 2, and the rest beyond the bound", found, report.Lost)
	}
}

func TestHeadersGoToNamedHostsAlone(t *testing.T) {
	got := map[string]string{}
	var mu sync.Mutex
	cfg := quick()
	cfg.Header = http.Header{"X-Token": {"secret"}}
	site := files{"site.test/": `<img src="/a.png"><img src="http://third.test/b.png"><img src="/to">`, "site.test/to": "to http://fourth.test/c.png"}
	crawlFiles(t, cfg, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		got[r.Host+r.URL.Path] = r.Header.Get("X-Token")
		mu.Unlock()
		site.ServeHTTP(w, r)
	}))
	for address, want := range map[string]string{"site.test/": "secret", "site.test/a.png": "secret", "third.test/b.png": "", "fourth.test/c.png": ""} {
		if value, asked := got[address]; !asked || value != want {
			t.Errorf("%s was asked for with %q (%v), want %q", address, value, asked, want)
		}
	}
}

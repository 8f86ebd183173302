package crawler_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/museum"
)

func TestFaultsLoseTheirPictureAndNoOther(t *testing.T) {
	faults := []struct {
		rule   museum.Rule
		reason string // empty: nothing is lost
		futile bool   // one request is enough to know
	}{
		{museum.Rule{Fault: museum.Slow, Delay: time.Minute}, "time_out", false},
		{museum.Rule{Fault: museum.Trickle, Delay: 3 * time.Second}, "time_out", false},
		{museum.Rule{Fault: museum.EndlessBody}, "too_large", true},
		{museum.Rule{Fault: museum.RedirectLoop}, "redirect_loop", true},
		{museum.Rule{Fault: museum.RedirectScheme}, "bad_scheme", true},
		{museum.Rule{Fault: museum.RedirectHost}, "robots_unavailable", false}, // nothing of that host can be reached
		{museum.Rule{Fault: museum.HTMLAsPicture}, "not_an_image", true},
		{museum.Rule{Fault: museum.PictureAsHTML}, "", true},
		{museum.Rule{Fault: museum.LongLength}, "", true},         // all of the picture is there
		{museum.Rule{Fault: museum.ShortLength}, "broken", false}, // asked for once more
		{museum.Rule{Fault: museum.Truncated}, "broken", false},
		{museum.Rule{Fault: museum.Garbage}, "not_an_image", true},
		{museum.Rule{Fault: museum.Bomb}, "too_many_pixels", true},
		{museum.Rule{Fault: museum.StatusOnly, Status: 403}, "forbidden", false}, // asked for once more, without naming the page of another site
		{museum.Rule{Fault: museum.StatusOnly, Status: 404}, "http_404", true},
		{museum.Rule{Fault: museum.StatusOnly, Status: 400}, "http_400", true},
		{museum.Rule{Fault: museum.StatusOnly, Status: 410}, "http_410", true},
		{museum.Rule{Fault: museum.StatusOnly, Status: 503}, "http_503", false},
		{museum.Rule{Fault: museum.StatusOnly, Status: 503, First: 1}, "", false},
		{museum.Rule{Fault: museum.StatusOnly, Status: 429, First: 2}, "", false},
		{museum.Rule{Fault: museum.ConnectionReset}, "connection", false},
		{museum.Rule{Fault: museum.ConnectionReset, First: 1}, "", false},
		{museum.Rule{Fault: museum.LongLength, First: 1}, "", false},
	}
	var b museum.Behaviour
	for i, f := range faults {
		f.rule.Works, f.rule.Targets = []int{i}, museum.Pictures
		b.Rules = append(b.Rules, f.rule)
	}
	m, c := openMuseum(t, large, b), newCollection()
	works := artworks(t, m)
	cfg := quick()
	cfg.Picture.MaxBytes, cfg.Retries, cfg.Timeout = 2<<20, 2, time.Second
	report, err := crawl(t, cfg, c, m, commons(t, m))
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]int{}
	for _, a := range m.AccessLog() {
		asked[a.URL()]++
	}
	for _, w := range works {
		var reason string
		if w.Index < len(faults) {
			reason = faults[w.Index].reason
			if n := asked[w.CommonsImageURL]; faults[w.Index].futile && n != 1 {
				t.Errorf("%v: asked for %d times, want once", faults[w.Index].rule, n)
			}
		}
		got := c.outcome(w.CommonsImageURL)
		if got.Reason != reason || (got.State == crawler.Kept) != (reason == "") {
			t.Errorf("work %d of %d with faults: %s %s (%s), want %q", w.Index, len(faults), got.State, got.Reason, got.Detail, reason)
		}
	}
	for id := range c.all() {
		if _, ok := works[id]; !ok {
			t.Errorf("kept %s, which is no work", id)
		}
	}
	if report.Kept != len(c.all()) {
		t.Errorf("kept %d by the report, %d in truth", report.Kept, len(c.all()))
	}
}

func TestPagesThatFailAreCountedApart(t *testing.T) {
	rules := map[string]museum.Rule{
		"page_too_large":     {Fault: museum.EndlessBody},
		"page_redirect_loop": {Fault: museum.RedirectLoop},
		"page_time_out":      {Fault: museum.Slow, Delay: time.Minute},
		"page_http_500":      {Fault: museum.StatusOnly, Status: 500},
		"page_connection":    {Fault: museum.ConnectionReset},
		"page_cut_short":     {Fault: museum.LongLength},
	}
	var b museum.Behaviour
	want := map[string]int{"page_robots": 1, "too_small": 1}
	for i, reason := range slices.Sorted(maps.Keys(rules)) {
		rule := rules[reason]
		rule.Works, rule.Targets = []int{i + 1}, museum.Pages
		b.Rules = append(b.Rules, rule)
		want[reason] = 1
	}
	// The pictures that led to those pages take their place: thumbnails,
	// except where a list names the whole one.
	m, c := openMuseum(t, small, b), newCollection()
	lost := 0
	for _, w := range m.Works() {
		if w.Index >= 1 && w.Index <= len(rules) && !slices.Contains([]string{"full-link", "srcset", "picture"}, w.ListMarkup) {
			want["too_small"]++
			lost++
		}
	}
	cfg := quick()
	cfg.MaxPageBytes, cfg.Retries, cfg.Timeout = 1<<20, 1, time.Second
	report, err := crawl(t, cfg, c, m, gallery(m))
	if err != nil {
		t.Fatal(err)
	}
	if report.Kept != few-lost || !maps.Equal(report.Lost, want) {
		t.Errorf("kept %d and lost %v, want %d and %v: %v", report.Kept, report.Lost, few-lost, want, report.Examples)
	}
}

func TestEndlessPagesAreRecognised(t *testing.T) {
	m := openMuseum(t, small, museum.Behaviour{EndlessPages: true})
	cfg := quick()
	cfg.MaxPages = 1000
	report, err := crawl(t, cfg, newCollection(), m, gallery(m))
	if err != nil {
		t.Fatal(err)
	}
	if report.Pages > 70 || report.Lost["page_endless"] == 0 || report.Kept != few {
		t.Errorf("%d pages and %d pictures, want at most 70 and %d: %v", report.Pages, report.Kept, few, report.Lost)
	}
}

func TestPictureLimitIsExact(t *testing.T) {
	m := openMuseum(t, small, museum.Behaviour{})
	cfg := quick()
	cfg.MaxPictures = 5
	report, err := crawl(t, cfg, newCollection(), m, gallery(m))
	if err != nil {
		t.Fatal(err)
	}
	if report.Kept != 5 || report.Pending != 0 {
		t.Errorf("kept %d with %d pending, want 5 and 0", report.Kept, report.Pending)
	}
}

func TestRobotsAreObeyed(t *testing.T) {
	for name, test := range map[string]struct {
		robots museum.Robots
		kept   int
		reason string
	}{
		"pictures are closed":     {museum.Robots{Disallow: []string{"/originals/"}}, 0, "robots"},
		"none":                    {museum.Robots{Status: 404}, 12, ""},
		"forbidden means none":    {museum.Robots{Status: 403}, 12, ""},
		"unavailable means wait":  {museum.Robots{Status: 503}, 0, "robots_unavailable"},
		"another's rules":         {museum.Robots{Body: "User-agent: other\nDisallow: /\n"}, 12, ""},
		"rules for this program":  {museum.Robots{Body: "User-agent: *\nAllow: /\n\nUser-agent: palate\nDisallow: /\n"}, 0, "robots"},
		"a broken line":           {museum.Robots{Body: "User-agent: *\nCrawl-delay: soon\nDisallow: /\n"}, 0, "robots"},
		"a delay of hours":        {museum.Robots{CrawlDelay: 3 * time.Hour}, 0, "robots"},
		"a delay of milliseconds": {museum.Robots{CrawlDelay: time.Millisecond}, 12, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := openMuseum(t, small, museum.Behaviour{Robots: test.robots})
			cfg := quick()
			cfg.Retries = 1
			report, err := crawl(t, cfg, newCollection(), m, commons(t, m))
			if (err != nil) != (test.kept == 0) {
				t.Errorf("error %v with %d to be kept", err, test.kept)
			}
			if report.Kept != test.kept || test.reason != "" && report.Lost[test.reason] == 0 {
				t.Errorf("kept %d and lost %v, want %d and some %q", report.Kept, report.Lost, test.kept, test.reason)
			}
			if test.kept > 0 {
				return
			}
			for _, a := range m.AccessLog() {
				if a.Work >= 0 {
					t.Errorf("%s was fetched", a.URL())
				}
			}
		})
	}
}

func TestNothingKeptIsAnErrorThatSaysWhy(t *testing.T) {
	_, report := crawlFiles(t, quick(), files{"site.test/": `<img src="a.png"><img src="b.png">`, "site.test/a.png": "png 100x100"})
	err := report.Err()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"1 pages", "2 candidates", "1 http_404", "1 too_small", "http://site.test/a.png", "shorter side is 100"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestPrivateAddressesAreRefusedToPublicPages(t *testing.T) {
	picture := httpServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(paint("inside", 300, 300))
	}))
	// The seed's host is the operator's wish; "localhost" is another.
	inside := strings.Replace(picture, "127.0.0.1", "localhost", 1)
	gallery := httpServer(t, files{}.with(`<img src="`+inside+`/a.png"><img src="/to">`, inside))
	for _, allow := range []bool{false, true} {
		cfg := quick()
		cfg.AllowPrivate, cfg.Retries = allow, 0
		c := newCollection()
		cr, err := crawler.New(cfg, c, c, crawler.Options{})
		if err != nil {
			t.Fatal(err)
		}
		report, err := checkedRun(t, cr, t.Context(), "test", []crawler.Seed{{URL: gallery}})
		if allow && (err != nil || report.Kept != 1) {
			t.Errorf("allowed, but kept %d: %v", report.Kept, err)
		}
		if !allow && report.Lost["private_address"] != 2 || !allow && report.Kept != 0 {
			t.Errorf("kept %d and lost %v, want 0 and 2 for their address", report.Kept, report.Examples)
		}
	}
}

// A redirect to an address of IPv6 that stands for a private one of IPv4 is
// refused before anything is sent, whatever this machine could reach.
func TestRedirectsInsideByIPv6AreRefused(t *testing.T) {
	for name, inside := range map[string]string{
		"6to4": "[2002:7f00:1::]", "6to4 of a private network": "[2002:c0a8:1::1]", "NAT64": "[64:ff9b::7f00:1]", "mapped": "[::ffff:127.0.0.1]", "metadata by 6to4": "[2002:a9fe:a9fe::]",
	} {
		t.Run(name, func(t *testing.T) {
			gallery := httpServer(t, files{}.with(`<img src="/to"><p><a href="/to?page">more</a>`, "http://"+inside+"/secret.png"))
			cfg := quick()
			cfg.Retries = 0
			c := newCollection()
			cr, err := crawler.New(cfg, c, c, crawler.Options{})
			if err != nil {
				t.Fatal(err)
			}
			report, _ := checkedRun(t, cr, t.Context(), "test", []crawler.Seed{{URL: gallery}})
			if report.Kept != 0 || report.Lost["private_address"] != 1 {
				t.Errorf("kept %d and lost %v, want 0 and one private_address", report.Kept, report.Examples)
			}
		})
	}
}

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
	m := openMuseum(t, large, museum.Behaviour{})
	base := map[string]int{"file_missing": 2, "unsupported_audio": 1}
	for name, test := range map[string]struct {
		rule   museum.Rule
		reason string // empty: nothing is lost
	}{
		"slow":             {museum.Rule{Fault: museum.Slow, Delay: time.Minute}, "time_out"},
		"trickle":          {museum.Rule{Fault: museum.Trickle, Delay: 100 * time.Millisecond}, "time_out"},
		"endless":          {museum.Rule{Fault: museum.EndlessBody}, "too_large"},
		"redirect loop":    {museum.Rule{Fault: museum.RedirectLoop}, "redirect_loop"},
		"redirect scheme":  {museum.Rule{Fault: museum.RedirectScheme}, "bad_scheme"},
		"redirect host":    {museum.Rule{Fault: museum.RedirectHost}, "robots_unavailable"}, // nothing of that host can be reached
		"html":             {museum.Rule{Fault: museum.HTMLAsPicture}, "not_an_image"},
		"picture as html":  {museum.Rule{Fault: museum.PictureAsHTML}, ""},
		"long length":      {museum.Rule{Fault: museum.LongLength}, "cut_short"},
		"short length":     {museum.Rule{Fault: museum.ShortLength}, "broken"},
		"truncated":        {museum.Rule{Fault: museum.Truncated}, "broken"},
		"garbage":          {museum.Rule{Fault: museum.Garbage}, "not_an_image"},
		"bomb":             {museum.Rule{Fault: museum.Bomb}, "too_many_pixels"},
		"forbidden":        {museum.Rule{Fault: museum.StatusOnly, Status: 403}, "forbidden"},
		"not found":        {museum.Rule{Fault: museum.StatusOnly, Status: 404}, "http_404"},
		"bad request":      {museum.Rule{Fault: museum.StatusOnly, Status: 400}, "http_400"},
		"gone":             {museum.Rule{Fault: museum.StatusOnly, Status: 410}, "http_410"},
		"always down":      {museum.Rule{Fault: museum.StatusOnly, Status: 503}, "http_503"},
		"down once":        {museum.Rule{Fault: museum.StatusOnly, Status: 503, First: 1}, ""},
		"busy twice":       {museum.Rule{Fault: museum.StatusOnly, Status: 429, First: 2}, ""},
		"always reset":     {museum.Rule{Fault: museum.ConnectionReset}, "connection"},
		"reset once":       {museum.Rule{Fault: museum.ConnectionReset, First: 1}, ""},
		"cut short once":   {museum.Rule{Fault: museum.LongLength, First: 1}, ""},
		"a long wait away": {museum.Rule{Fault: museum.StatusOnly, Status: 429, RetryAfter: 2 * time.Hour}, "http_429"},
	} {
		t.Run(name, func(t *testing.T) {
			test.rule.Targets, test.rule.Works = museum.Pictures, []int{3, 20, 41}
			if err := m.SetBehaviour(museum.Behaviour{Rules: []museum.Rule{test.rule}}); err != nil {
				t.Fatal(err)
			}
			m.ClearLog()
			cfg := quick()
			cfg.Picture.MaxBytes, cfg.Retries, cfg.MaxRetryAfter = 2<<20, 2, time.Hour
			if test.reason == "time_out" {
				cfg.Timeout, cfg.Retries = time.Second, 0
			}
			if test.rule.RetryAfter > 0 {
				// The whole site is held back meanwhile: not for so long here.
				cfg.MaxRetryAfter = time.Millisecond
			}
			c := newCollection()
			report, err := crawl(t, cfg, c, m, commons(t, m))
			if err != nil {
				t.Fatal(err)
			}
			want, wantKept := maps.Clone(base), pictures
			if test.reason != "" {
				want[test.reason] = 3
				wantKept -= 3
			}
			if !maps.Equal(report.Lost, want) || report.Kept != wantKept {
				t.Errorf("kept %d and lost %v, want %d and %v: %v", report.Kept, report.Lost, wantKept, want, report.Examples)
			}
			works := artworks(t, m)
			for id := range c.all() {
				if _, ok := works[id]; !ok {
					t.Errorf("kept %s, which is no work", id)
				}
			}
			futile := slices.Contains([]string{"forbidden", "http_404", "http_400", "http_410", "broken", "too_many_pixels"}, test.reason)
			asked := map[string]int{}
			for _, a := range m.AccessLog() {
				if a.Fault == test.rule.Fault {
					asked[a.URL()]++
				}
			}
			for address, n := range asked {
				if futile && n > 1 {
					t.Errorf("%s was asked for %d times", address, n)
				}
			}
		})
	}
}

func TestPagesThatFailAreCountedApart(t *testing.T) {
	for name, test := range map[string]struct {
		rule   museum.Rule
		reason string
	}{
		"endless":       {museum.Rule{Fault: museum.EndlessBody}, "page_too_large"},
		"redirect loop": {museum.Rule{Fault: museum.RedirectLoop}, "page_redirect_loop"},
		"slow":          {museum.Rule{Fault: museum.Slow, Delay: time.Minute}, "page_time_out"},
		"down":          {museum.Rule{Fault: museum.StatusOnly, Status: 500}, "page_http_500"},
		"reset":         {museum.Rule{Fault: museum.ConnectionReset}, "page_connection"},
		"cut short":     {museum.Rule{Fault: museum.LongLength}, "page_cut_short"},
	} {
		t.Run(name, func(t *testing.T) {
			test.rule.Targets, test.rule.Works = museum.Pages, []int{1}
			m := openMuseum(t, small, museum.Behaviour{Rules: []museum.Rule{test.rule}})
			cfg := quick()
			cfg.MaxPageBytes, cfg.Retries = 1<<20, 0
			if test.rule.Delay > 0 {
				cfg.Timeout = time.Second
			}
			report, err := crawl(t, cfg, newCollection(), m, gallery(m))
			if err != nil {
				t.Fatal(err)
			}
			if report.Kept != few-1 || report.Lost[test.reason] != 1 {
				t.Errorf("kept %d and lost %v, want one less than all and one %s: %v", report.Kept, report.Lost, test.reason, report.Examples)
			}
		})
	}
}

func TestEndlessPagesEndAtTheLimit(t *testing.T) {
	m := openMuseum(t, large, museum.Behaviour{EndlessPages: true})
	cfg := quick()
	cfg.MaxPages = 150
	report, err := crawl(t, cfg, newCollection(), m, gallery(m))
	if err != nil {
		t.Fatal(err)
	}
	if report.Pages != 150 || report.Lost["page_limit"] == 0 || report.Kept != pictures {
		t.Errorf("%d pages and %d pictures, want 150 and %d: %v", report.Pages, report.Kept, pictures, report.Lost)
	}
}

func TestPictureLimitIsExact(t *testing.T) {
	m := openMuseum(t, large, museum.Behaviour{})
	cfg := quick()
	cfg.MaxPictures = 10
	report, err := crawl(t, cfg, newCollection(), m, gallery(m))
	if err != nil {
		t.Fatal(err)
	}
	if report.Kept != 10 || report.Pending != 0 {
		t.Errorf("kept %d with %d pending, want 10 and 0", report.Kept, report.Pending)
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
		"unavailable means wait":  {museum.Robots{Status: 503}, 0, "page_robots_unavailable"},
		"another's rules":         {museum.Robots{Body: "User-agent: other\nDisallow: /\n"}, 12, ""},
		"rules for this program":  {museum.Robots{Body: "User-agent: *\nAllow: /\n\nUser-agent: palate\nDisallow: /\n"}, 0, "page_robots"},
		"a broken line":           {museum.Robots{Body: "User-agent: *\nCrawl-delay: soon\nDisallow: /\n"}, 0, "page_robots"},
		"a delay of hours":        {museum.Robots{CrawlDelay: 3 * time.Hour}, 0, "page_robots"},
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
		report, err := cr.Run(t.Context(), "test", []crawler.Seed{{URL: gallery}})
		if allow && (err != nil || report.Kept != 1) {
			t.Errorf("allowed, but kept %d: %v", report.Kept, err)
		}
		if !allow && report.Lost["private_address"] != 2 || !allow && report.Kept != 0 {
			t.Errorf("kept %d and lost %v, want 0 and 2 for their address", report.Kept, report.Examples)
		}
	}
}

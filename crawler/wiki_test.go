package crawler_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/museum"
)

// wikiSeed is what a person writes for the museum's root category.
func wikiSeed(t *testing.T, m *museum.Museum) crawler.Seed {
	t.Helper()
	seed, err := crawler.ParseSeed(m.CommonsCategoryURL())
	if err != nil {
		t.Fatal(err)
	}
	return seed
}

func TestCommonsOwnRobotsDoNotCloseItsAPI(t *testing.T) {
	m, c := openMuseum(t, large, museum.Behaviour{}), newCollection()
	report, err := crawl(t, quick(), c, m, wikiSeed(t, m))
	if err != nil {
		t.Fatal(err)
	}
	if report.Kept != pictures || !slices.Equal(report.APIs, []string{m.CommonsAPIURL()}) {
		t.Errorf("kept %d by %v, want %d by %s: %v", report.Kept, report.APIs, pictures, m.CommonsAPIURL(), report.Lost)
	}
	for _, a := range m.AccessLog() {
		if strings.HasPrefix(a.URL(), "http://"+museum.CommonsHost+"/w/") && !strings.HasPrefix(a.URL(), m.CommonsAPIURL()+"?") {
			t.Errorf("%s was asked for, though robots.txt closes /w/", a.URL())
		}
	}
}

func TestOnlyAnAPIThatIsMediaWikisIsExemptFromRobots(t *testing.T) {
	const robots = "User-agent: *\nDisallow: /w/\nDisallow: /api.php\nDisallow: /picture\n"
	siteinfo := `{"query":{"general":{"generator":"MediaWiki 1.43.0","articlepath":"/wiki/$1"}}}`
	for name, test := range map[string]struct {
		seed   crawler.Seed
		answer string // to siteinfo
		want   string // the reason that is counted
	}{
		"index.php":               {crawler.Seed{URL: "http://site.test/w/index.php?title=Category:A", Source: crawler.HTML}, siteinfo, "page_robots"},
		"another program's API":   {crawler.Seed{URL: "http://site.test/w/api.php", Source: crawler.MediaWiki, Title: "Category:A"}, `{"error":"unknown method"}`, "page_no_api"},
		"api.php taken as a page": {crawler.Seed{URL: "http://site.test/w/api.php", Source: crawler.HTML}, siteinfo, "page_robots"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked []string
			s, c := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = append(asked, r.URL.RequestURI())
				switch {
				case r.URL.Path == "/robots.txt":
					_, _ = w.Write([]byte(robots))
				case r.URL.Query().Get("meta") == "siteinfo":
					w.Header().Set("Content-Type", "application/json")
					_, _ = w.Write([]byte(test.answer))
				default:
					w.Header().Set("Content-Type", "text/html")
				}
			})), newCollection()
			cfg := quick()
			cfg.Workers = 1
			cr, err := crawler.New(cfg, c, c, crawler.Options{DialContext: s.dial})
			if err != nil {
				t.Fatal(err)
			}
			report, _ := checkedRun(t, cr, t.Context(), "test", []crawler.Seed{test.seed})
			if report.Lost[test.want] == 0 {
				t.Errorf("lost %v, want %s", report.Lost, test.want)
			}
			for _, a := range asked {
				if a != "/robots.txt" && !strings.Contains(a, "meta=siteinfo") {
					t.Errorf("%s was asked for", a)
				}
			}
		})
	}
}

func TestWikisAPIIsFoundWhereverItIs(t *testing.T) {
	for name, guise := range map[string]museum.WikiGuise{
		"at /api.php, as at Fandom":      {APIPath: "/api.php", NoEditURI: true},
		"where the page says":            {APIPath: "/mediawiki-1.39/api.php"},
		"with the namespaces' own names": {German: true},
	} {
		t.Run(name, func(t *testing.T) {
			robots := museum.Robots{Body: "User-agent: *\nDisallow: /w/\nDisallow: /mediawiki-1.39/\nDisallow: /api.php\n"}
			m, c := openMuseum(t, small, museum.Behaviour{Wiki: guise, Robots: robots}), newCollection()
			address := m.CommonsCategoryURL()
			if guise.German {
				address = strings.Replace(address, "Category:", "Kategorie:", 1)
			}
			seed, err := crawler.ParseSeed(address)
			if err != nil {
				t.Fatal(err)
			}
			report, err := crawl(t, quick(), c, m, seed)
			if err != nil {
				t.Fatal(err)
			}
			want := "http://" + museum.CommonsHost + guise.APIPath
			if guise.APIPath == "" {
				want = m.CommonsAPIURL()
			}
			if report.Kept != few || !slices.Equal(report.APIs, []string{want}) {
				t.Errorf("kept %d by %v, want %d by %s: %v", report.Kept, report.APIs, few, want, report.Lost)
			}
		})
	}
}

func TestARefusedAPIFallsBackToThePages(t *testing.T) {
	open := museum.Robots{Body: "User-agent: *\nDisallow: /wiki/Special:\n"}
	for name, test := range map[string]struct {
		b      museum.Behaviour
		reason string
	}{
		"none":     {museum.Behaviour{Wiki: museum.WikiGuise{APIPath: "/hidden", NoEditURI: true}, Robots: open}, "page_no_api"},
		"refused":  {museum.Behaviour{Rules: []museum.Rule{{Fault: museum.StatusOnly, Status: 403, Targets: museum.API}}, Robots: open}, "page_no_api"},
		"not JSON": {museum.Behaviour{Rules: []museum.Rule{{Fault: museum.HTMLAsPicture, Targets: museum.API}}, Robots: open}, "page_no_api"},
	} {
		t.Run(name, func(t *testing.T) {
			m, c := openMuseum(t, small, test.b), newCollection()
			report, err := crawl(t, quick(), c, m, wikiSeed(t, m))
			if err != nil {
				t.Fatal(err)
			}
			if report.Kept != few || report.Lost[test.reason] == 0 || len(report.APIs) != 0 {
				t.Errorf("kept %d and lost %v by %v, want %d by the pages and %s", report.Kept, report.Lost, report.APIs, few, test.reason)
			}
			for _, l := range report.Examples[test.reason] {
				if !strings.Contains(l.Detail, m.CommonsCategoryURL()) {
					t.Errorf("the loss says %q, want the page that is read instead", l.Detail)
				}
			}
		})
	}
}

func TestAPIRequestsComeOneAtATime(t *testing.T) {
	slow := museum.Rule{Fault: museum.Slow, Delay: 5 * time.Millisecond, Targets: museum.API}
	m, c := openMuseum(t, small, museum.Behaviour{Rules: []museum.Rule{slow}}), newCollection()
	if _, err := crawl(t, quick(), c, m, wikiSeed(t, m)); err != nil {
		t.Fatal(err)
	}
	requests := 0
	var ended time.Time
	for _, a := range m.AccessLog() {
		if !strings.HasPrefix(a.URL(), m.CommonsAPIURL()) {
			continue
		}
		requests++
		if a.Query == "" || !strings.Contains(a.Query, "maxlag=5") {
			t.Errorf("%s has no maxlag", a.URL())
		}
		if a.Time.Before(ended) {
			t.Errorf("%s came while another was answered", a.URL())
		}
		ended = a.Time.Add(slow.Delay)
	}
	if requests < 4 {
		t.Errorf("%d requests to the API, want some categories'", requests)
	}
}

package crawler_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/museum"
)

// watched notes when requests begin and how many run at a time. Every answer
// takes a while.
type watched struct {
	next  http.Handler
	takes time.Duration

	mu      sync.Mutex
	starts  map[bool][]time.Time // by whether it is a picture
	running map[bool]int
	most    map[bool]int
}

func watch(next http.Handler, takes time.Duration) *watched {
	return &watched{next: next, takes: takes, starts: map[bool][]time.Time{}, running: map[bool]int{}, most: map[bool]int{}}
}

func (w *watched) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	picture := strings.HasSuffix(r.URL.Path, ".png")
	w.mu.Lock()
	w.starts[picture] = append(w.starts[picture], time.Now())
	w.running[picture]++
	w.most[picture] = max(w.most[picture], w.running[picture])
	w.mu.Unlock()
	time.Sleep(w.takes)
	w.mu.Lock()
	w.running[picture]--
	w.mu.Unlock()
	w.next.ServeHTTP(rw, r)
}

// closest is the shortest time between two requests in their order.
func closest(starts []time.Time) time.Duration {
	least := time.Hour
	for i := 1; i < len(starts); i++ {
		least = min(least, starts[i].Sub(starts[i-1]))
	}
	return least
}

// twoHosts is a gallery of n pictures on two hosts of one domain.
func twoHosts(domain string, n int) files {
	out := files{}
	var page strings.Builder
	for i := range n {
		host := fmt.Sprintf("media%d.%s", i%2, domain)
		fmt.Fprintf(&page, `<img src="http://%s/%d.png">`, host, i)
		fmt.Fprintf(&page, `<a href="/p%d">page</a>`, i)
		out[fmt.Sprintf("%s/%d.png", host, i)] = "png 300x300"
		out[fmt.Sprintf("www.%s/p%d", domain, i)] = "<p>nothing"
	}
	out["www."+domain+"/"] = page.String()
	return out
}

func TestHostsOfADomainShareOnePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(twoHosts("museum.co.uk", 12), time.Second)
		cfg := crawler.DefaultConfig()
		cfg.Contact = "operator@example.org"
		report := crawlWatched(t, cfg, w, "http://www.museum.co.uk/")
		if report.Kept != 12 {
			t.Errorf("kept %d, want 12: %v", report.Kept, report.Lost)
		}
		if most := max(w.most[true], w.most[false]); most > 2 {
			t.Errorf("%d requests at a time, want 2 at most", most)
		}
		for _, picture := range []bool{true, false} {
			if got := closest(w.starts[picture]); got < cfg.Site.Delay {
				t.Errorf("%v between two requests, want %v at least", got, cfg.Site.Delay)
			}
		}
	})
}

func TestWikimediaHasItsOwnLimitsWhateverIsConfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(twoHosts("wikimedia.org", 12), 700*time.Millisecond)
		cfg := quick()
		cfg.Site.Parallelism = 16
		report := crawlWatched(t, cfg, w, "http://www.wikimedia.org/")
		if report.Kept != 12 {
			t.Errorf("kept %d, want 12: %v", report.Kept, report.Lost)
		}
		if w.most[false] != 1 || w.most[true] != 2 {
			t.Errorf("%d pages and %d pictures at a time, want 1 and 2", w.most[false], w.most[true])
		}
		if got := closest(w.starts[false]); got < 200*time.Millisecond {
			t.Errorf("%v between two pages, want a fifth of a second at least", got)
		}
	})
}

func TestCrawlDelayIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := twoHosts("museum.org", 6)
		site["www.museum.org/robots.txt"] = "User-agent: *\nCrawl-delay: 7\n"
		w := watch(site, 0)
		crawlWatched(t, quick(), w, "http://www.museum.org/")
		// The first of all is robots.txt itself.
		if got := closest(w.starts[false][1:]); got < 7*time.Second {
			t.Errorf("%v between two requests, want 7s at least", got)
		}
	})
}

func crawlWatched(t *testing.T, cfg crawler.Config, w *watched, seed string) crawler.Report {
	t.Helper()
	s, c := serve(t, w), newCollection()
	cr, err := crawler.New(cfg, c, c, crawler.Options{DialContext: s.dial})
	if err != nil {
		t.Fatal(err)
	}
	report, err := checkedRun(t, cr, t.Context(), "test", []crawler.Seed{{URL: seed}})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestRetryAfterIsWaitedFor(t *testing.T) {
	for name, rule := range map[string]museum.Rule{
		"seconds": {Fault: museum.StatusOnly, Status: 429, RetryAfter: 90 * time.Second, Works: []int{2}, First: 1, Targets: museum.Pictures},
		"date":    {Fault: museum.StatusOnly, Status: 503, RetryAfter: 90 * time.Second, RetryDate: true, Works: []int{2}, First: 1, Targets: museum.Pictures},
	} {
		t.Run(name, func(t *testing.T) {
			entries, report := crawlFakeTime(t, museum.Behaviour{Rules: []museum.Rule{rule}})
			if report.Kept != few {
				t.Errorf("kept %d, want %d: %v", report.Kept, few, report.Lost)
			}
			var refused time.Time
			for _, a := range entries {
				switch {
				case a.Fault == museum.StatusOnly:
					refused = a.Time
				case !refused.IsZero() && a.Work == 2 && a.Time.Sub(refused) < 89*time.Second: // a date has whole seconds
					t.Errorf("work 2 was asked for again after %v, want 90s", a.Time.Sub(refused))
				}
			}
			if refused.IsZero() {
				t.Error("nothing was refused")
			}
		})
	}
}

func TestLaggedAPIIsWaitedFor(t *testing.T) {
	entries, report := crawlFakeTime(t, museum.Behaviour{Maxlag: 2, MaxlagRetryAfter: 30 * time.Second})
	if report.Kept != few {
		t.Errorf("kept %d, want %d: %v", report.Kept, few, report.Lost)
	}
	if took := entries[len(entries)-1].Time.Sub(entries[0].Time); took < 30*time.Second {
		t.Errorf("the crawl took %v, want 30s at least", took)
	}
}

// crawlFakeTime crawls a museum's MediaWiki where time passes at once.
func crawlFakeTime(t *testing.T, b museum.Behaviour) (entries []museum.Access, report crawler.Report) {
	t.Helper()
	// Drawn outside of the bubble, by the museum that others use too.
	m := openMuseum(t, small, b)
	artworks(t, m)
	seed := commons(t, m)
	synctest.Test(t, func(t *testing.T) {
		s, c := serve(t, m.Handler()), newCollection()
		cr, err := crawler.New(quick(), c, c, crawler.Options{DialContext: s.dial})
		if err != nil {
			t.Fatal(err)
		}
		report, err = checkedRun(t, cr, t.Context(), "test", []crawler.Seed{seed})
		if err != nil {
			t.Fatal(err)
		}
	})
	return m.AccessLog(), report
}

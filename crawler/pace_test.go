package crawler_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/test/race"
)

// limited lets one picture a gap through and refuses others, as many sites
// do that say nothing of when to come back.
type limited struct {
	next   http.Handler
	status int
	gap    time.Duration

	mu       sync.Mutex
	last     time.Time
	refusals int
}

func (l *limited) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	refused := strings.HasSuffix(r.URL.Path, ".png") && time.Since(l.last) < l.gap
	if refused {
		l.refusals++
	} else if strings.HasSuffix(r.URL.Path, ".png") {
		l.last = time.Now()
	}
	l.mu.Unlock()
	if refused {
		w.WriteHeader(l.status)
		return
	}
	l.next.ServeHTTP(w, r)
}

// album is a page of n pictures at http://site.test/.
func album(n int) files {
	out, page := files{}, ""
	for i := range n {
		page += fmt.Sprintf(`<img src="/%d.png">`, i)
		out[fmt.Sprintf("site.test/%d.png", i)] = "png 300x300"
	}
	out["site.test/"] = page
	return out
}

func TestABareRefusalSlowsTheWholeHost(t *testing.T) {
	polite := crawler.DefaultConfig()
	polite.Contact = "operator@example.org"
	unpaced := polite
	unpaced.Site = crawler.SiteLimits{Parallelism: 8}
	for name, cfg := range map[string]crawler.Config{"as it comes": polite, "with the pace off": unpaced} {
		for _, status := range []int{429, 503} {
			t.Run(fmt.Sprint(name, status), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					l := &limited{next: album(picturesOfRefusal), status: status, gap: time.Second}
					began := time.Now()
					kept, report := crawlFiles(t, cfg, l)
					if len(kept) != picturesOfRefusal || len(report.Lost) > 0 {
						t.Errorf("kept %d of %d, lost %v", len(kept), picturesOfRefusal, report.Lost)
					}
					if l.refusals > 16 {
						t.Errorf("%d refusals, want few", l.refusals)
					}
					if took := time.Since(began); took > 5*time.Minute {
						t.Errorf("it took %v, want little more than the second a picture that the site asks for", took)
					}
					t.Logf("%d refusals, %v", l.refusals, time.Since(began))
				})
			})
		}
	}
}

func TestAHostRecoversFromABadTime(t *testing.T) {
	race.Long(t)
	synctest.Test(t, func(t *testing.T) {
		cfg := crawler.DefaultConfig()
		cfg.Contact = "operator@example.org"
		next, began := album(picturesOfBadTime), time.Now()
		var starts []time.Time
		var mu sync.Mutex
		kept, report := crawlFiles(t, cfg, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			starts = append(starts, time.Now())
			mu.Unlock()
			if since := time.Since(began); since > 5*time.Second && since < 20*time.Second {
				w.WriteHeader(503)
				return
			}
			next.ServeHTTP(w, r)
		}))
		if len(kept) != picturesOfBadTime {
			t.Errorf("kept %d of %d, lost %v", len(kept), picturesOfBadTime, report.Lost)
		}
		if got := starts[len(starts)-1].Sub(starts[len(starts)-101]) / 100; got > cfg.Site.Delay*5/4 {
			t.Errorf("%v between requests in the end, want %v again", got, cfg.Site.Delay)
		}
	})
}

func TestALongRetryAfterIsLeftToALaterRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := crawler.DefaultConfig()
		cfg.Contact = "operator@example.org"
		const wait = 3 * time.Hour
		began, requests := time.Now(), 0
		var mu sync.Mutex
		next := album(20)
		next["site.test/"] += `<img src="http://other.test/a.png">`
		next["other.test/a.png"] = "png 300x300"
		s, c := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if r.Host == "site.test" && strings.HasSuffix(r.URL.Path, ".png") && time.Since(began) < wait {
				if requests++; requests > 4 {
					w.Header().Set("Retry-After", strconv.Itoa(int((wait-time.Since(began)).Seconds())+1))
					w.WriteHeader(429)
					return
				}
			}
			next.ServeHTTP(w, r)
		})), newCollection()
		cr, err := crawler.New(cfg, c, c, crawler.Options{DialContext: s.dial})
		if err != nil {
			t.Fatal(err)
		}
		seeds := []crawler.Seed{{URL: "http://site.test/"}}
		report, err := checkedRun(t, cr, t.Context(), "test", seeds)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("the run waited %v", took)
		}
		if requests > 6 {
			t.Errorf("%d requests, though the site had asked for none", requests)
		}
		left := report.Until.Sub(began)
		if report.Kept != 5 || report.Pending != 16 || left < wait || left > wait+time.Minute || len(report.Lost) != 0 {
			t.Errorf("kept %d, %d pending until %v on, lost %v: want 5, 16, %v and none", report.Kept, report.Pending, left, report.Lost, wait)
		}
		// Too early: nothing is asked for.
		before := requests
		if report, err = checkedRun(t, cr, t.Context(), "test", seeds); err != nil || requests != before || report.Until.IsZero() {
			t.Errorf("the site was asked again (%d more, %v)", requests-before, err)
		}
		time.Sleep(wait)
		if report, err = checkedRun(t, cr, t.Context(), "test", seeds); err != nil || report.Kept != 16 || report.Pending != 0 || !report.Until.IsZero() {
			t.Errorf("then kept %d with %d pending (%v), want 16 and 0", report.Kept, report.Pending, err)
		}
	})
}

func TestWhoSleptLooksAtTheHoldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := crawler.DefaultConfig()
		cfg.Contact = "operator@example.org"
		cfg.Site = crawler.SiteLimits{Parallelism: 8, Delay: 2 * time.Second}
		next := album(12)
		var mu sync.Mutex
		var refused time.Time
		pictures := 0
		crawlFiles(t, cfg, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if strings.HasSuffix(r.URL.Path, ".png") {
				pictures++
				if pictures == 3 {
					refused = time.Now()
					w.Header().Set("Retry-After", "20")
					w.WriteHeader(503)
					return
				}
				if since := time.Since(refused); pictures > 3 && since < 20*time.Second {
					t.Errorf("a request came %v after the site had asked for 20s", since)
				}
			}
			next.ServeHTTP(w, r)
		}))
	})
}

// steady sends a picture in pieces.
func steady(pieces int, pause time.Duration) http.Handler {
	next := files{"site.test/": `<img src="/a.png">`}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/a.png" {
			next.ServeHTTP(w, r)
			return
		}
		data := paint("steady", 900, 700)
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		for i := range pieces {
			select {
			case <-time.After(pause):
			case <-r.Context().Done():
				return
			}
			if _, err := w.Write(data[len(data)*i/pieces : len(data)*(i+1)/pieces]); err != nil {
				return
			}
			w.(http.Flusher).Flush()
		}
	})
}

func TestTimeOutsAreForSilence(t *testing.T) {
	for name, test := range map[string]struct {
		pieces int
		pause  time.Duration
		kept   int
	}{
		"a steady body of 80 s":          {80, time.Second, 1},
		"a slow and steady body of 10 m": {20, 30 * time.Second, 1},
		"silence":                        {2, 61 * time.Second, 0},
		"a drip without end":             {100, 50 * time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := crawler.DefaultConfig()
				cfg.Contact = "operator@example.org"
				kept, report := crawlFiles(t, cfg, steady(test.pieces, test.pause))
				if len(kept) != test.kept || (test.kept == 0) != (report.Lost["time_out"] == 1) {
					t.Errorf("kept %d, lost %v, want %d kept", len(kept), report.Lost, test.kept)
				}
			})
		})
	}
}

package crawler_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/museum"
)

// crawlGuise crawls one guise and gives what was kept and how many requests
// that took.
func crawlGuise(t *testing.T, cfg crawler.Config, g museum.Guise, c *collection) (crawler.Report, int) {
	t.Helper()
	var requests atomic.Int64
	handler := museum.GuiseHandler()
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/robots.txt" {
			requests.Add(1)
		}
		handler.ServeHTTP(w, r)
	}))
	cr, err := crawler.New(cfg, c, c, crawler.Options{DialContext: s.dial})
	if err != nil {
		t.Fatal(err)
	}
	report, err := checkedRun(t, cr, t.Context(), g.Name, []crawler.Seed{{URL: g.URL()}})
	if err != nil && !errors.Is(err, crawler.ErrNothingKept) {
		t.Fatal(err)
	}
	return report, int(requests.Load())
}

func TestEveryGuiseGivesItsPictures(t *testing.T) {
	for _, g := range museum.Guises() {
		t.Run(g.Name, func(t *testing.T) {
			t.Parallel()
			c := newCollection()
			report, requests := crawlGuise(t, quick(), g, c)
			var addresses []string
			for _, k := range c.all() {
				addresses = append(addresses, k.find.Source.Address)
				if g.Width != 0 && k.find.Width != g.Width {
					t.Errorf("%s is %d wide, want %d", k.find.Source.Address, k.find.Width, g.Width)
				}
			}
			if slices.Sort(addresses); len(addresses) != g.Want {
				t.Errorf("kept %d, want %d: %s\nlost %v", len(addresses), g.Want, strings.Join(addresses, " "), report.Examples)
			}
			if g.Lost != "" && report.Lost[g.Lost] == 0 {
				t.Errorf("lost %v, want %s among the reasons", report.Lost, g.Lost)
			}
			if g.Lost == "" && len(report.Lost) > 0 {
				t.Errorf("lost %v, want nothing: %v", report.Lost, report.Examples)
			}
			if g.Requests > 0 && requests > g.Requests {
				t.Errorf("%d requests, want at most %d", requests, g.Requests)
			}
		})
	}
}

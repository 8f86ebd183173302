package crawler_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/palate-art/palate/crawler"
)

// manyPages is a gallery of pages of pictures whose order is told by first.
func manyPages(pages, each int, first func() int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := files{}
		var list strings.Builder
		for i := range pages {
			n := (i + first()) % pages
			fmt.Fprintf(&list, `<p><a href="/p%d">Page %d</a>`, n, n)
			var page strings.Builder
			for k := range each {
				fmt.Fprintf(&page, `<p><img src="/%d-%d.png">`, n, k)
				out[fmt.Sprintf("site.test/%d-%d.png", n, k)] = "png 300x300"
			}
			out[fmt.Sprintf("site.test/p%d", n)] = page.String()
		}
		out["site.test/"] = list.String()
		out.ServeHTTP(w, r)
	})
}

// TestMaxPicturesIsExact holds over runs that are stopped and gone on with,
// and over rounds in which the site has another order.
func TestMaxPicturesIsExact(t *testing.T) {
	const most, pages, each = 17, 8, 5
	var first atomic.Int64
	handler := manyPages(pages, each, func() int { return int(first.Load()) })
	for name, open := range map[string]func() (crawler.Frontier, crawler.Keeper, func() int){
		"test": func() (crawler.Frontier, crawler.Keeper, func() int) {
			c := newCollection()
			return c, c, func() int { return len(c.all()) }
		},
		"memory": func() (crawler.Frontier, crawler.Keeper, func() int) {
			m := crawler.NewMemory()
			return m, m, func() int { return len(m.Finds()) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			first.Store(0)
			s := serve(t, handler)
			frontier, keeper, count := open()
			cfg := quick()
			cfg.MaxPictures = most
			for after := 3; ; after += 4 { // stopped after some visits, each time later
				ctx, stop := context.WithCancel(t.Context())
				left := after
				cr, err := crawler.New(cfg, frontier, keeper, crawler.Options{DialContext: s.dial, Progress: func(crawler.Report) {
					if left--; left == 0 {
						stop()
					}
				}})
				if err != nil {
					t.Fatal(err)
				}
				report, err := checkedRun(t, cr, ctx, "test", []crawler.Seed{{URL: "http://site.test/"}})
				stop()
				if count() > most || report.Kept+report.Known > most {
					t.Fatalf("%d pictures, and kept %d and knew %d; want %d at most", count(), report.Kept, report.Known, most)
				}
				if err == nil {
					break
				}
				if !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
			}
			if count() != most {
				t.Fatalf("%d pictures at the end, want %d", count(), most)
			}
			for round := range 3 {
				first.Add(3)
				cr, err := crawler.New(cfg, frontier, keeper, crawler.Options{DialContext: s.dial})
				if err != nil {
					t.Fatal(err)
				}
				report, err := checkedRun(t, cr, t.Context(), "test", []crawler.Seed{{URL: "http://site.test/"}})
				if err != nil || report.Kept != 0 || report.Known != most || count() != most {
					t.Errorf("round %d: kept %d, knew %d, %d in all, %v; want 0, %d and %d", round+2, report.Kept, report.Known, count(), err, most, most)
				}
			}
			cfg.EachRound = true // a subscription goes on
			cr, err := crawler.New(cfg, frontier, keeper, crawler.Options{DialContext: s.dial})
			if err != nil {
				t.Fatal(err)
			}
			first.Add(3)
			if report, err := checkedRun(t, cr, t.Context(), "test", []crawler.Seed{{URL: "http://site.test/"}}); err != nil || report.Kept+report.Known != most {
				t.Errorf("kept %d and knew %d (%v), want %d together", report.Kept, report.Known, err, most)
			}
		})
	}
}

// TestAnEndlessCalendarIsRecognisedOverRuns stops the crawl of a calendar
// after each few pages.
func TestAnEndlessCalendarIsRecognisedOverRuns(t *testing.T) {
	var requests atomic.Int64
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var n int
		out := files{"site.test/": `<img src="/a.png"><a href="/calendar/1">Events</a>`, "site.test/a.png": "png 300x300"}
		if _, err := fmt.Sscanf(r.URL.Path, "/calendar/%d", &n); err == nil {
			requests.Add(1)
			out["site.test"+r.URL.Path] = fmt.Sprintf(`<h1>Month %d</h1><a href=/calendar/%d>›</a>`, n, n+1)
		}
		out.ServeHTTP(w, r)
	}))
	c := newCollection()
	for run := 0; ; run++ {
		if run > 60 {
			t.Fatal("the crawl does not end")
		}
		ctx, stop := context.WithCancel(t.Context())
		left := 3
		cr, err := crawler.New(quick(), c, c, crawler.Options{DialContext: s.dial, Progress: func(crawler.Report) {
			if left--; left == 0 {
				stop()
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		report, err := checkedRun(t, cr, ctx, "test", []crawler.Seed{{URL: "http://site.test/"}})
		stop()
		if err == nil {
			if report.Lost["page_endless"] != 1 || report.Kept+report.Known != 1 {
				t.Errorf("lost %v with %d pictures, want one page_endless and 1", report.Lost, report.Kept+report.Known)
			}
			break
		}
	}
	if got := requests.Load(); got > 20 {
		t.Errorf("%d pages of the calendar were read, want 20 at most", got)
	}
}

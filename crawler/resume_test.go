package crawler_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/museum"
)

func TestStoppedCrawlGoesOnAndFetchesNothingAgainThatWasKept(t *testing.T) {
	m := openMuseum(t, small, museum.Behaviour{})
	works := artworks(t, m)
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 6 {
		m.ClearLog()
		seed := gallery(m)
		if round%2 == 1 {
			seed = commons(t, m)
		}
		c := newCollection()
		keptIn := map[palate.ImageID]int{}
		stops, runs, kept := 1+random.IntN(4), 0, 0
		var last crawler.Report
		for {
			ctx, stop := context.WithCancel(t.Context())
			after := random.IntN(30)
			cfg := quick()
			cfg.Contact = agentOf(runs) // the museum may come to a run's last requests in the middle of the next
			cr, err := crawler.New(cfg, c, c, crawler.Options{DialContext: m.DialContext, Progress: func(r crawler.Report) {
				if after--; after < 0 && runs < stops {
					stop()
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			last, err = checkedRun(t, cr, ctx, "test", []crawler.Seed{seed})
			stop()
			for id := range c.all() {
				if _, known := keptIn[id]; !known {
					keptIn[id] = runs
				}
			}
			if last.Known != kept {
				t.Errorf("known %d at the end of a run, want the %d of the runs before", last.Known, kept)
			}
			kept += last.Kept
			if last.Resumed != (runs > 0) {
				t.Errorf("run %d: resumed is %v", runs, last.Resumed)
			}
			runs++
			if err == nil {
				break
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		}
		if kept != few || last.Pending != 0 || last.Round != 1 {
			t.Errorf("kept %d in %d runs with %d pending in round %d, want %d, 0 and 1", kept, runs, last.Pending, last.Round, few)
		}
		byIndex := map[int]int{}
		for id, in := range keptIn {
			byIndex[works[id].Index] = in
		}
		asked := map[string]int{}
		for _, a := range m.AccessLog() {
			in, kept := byIndex[a.Work]
			if a.Work < 0 || !kept {
				continue
			}
			if own := fmt.Sprint(a.UserAgent, " ", a.Work); asked[own] > 0 && strings.Contains(a.UserAgent, agentOf(in)) {
				t.Errorf("work %d was fetched again in the run that kept it", a.Work)
			} else {
				asked[own]++
			}
			for later := in + 1; later < runs; later++ {
				if strings.Contains(a.UserAgent, agentOf(later)) {
					t.Errorf("work %d was kept in run %d and fetched again in run %d", a.Work, in, later)
				}
			}
		}
	}
}

func agentOf(run int) string { return fmt.Sprintf("run-%d@example.org", run) }

func TestDeletedPicturesStayAway(t *testing.T) {
	m, c := openMuseum(t, small, museum.Behaviour{}), newCollection()
	works := artworks(t, m)
	for id, w := range works {
		switch w.Index {
		case 1: // by its address
			c.standing[w.CommonsImageURL] = crawler.StandingDeleted
		case 2: // by the file, which comes from an unknown address
			c.banned[id] = true
		}
	}
	report, err := crawl(t, quick(), c, m, commons(t, m))
	if err != nil {
		t.Fatal(err)
	}
	if report.Lost["deleted"] != 2 || report.Kept != few-2 {
		t.Errorf("kept %d and lost %v, want %d and 2 deleted", report.Kept, report.Lost, few-2)
	}
	for _, a := range m.AccessLog() {
		if a.Work == 1 {
			t.Error("work 1 was fetched though its address is known to be deleted")
		}
	}
}

func TestFailureOfTheFrontierEndsTheCrawl(t *testing.T) {
	m, c := openMuseum(t, small, museum.Behaviour{}), newCollection()
	c.failed = palate.ErrUnavailable
	if _, err := crawl(t, quick(), c, m, gallery(m)); !errors.Is(err, palate.ErrUnavailable) {
		t.Errorf("error is %v, want the frontier's", err)
	}
}

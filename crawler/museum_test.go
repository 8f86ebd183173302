package crawler_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/museum"
)

const (
	pictures = 30 // each markup of lists and of works' pages is among them
	few      = 12
)

// Two museums serve all tests, one after the other: drawing takes longer
// than crawling. They end with the process.
var (
	large = sync.OnceValues(func() (*museum.Museum, error) { return startMuseum(pictures) })
	small = sync.OnceValues(func() (*museum.Museum, error) { return startMuseum(few) })
)

func startMuseum(n int) (*museum.Museum, error) {
	cfg := museum.DefaultConfig()
	cfg.Pictures, cfg.PageSize = n, 6
	m, err := museum.New(cfg)
	if err != nil {
		return nil, err
	}
	_, err = m.Start("127.0.0.1:0")
	return m, err
}

func openMuseum(t *testing.T, open func() (*museum.Museum, error), b museum.Behaviour) *museum.Museum {
	t.Helper()
	m, err := open()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.SetBehaviour(b); err != nil {
		t.Fatal(err)
	}
	m.ClearLog()
	return m
}

// quick is a configuration without waiting.
func quick() crawler.Config {
	cfg := crawler.DefaultConfig()
	cfg.Contact = "operator@example.org"
	cfg.Site = crawler.SiteLimits{Parallelism: 8}
	cfg.RetryDelay, cfg.Timeout = time.Millisecond, 10*time.Second
	return cfg
}

func gallery(m *museum.Museum) crawler.Seed { return crawler.Seed{URL: m.GalleryURL()} }

func commons(t *testing.T, m *museum.Museum) crawler.Seed {
	t.Helper()
	s, err := crawler.MediaWikiSeed(m.CommonsAPIURL(), m.CommonsCategory())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func crawl(t *testing.T, cfg crawler.Config, c *collection, m *museum.Museum, seeds ...crawler.Seed) (crawler.Report, error) {
	t.Helper()
	return crawlWith(t.Context(), t, cfg, c, m, seeds...)
}

func crawlWith(ctx context.Context, t *testing.T, cfg crawler.Config, c *collection, m *museum.Museum, seeds ...crawler.Seed) (crawler.Report, error) {
	t.Helper()
	cr, err := crawler.New(cfg, c, c, crawler.Options{DialContext: m.DialContext})
	if err != nil {
		t.Fatal(err)
	}
	report, err := checkedRun(t, cr, ctx, "test", seeds)
	return report, err
}

// checkedRun runs a crawl and holds its report to what every report has to be.
func checkedRun(t *testing.T, cr *crawler.Crawler, ctx context.Context, name string, seeds []crawler.Seed) (crawler.Report, error) {
	t.Helper()
	report, err := cr.Run(ctx, name, seeds)
	checkFunnel(t, report)
	return report, err
}

// checkFunnel holds the sums of a report against each other.
func checkFunnel(t *testing.T, r crawler.Report) {
	t.Helper()
	sum := r.Kept + r.Known
	for reason, n := range r.Lost {
		if !strings.HasPrefix(reason, "page_") {
			sum += n
		}
	}
	if r.Candidates != sum {
		t.Errorf("%d candidates, but kept + known + lost = %d: %+v", r.Candidates, sum, r)
	}
	for reason, n := range r.Lost {
		if n < len(r.Examples[reason]) || n < 1 {
			t.Errorf("%d lost as %q, with %d examples", n, reason, len(r.Examples[reason]))
		}
	}
	if r.Pending < 0 || r.Damaged > r.Kept || r.Fetched < r.Kept {
		t.Errorf("pending, damaged, fetched and kept can't be: %+v", r)
	}
}

func artworks(t *testing.T, m *museum.Museum) map[palate.ImageID]museum.Artwork {
	t.Helper()
	all, err := m.Artworks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[palate.ImageID]museum.Artwork, len(all))
	for _, a := range all {
		out[a.ImageID] = a
	}
	return out
}

// checkCollection wants exactly the museum's works, each once.
func checkCollection(t *testing.T, c *collection, m *museum.Museum, check func(t *testing.T, w museum.Work, s palate.Source)) {
	t.Helper()
	want, got := artworks(t, m), c.all()
	for id, k := range got {
		w, ok := want[id]
		if !ok {
			t.Errorf("kept %s (%d×%d), which is no work", k.find.Source.Address, k.find.Width, k.find.Height)
			continue
		}
		if k.find.Width != w.Width || k.find.Height != w.Height {
			t.Errorf("work %d is %d×%d, kept as %d×%d", w.Index, w.Width, w.Height, k.find.Width, k.find.Height)
		}
		check(t, w.Work, k.find.Source)
	}
	for id, w := range want {
		if got[id] == nil {
			t.Errorf("work %d (%s, %s) is missing: %s", w.Index, w.ListMarkup, w.PageMarkup, w.PageURL)
		}
	}
}

func equal[T comparable](t *testing.T, work int, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("work %d: %s is %v, want %v", work, what, got, want)
	}
}

func TestGalleryGivesEveryWorkOnceWithItsRecord(t *testing.T) {
	m, c := openMuseum(t, large, museum.Behaviour{}), newCollection()
	before := len(m.RefusedHosts())
	report, err := crawl(t, quick(), c, m, gallery(m))
	if err != nil {
		t.Fatal(err)
	}
	checkCollection(t, c, m, func(t *testing.T, w museum.Work, s palate.Source) {
		equal(t, w.Index, "title", s.Title, w.Title)
		equal(t, w.Index, "artist", s.Artist, w.Artist)
		equal(t, w.Index, "year", s.Year, w.Year)
		equal(t, w.Index, "medium", s.Medium, w.Medium)
		equal(t, w.Index, "licence", s.Licence, w.Licence)
		equal(t, w.Index, "licence URL", s.LicenceURL, w.LicenceURL)
		equal(t, w.Index, "external id", s.ExternalID, w.ExternalID)
		equal(t, w.Index, "page", s.Page, w.PageURL)
		equal(t, w.Index, "site", s.Site, museum.GalleryHost)
		if !slices.Equal(s.Categories, w.Categories) {
			t.Errorf("work %d: categories are %q, want %q", w.Index, s.Categories, w.Categories)
		}
	})
	wantLost := map[string]int{"too_small": 1, "page_robots": 1} // the banner, the private rooms
	if !maps.Equal(report.Lost, wantLost) {
		t.Errorf("lost %v, want %v: %+v", report.Lost, wantLost, report.Examples)
	}
	if report.Kept != pictures || report.Fetched != pictures+1 {
		t.Errorf("kept %d and fetched %d, want %d and one more", report.Kept, report.Fetched, pictures)
	}
	if refused := m.RefusedHosts()[before:]; len(refused) > 0 {
		t.Errorf("the crawl asked for %v", refused)
	}
	for _, a := range m.AccessLog() {
		if !strings.HasPrefix(a.UserAgent, "palate/0.1 (operator@example.org) colly/2") {
			t.Fatalf("%s was asked for as %q", a.URL(), a.UserAgent)
		}
	}
}

func TestMediaWikiGivesEveryWorkOnceWithItsRecord(t *testing.T) {
	m, c := openMuseum(t, large, museum.Behaviour{}), newCollection()
	report, err := crawl(t, quick(), c, m, commons(t, m))
	if err != nil {
		t.Fatal(err)
	}
	checkCollection(t, c, m, func(t *testing.T, w museum.Work, s palate.Source) {
		equal(t, w.Index, "title", s.Title, w.Title)
		equal(t, w.Index, "artist", s.Artist, w.Artist)
		equal(t, w.Index, "year", s.Year, w.Year)
		equal(t, w.Index, "licence", s.Licence, w.Licence)
		equal(t, w.Index, "licence URL", s.LicenceURL, w.LicenceURL)
		equal(t, w.Index, "external id", s.ExternalID, w.CommonsTitle)
		equal(t, w.Index, "page", s.Page, w.CommonsPageURL)
		equal(t, w.Index, "name", s.OriginalName, w.FileName)
		if !slices.Equal(s.Categories, w.Categories) {
			t.Errorf("work %d: categories are %q, want %q", w.Index, s.Categories, w.Categories)
		}
	})
	wantLost := map[string]int{"file_missing": 2, "unsupported_audio": 1}
	if !maps.Equal(report.Lost, wantLost) {
		t.Errorf("lost %v, want %v: %+v", report.Lost, wantLost, report.Examples)
	}
}

func TestCommonsPagesGiveEveryWorkOnce(t *testing.T) {
	// A category's further pages are below /w/, which Commons closes.
	m, c := openMuseum(t, large, museum.Behaviour{Robots: museum.Robots{Body: "User-agent: *\nDisallow: /wiki/Special:\n"}}), newCollection()
	report, err := crawl(t, quick(), c, m, crawler.Seed{URL: m.CommonsCategoryURL(), Source: crawler.HTML})
	if err != nil {
		t.Fatal(err)
	}
	checkCollection(t, c, m, func(t *testing.T, w museum.Work, s palate.Source) {
		equal(t, w.Index, "title", s.Title, w.Title)
		equal(t, w.Index, "artist", s.Artist, w.Artist)
		equal(t, w.Index, "licence", s.Licence, w.Licence)
		equal(t, w.Index, "licence URL", s.LicenceURL, w.LicenceURL)
		equal(t, w.Index, "external id", s.ExternalID, w.ExternalID)
	})
	for reason := range report.Lost {
		if !strings.HasPrefix(reason, "page_") {
			t.Errorf("lost %d %s: %v", report.Lost[reason], reason, report.Examples[reason])
		}
	}
}

func TestSecondRunFetchesNoPictureThatIsKnown(t *testing.T) {
	for _, source := range []string{"gallery", "mediawiki"} {
		t.Run(source, func(t *testing.T) {
			m, c := openMuseum(t, small, museum.Behaviour{}), newCollection()
			seed := gallery(m)
			if source == "mediawiki" {
				seed = commons(t, m)
			}
			if _, err := crawl(t, quick(), c, m, seed); err != nil {
				t.Fatal(err)
			}
			m.ClearLog()
			report, err := crawl(t, quick(), c, m, seed)
			if err != nil {
				t.Fatal(err)
			}
			if report.Known != few || report.Kept != 0 {
				t.Errorf("known %d and kept %d, want %d and 0", report.Known, report.Kept, few)
			}
			for _, a := range m.AccessLog() {
				if a.Work >= 0 {
					t.Errorf("work %d was fetched again", a.Work)
				}
			}
		})
	}
}

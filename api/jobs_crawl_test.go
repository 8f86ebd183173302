package api_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/palate-art/palate/api/client"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/tokens"
)

// gallery is a site of nine pictures on three pages, one of which robots.txt
// forbids, and of one that must not be learned from.
type gallery struct {
	mu     sync.Mutex
	asked  []string // for pictures
	agents map[string]bool
	t      *testing.T
}

// newGallery serves one, at the name that the fixture's operator opened.
func newGallery(t *testing.T) (g *gallery, address string) {
	t.Helper()
	g = &gallery{agents: map[string]bool{}, t: t}
	site := httptest.NewServer(g)
	t.Cleanup(site.Close)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(site.URL, "http://"))
	must(t, err)
	return g, "http://localhost:" + port + "/"
}

func (g *gallery) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.agents[r.UserAgent()] = true
	page := func(n int) {
		for i := range 3 {
			fmt.Fprintf(w, `<figure><a href="/painting-%[1]d.jpg"><img src="/painting-%[1]d.jpg" width="600" height="600" alt="Harbour %[1]d"></a><figcaption>Harbour %[1]d</figcaption></figure>`, 3*n+i)
		}
	}
	w.Header().Set("Content-Type", "text/html")
	switch {
	case r.URL.Path == "/robots.txt":
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write([]byte("User-agent: *\nDisallow: /private\nDisallow: /painting-8.jpg\n"))
	case r.URL.Path == "/":
		_, _ = w.Write([]byte(`<html><body><a href="/more">harbours of the north</a> <a href="/private">private</a>`))
		page(0)
	case r.URL.Path == "/more":
		_, _ = w.Write([]byte(`<html><body><a href="/last">harbours of the south</a>`))
		page(1)
	case r.URL.Path == "/last":
		_, _ = w.Write([]byte(`<html><body>`))
		page(2)
	case strings.HasPrefix(r.URL.Path, "/painting-"):
		g.asked = append(g.asked, r.URL.Path)
		var n int
		_, _ = fmt.Sscanf(r.URL.Path, "/painting-%d.jpg", &n)
		w.Header().Set("Content-Type", "image/jpeg")
		picture := image.NewGray(image.Rect(0, 0, 400, 300))
		for i := range picture.Pix {
			picture.Pix[i] = byte(i*(n+1) + i/400*n)
		}
		if err := jpeg.Encode(w, picture, nil); err != nil {
			g.t.Error(err)
		}
	default:
		http.NotFound(w, r)
	}
}

// pictures are how many were asked for, and by whom anything was.
func (g *gallery) pictures() (asked int, agents string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for agent := range g.agents {
		agents += agent + "\n"
	}
	return len(g.asked), agents
}

// A dry run fetches no picture and says what would come; what it was asked, sent
// once more, brings just that.
func TestADryRunSaysWhatACrawlWouldBring(t *testing.T) {
	f := newFixture(t)
	g, site := newGallery(t)
	asked := map[string]any{"kind": "crawl", "seeds": []string{site}, "contact": "me@palate.test", "max_pictures": 100, "exclude": []string{"painting-0"}, "dry_run": true}
	look := func() (job client.Job) {
		t.Helper()
		id := jobID(t, f.start(t, asked))
		f.waitFor(t, id)
		must(t, json.Unmarshal(f.do(t, "GET", fmt.Sprintf("/v1/jobs/%d", id), "").body, &job))
		return job
	}
	job := look()
	p := job.Preview
	if job.State != "succeeded" || p == nil || job.Result != nil || job.Done != 7 {
		t.Fatalf("got %+v", job)
	}
	left := map[string]int{}
	for _, l := range p.Left {
		left[l.Reason] = l.Count
		if len(l.Examples) == 0 || !strings.HasPrefix(l.Examples[0].URL, site) || !strings.HasPrefix(l.What, "pictures: ") && !strings.HasPrefix(l.What, "pages: ") {
			t.Errorf("got %+v, want an example and words", l)
		}
	}
	if p.Pages != 3 || p.Pictures != 7 || p.Known != 0 || p.BytesRead == 0 || len(p.Examples) != 7 || p.Examples[0].Title == nil || !strings.HasPrefix(*p.Examples[0].Title, "Harbour ") ||
		left["robots"]+left["excluded"]+left["page_robots"] != len(p.Left) {
		t.Errorf("got %+v, want 7 of 9 pictures from 3 pages, and one page and one picture that robots.txt forbids and one that is excluded", p)
	}
	if n, agents := g.pictures(); n > 0 || strings.Count(agents, "\n") != 1 || !strings.Contains(agents, "(me@palate.test)") {
		t.Errorf("%d pictures were fetched, by %s", n, agents)
	}
	wanted, err := json.Marshal(job.Progress.Crawl)
	must(t, err)
	run := f.waitFor(t, jobID(t, f.do(t, "POST", "/v1/jobs", string(wanted), "Content-Type", "application/json")))
	var report struct{ Kept int }
	must(t, json.Unmarshal(run.Result, &report))
	if n, _ := g.pictures(); run.State != catalog.Succeeded || report.Kept != 7 || n != 7 {
		t.Errorf("%s brought %d with %d requests (%s), want 7", wanted, report.Kept, n, run.Error)
	}
	if job = look(); job.State != "succeeded" || job.Preview.Pictures != 0 || job.Preview.Known != 7 {
		t.Errorf("afterwards: got %+v (%v), want 7 that are known", job.Preview, job.Error)
	}
}

// Each limit of a request is kept to.
func TestLimitsOfACrawlAreKeptTo(t *testing.T) {
	f := newFixture(t)
	_, site := newGallery(t)
	for what, c := range map[string]struct {
		limits          map[string]any
		pages, pictures int
	}{
		"pictures":        {map[string]any{"max_pictures": 2}, 0, 2}, // a page may be read while its pictures are looked at, the last may not
		"pages":           {map[string]any{"max_pages": 2}, 2, 6},
		"depth":           {map[string]any{"max_depth": 0}, 1, 3},
		"what is left":    {map[string]any{"exclude": []string{"/more", "-1\\."}}, 1, 2},
		"what is visited": {map[string]any{"include": []string{"/more$"}}, 2, 6},
		"the filter":      {map[string]any{"filter": []string{"title~Harbour 1"}}, 3, 1},
		"the range":       {map[string]any{"range": "2-3"}, 3, 2},
		"the pace":        {map[string]any{"delay_seconds": 0.001, "parallel": 1, "limit_rate": 10_000_000, "want": "largest"}, 3, 8},
	} {
		request := map[string]any{"kind": "crawl", "seeds": []string{site}, "dry_run": true}
		for name, value := range c.limits {
			request[name] = value
		}
		run := f.waitFor(t, jobID(t, f.start(t, request)))
		var found struct{ Preview struct{ Pages, Pictures int } }
		must(t, json.Unmarshal(run.Result, &found))
		if found.Preview.Pictures != c.pictures || found.Preview.Pages != c.pages && (c.pages > 0 || found.Preview.Pages > 2) {
			t.Errorf("%s: got %s (%s), want %d pictures from %d pages", what, run.Result, run.Error, c.pictures, c.pages)
		}
	}
}

// What a crawl can't be asked is told in one sentence, and begins no job.
func TestWhatACrawlCanNotBeAskedIsToldInASentence(t *testing.T) {
	f := newFixture(t)
	for what, c := range map[string]struct {
		field string
		value any
		says  string
	}{
		"a source that is none": {"seeds", []string{"gallery.example"}, `seed "gallery.example" has no scheme: write https://gallery.example`},
		"no pictures":           {"max_pictures", 0, "max_pictures: number must be at least 1"},
		"no pages":              {"max_pages", 0, "max_pages: number must be at least 1"},
		"a depth below 0":       {"max_depth", -1, "max_depth: number must be at least 0"},
		"none at a time":        {"parallel", 0, "parallel: number must be at least 1"},
		"no rate":               {"limit_rate", 0, "limit_rate: number must be at least 1"},
		"no contact":            {"contact", "whoever", `contact "whoever" is neither an e-mail nor a URL`},
		"no expression":         {"include", []string{"("}, "include"},
		"no filter":             {"filter", []string{"colour=red"}, `there is no "colour"`},
	} {
		request := map[string]any{"kind": "crawl", "seeds": []string{"https://gallery.example/"}, "dry_run": true}
		request[c.field] = c.value
		a := f.start(t, request)
		detail, _ := a.field(t, "detail").(string)
		if a.status != http.StatusBadRequest || !strings.Contains(detail, c.says) || strings.Contains(detail, "\n") || strings.Contains(detail, "crawler:") {
			t.Errorf("%s: got status %d: %s, want %q", what, a.status, a.body, c.says)
		}
	}
	if a := f.start(t, map[string]any{"kind": "verify", "dry_run": true}); a.status != http.StatusBadRequest {
		t.Errorf("another kind's: got status %d: %s", a.status, a.body)
	}
	if runs, err := f.catalog.ListRuns(t.Context(), 0, 10); err != nil || len(runs) > 0 {
		t.Errorf("%d jobs were begun, %v", len(runs), err)
	}
}

// Whom sites can ask is a person's address: who may only look is not told it,
// wherever a job is told of.
func TestWhomSitesCanAskIsForWhoManages(t *testing.T) {
	f := newFixture(t)
	_, site := newGallery(t)
	id := jobID(t, f.start(t, map[string]any{"kind": "crawl", "seeds": []string{site}, "contact": "me@palate.test", "dry_run": true}))
	f.waitFor(t, id)
	g := f.guarded(t, nil)
	for name, c := range map[string]struct {
		token string
		told  bool
	}{"owner": {g.token("owner", tokens.Admin), true}, "rate": {g.token("rate", tokens.Rate), false}, "read": {g.token("read", tokens.Read), false}} {
		for _, path := range []string{fmt.Sprintf("/v1/jobs/%d", id), "/v1/jobs"} {
			a := g.ask("GET", path, "", "Authorization", c.token)
			if a.status != http.StatusOK || !strings.Contains(string(a.body), site) || strings.Contains(string(a.body), "me@palate.test") != c.told {
				t.Errorf("GET %s by %s: got status %d, %s; told of the contact shall be %v", path, name, a.status, a.body, c.told)
			}
		}
		r, err := http.NewRequestWithContext(t.Context(), "GET", g.URL+"/v1/events", nil)
		must(t, err)
		r.Header.Set("Authorization", c.token)
		r.Header.Set("Last-Event-ID", "1")
		response, err := http.DefaultTransport.RoundTrip(r)
		must(t, err)
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			if line := lines.Text(); strings.HasPrefix(line, "data: ") && strings.Contains(line, `"crawl"`) {
				if strings.Contains(line, site) && strings.Contains(line, "me@palate.test") != c.told {
					t.Errorf("an event for %s: got %s; told of the contact shall be %v", name, line, c.told)
				}
				break
			}
		}
		must(t, response.Body.Close())
	}
}

package crawler_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
)

// requests notes what is asked for.
type requests struct {
	next http.Handler
	mu   sync.Mutex
	made []string
}

func (q *requests) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q.mu.Lock()
	q.made = append(q.made, strings.TrimSpace(r.URL.RequestURI()+" "+r.Header.Get("Range")))
	q.mu.Unlock()
	q.next.ServeHTTP(w, r)
}

func (q *requests) of(prefix string) (out []string) {
	for _, a := range q.made {
		if strings.HasPrefix(a, prefix) {
			out = append(out, a)
		}
	}
	return out
}

// TestABodyThatBreaksOffGoesOnInTheMiddle breaks the connection after each
// third of a picture.
func TestABodyThatBreaksOffGoesOnInTheMiddle(t *testing.T) {
	data := paint("broken", 800, 600)
	third := len(data)/3 + 1
	for name, test := range map[string]struct {
		header http.Header
		want   []string
		kept   int
	}{
		"with an ETag":        {http.Header{"Etag": {`"v1"`}}, []string{"/a.png", fmt.Sprintf("/a.png bytes=%d-", third), fmt.Sprintf("/a.png bytes=%d-", 2*third)}, 1},
		"with a length alone": {nil, []string{"/a.png", fmt.Sprintf("/a.png bytes=%d-", third), fmt.Sprintf("/a.png bytes=%d-", 2*third)}, 1},
		"not in the middle":   {http.Header{"Accept-Ranges": {"none"}}, []string{"/a.png", "/a.png"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			q := &requests{next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/a.png" {
					files{"site.test/": `<img src="a.png">`}.ServeHTTP(w, r)
					return
				}
				maps.Copy(w.Header(), test.header)
				from := 0
				if text := r.Header.Get("Range"); text != "" {
					from, _ = strconv.Atoi(strings.Trim(text, "bytes=-"))
					if r.Header.Get("If-Range") != test.header.Get("Etag") {
						t.Errorf("If-Range is %q", r.Header.Get("If-Range"))
					}
					w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(data)-1, len(data)))
				}
				w.Header().Set("Content-Length", strconv.Itoa(len(data)-from))
				if from > 0 {
					w.WriteHeader(http.StatusPartialContent)
				}
				_, _ = w.Write(data[from:min(from+third, len(data))])
				w.(http.Flusher).Flush()
				if from+third < len(data) {
					panic(http.ErrAbortHandler)
				}
			})}
			cfg := quick()
			cfg.Retries = 1
			if test.kept == 1 {
				cfg.Retries = 4
			}
			kept, report := crawlFiles(t, cfg, q)
			if len(kept) != test.kept || !slices.Equal(q.of("/a.png"), test.want) {
				t.Errorf("kept %d by %q, want %d by %q: %v", len(kept), q.of("/a.png"), test.kept, test.want, report.Examples)
			}
			for _, find := range kept {
				if !bytes.Equal(find.Content, data) {
					t.Error("another file was kept")
				}
			}
		})
	}
}

func TestAFileThatChangedMeanwhileIsFetchedAnew(t *testing.T) {
	old, data := paint("old", 500, 500), paint("new", 800, 600)
	asked := 0
	kept, _ := crawlFiles(t, quick(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/a.png":
			files{"site.test/": `<img src="a.png">`}.ServeHTTP(w, r)
		case asked == 0:
			asked++
			w.Header().Set("ETag", `"old"`)
			w.Header().Set("Content-Length", strconv.Itoa(len(old)))
			_, _ = w.Write(old[:len(old)/2])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		default:
			w.Header().Set("ETag", `"new"`)
			http.ServeContent(w, r, "a.png", time.Time{}, bytes.NewReader(data))
		}
	}))
	for _, find := range kept {
		if !bytes.Equal(find.Content, data) {
			t.Error("another file was kept")
		}
	}
	if len(kept) != 1 {
		t.Errorf("kept %d, want the new file", len(kept))
	}
}

// TestPicturesWithoutEndingAreFetchedOnce has the addresses of a light box
// whose pictures come from a script.
func TestPicturesWithoutEndingAreFetchedOnce(t *testing.T) {
	site := files{}
	for i := range 6 {
		site["site.test/"] += fmt.Sprintf(`<a href="picture.php?id=%d"><img src="thumb.php?id=%d"></a>`, i, i)
		site[fmt.Sprintf("site.test/picture.php?id=%d", i)] = "png 900x700"
		site[fmt.Sprintf("site.test/thumb.php?id=%d", i)] = "png 90x70"
	}
	q := &requests{next: site}
	s, c := serve(t, q), newCollection()
	for round := range 2 {
		q.made = nil
		cr, err := crawler.New(quick(), c, c, crawler.Options{DialContext: s.dial})
		if err != nil {
			t.Fatal(err)
		}
		report, err := checkedRun(t, cr, t.Context(), "test", []crawler.Seed{{URL: "http://site.test/"}})
		if err != nil {
			t.Fatal(err)
		}
		checkFunnel(t, report)
		if report.Kept+report.Known != 6 || report.Candidates != 6 || len(report.Lost) > 0 {
			t.Errorf("round %d: %+v, want 6 and no loss", round, report)
		}
		if want := 6 * (1 - round); len(q.of("/picture.php")) != want || len(q.of("/thumb.php")) != 0 {
			t.Errorf("round %d: asked for %q, want %d pictures", round, q.made, want)
		}
	}
}

func TestPictureLimitCountsPicturesWithoutEnding(t *testing.T) {
	site := files{}
	for i := range 9 {
		site["site.test/"] += fmt.Sprintf(`<a href="picture.php?id=%d">work</a> <img src="/%d.png">`, i, i)
		site[fmt.Sprintf("site.test/picture.php?id=%d", i)] = "png 900x700"
		site[fmt.Sprintf("site.test/%d.png", i)] = "png 900x700"
	}
	cfg := quick()
	cfg.MaxPictures = 7
	kept, report := crawlFiles(t, cfg, site)
	if len(kept) != 7 || report.Kept != 7 || report.Pending != 0 {
		t.Errorf("kept %d (%d by the report), want 7", len(kept), report.Kept)
	}
}

func TestCookiesAndRefererTravelFromPagesToPictures(t *testing.T) {
	kept, report := crawlFiles(t, quick(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie("seen")
		switch {
		case r.URL.Path == "/":
			http.SetCookie(w, &http.Cookie{Name: "seen", Value: "yes", Path: "/"})
			files{"site.test/": `<img src="a.png"><a href="/big?id=1"><img src="b.png"></a>`}.ServeHTTP(w, r)
		case r.URL.Path == "/robots.txt":
			http.NotFound(w, r)
		case err != nil || cookie.Value != "yes" || r.Referer() != "http://site.test/":
			w.WriteHeader(http.StatusForbidden)
		default:
			w.Header().Set("Content-Type", "image/png")
			_, _ = w.Write(paint(r.URL.Path, 300, 300))
		}
	}))
	if len(kept) != 2 {
		t.Errorf("kept %d, want 2: %v", len(kept), report.Examples)
	}
}

func TestOperatorsCookiesGoToTheirHostAlone(t *testing.T) {
	cookies, err := crawler.ReadCookies(strings.NewReader("# Netscape HTTP Cookie File\r\n\r\n.site.test\tTRUE\t/\tFALSE\t0\tlogin\tsecret\r\n" +
		"#HttpOnly_site.test\tFALSE\t/in\tFALSE\t1e12\tdeep\tx=y\nsite.test\tFALSE\t/\tFALSE\t1\told\tz\nother.test\tFALSE\t/\tFALSE\t0\telse\t"))
	if err != nil || len(cookies) != 4 {
		t.Fatalf("%d cookies (%v), want 4", len(cookies), err)
	}
	got := map[string]string{}
	var mu sync.Mutex
	cfg := quick()
	cfg.Cookies = cookies
	site := files{"site.test/": `<img src="/in/a.png"><img src="http://m.site.test/b.png"><img src="http://third.test/c.png">`}
	crawlFiles(t, cfg, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		got[r.Host+r.URL.Path] = r.Header.Get("Cookie")
		mu.Unlock()
		site.ServeHTTP(w, r)
	}))
	for address, want := range map[string]string{
		"site.test/": "login=secret", "site.test/in/a.png": "deep=x=y; login=secret", "m.site.test/b.png": "login=secret", "third.test/c.png": "",
	} {
		if got[address] != want {
			t.Errorf("%s was asked for with %q, want %q", address, got[address], want)
		}
	}
	for _, text := range []string{"site.test TRUE / FALSE 0 a b", "\tTRUE\t/\tFALSE\t0\ta\tb", "site.test\tTRUE\t/\tFALSE\tsoon\ta\tsecret"} {
		if _, err := crawler.ReadCookies(strings.NewReader(text)); !errors.Is(err, palate.ErrInvalid) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestSessionsAreCutFromTheKeyAndNotFromTheRequest(t *testing.T) {
	site := files{}
	for i := range 10 {
		site["site.test/"] += fmt.Sprintf(`<a href="/show.php?sid=%d">series</a>`, i)
		site[fmt.Sprintf("site.test/show.php?sid=%d", i)] = fmt.Sprintf(`<img src="/%d.png"><a href="/about?sid=3f9a1c77de0b%d4aa">about</a>`, i, i)
		site[fmt.Sprintf("site.test/about?sid=3f9a1c77de0b%d4aa", i)] = "<p>about"
		site[fmt.Sprintf("site.test/%d.png", i)] = "png 300x300"
	}
	q := &requests{next: site}
	kept, report := crawlFiles(t, quick(), q)
	if len(kept) != 10 || len(report.Lost) != 0 {
		t.Errorf("kept %d of 10, lost %v", len(kept), report.Lost)
	}
	if about := q.of("/about"); len(about) != 1 || !strings.Contains(about[0], "?sid=3f9a1c") {
		t.Errorf("asked for %q, want one page, with its session", about)
	}
}

func TestPictureWithASessionIsKnownAtTheNextCrawl(t *testing.T) {
	round := 0
	q := &requests{next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/i") {
			w.Header().Set("Content-Type", "image/png")
			_, _ = w.Write(paint("x", 300, 300))
			return
		}
		files{"site.test/": fmt.Sprintf(`<img src="/i.png;jsessionid=%d?PHPSESSID=%d">`, round, round)}.ServeHTTP(w, r)
	})}
	s, c := serve(t, q), newCollection()
	for ; round < 2; round++ {
		cr, err := crawler.New(quick(), c, c, crawler.Options{DialContext: s.dial})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := checkedRun(t, cr, t.Context(), "test", []crawler.Seed{{URL: "http://site.test/"}}); err != nil {
			t.Fatal(err)
		}
	}
	if got := q.of("/i.png"); len(got) != 1 {
		t.Errorf("the picture was asked for as %q, want once", got)
	}
}

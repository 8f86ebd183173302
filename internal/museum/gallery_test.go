package museum_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/palate-art/palate/internal/museum"
)

func parse(t *testing.T, body []byte) *html.Node {
	t.Helper()
	root, err := html.ParseWithOptions(bytes.NewReader(body), html.ParseOptionEnableScripting(false))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func resolve(t *testing.T, base, ref string) string {
	t.Helper()
	b, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	u, err := b.Parse(ref)
	if err != nil {
		t.Fatalf("%s: link %q: %v", base, ref, err)
	}
	return u.String()
}

// listPages follows rel=next from the start page.
func (v visitor) listPages() (addresses []string, bodies [][]byte) {
	v.Helper()
	for at := v.museum.GalleryURL(); at != ""; {
		body := v.get(at)
		addresses, bodies = append(addresses, at), append(bodies, body)
		next := ""
		for n := range parse(v.T, body).Descendants() {
			if n.Data == "a" && attr(n, "rel") == "next" {
				next = resolve(v.T, at, attr(n, "href"))
			}
		}
		at = next
		if len(addresses) > 100 {
			v.Fatal("pagination does not end")
		}
	}
	return addresses, bodies
}

func TestPaginationShowsEveryWorkOnce(t *testing.T) {
	v := open(t, few(45))
	shown := make(map[string]int)
	addresses, bodies := v.listPages()
	for k, body := range bodies {
		for n := range parse(t, body).Descendants() {
			if n.Data == "p" && n.FirstChild != nil && n.FirstChild.Data == "a" && n.Parent.Data == "li" {
				shown[resolve(t, addresses[k], attr(n.FirstChild, "href"))]++
			}
		}
	}
	if len(addresses) != 5 {
		t.Errorf("%d list pages, want 5", len(addresses))
	}
	for _, w := range v.museum.Works() {
		if shown[w.PageURL] != 1 {
			t.Errorf("work %d (%s) is listed %d times, want once", w.Index, w.PageURL, shown[w.PageURL])
		}
	}
	if len(shown) != 45 {
		t.Errorf("%d works listed, want 45", len(shown))
	}
}

var ways = map[string]func(full, page string) string{
	"img":           func(full, _ string) string { return `<img class="full" src="` + full + `"` },
	"data-src":      func(full, _ string) string { return ` data-src="` + full + `"` },
	"data-lazy-src": func(full, _ string) string { return ` data-lazy-src="` + full + `"` },
	"srcset":        func(full, _ string) string { return `w, ` + full + ` ` },
	"picture":       func(full, _ string) string { return `w, ` + full + ` ` },
	"og:image":      func(full, _ string) string { return `property="og:image" content="` + full + `"` },
	"json-ld":       func(full, _ string) string { return `"contentUrl":"` + strings.ReplaceAll(full, "/", `\/`) + `"` },
	"full-link":     func(full, _ string) string { return `<a href="` + full + `"><img` },
	"noscript":      func(full, _ string) string { return `<noscript><img class="full" src="` + full + `"` },
	"redirect":      func(_, n string) string { return `src="/media/` + n + `"` },
	"relative":      func(_, n string) string { return `src="../pictures/` },
}

func TestEveryMarkupOfAWorksPageLeadsToThePicture(t *testing.T) {
	v := open(t, few(24))
	seen := make(map[string]bool)
	for _, w := range v.museum.Works() {
		body := string(v.get(w.PageURL))
		want := ways[w.PageMarkup](w.ImageURL, fmt.Sprint(w.Index))
		// html/template may write a slash in JSON either way.
		if !strings.Contains(body, want) && !strings.Contains(body, strings.ReplaceAll(want, `\/`, "/")) {
			t.Errorf("work %d, %s: page lacks %q\n%s", w.Index, w.PageMarkup, want, body)
		}
		for _, fact := range []string{w.ExternalID, fmt.Sprint(w.Year), w.Medium, w.LicenceURL} {
			if !strings.Contains(body, fact) {
				t.Errorf("work %d: page lacks %q", w.Index, fact)
			}
		}
		seen[w.PageMarkup] = true
		want = string(v.get(w.ImageURL))
		if data, err := v.museum.File(w.Index); err != nil || string(data) != want {
			t.Errorf("work %d: served bytes differ from File (%v)", w.Index, err)
		}
	}
	if len(seen) != len(museum.PageMarkups) {
		t.Errorf("markups seen: %v, want all of %v", seen, museum.PageMarkups)
	}
}

func TestAPageMayEndInJPGAndMediaMayRedirect(t *testing.T) {
	v := open(t, few(24))
	works := v.museum.Works()
	i := slices.IndexFunc(works, func(w museum.Work) bool {
		return w.ListMarkup == "jpg-page" && strings.HasSuffix(w.PageURL, ".jpg")
	})
	if i < 0 {
		t.Fatal("no page ends in .jpg")
	}
	resp, body, err := v.try(works[i].PageURL)
	if err != nil || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") || !bytes.Contains(body, []byte("<!DOCTYPE")) {
		t.Errorf("%s: %v, want HTML", works[i].PageURL, err)
	}
	i = slices.IndexFunc(works, func(w museum.Work) bool { return w.PageMarkup == "redirect" })
	resp, body, err = v.try(fmt.Sprintf("http://%s/media/%d", museum.GalleryHost, i))
	if err != nil {
		t.Fatal(err)
	}
	if got := resp.Request.URL.String(); got != works[i].ImageURL {
		t.Errorf("redirected to %s, want %s", got, works[i].ImageURL)
	}
	if data, _ := v.museum.File(i); !bytes.Equal(body, data) {
		t.Error("the redirect leads to other bytes")
	}
}

func TestTheRelativeAddressGivesTheSamePicture(t *testing.T) {
	v := open(t, few(24))
	works := v.museum.Works()
	i := slices.IndexFunc(works, func(w museum.Work) bool { return w.PageMarkup == "relative" })
	found := regexp.MustCompile(`src="(\.\./pictures/[^"]+)"`).FindSubmatch(v.get(works[i].PageURL))
	if found == nil {
		t.Fatal("no relative address")
	}
	got := v.get(resolve(t, works[i].PageURL, string(found[1])))
	if want, _ := v.museum.File(i); !bytes.Equal(got, want) {
		t.Error("the relative address gives other bytes")
	}
}

func TestThumbnailsAreScaledPicturesAndDecoysAreSmall(t *testing.T) {
	v := open(t, few(24))
	found := regexp.MustCompile(`http://[^" ]+/thumbs/160/\d+\.jpg`).Find(v.get(v.museum.GalleryURL()))
	if found == nil {
		t.Fatal("no thumbnail on the start page")
	}
	if img, _ := decode(t, v.get(string(found))); img.Width != 160 {
		t.Errorf("thumbnail is %d wide, want 160", img.Width)
	}
	start := v.get(v.museum.GalleryURL())
	for _, d := range museum.Decoys() {
		img, _ := decode(t, v.get(d.URL))
		if img.Width != d.Width || img.Height != d.Height || min(d.Width, d.Height) >= 50 {
			t.Errorf("%s: %d×%d, want %d×%d and a side below 50", d.URL, img.Width, img.Height, d.Width, d.Height)
		}
		if path := strings.TrimPrefix(d.URL, "http://"+museum.GalleryHost); !bytes.Contains(start, []byte(path)) {
			t.Errorf("no page shows %s", d.URL)
		}
	}
}

// Every link of the site, followed from the start page, ends: the loops are
// finite, and no page of the site is broken.
func TestTheSiteIsFiniteAndWhole(t *testing.T) {
	v := open(t, few(45))
	queue, seen := []string{v.museum.GalleryURL()}, map[string]bool{}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if u, _ := url.Parse(at); seen[at] || u.Host != museum.GalleryHost || u.Scheme != "http" {
			continue
		}
		seen[at] = true
		resp, body, err := v.try(at)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %v", at, err)
		}
		for n := range parse(t, body).Descendants() {
			if href := attr(n, "href"); n.Data == "a" && href != "" {
				link, _, _ := strings.Cut(resolve(t, at, href), "#")
				queue = append(queue, link)
			}
		}
	}
	// 5 lists, 45 works, 12 months, artists and their list, about, private.
	if got, want := len(seen), 5+45+12+15+2; got != want {
		t.Errorf("%d pages, want %d", got, want)
	}
	if got := v.museum.RefusedHosts(); len(got) != 0 {
		t.Errorf("hosts refused: %v", got)
	}
}

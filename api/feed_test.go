package api_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/tokens"
)

// atom is a feed as a reader sees it.
type atom struct {
	XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string   `xml:"id"`
	Title   string   `xml:"title"`
	Updated string   `xml:"updated"`
	Author  []string `xml:"author>name"`
	Links   []struct {
		Rel  string `xml:"rel,attr"`
		Href string `xml:"href,attr"`
	} `xml:"link"`
	Entries []struct {
		ID      string `xml:"id"`
		Title   string `xml:"title"`
		Updated string `xml:"updated"`
		Rights  string `xml:"rights"`
		Links   []struct {
			Rel  string `xml:"rel,attr"`
			Href string `xml:"href,attr"`
		} `xml:"link"`
		Thumbnail struct {
			URL string `xml:"url,attr"`
		} `xml:"http://search.yahoo.com/mrss/ thumbnail"`
		Content struct {
			Type string `xml:"type,attr"`
			HTML string `xml:",chardata"`
		} `xml:"content"`
	} `xml:"entry"`
}

// readFeed reads a feed and holds it to what RFC 4287 asks of every feed.
func readFeed(t *testing.T, a answer) atom {
	t.Helper()
	if a.status != 200 || a.header.Get("Content-Type") != "application/atom+xml; charset=utf-8" {
		t.Fatalf("got %d as %s: %.300s", a.status, a.header.Get("Content-Type"), a.body)
	}
	var f atom
	must(t, xml.Unmarshal(a.body, &f))
	ids := map[string]bool{}
	moment := func(text string) time.Time {
		at, err := time.Parse(time.RFC3339Nano, text)
		must(t, err)
		return at
	}
	for _, e := range f.Entries {
		if ids[e.ID] || !strings.HasPrefix(e.ID, "urn:uuid:") || e.Title == "" || e.Content.Type != "html" || len(e.Links) == 0 || e.Links[0].Rel != "alternate" {
			t.Errorf("an entry that a reader can't tell from another, or not show: %+v", e)
		}
		if ids[e.ID] = true; moment(e.Updated).After(moment(f.Updated)) {
			t.Errorf("an entry is of %s and the feed of %s", e.Updated, f.Updated)
		}
	}
	if f.ID == "" || f.Title == "" || moment(f.Updated).Before(time.Unix(0, 0)) || len(f.Author) != 1 || len(f.Links) != 2 || f.Links[0].Rel != "self" {
		t.Errorf("the feed lacks what every feed has: %+v", f)
	}
	return f
}

// crawled puts pictures into the collection as a crawl does.
func (f *fixture) crawled(t *testing.T, sources ...palate.Source) (ids []palate.ImageID) {
	t.Helper()
	var seeds []crawler.Task
	for i := range sources {
		f.pictures++
		sources[i].Site, sources[i].Address = "museum.example", fmt.Sprintf("https://museum.example/new/%d.jpg", f.pictures)
		seeds = append(seeds, crawler.Task{Kind: crawler.Image, URL: sources[i].Address})
	}
	_, err := f.catalog.BeginCrawl(t.Context(), "museum", seeds)
	must(t, err)
	for _, source := range sources {
		tasks, _, err := f.catalog.NextTasks(t.Context(), "museum", 1)
		must(t, err)
		f.pictures++
		base := red
		if source.Artist == "Blau" {
			base = blue
		}
		_, id, err := f.collection.Keep(t.Context(), "museum", tasks[0], crawler.Find{Content: paint(t, base, f.pictures), Format: "jpeg", Width: 60, Height: 40, Source: source})
		must(t, err)
		ids = append(ids, id)
	}
	f.embed(t)
	return ids
}

// pictures are those of a feed, by their addresses.
func (a atom) pictures() (ids []string) {
	for _, e := range a.Entries {
		u, _ := url.Parse(e.Thumbnail.URL)
		ids = append(ids, u.Path[strings.LastIndex(u.Path, "/")+1:])
	}
	return ids
}

func TestAFeedTellsWhatCameAndWhatItIsLike(t *testing.T) {
	f := newFixture(t)
	empty := readFeed(t, f.do(t, "GET", "/v1/profiles/me/feed.atom", ""))
	if len(empty.Entries) != 0 {
		t.Errorf("of an empty collection: got %d entries", len(empty.Entries))
	}
	reds, blues := f.add(t, 6, red, "Roth"), f.add(t, 6, blue, "Blau")
	fresh := f.crawled(t, palate.Source{Artist: "Blau", Title: "<script>alert(1)</script> & 夜\x01", Page: "javascript:alert(1)"},
		palate.Source{Artist: "Roth", Title: "Abend", Page: "https://museum.example/abend?a=1&b=2", Licence: "CC0", Date: "um 1900"})
	first := readFeed(t, f.do(t, "GET", "/v1/profiles/me/feed.atom", ""))
	if got := first.pictures(); len(got) != 2 || got[0] != fresh[1].String() {
		t.Errorf("before the first judgement: got %v, want what was crawled, the newest first: %v", got, fresh)
	}
	if got := readFeed(t, f.do(t, "GET", "/v1/profiles/me/feed.atom?min_probability=0.5", "")); len(got.Entries) != 0 {
		t.Errorf("by a chance that none can tell: got %v", got.pictures())
	}
	f.rate(t, palate.Like, reds...)
	f.rate(t, palate.Dislike, blues...)
	f.learn(t)
	a := f.do(t, "GET", "/v1/profiles/me/feed.atom", "")
	feed := readFeed(t, a)
	if got := feed.pictures(); len(got) != 2 || got[0] != fresh[1].String() || feed.ID != first.ID || feed.Entries[0].ID != first.Entries[0].ID || feed.Entries[0].Updated != first.Entries[0].Updated {
		t.Fatalf("got %v, want the red one first, under the ids and times of before", got)
	}
	best, worst := feed.Entries[0], feed.Entries[1]
	page := f.url + "/#/newest?picture=" + fresh[1].String() + "&profile=me"
	if best.Title != "Abend – Roth" || best.Rights != "CC0" || best.Links[0].Href != page || best.Links[1].Rel != "via" || best.Links[1].Href != "https://museum.example/abend?a=1&b=2" {
		t.Errorf("got %+v", best)
	}
	for _, want := range []string{"% likely to be liked. By Roth, um 1900. CC0.", best.Thumbnail.URL, "You like what looks most like it"} {
		if !strings.Contains(best.Content.HTML, want) {
			t.Errorf("the content lacks %q: %s", want, best.Content.HTML)
		}
	}
	compared := 0
	for _, id := range reds {
		compared += strings.Count(best.Content.HTML, "/feed-pictures/"+id.String()+`"`)
	}
	if compared != 3 {
		t.Errorf("it was compared to %d of the likes, want 3: %s", compared, best.Content.HTML)
	}
	if strings.Contains(worst.Content.HTML, "<script") || strings.Contains(string(a.body), "javascript:") || worst.Title != "<script>alert(1)</script> & 夜\uFFFD – Blau" {
		t.Errorf("a title and an address of a stranger's: got %q: %s", worst.Title, worst.Content.HTML)
	}
	if p := f.do(t, "GET", strings.TrimPrefix(best.Thumbnail.URL, f.url), ""); p.status != 200 || p.header.Get("Content-Type") != "image/jpeg" || p.header.Get("Cross-Origin-Resource-Policy") != "cross-origin" {
		t.Errorf("its picture: got %d as %s", p.status, p.header.Get("Content-Type"))
	}
	if got := f.do(t, "GET", "/v1/profiles/me/feed.atom", "", "If-None-Match", a.header.Get("ETag")); got.status != 304 {
		t.Errorf("asked again: got %d", got.status)
	}
	if got := f.do(t, "HEAD", "/v1/profiles/me/feed.atom", ""); got.status != 200 || len(got.body) != 0 || got.header.Get("ETag") != a.header.Get("ETag") {
		t.Errorf("HEAD: got %d", got.status)
	}
	f.rate(t, palate.Dislike, fresh[1])
	if got := readFeed(t, f.do(t, "GET", "/v1/profiles/me/feed.atom?limit=5&days=1&min_probability=0", "")).pictures(); len(got) != 1 || got[0] != fresh[0].String() {
		t.Errorf("after a judgement: got %v, want what is not judged", got)
	}
	if got := readFeed(t, f.do(t, "GET", "/v1/profiles/me/feed.atom?min_probability=0.99", "")); len(got.Entries) != 0 || got.Updated == "1970-01-01T00:00:00Z" {
		t.Errorf("of the best alone: got %v of %s", got.pictures(), got.Updated)
	}
}

// Beyond loopback the key in the address opens the feed and its pictures, and
// nothing else, of that profile alone.
func TestAFeedBeyondLoopbackOpensByItsAddress(t *testing.T) {
	f := newFixture(t)
	id := f.crawled(t, palate.Source{Title: "Abend"})[0].String()
	g := f.guarded(t, nil)
	read, rate := g.token("read", tokens.Read), g.token("rate", tokens.Rate, "ada")
	if a := g.ask("POST", "/v1/profiles/ada/feed-addresses", "", "Authorization", read); a.status != 403 {
		t.Errorf("a reader makes an address: got %d", a.status)
	}
	made := g.ask("POST", "/v1/profiles/ada/feed-addresses", "", "Authorization", rate)
	if made.status != 201 {
		t.Fatalf("got %d: %s", made.status, made.body)
	}
	address := made.field(t, "url").(string)
	path, key, _ := strings.Cut(strings.TrimPrefix(address, g.URL), "?")
	if path != "/v1/profiles/ada/feed.atom" || !strings.HasPrefix(key, "key=palate_feed_") || made.header.Get("Location") != address {
		t.Fatalf("got %s", address)
	}
	feed := readFeed(t, g.ask("GET", path+"?"+key, ""))
	if len(feed.Entries) != 1 || feed.Links[0].Href != address {
		t.Fatalf("got %+v", feed)
	}
	picture := strings.TrimPrefix(feed.Entries[0].Thumbnail.URL, g.URL)
	for what, tt := range map[string]struct {
		method, path string
		want         int
	}{
		"its picture": {"GET", picture, 200}, "a part of the feed": {"GET", path + "?days=3&" + key, 200}, "its head": {"HEAD", path + "?" + key, 200},
		"without the key": {"GET", path, 401}, "with another": {"GET", path + "?key=palate_feed_x", 401},
		"another profile's": {"GET", "/v1/profiles/me/feed.atom?" + key, 403}, "another profile's picture": {"GET", "/v1/profiles/me/feed-pictures/" + id + "?" + key, 403},
		"the picture elsewhere": {"GET", "/v1/images/" + id + "/thumbnail?" + key, 401}, "the ratings": {"GET", "/v1/profiles/ada/ratings?" + key, 401},
		"the addresses": {"DELETE", "/v1/profiles/ada/feed-addresses?" + key, 401}, "the page": {"GET", "/?" + key, 303},
	} {
		if got := g.ask(tt.method, tt.path, ""); got.status != tt.want {
			t.Errorf("%s: got %d, want %d: %.200s", what, got.status, tt.want, got.body)
		}
	}
	if a := g.ask("GET", "/v1/images", "", "Authorization", "Bearer "+strings.TrimPrefix(key, "key=")); a.status != 401 {
		t.Errorf("the key as a token: got %d", a.status)
	}
	if _, a := g.signIn(strings.TrimPrefix(key, "key=")); a.status != 401 {
		t.Errorf("the key to sign in: got %d", a.status)
	}
	if a := g.ask("DELETE", "/v1/profiles/ada/feed-addresses", "", "Authorization", rate); a.status != 200 || a.field(t, "revoked") != 1.0 {
		t.Errorf("to revoke it: got %d: %s", a.status, a.body)
	}
	last := answer{}
	for range 30 { // who tries keys waits
		if last = g.ask("GET", path+"?"+key, ""); last.status != 401 {
			break
		}
	}
	if last.status != http.StatusTooManyRequests {
		t.Errorf("many times with a key that was revoked: got %d", last.status)
	}
	if a := f.do(t, "POST", "/v1/profiles/me/feed-addresses", ""); a.status != 201 || a.field(t, "url") != f.url+"/v1/profiles/me/feed.atom" {
		t.Errorf("on loopback: got %s", a.body)
	}
	if a := f.do(t, "DELETE", "/v1/profiles/me/feed-addresses", ""); a.status != 200 {
		t.Errorf("on loopback, revoked: got %d", a.status)
	}
	if a := f.do(t, "GET", "/v1/profiles/me/feed.atom", "", "X-Forwarded-Proto", "https"); !strings.Contains(string(a.body), `href="https://`) {
		t.Errorf("behind a proxy with TLS: got %s", a.body)
	}
}

// What came since a moment is a list like others, with the likes each picture
// is compared to.
func TestWhatIsNewIsAListWithItsReasons(t *testing.T) {
	f := newFixture(t)
	reds, blues := f.add(t, 6, red, "Roth"), f.add(t, 6, blue, "Blau")
	f.rate(t, palate.Like, reds...)
	f.rate(t, palate.Dislike, blues...)
	f.learn(t)
	last, err := f.catalog.Image(t.Context(), blues[5])
	must(t, err)
	since := last.AddedAt.Format(time.RFC3339Nano)
	fresh := f.crawled(t, palate.Source{Artist: "Blau"}, palate.Source{Artist: "Roth"})
	f.add(t, 1, red, "an import")
	l := f.snapshot(t, fmt.Sprintf(`{"order":"score","crawled":true,"added_after":%q}`, since))
	if l.Total != 2 || l.ids[0] != fresh[1] || l.ids[1] != fresh[0] || l.chances[0] < 50 || l.chances[1] > 50 {
		t.Fatalf("got %v with the chances %v, want %v, the red one first", l.ids, l.chances, fresh)
	}
	if all := f.snapshot(t, fmt.Sprintf(`{"order":"newest","added_after":%q}`, since)); all.Total != 3 {
		t.Errorf("whoever brought it: got %d", all.Total)
	}
	var page struct {
		Items []struct {
			Image struct{ ID string }
			Near  *[]struct{ Image struct{ ID, Verdict string } } `json:"nearest_likes"`
		}
	}
	a := f.do(t, "GET", "/v1/profiles/me/snapshots/"+l.ID+"/images?nearest_likes=2", "")
	must(t, json.Unmarshal(a.body, &page))
	for _, item := range page.Items {
		if item.Near == nil || len(*item.Near) != 2 || (*item.Near)[0].Image.Verdict != "like" {
			t.Errorf("%s is compared to %+v, want two likes", item.Image.ID, item.Near)
		}
	}
	if len(page.Items) != 2 || strings.Contains(string(f.do(t, "GET", "/v1/profiles/me/snapshots/"+l.ID+"/images", "").body), "nearest_likes") {
		t.Error("likes that were not asked for, or no items")
	}
	for query, want := range map[string]float64{"": 3, "&crawled=true": 2, "&judged=liked": 0, "&model=" + string(colours{}.Model()): 3, "&model=none": 0, "&model=none&model=" + string(colours{}.Model()): 3} {
		if got := f.do(t, "GET", "/v1/images?count=true&added_after="+url.QueryEscape(since)+query, "").field(t, "total"); got != want {
			t.Errorf("images%s: got %v, want %v", query, got, want)
		}
	}
	for _, bad := range []string{"added_after=yesterday", "external_id=M/1&crawled=true", "external_id=M/1&model=none", "external_id=M/1&added_after=2026-01-01T00:00:00Z"} {
		if got := f.do(t, "GET", "/v1/images?"+bad, "").status; got != 400 {
			t.Errorf("%s: got %d", bad, got)
		}
	}
}

package museum_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/museum"
)

type apiPage struct {
	PageID    int    `json:"pageid"`
	NS        int    `json:"ns"`
	Title     string `json:"title"`
	ImageInfo []struct {
		URL         string `json:"url"`
		ThumbURL    string `json:"thumburl"`
		ThumbWidth  int    `json:"thumbwidth"`
		Width       int    `json:"width"`
		Mime        string `json:"mime"`
		MediaType   string `json:"mediatype"`
		FileMissing bool   `json:"filemissing"`
		ExtMetadata map[string]struct {
			Value string `json:"value"`
		} `json:"extmetadata"`
	} `json:"imageinfo"`
}

type apiAnswer struct {
	BatchComplete bool              `json:"batchcomplete"`
	Continue      map[string]string `json:"continue"`
	Query         struct {
		Pages           []apiPage `json:"pages"`
		CategoryMembers []apiPage `json:"categorymembers"`
	} `json:"query"`
	Error struct {
		Code string `json:"code"`
	} `json:"error"`
}

func (v visitor) ask(params string, more map[string]string) apiAnswer {
	v.Helper()
	q, err := url.ParseQuery(params)
	if err != nil {
		v.Fatal(err)
	}
	q.Set("action", "query")
	q.Set("format", "json")
	q.Set("formatversion", "2")
	for key, value := range more {
		q.Set(key, value)
	}
	var a apiAnswer
	body := v.get(v.museum.CommonsAPIURL() + "?" + q.Encode())
	if err := json.Unmarshal(body, &a); err != nil {
		v.Fatalf("%s: %v\n%.300s", params, err, body)
	}
	return a
}

// askAll sends back all of continue until there is none, and merges.
func (v visitor) askAll(params string) (pages map[string]apiPage, answers []apiAnswer) {
	v.Helper()
	pages = make(map[string]apiPage)
	var more map[string]string
	for {
		a := v.ask(params, more)
		answers = append(answers, a)
		for _, p := range append(a.Query.Pages, a.Query.CategoryMembers...) {
			if _, ok := pages[p.Title]; !ok || len(p.ImageInfo) > 0 {
				pages[p.Title] = p
			}
		}
		if more = a.Continue; more == nil {
			return pages, answers
		}
		if len(answers) > 1000 {
			v.Fatal("continuation does not end")
		}
	}
}

const infoParams = "&prop=imageinfo&iiprop=url|size|mime|mediatype|extmetadata&iiurlwidth=250"

func TestTheAPIGivesEveryWorkByContinuation(t *testing.T) {
	v := open(t, few(150))
	files := make(map[string]apiPage)
	visited, queue := map[string]bool{}, []string{v.museum.CommonsCategory()}
	cycles, severalKeys := 0, 0
	for len(queue) > 0 {
		category := url.QueryEscape(queue[0])
		if visited[queue[0]] {
			cycles++
			queue = queue[1:]
			continue
		}
		visited[queue[0]] = true
		queue = queue[1:]
		found, answers := v.askAll("generator=categorymembers&gcmtype=file&gcmlimit=35&gcmtitle=" + category + infoParams)
		for title, p := range found {
			files[title] = p
		}
		for _, a := range answers {
			_, half := a.Continue["iicontinue"]
			if half && len(a.Continue) > 1 {
				severalKeys++
			}
			if half == a.BatchComplete {
				t.Errorf("batchcomplete %v beside %v", a.BatchComplete, a.Continue)
			}
		}
		subs, _ := v.askAll("generator=categorymembers&gcmtype=subcat&gcmlimit=3&gcmtitle=" + category)
		for title := range subs {
			queue = append(queue, title)
		}
	}
	if cycles == 0 || severalKeys == 0 {
		t.Errorf("%d cycles, %d answers with several continue keys, want some of both", cycles, severalKeys)
	}
	for _, w := range v.museum.Works() {
		p, ok := files[w.CommonsTitle]
		if !ok || len(p.ImageInfo) != 1 {
			t.Errorf("work %d: %+v, want one imageinfo", w.Index, p)
			continue
		}
		info := p.ImageInfo[0]
		if info.URL != w.CommonsImageURL || info.Width != w.Width || info.Mime != w.ContentType || p.PageID != w.CommonsPageID {
			t.Errorf("work %d: %+v, want the facts of %+v", w.Index, p, w)
		}
		artist := info.ExtMetadata["Artist"].Value
		if !strings.Contains(artist, w.Artist) || !strings.HasPrefix(artist, "<") {
			t.Errorf("work %d: artist %q, want %s in HTML", w.Index, artist, w.Artist)
		}
		if got := info.ExtMetadata["LicenseShortName"].Value; got != w.Licence {
			t.Errorf("work %d: licence %q, want %q", w.Index, got, w.Licence)
		}
	}
	if got, want := len(files), 150+3; got != want {
		t.Errorf("%d files, want %d: the works and three that are no pictures", got, want)
	}
	missing := 0
	for title, p := range files {
		if len(p.ImageInfo) == 0 || p.ImageInfo[0].FileMissing {
			missing++
		} else if p.ImageInfo[0].MediaType == "AUDIO" && !strings.HasSuffix(title, ".ogg") {
			t.Errorf("%s is sound", title)
		}
	}
	if missing != 2 {
		t.Errorf("%d files without a picture, want 2", missing)
	}
}

func TestListAndGeneratorNameTheSameMembers(t *testing.T) {
	v := open(t, few(60))
	category := url.QueryEscape(v.museum.CommonsCategory())
	listed, _ := v.askAll("list=categorymembers&cmlimit=7&cmtitle=" + category)
	generated, _ := v.askAll("generator=categorymembers&gcmlimit=max&gcmtitle=" + category)
	if len(listed) != len(generated) || len(listed) != 10+3+15 {
		t.Errorf("list names %d, generator %d, want 28", len(listed), len(generated))
	}
	for title := range listed {
		if _, ok := generated[title]; !ok {
			t.Errorf("the generator lacks %s", title)
		}
	}
}

func TestAPIErrorsComeWithStatus200(t *testing.T) {
	v := open(t, few(5))
	for _, tc := range []struct{ params, want string }{
		{"generator=categorymembers", "missingparam"},
		{"generator=categorymembers&gcmtitle=Paintings", "invalidcategory"},
		{"generator=categorymembers&gcmlimit=x&gcmtitle=Category:X", "badinteger"},
		{"generator=categorymembers&gcmcontinue=nonsense&gcmtitle=" + url.QueryEscape(v.museum.CommonsCategory()), "badcontinue"},
		{"generator=categorymembers&gcmtitle=Category:Nothing", ""},
	} {
		if got := v.ask(tc.params, nil).Error.Code; got != tc.want {
			t.Errorf("%s: error %q, want %q", tc.params, got, tc.want)
		}
	}
}

func TestFormatVersion1HasPagesById(t *testing.T) {
	v := open(t, few(5))
	w := v.museum.Works()[2]
	var a struct {
		BatchComplete *string `json:"batchcomplete"`
		Query         struct {
			Pages map[string]apiPage `json:"pages"`
		} `json:"query"`
	}
	body := v.get(v.museum.CommonsAPIURL() + "?action=query&format=json&titles=" + url.QueryEscape(w.CommonsTitle))
	if err := json.Unmarshal(body, &a); err != nil {
		t.Fatal(err)
	}
	if a.BatchComplete == nil || a.Query.Pages[fmt.Sprint(w.CommonsPageID)].Title != w.CommonsTitle {
		t.Errorf("%s, want page %d", body, w.CommonsPageID)
	}
}

func TestThumbnailsExistAtTheAllowedWidthsOnly(t *testing.T) {
	v := open(t, func(c *museum.Config) { c.Pictures = 1 })
	w := v.museum.Works()[0]
	ask := func(width string) (string, int) {
		a := v.ask("prop=imageinfo&iiprop=url&iiurlwidth="+width+"&titles="+url.QueryEscape(w.CommonsTitle), nil)
		info := a.Query.Pages[0].ImageInfo[0]
		return info.ThumbURL, info.ThumbWidth
	}
	address, width := ask("200")
	if width != 250 {
		t.Errorf("thumbnail for 200 is %d wide, want the next step, 250", width)
	}
	if img, _ := decode(t, v.get(address)); img.Width != 250 {
		t.Errorf("thumbnail is %d wide, want 250", img.Width)
	}
	resp, _, err := v.try(strings.Replace(address, "/250px-", "/200px-", 1))
	if err != nil || resp.StatusCode != http.StatusBadRequest {
		t.Errorf("off-step width: %v, want 400", resp)
	}
	if address, width = ask("1920"); address != w.CommonsImageURL || width != w.Width {
		t.Errorf("thumbnail wider than the picture: %s, %d; want the original", address, width)
	}
}

func TestTheHTMLOfTheCategoriesReachesEveryWork(t *testing.T) {
	v := open(t, few(60))
	seen, files := map[string]bool{}, map[string]bool{}
	queue := []string{v.museum.CommonsCategoryURL()}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if seen[at] {
			continue
		}
		seen[at] = true
		for n := range parse(t, v.get(at)).Descendants() {
			if n.Data != "a" {
				continue
			}
			href, _, _ := strings.Cut(resolve(t, at, attr(n, "href")), "#")
			switch {
			case strings.HasPrefix(href, "http://"+museum.CommonsHost+"/wiki/Category:"),
				n.FirstChild != nil && n.FirstChild.Data == "next page":
				queue = append(queue, href)
			case attr(n.Parent, "class") == "gallerytext":
				files[href] = true
			}
		}
	}
	for _, w := range v.museum.Works() {
		if !files[w.CommonsPageURL] {
			t.Errorf("work %d: no category page links to %s", w.Index, w.CommonsPageURL)
			continue
		}
		if body := string(v.get(w.CommonsPageURL)); !strings.Contains(body, `id="file"><a href="`+w.CommonsImageURL+`"`) {
			t.Errorf("work %d: file page lacks %s", w.Index, w.CommonsImageURL)
		}
	}
}

func TestAGenericUserAgentIsForbiddenOnMediaWiki(t *testing.T) {
	v := open(t, few(5))
	w := v.museum.Works()[0]
	for _, tc := range []struct {
		agent, url string
		want       int
	}{
		{"Go-http-client/1.1", v.museum.CommonsAPIURL(), 403},
		{"Mozilla/5.0 (X11; Linux x86_64)", w.CommonsImageURL, 403},
		{"", w.CommonsImageURL, 403},
		{contactAgent, w.CommonsImageURL, 200},
		{"Go-http-client/1.1", v.museum.GalleryURL(), 200},
	} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, tc.url, nil)
		req.Header.Set("User-Agent", tc.agent)
		resp, err := v.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != tc.want {
			t.Errorf("%q on %s: %d, want %d", tc.agent, tc.url, resp.StatusCode, tc.want)
		}
	}
}

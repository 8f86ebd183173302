package crawler

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/PuerkitoBio/goquery"
	"github.com/gocolly/colly/v2"
)

// wikis knows which addresses are the API of a MediaWiki. An api.php that
// has answered siteinfo as MediaWiki does is a published interface with a
// policy of its own, which clients follow instead of robots.txt: a contact
// in the User-Agent, maxlag, one request at a time. It is safe for
// concurrent use; a site is asked once at a time.
type wikis struct {
	mu        sync.Mutex
	confirmed map[string]bool // addresses of api.php, as they were in the end
	asked     map[string]*wikiEntry
}

type wikiEntry struct {
	turn chan struct{} // holds one token
	done bool
	site *wikiSite // nil where there is no API
	why  *failure  // then
}

// wikiSite is what siteinfo says.
type wikiSite struct {
	api         string // address of api.php
	articles    string // address of a page, with $1 for its title; may be empty
	files       []string
	categories  []string
	generatedBy string
}

// isAPIPath is what an exemption from robots.txt is bound to, whatever else
// is known.
func isAPIPath(u *url.URL) bool { return strings.HasSuffix(u.Path, "/api.php") }

func endpoint(u *url.URL) string { return u.Scheme + "://" + u.Host + u.EscapedPath() }

// exempt reports whether robots.txt does not speak of a request: siteinfo
// itself, and requests to where it was answered.
func (w *wikis) exempt(t traffic, u *url.URL) bool {
	if !isAPIPath(u) {
		return false
	}
	if t.siteinfo {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return t.api && w.confirmed[endpoint(u)]
}

func (w *wikis) confirm(address string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.confirmed[address] = true
}

// used are the APIs that were found, sorted.
func (w *wikis) used() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for address := range w.confirmed {
		out = append(out, address)
	}
	slices.Sort(out)
	return out
}

// wikiOf finds the API of a wiki: where it is said to be, at the usual
// places, or where the page names it. The failure says why there is none, or
// passes where it can't be told now.
func (r *run) wikiOf(ctx context.Context, api, page string) (*wikiSite, *failure) {
	r.wikis.mu.Lock()
	e := r.wikis.asked[api]
	if e == nil {
		e = &wikiEntry{turn: make(chan struct{}, 1)}
		e.turn <- struct{}{}
		r.wikis.asked[api] = e
	}
	r.wikis.mu.Unlock()
	select {
	case <-e.turn:
		defer func() { e.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, requestFailure(context.Cause(ctx))
	}
	if e.done {
		return e.site, e.why
	}
	site, why := r.findWiki(ctx, api, page)
	if ctx.Err() == nil && (why == nil || !why.passes) {
		e.site, e.why, e.done = site, why, true
	}
	return site, why
}

func (r *run) findWiki(ctx context.Context, api, page string) (*wikiSite, *failure) {
	var why *failure
	var tried []string
	try := func(address string) *wikiSite {
		if address == "" || slices.Contains(tried, address) || why != nil && why.passes {
			return nil
		}
		tried = append(tried, address)
		site, failed := r.siteInfo(ctx, address)
		if failed != nil && (why == nil || failed.passes || why.reason == "http_404") {
			why = failed
		}
		return site
	}
	for _, address := range usualAPIs(api, page) {
		if site := try(address); site != nil {
			return site, nil
		}
	}
	if page != "" && (why == nil || !why.passes) {
		if site := try(r.namedAPI(ctx, page)); site != nil {
			return site, nil
		}
	}
	if why.passes || ctx.Err() != nil {
		return nil, why
	}
	return nil, lose("no_api", "no MediaWiki API answered at %s (%s)", strings.Join(tried, ", "), why.detail)
}

// usualAPIs are where the API of a wiki is that has such a page.
func usualAPIs(api, page string) []string {
	out := []string{api}
	u, err := url.Parse(page)
	if err != nil || page == "" {
		return out
	}
	root := u.Scheme + "://" + u.Host
	folder, _, _ := strings.Cut(u.EscapedPath(), "/wiki/")
	if before, _, ok := strings.Cut(u.EscapedPath(), "/index.php"); ok {
		folder = before
	} else if folder == u.EscapedPath() {
		folder = ""
	}
	return append(out, root+folder+"/w/api.php", root+folder+"/api.php", root+"/w/api.php", root+"/api.php")
}

// namedAPI is the API that a page's link of the relation EditURI names;
// empty if it names none. robots.txt is asked for the page.
func (r *run) namedAPI(ctx context.Context, page string) (api string) {
	a := r.ask(ctx, Task{Kind: Page, URL: page}, "text/html,application/xhtml+xml", func(*colly.Collector) {})
	if a.failed != nil {
		return ""
	}
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(a.response.Body))
	if err != nil {
		return ""
	}
	u, ok := resolve(a.response.Request.URL, doc.Find(`link[rel="EditURI" i]`).First().AttrOr("href", ""))
	if !ok || !isAPIPath(u) || !r.sameSite(a.response.Request.URL.Hostname(), u.Hostname()) {
		return ""
	}
	return endpoint(u)
}

// siteInfo asks whether a MediaWiki answers there.
func (r *run) siteInfo(ctx context.Context, api string) (*wikiSite, *failure) {
	u, err := url.Parse(api)
	if err != nil || !isAPIPath(u) {
		return nil, lose("bad_address", "%s is not the address of an api.php", api)
	}
	query := url.Values{"meta": {"siteinfo"}, "siprop": {"general|namespaces|namespacealiases"}}
	task := wikiTask(api, query, 0, "")
	a := r.askFor(ctx, task, traffic{maxBytes: r.cfg.MaxPageBytes, trusted: true, api: true, siteinfo: true},
		"application/json,text/html", func(*colly.Collector) {})
	if a.failed != nil {
		return nil, a.failed
	}
	var answer struct {
		wikiError
		Query struct {
			General struct {
				Generator   string `json:"generator"`
				ArticlePath string `json:"articlepath"`
			} `json:"general"`
			Namespaces map[string]struct {
				Name      string `json:"name"`
				Canonical string `json:"canonical"`
			} `json:"namespaces"`
			Aliases []struct {
				ID    int    `json:"id"`
				Alias string `json:"alias"`
			} `json:"namespacealiases"`
		} `json:"query"`
	}
	if err := json.Unmarshal(a.response.Body, &answer); err != nil {
		return nil, lose("not_mediawiki", "the answer is no JSON of MediaWiki's")
	}
	if answer.Error != nil {
		return nil, r.wikiFailure(u.Hostname(), answer.Error.Code, answer.Error.Info, a)
	}
	general := answer.Query.General
	if !strings.HasPrefix(general.Generator, "MediaWiki") || !isAPIPath(a.response.Request.URL) {
		return nil, lose("not_mediawiki", "the answer does not say that it is MediaWiki's")
	}
	site := &wikiSite{
		api: endpoint(a.response.Request.URL), generatedBy: general.Generator,
		files: []string{"File", "Image"}, categories: []string{"Category"},
	}
	if strings.HasPrefix(general.ArticlePath, "/") && strings.Contains(general.ArticlePath, "$1") {
		site.articles = a.response.Request.URL.Scheme + "://" + a.response.Request.URL.Host + general.ArticlePath
	}
	site.files = append(site.files, answer.Query.Namespaces["6"].Name)
	site.categories = append(site.categories, answer.Query.Namespaces["14"].Name)
	for _, alias := range answer.Query.Aliases {
		switch alias.ID {
		case 6:
			site.files = append(site.files, alias.Alias)
		case 14:
			site.categories = append(site.categories, alias.Alias)
		}
	}
	r.wikis.confirm(site.api)
	return site, nil
}

// canonicalTitle gives a title of the wiki under the English name of its
// namespace, which every wiki knows; ok is false for what is neither a
// category nor a file.
func (s *wikiSite) canonicalTitle(title string) (string, bool) {
	name, rest, _ := strings.Cut(title, ":")
	name, rest = strings.TrimSpace(strings.ReplaceAll(name, "_", " ")), strings.TrimSpace(rest)
	same := func(known string) bool { return known != "" && strings.EqualFold(known, name) }
	switch {
	case rest == "":
		return "", false
	case slices.ContainsFunc(s.categories, same):
		return "Category:" + rest, true
	case slices.ContainsFunc(s.files, same):
		return "File:" + rest, true
	}
	return "", false
}

// page is the address of a title's page; empty if the wiki did not say.
func (s *wikiSite) page(title string) string {
	if s.articles == "" {
		return ""
	}
	name := (&url.URL{Path: strings.ReplaceAll(title, " ", "_")}).EscapedPath()
	u, err := url.Parse(strings.Replace(s.articles, "$1", strings.TrimPrefix(name, "./"), 1))
	if err != nil {
		return ""
	}
	address, _ := canonical(u)
	return address
}

// pageInstead is the page that is read where the API does not answer.
func pageInstead(task Task) []Task {
	u, err := url.Parse(task.Referer)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	return []Task{{Kind: Page, URL: task.Referer, Depth: task.Depth}}
}

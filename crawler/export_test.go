package crawler

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// What only fuzzing reaches without a site around it.
var StripHTML = stripHTML

// SrcsetAddresses gives the addresses of a srcset attribute.
func SrcsetAddresses(text string) []string {
	var out []string
	for _, s := range parseSrcset(text) {
		out = append(out, s.address)
	}
	return out
}

// Canonical gives the one form of a reference in the page at base.
func Canonical(base *url.URL, reference string) (string, bool) {
	u, ok := resolve(base, reference)
	if !ok {
		return "", false
	}
	return canonical(u)
}

// ReadPage reads one document without fetching anything, and gives how many
// candidates it has.
func ReadPage(ctx context.Context, address string, body []byte) (int, error) {
	tasks, err := ReadTasks(ctx, address, body)
	n := 0
	for _, t := range tasks {
		if t.Kind == Image {
			n++
		}
	}
	return n, err
}

// ReadTasks reads one document and gives what it leads to.
func ReadTasks(ctx context.Context, address string, body []byte) ([]Task, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	cfg := DefaultConfig()
	cfg.AllowNoContact = true
	r := newRun(&Crawler{cfg: cfg}, "test", nil)
	d := document{at: u, body: body}
	for _, one := range readers {
		if one.recognises(d) {
			got, err := one.read(ctx, r, Task{Kind: Page, URL: address}, d)
			return got.found, err
		}
	}
	return nil, nil
}

// RobotsAllow reads a robots.txt for an agent and asks it about a path.
func RobotsAllow(text, agent, path string) (bool, time.Duration) {
	rules := parseRobots(text, agent)
	return rules.allows(path), rules.delay
}

// NormalEscapes is the form in which robots.txt and paths are compared.
var NormalEscapes = normalEscapes

// Unpack undoes an encoding within bounds.
var Unpack = unpack

// RefusePrivate judges an address that is dialled.
var RefusePrivate = refusePrivate

// SeedTasks gives the first tasks of a seed.
func SeedTasks(s Seed) ([]Task, error) { return tasks(DefaultConfig(), []Seed{s}) }

// ReadWikiAnswer reads an answer of a MediaWiki's API.
func ReadWikiAnswer(body []byte) ([]Task, error) {
	var answer wikiAnswer
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, err
	}
	cfg := DefaultConfig()
	cfg.AllowNoContact = true
	r := newRun(&Crawler{cfg: cfg}, "test", nil)
	site := &wikiSite{api: "https://wiki.test/w/api.php", articles: "https://wiki.test/wiki/$1", categories: []string{"Category"}, files: []string{"File"}}
	return r.wikiFound(site, Task{Kind: API, URL: site.api}, "wiki.test", url.Values{"gcmtitle": {"Category:A"}}, answer), nil
}

// RetryAfter reads the header of that name.
func RetryAfter(value string, now time.Time) time.Duration {
	return retryAfter(http.Header{"Retry-After": {value}}, now)
}

// Continues reports whether an answer with that Content-Range is the rest of
// a file of total bytes, -1 if not known, of which have came before.
func Continues(contentRange string, have, total int64) bool {
	p := &partial{total: total}
	return p.continues(http.Header{"Content-Range": {contentRange}}, have)
}

// NextByHeader gives the addresses to which a Link header leads on.
func NextByHeader(value string) []string {
	cfg := DefaultConfig()
	r := newRun(&Crawler{cfg: cfg}, "test", nil)
	at := &url.URL{Scheme: "https", Host: "site.test", Path: "/a"}
	var out []string
	for _, t := range r.nextByHeader(Task{URL: at.String()}, document{at: at, header: http.Header{"Link": {value}}}) {
		out = append(out, t.URL)
	}
	return out
}

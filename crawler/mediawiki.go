package crawler

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gocolly/colly/v2"
)

// lagWait is how long to wait where an answer asks for it without a time.
const lagWait = 5 * time.Second

// wikiTasks gives the API requests for a category (its files and its
// subcategories) or for one file. page is what is read where the API refuses;
// it may be empty.
func wikiTasks(cfg Config, api, title, page string, depth int) []Task {
	info := url.Values{
		"prop": {"imageinfo"}, "iiprop": {"url|size|mime|sha1|mediatype|extmetadata"},
		"iiurlwidth": {strconv.Itoa(cfg.wikiWidth())},
	}
	if strings.HasPrefix(title, "File:") {
		info.Set("titles", title)
		return []Task{wikiTask(api, info, depth, page)}
	}
	if wikiListing(info, title) {
		return []Task{wikiTask(api, info, depth, "")}
	}
	info.Set("generator", "categorymembers")
	info.Set("gcmtitle", title)
	info.Set("gcmtype", "file")
	info.Set("gcmlimit", "50")
	out := []Task{wikiTask(api, info, depth, page)}
	if depth < cfg.CategoryDepth {
		out = append(out, wikiTask(api, url.Values{
			"list": {"categorymembers"}, "cmtitle": {title}, "cmtype": {"subcat"}, "cmlimit": {"500"},
		}, depth, page))
	}
	return out
}

func wikiTask(api string, query url.Values, depth int, page string) Task {
	for name, value := range map[string]string{
		"action": "query", "format": "json", "formatversion": "2", "redirects": "1", "maxlag": "5",
	} {
		query.Set(name, value)
	}
	// Encode sorts, so a request has one address however it was made.
	return Task{Kind: API, URL: api + "?" + query.Encode(), Depth: depth, Referer: page}
}

// wikiError comes with HTTP 200 too.
type wikiError struct {
	Error *struct {
		Code string `json:"code"`
		Info string `json:"info"`
	} `json:"error"`
}

// wikiAnswer is action=query in format version 2.
type wikiAnswer struct {
	wikiError
	Continue      map[string]any `json:"continue"`
	BatchComplete bool           `json:"batchcomplete"`
	Query         struct {
		Pages           []wikiPage `json:"pages"`
		CategoryMembers []struct {
			Title string `json:"title"`
		} `json:"categorymembers"`
	} `json:"query"`
}

// visitAPI reads one answer of a MediaWiki API: files become candidates,
// subcategories and continuations further requests. The frontier passes over
// those it has seen, so cycles of categories end. Where there is no API, or
// it refuses, the page that stands for the request is read instead.
func (r *run) visitAPI(ctx context.Context, task Task) (result, error) {
	u, err := url.Parse(task.URL)
	if err != nil {
		return result{failed: lose("bad_address", "%v", err)}, nil
	}
	site, failed := r.wikiOf(ctx, endpoint(u), task.Referer)
	if failed != nil {
		return r.withoutAPI(task, failed), nil
	}
	query := u.Query()
	request, ok := site.request(task, query)
	if !ok {
		// The wiki has such a page; its name is of no category and no file.
		return result{outcome: Outcome{State: Visited}, found: pageInstead(task)}, nil
	}
	a := r.ask(ctx, request, "application/json,text/html", func(*colly.Collector) {})
	if a.failed != nil {
		return r.withoutAPI(task, a.failed), nil
	}
	var answer wikiAnswer
	if err := json.Unmarshal(a.response.Body, &answer); err != nil {
		return r.withoutAPI(task, lose("not_mediawiki", "the answer is no JSON of MediaWiki's: %v", err)), nil
	}
	if answer.Error != nil {
		return r.withoutAPI(task, r.wikiFailure(u.Hostname(), answer.Error.Code, answer.Error.Info, a)), nil
	}
	return result{outcome: Outcome{State: Visited}, found: r.wikiFound(site, task, u.Hostname(), query, answer)}, nil
}

// wikiFound is what an answer to query names.
func (r *run) wikiFound(site *wikiSite, task Task, host string, query url.Values, answer wikiAnswer) []Task {
	var found []Task
	for _, p := range answer.Query.Pages {
		if t, ok := r.wikiCandidate(p, host, task.Depth); ok {
			found = append(found, t)
		}
	}
	for _, member := range answer.Query.CategoryMembers {
		if title, ok := site.canonicalTitle(member.Title); ok {
			found = append(found, wikiTasks(r.cfg, site.api, title, site.page(member.Title), task.Depth+1)...)
		}
	}
	if len(answer.Continue) > 0 {
		for name, value := range answer.Continue {
			query.Set(name, fmt.Sprint(value))
		}
		found = append(found, wikiTask(site.api, query, task.Depth, task.Referer))
	}
	return found
}

// request is a task's request as the wiki has it: at its API's address, and
// with the English name of the namespace. It changes the query alike.
func (s *wikiSite) request(task Task, query url.Values) (Task, bool) {
	for _, name := range []string{"gcmtitle", "cmtitle", "titles"} {
		if !query.Has(name) {
			continue
		}
		title, ok := s.canonicalTitle(query.Get(name))
		if !ok {
			return Task{}, false
		}
		query.Set(name, title)
	}
	task.URL = s.api + "?" + query.Encode()
	return task, true
}

// withoutAPI ends a request that the API did not answer.
func (r *run) withoutAPI(task Task, failed *failure) result {
	own := *failed // a wiki's failure is shared by all who asked for it
	res := result{failed: &own}
	if !r.mayPass(task, failed) {
		if res.found = pageInstead(task); len(res.found) > 0 {
			own.detail += "; its page is read instead: " + task.Referer
		}
	}
	return res
}

// wikiFailure judges an error that came with HTTP 200.
func (r *run) wikiFailure(host, code, info string, a answer) *failure {
	f := lose("api_"+code, "%s: %s", code, info)
	switch {
	case code == "maxlag", code == "ratelimited", code == "readonly", strings.HasPrefix(code, "internal_api_error"):
		f.passes, f.after = true, retryAfter(a.header, time.Now())
		if f.after == 0 {
			f.after = lagWait
		}
		r.manners.site(host).pace.hold(time.Now().Add(min(f.after, LongestWait)))
	}
	return f
}

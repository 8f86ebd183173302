package crawler

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gocolly/colly/v2"
)

// newCollector configures what all visits to pages share. What colly would
// decide by itself (where to go, what was visited, robots.txt, sizes and
// times) is decided by this package.
func newCollector(r *run) *colly.Collector {
	c := colly.NewCollector()
	c.UserAgent = r.cfg.userAgent()
	c.AllowURLRevisit = true
	c.IgnoreRobotsTxt = true // manners asks it on every hop
	c.MaxBodySize = 0        // colly would cut in silence
	c.MaxDepth, c.MaxRequests = 0, 0
	c.AllowedDomains, c.DisallowedDomains = nil, nil
	c.Async, c.CacheDir = false, ""
	c.WithTransport(r.manners)
	c.SetRequestTimeout(0)
	c.SetRedirectHandler(r.checkRedirect)
	c.SetCookieJar(r.cookies)
	return c
}

// answer is what a page or API address gave.
type answer struct {
	status   int
	header   http.Header
	response *colly.Response // nil unless the status is 200
	failed   *failure
}

// ask fetches one page or API answer. read is called with the response
// before colly parses it and may add callbacks to the collector.
func (r *run) ask(ctx context.Context, task Task, accept string, prepare func(*colly.Collector)) answer {
	return r.askFor(ctx, task, traffic{
		maxBytes: r.cfg.MaxPageBytes, maxPicture: r.cfg.Picture.MaxBytes, api: task.Kind == API, trusted: task.Depth == 0 && (task.Referer == "" || task.Kind == API),
	}, accept, prepare)
}

func (r *run) askFor(ctx context.Context, task Task, t traffic, accept string, prepare func(*colly.Collector)) answer {
	c := r.collector.Clone()
	c.Context = withTraffic(ctx, t)
	var a answer
	c.OnRequest(func(req *colly.Request) {
		req.Headers.Set("Accept", accept)
		if query := req.URL.Query(); query.Has("json") && query.Get("resultType") == "masonry" {
			req.Headers.Set("X-Requested-With", "XMLHttpRequest") // such lists answer scripts alone
		}
		if strings.HasSuffix(req.URL.Hostname(), "rijksmuseum.nl") {
			req.Headers.Set("Accept", "application/ld+json,application/json") // the same addresses have pages for people
		}
		if task.Referer != "" && task.Kind == Page && !(strings.HasPrefix(task.Referer, "https:") && req.URL.Scheme == "http") {
			req.Headers.Set("Referer", task.Referer)
		}
	})
	c.OnResponseHeaders(func(resp *colly.Response) {
		a.status, a.header = resp.StatusCode, resp.Headers.Clone()
		if resp.StatusCode == http.StatusOK && !wanted(task, accept, a.header) {
			resp.Request.Abort() // nothing of the body is wanted
		}
	})
	c.OnResponse(func(resp *colly.Response) { a.response = resp })
	prepare(c)
	err := c.Request(http.MethodGet, task.URL, nil, nil, nil)
	switch {
	case ctx.Err() != nil:
		a.failed = requestFailure(context.Cause(ctx))
	case a.status != 0 && a.status != http.StatusOK && a.failed == nil:
		a.failed = statusFailure(a.status, a.header, time.Now())
	case err != nil && a.response == nil && a.status == http.StatusOK && !wanted(task, accept, a.header):
		a.failed = lose("not_html", "it is %s", mediaType(a.header))
	case err != nil:
		a.failed = requestFailure(err)
	case a.response == nil:
		a.failed = requestFailure(errNoCollector)
	}
	return a
}

// wanted reports whether the body of an answer is read. A page's address may
// turn out to be a picture's; that of a page which a picture led to may be so
// under a type that says nothing.
func wanted(task Task, accept string, header http.Header) bool {
	kind := mediaType(header)
	return strings.Contains(accept, kind) || task.Kind == Page &&
		(isPictureType(header) || len(task.Leads) > 0 && strings.HasSuffix(kind, "/octet-stream"))
}

func isPictureType(header http.Header) bool { return strings.HasPrefix(mediaType(header), "image/") }

// mediaType is that of the header without parameters. An answer without one
// passes for what was asked for.
func mediaType(header http.Header) string {
	kind, _, _ := strings.Cut(header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(kind))
}

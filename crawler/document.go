package crawler

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/gocolly/colly/v2"
	"golang.org/x/net/html/charset"
)

// document is what a page's address gave, whatever its kind.
type document struct {
	at     *url.URL // where it was in the end
	header http.Header
	media  string // the media type that came with it; not to be relied on
	body   []byte // text in UTF-8
}

// reading is what was read from a document.
type reading struct {
	found []Task
	shown string   // see Outcome.Shown
	lost  *failure // the document gave nothing, for a reason to be counted

	gave Gave // see Outcome.Gave
}

// reader reads one kind of document. A document is read by the first that
// recognises it by its content.
type reader struct {
	name       string
	recognises func(d document) bool
	read       func(ctx context.Context, r *run, task Task, d document) (reading, error)
}

// readers in the order in which they are asked.
var readers []reader

func init() {
	readers = []reader{
		{"museum", looksLikeMuseum, readMuseum},
		{"iiif", looksLikeIIIF, readIIIF},
		{"sitemap", looksLikeSitemap, readSitemap},
		{"feed", looksLikeFeed, readFeed},
		{"json", looksLikeJSON, readJSONList},
		{"html", looksLikeHTML, readHTML},
	}
}

// acceptDocuments are the kinds that are read. Anything else is not fetched.
const acceptDocuments = "text/html,application/xhtml+xml,application/json,application/ld+json,application/feed+json,text/json," +
	"application/xml;q=0.9,text/xml;q=0.9,application/rss+xml;q=0.9,application/atom+xml;q=0.9,application/rdf+xml;q=0.9,text/plain;q=0.5," +
	"application/gzip;q=0.5,application/x-gzip;q=0.5,application/octet-stream;q=0.3,binary/octet-stream;q=0.3,text/csv;q=0.3," +
	"image/jpeg;q=0.3,image/png;q=0.3,image/webp;q=0.3,image/gif;q=0.3,image/tiff;q=0.3,image/bmp;q=0.3,image/jpg;q=0.3"

// visitPage reads a document for links and candidates.
func (r *run) visitPage(ctx context.Context, task Task) (result, error) {
	if r.endless.stopped(task) {
		return r.giveUp(task, lose("endless", "pages of this kind go on without end and showed no picture")), nil
	}
	if res, err := r.standing(ctx, []string{task.URL}); err != nil || res != nil && res.outcome.State == Known {
		if err != nil {
			return result{}, err
		}
		return *res, nil // an earlier crawl found that it is a picture
	}
	a := r.ask(ctx, task, acceptDocuments, func(*colly.Collector) {})
	switch {
	case a.failed != nil && isPictureType(a.header) && a.failed.reason == "too_large":
		return result{outcome: Outcome{State: Visited}, found: []Task{r.pictureOf(task)}}, nil
	case a.failed != nil && r.mayPass(task, a.failed):
		return result{failed: a.failed}, nil
	case a.failed != nil:
		return r.giveUp(task, a.failed), nil
	case isPictureType(a.header) && !looksLikeText(a.response.Body), strings.HasPrefix(http.DetectContentType(a.response.Body), "image/"):
		// The address did not show that it is a picture's.
		return r.pageIsPicture(ctx, r.pictureOf(task), a.response.Body)
	}
	d, failed := r.documentOf(a)
	if failed != nil {
		return r.giveUp(task, failed), nil
	}
	return r.readDocument(ctx, task, d)
}

// readDocument has the document read by whom it concerns.
func (r *run) readDocument(ctx context.Context, task Task, d document) (result, error) {
	for _, one := range readers {
		if !one.recognises(d) {
			continue
		}
		got, err := one.read(ctx, r, task, d)
		switch {
		case ctx.Err() != nil:
			return result{}, context.Cause(ctx)
		case err != nil:
			return r.giveUp(task, lose("broken_"+one.name, "%v", err)), nil
		case got.lost != nil:
			return result{failed: got.lost, found: got.found}, nil
		}
		got.found = append(got.found, r.nextByHeader(task, d)...)
		return result{outcome: Outcome{State: Visited, Shown: got.shown, Gave: got.gave}, found: got.found}, nil
	}
	return r.giveUp(task, lose("unknown_kind", "it is %s and none of the kinds of document that are read", firstOf(d.media, http.DetectContentType(d.body)))), nil
}

var linkHeader = regexp.MustCompile(`<([^<>]*)>([^<]*)`)

// nextByHeader is the following part of a list by the answer's Link header
// (RFC 8288), as programs' lists have it.
func (r *run) nextByHeader(task Task, d document) []Task {
	for _, line := range d.header.Values("Link") {
		for _, m := range linkHeader.FindAllStringSubmatch(line, 64) {
			_, relation, ok := strings.Cut(strings.ToLower(m[2]), "rel=")
			relation, _, _ = strings.Cut(strings.TrimLeft(relation, `"`), ";")
			if !ok || !containsWord(strings.NewReplacer(`"`, " ", ",", " ").Replace(relation), "next") {
				continue
			}
			u, ok := resolve(d.at, m[1])
			if !ok || !r.sameSite(d.at.Hostname(), u.Hostname()) || looksLikePicture(u) {
				continue
			}
			if address, ok := canonical(u); ok && address != task.URL && r.trail.offer(address) {
				return []Task{{Kind: Page, URL: address, Referer: task.URL, Depth: task.Depth}}
			}
		}
	}
	return nil
}

// giveUp gives the pictures back that were left to a page.
func (r *run) giveUp(task Task, failed *failure) result {
	return result{failed: failed, found: candidatesOf(task.Leads)}
}

// pictureOf is the candidate of a page's address that is a picture's. What
// linked to it is its smaller size.
func (r *run) pictureOf(task Task) Task {
	t := task
	t.Kind, t.Leads = Image, nil
	for _, l := range task.Leads {
		t.Source.Title = firstOf(t.Source.Title, l.Source.Title)
		if len(task.Leads) == 1 {
			t.Alternatives = l.Addresses
		}
	}
	return t
}

// documentOf unpacks what came and makes its text UTF-8.
func (r *run) documentOf(a answer) (document, *failure) {
	d := document{at: a.response.Request.URL, header: a.header, media: mediaType(a.header), body: a.response.Body}
	if bytes.HasPrefix(d.body, []byte{0x1f, 0x8b}) {
		// A file that is gzip itself, such as a sitemap.
		plain, err := io.ReadAll(unpack(bytes.NewReader(d.body), "gzip", r.cfg.MaxPageBytes))
		if err != nil {
			return d, lose("broken_gzip", "%v", err)
		}
		d.body = plain
	}
	if looksLikeText(d.body) && !strings.Contains(strings.ToLower(a.header.Get("Content-Type")), "charset") && looksLikeHTML(d) {
		if reader, err := charset.NewReader(bytes.NewReader(d.body), ""); err == nil { // an unknown charset is read as UTF-8, as browsers do
			if text, err := io.ReadAll(reader); err == nil {
				d.body = text
			}
		}
	}
	d.body = bytes.TrimPrefix(d.body, []byte("\xef\xbb\xbf"))
	return d, nil
}

func looksLikeText(body []byte) bool {
	return !bytes.ContainsRune(body[:min(len(body), 512)], 0)
}

func looksLikeHTML(d document) bool {
	return bytes.IndexByte(d.body[:min(len(d.body), 64<<10)], '<') >= 0 || strings.Contains(d.media, "html") ||
		d.media == "" && looksLikeText(d.body)
}

// withdrawn reports an answer whose header forbids to learn from it.
func (c Config) withdrawn(header http.Header) bool {
	if c.IgnoreOptOut {
		return false
	}
	for _, value := range header.Values("X-Robots-Tag") {
		if wordsOptOut(value) {
			return true
		}
	}
	return false
}

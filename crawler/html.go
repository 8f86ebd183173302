package crawler

import (
	"bytes"
	"context"
	"net/url"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"
)

// page is one HTML page as it is read.
type page struct {
	run  *run
	task Task
	at   *url.URL // where the page was in the end
	base *url.URL // what its references are relative to
	self string   // at, canonical
	doc  *goquery.Selection
	info record

	leads     map[string][]Lead // pictures that belong to linked pages, by the page
	leadOrder []string
	given     []Task          // pictures that no page will show
	handedOn  map[uint64]bool // marks of the leads
	pictures  map[string]bool // addresses of the page's own pictures
	fruitful  bool            // it gave a picture, or leads to something new
	gave      Gave            // see Outcome.Gave
	sent      bool            // its script sends its readers on
	withdrawn bool            // its header forbids to learn from it
}

// readHTML reads an HTML page for pictures and links.
func readHTML(ctx context.Context, r *run, task Task, d document) (reading, error) {
	root, err := html.ParseWithOptions(bytes.NewReader(d.body), html.ParseOptionEnableScripting(false))
	if err != nil {
		return reading{}, err
	}
	unfold(root)
	p := newPage(r, task, d.at, goquery.NewDocumentFromNode(root).Selection)
	if ctx.Err() != nil {
		return reading{}, context.Cause(ctx)
	}
	p.info, p.withdrawn = readRecord(p), r.cfg.withdrawn(d.header)
	return p.readWith(ctx, p.statePictures())
}

func newPage(r *run, task Task, at *url.URL, doc *goquery.Selection) *page {
	p := &page{run: r, task: task, at: at, base: at, doc: doc, leads: map[string][]Lead{}, handedOn: map[uint64]bool{}, pictures: map[string]bool{}}
	p.self, _ = canonical(at)
	if href, ok := doc.Find("base[href]").First().Attr("href"); ok {
		if u, err := at.Parse(strings.TrimSpace(href)); err == nil {
			p.base = u
		}
	}
	return p
}

// readWith gives what the page leads to: its pictures and its links. state are
// the pictures of the JSON that came with it.
func (p *page) readWith(ctx context.Context, state []*jsonPicture) (reading, error) {
	w, err := p.collect(ctx)
	if err != nil {
		return reading{}, err
	}
	shown := p.candidates(w)
	shown = p.withNamed(shown)
	shown = p.withState(shown, state)
	shown = p.withShareImage(shown)
	p.describe(shown)
	p.fruitful = len(shown) > 0 || len(p.leads) > 0
	out := reading{}
	if p.withdrawn || optsOut(p.doc) && !p.run.cfg.IgnoreOptOut {
		return p.optedOut(shown), nil
	}
	for _, c := range shown {
		p.pictures[c.task.URL] = true
		for _, a := range c.task.Alternatives {
			p.pictures[a] = true
		}
	}
	own := p.leads[p.self] // pictures that link to the page they stand on
	delete(p.leads, p.self)
	links := p.links()
	for _, l := range p.leads {
		for _, lead := range l {
			for _, m := range lead.marks() {
				p.handedOn[m] = true
			}
		}
	}
	back, memory := p.settle(append(p.task.Leads, own...), shown)
	p.given = append(p.given, candidatesOf(back)...)
	out.shown, out.gave = memory.text(), p.gave
	for _, c := range shown {
		out.found = append(out.found, c.task)
	}
	out.found = append(out.found, p.given...)
	if len(out.found) == 0 && len(p.leads) == 0 && len(p.info.listed) == 0 && !p.sent && isDrawnByScript(p.doc) {
		out.lost = lose("drawn_by_script", "its pictures and text are put in by scripts, and it names none that could be found")
	}
	out.found = append(out.found, links...)
	return out, nil
}

// describe gives the pictures what the page's record says of them.
func (p *page) describe(shown []*candidate) {
	for _, c := range shown {
		s := &c.task.Source
		switch {
		case len(shown) == 1:
			// One picture: the record is its own, and its title comes first.
			if p.info.source.Title != "" {
				s.Title = p.info.source.Title
			}
			title := s.Title
			*s = p.info.fill(*s)
			s.Title = firstOf(title, p.info.source.Title, p.leadTitle(), p.info.heading)
		case p.info.isWork:
			title, id := s.Title, s.ExternalID
			*s = p.info.fill(*s)
			s.Title, s.ExternalID = firstOf(title, p.info.source.Title, p.info.heading), id
		}
	}
}

func (p *page) leadTitle() string {
	for _, l := range p.task.Leads {
		if l.Source.Title != "" {
			return l.Source.Title
		}
	}
	return ""
}

// isDrawnByScript reports pages that hold hardly a word beside their scripts.
func isDrawnByScript(doc *goquery.Selection) bool {
	if doc.Find("script").Length() == 0 {
		return false
	}
	for _, mount := range []string{"#app", "#root", "#__next", "#__nuxt", "[data-reactroot]", "app-root", "#gatsby-focus-wrapper", "#svelte", "#main-app"} {
		if s := doc.Find(mount).First(); s.Length() > 0 && tidy(s.Text()) == "" {
			return true
		}
	}
	body := doc.Find("body").Clone()
	body.Find("script, style, noscript").Remove()
	return len(tidy(body.Text())) < 80
}

package crawler

import (
	"net/url"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"github.com/gocolly/colly/v2"
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

	// leads are the pictures that belong to linked pages, by the page.
	leads map[string]*lead
}

// lead is what stands for a linked page in the page that links to it.
type lead struct {
	addresses []string
	title     string
}

func newPage(r *run, task Task, e *colly.HTMLElement) *page {
	p := &page{run: r, task: task, at: e.Request.URL, doc: e.DOM, leads: map[string]*lead{}}
	p.self, _ = canonical(p.at)
	p.base = p.at
	if href, ok := p.doc.Find("base[href]").First().Attr("href"); ok {
		if u, err := p.at.Parse(strings.TrimSpace(href)); err == nil {
			p.base = u
		}
	}
	// Without scripting, what is in noscript is part of the page. Parsers
	// with scripting leave it as text.
	p.doc.Find("noscript").Each(func(_ int, s *goquery.Selection) {
		if text := s.Text(); s.Closest("head").Length() == 0 && strings.Contains(text, "<") {
			s.ReplaceWithHtml("<span>" + text + "</span>")
		}
	})
	p.info = readRecord(p)
	return p
}

// found gives what the page leads to: its pictures and its links.
func (p *page) found() []Task {
	shown := p.shownPictures()
	var out []Task
	if p.info.isWork {
		if t, ok := p.workPicture(shown); ok {
			out = append(out, t)
		}
	} else {
		out = p.pictures(shown)
	}
	if len(out) == 0 && len(p.leads) == 0 {
		for _, t := range leadingPicture(p.task) {
			t.Source = p.info.fill(t.Source)
			t.Source.Page = p.self
			out = append(out, t)
		}
	}
	return append(out, p.links()...)
}

// links are the pages that this one leads to, in its order.
func (p *page) links() []Task {
	if robots, _ := p.doc.Find(`meta[name="robots" i]`).Attr("content"); strings.Contains(strings.ToLower(robots), "nofollow") {
		return nil
	}
	var out []Task
	seen := map[string]bool{p.self: true}
	add := func(u *url.URL, next bool) {
		address, ok := p.follows(u)
		if !ok || seen[address] {
			return
		}
		seen[address] = true
		t := Task{Kind: Page, URL: address, Referer: p.self, Depth: p.task.Depth + 1}
		if next {
			t.Depth = p.task.Depth
		}
		if t.Depth > p.run.cfg.MaxDepth {
			return
		}
		if l := p.leads[address]; l != nil {
			t.Alternatives, t.Source.Title = l.addresses, l.title
		}
		out = append(out, t)
	}
	p.linkScope().Find("a[href], area[href], link[rel~=next][href]").Each(func(_ int, s *goquery.Selection) {
		if u, ok := resolve(p.base, s.AttrOr("href", "")); ok {
			add(u, isNextPage(s))
		}
	})
	for _, address := range p.info.listed {
		if u, ok := resolve(p.base, address); ok {
			add(u, false)
		}
	}
	return out
}

// follows reports whether a link leads to a page of this crawl.
func (p *page) follows(u *url.URL) (string, bool) {
	address, ok := canonical(u)
	if !ok || !p.run.sameSite(p.at.Hostname(), u.Hostname()) || looksLikePicture(u) || looksLikeOtherFile(u) || looksLikeTrap(address, u) {
		return "", false
	}
	return address, true
}

// isNextPage reports links to the next page of the same list, which is no
// deeper than this one.
func isNextPage(s *goquery.Selection) bool {
	if strings.Contains(" "+strings.ToLower(s.AttrOr("rel", ""))+" ", " next ") {
		return true
	}
	switch strings.ToLower(strings.Trim(s.Text(), " \t\r\n()›»>→")) {
	case "next", "next page", "older", "more":
		return true
	}
	return false
}

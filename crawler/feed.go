package crawler

import (
	"context"
	"net/url"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"

	"github.com/palate-art/palate"
)

// Feeds: RSS 0.9 to 2.0 with media RSS, and Atom.
// https://www.rssboard.org/media-rss https://www.rfc-editor.org/rfc/rfc4287

func looksLikeFeed(d document) bool {
	switch rootName(d) {
	case "rss", "feed", "rdf":
		return true
	}
	return false
}

// readFeed takes the pictures of each entry: those it encloses, in all their
// sizes, those in its text, or else those of its page.
func readFeed(ctx context.Context, r *run, task Task, d document) (reading, error) {
	root, err := parseXML(d.body)
	if err != nil {
		return reading{}, err
	}
	if r.cfg.withdrawn(d.header) {
		return reading{lost: lose("opted_out", "its X-Robots-Tag forbids to learn from it")}, nil
	}
	var out reading
	for n, entry := range append(root.below("item"), root.below("entry")...) {
		if n%256 == 0 && ctx.Err() != nil {
			return reading{}, context.Cause(ctx)
		}
		found, err := readEntry(ctx, r, task, d, entry)
		if err != nil {
			return reading{}, err
		}
		out.found = append(out.found, found...)
	}
	for _, l := range root.below("link") {
		if l.attributes["rel"] != "next" {
			continue
		}
		if u, ok := resolve(d.at, l.attributes["href"]); ok && r.sameSite(d.at.Hostname(), u.Hostname()) {
			if address, ok := canonical(u); ok {
				out.found = append(out.found, Task{Kind: Page, URL: address, Referer: task.URL, Depth: task.Depth})
			}
		}
	}
	if len(out.found) == 0 {
		out.lost = lose("no_picture", "the feed has no entry with a picture or a page")
	}
	return out, nil
}

func readEntry(ctx context.Context, r *run, task Task, d document, entry *element) ([]Task, error) {
	source, link := entrySource(d.at, entry)
	p := newPage(r, task, d.at, goquery.NewDocumentFromNode(&html.Node{Type: html.DocumentNode}).Selection)
	p.info = record{page: firstOf(source.Page, p.self), site: strings.ToLower(d.at.Hostname())}
	var out []Task
	for _, sizes := range entryPictures(p, entry) {
		if c := p.newCandidate(sizes, source); c != nil {
			out = append(out, c.task)
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	// Pictures in the entry's text.
	text := entry.value("encoded", "content", "description", "summary")
	if strings.Contains(text, "<img") || strings.Contains(text, "<figure") {
		root, err := html.ParseWithOptions(strings.NewReader("<main>"+text+"</main>"), html.ParseOptionEnableScripting(false))
		if err != nil {
			return nil, err
		}
		p.doc = goquery.NewDocumentFromNode(root).Selection
		if link != nil {
			p.base = link
		}
		w, err := p.collect(ctx)
		if err != nil {
			return nil, err
		}
		shown := p.candidates(w)
		for _, c := range shown {
			title := c.task.Source.Title
			c.task.Source = p.info.fillFrom(c.task.Source, source)
			c.task.Source.Title = firstOf(source.Title, title)
			out = append(out, c.task)
		}
		for _, leads := range p.leads { // to the entry's page, as a rule
			for _, l := range leads {
				l.Source = p.info.fillFrom(l.Source, source)
				l.Source.Title = firstOf(source.Title, l.Source.Title)
				out = append(out, l.task())
			}
		}
		if len(out) > 0 {
			return append(out, p.given...), nil
		}
	}
	if link == nil {
		return nil, nil
	}
	return r.listedPage(task, d.at, link, false), nil
}

// entryPictures are the media of an entry, each in all its sizes.
func entryPictures(p *page, entry *element) [][]size {
	var groups [][]size
	add := func(media []*element) {
		var sizes []size
		for _, m := range media {
			kind := m.attributes["type"]
			if m.attributes["medium"] != "image" && !strings.HasPrefix(kind, "image/") && kind+m.attributes["medium"] != "" {
				continue
			}
			sizes = append(sizes, p.resolved([]size{{address: m.attributes["url"], width: atoi(m.attributes["width"]), density: 1, whole: true}}, "")...)
		}
		if len(sizes) > 0 {
			groups = append(groups, sizes)
		}
	}
	for _, group := range entry.below("group") {
		add(group.all("content"))
	}
	for _, c := range entry.all("content") {
		if c.attributes["url"] != "" {
			add([]*element{c})
		}
	}
	if len(groups) == 0 {
		for _, e := range entry.all("enclosure") {
			if strings.HasPrefix(e.attributes["type"], "image/") {
				add([]*element{e})
			}
		}
		for _, l := range entry.all("link") {
			if l.attributes["rel"] == "enclosure" && strings.HasPrefix(l.attributes["type"], "image/") {
				l.attributes["url"] = l.attributes["href"]
				add([]*element{l})
			}
		}
	}
	// A thumbnail is a smaller size of the only picture.
	if len(groups) == 1 {
		for _, t := range entry.below("thumbnail") {
			for _, s := range p.resolved([]size{{address: t.attributes["url"], width: atoi(t.attributes["width"]), density: 1}}, "thumb") {
				if s.width == 0 {
					s.width = 1
				}
				groups[0] = append(groups[0], s)
			}
		}
	}
	return groups
}

// entrySource is what an entry says of its picture, and its page.
func entrySource(at *url.URL, entry *element) (palate.Source, *url.URL) {
	s := palate.Source{
		Site:  strings.ToLower(at.Hostname()),
		Title: stripHTML(entry.value("title")), Artist: stripHTML(entry.value("credit", "creator")),
		Date: firstOf(entry.value("date.taken"), entry.value("pubdate", "published", "updated", "date")),
	}
	for _, author := range entry.all("author") {
		s.Artist = firstOf(s.Artist, stripHTML(author.value("name")), stripHTML(author.text))
	}
	for _, group := range entry.below("group") {
		s.Artist = firstOf(s.Artist, stripHTML(group.value("credit")))
	}
	s.Year = yearOf(s.Date)
	for _, name := range []string{"license", "copyright", "rights"} {
		for _, e := range entry.all(name) {
			if value := firstOf(e.attributes["href"], e.attributes["url"], strings.TrimSpace(e.text)); strings.HasPrefix(value, "http") {
				s.LicenceURL = firstOf(s.LicenceURL, value)
			} else {
				s.Licence = firstOf(s.Licence, stripHTML(value))
			}
		}
	}
	var categories []string
	for _, c := range entry.all("category") {
		categories = append(categories, firstOf(strings.TrimSpace(c.text), c.attributes["label"], c.attributes["term"]))
	}
	s.Categories = cleanList(categories)
	reference := entry.value("link")
	for _, l := range entry.all("link") {
		if rel := l.attributes["rel"]; (rel == "" || rel == "alternate") && l.attributes["href"] != "" {
			reference = firstOf(reference, l.attributes["href"])
		}
	}
	link, ok := resolve(at, reference)
	if !ok {
		return s, nil
	}
	if address, ok := canonical(link); ok {
		s.Page = address
	}
	return s, link
}

package crawler

import (
	"regexp"
	"slices"

	"golang.org/x/net/html"
)

// candidate is a picture on its way from a page to the frontier.
type candidate struct {
	task     Task
	framed   bool
	width    int // of the first address; 0 is not known
	imprints []imprint
}

func (c *candidate) resembles(addresses []string) bool {
	if c.imprints == nil {
		for _, a := range append([]string{c.task.URL}, c.task.Alternatives...)[:min(4, 1+len(c.task.Alternatives))] {
			c.imprints = append(c.imprints, imprintOf(a))
		}
	}
	for _, a := range addresses[:min(len(addresses), 4)] {
		im := imprintOf(a)
		if slices.ContainsFunc(c.imprints, im.resembles) {
			return true
		}
	}
	return false
}

func (c *candidate) addAlternatives(addresses []string) {
	for _, a := range addresses {
		if a != c.task.URL && !slices.Contains(c.task.Alternatives, a) && len(c.task.Alternatives) < maxAlternatives {
			c.task.Alternatives = append(c.task.Alternatives, a)
		}
	}
}

// candidates gives every picture that the page shows: those that belong to it,
// and by leads those that belong to pages it links to.
func (p *page) candidates(w *walker) []*candidate {
	owners := p.cardOwners(w)
	var out []*candidate
	for i := range w.pictures {
		s := &w.pictures[i]
		if s.into != i {
			continue
		}
		c := p.shownCandidate(s)
		if isAdvertisement(s, p) {
			if c != nil {
				p.given = append(p.given, refusedTask("advertisement", c.task.URL))
			}
			continue
		}
		if owner := owners[i]; owner.address != "" {
			if c != nil {
				p.lead(owner, s, c)
			}
			continue
		}
		if c != nil {
			out = append(out, c)
		}
	}
	return p.withTextLinks(w, out)
}

// shownCandidate makes a candidate of a picture that the page shows; nil if
// it has no address.
func (p *page) shownCandidate(s *shownPicture) *candidate {
	sizes := s.sizes
	if u := p.linkOf(s.link); u != nil {
		if address, ok := canonical(u); ok && (looksLikePicture(u) || linksToItself(address, sizes)) {
			sizes = append([]size{{address: address, density: 1, whole: true}}, sizes...)
		}
	}
	addresses := chooseSizes(sizes, p.run.cfg.Want, p.run.cfg.MinWidth)
	if len(addresses) == 0 {
		return nil
	}
	source := p.info.place()
	source.Title = s.captions.text()
	width := widthIn(addresses[0])
	for _, z := range sizes {
		if z.address == addresses[0] && z.width > 0 {
			width = z.width
		}
	}
	return &candidate{
		task:   Task{Kind: Image, URL: addresses[0], Alternatives: addresses[1:], Referer: p.self, Depth: p.task.Depth, Source: source},
		framed: s.framed, width: width,
	}
}

// linksToItself reports a link around a picture to the same picture in
// another size, on hosts whose addresses have no endings.
func linksToItself(address string, sizes []size) bool {
	own := imprintOf(address)
	return slices.ContainsFunc(sizes[:min(len(sizes), 8)], func(s size) bool {
		return s.address != address && imprintOf(s.address).strict == own.strict
	})
}

// withTextLinks adds the pictures that a link without a picture leads to. On
// a page about one work it is that work's file.
func (p *page) withTextLinks(w *walker, shown []*candidate) []*candidate {
	known := map[string]*candidate{}
	for _, c := range shown {
		for _, a := range append([]string{c.task.URL}, c.task.Alternatives...) {
			known[a], known["\x00"+imprintOf(a).strict] = c, c
		}
	}
	for _, c := range p.leads {
		for _, l := range c {
			for _, a := range l.Addresses {
				known[a] = &candidate{}
			}
		}
	}
	one := mainOnes(shown)
	for _, l := range w.links {
		if known[l.address] != nil {
			continue
		}
		c := known["\x00"+imprintOf(l.address).strict]
		switch {
		case c != nil && c.task.URL != "":
			c.addAlternatives([]string{l.address})
			if c.width < max(p.run.cfg.Want, 1) {
				c.prefer(l.address)
			}
		case p.info.isWork && len(one) == 1 && wholeWords.MatchString(textIn(l.node)+" "+attribute(l.node, "title")+" "+attribute(l.node, "class")):
			one[0].prefer(l.address)
		default:
			source := p.info.place()
			source.Title = tidy(textIn(l.node))
			shown = append(shown, &candidate{task: Task{Kind: Image, URL: l.address, Referer: p.self, Depth: p.task.Depth, Source: source}, framed: l.framed})
		}
		known[l.address] = &candidate{}
	}
	return shown
}

// wholeWords are what a link to a work's own file says.
var wholeWords = regexp.MustCompile(`(?i)download|full|original|high.?res|large|zoom|enlarge|herunterladen|vergr|télécharger|agrandir|descargar|ampliar|scarica|ingrandi|tiff|jpe?g|png|скачать|ダウンロード|下载`)

// prefer makes an address the first.
func (c *candidate) prefer(address string) {
	if address == c.task.URL {
		return
	}
	rest := append([]string{c.task.URL}, c.task.Alternatives...)
	c.task.URL, c.task.Alternatives, c.imprints = address, nil, nil
	c.addAlternatives(rest)
}

// owner is the page that a picture is left to.
type owner struct {
	address string
	link    *html.Node
	around  bool
}

// cardOwners tells which pictures are left to pages: those with a link around
// them, and those that stand beside a link in the smallest part of the page
// that has one, if it is one of a list and shows nothing else.
func (p *page) cardOwners(w *walker) map[int]owner {
	owners := map[int]owner{}
	cards := map[int][]*html.Node{}
	uses := map[string]int{}
	links := map[*html.Node]string{}
	for i := range w.pictures {
		s := &w.pictures[i]
		if s.into != i {
			continue
		}
		if u := p.linkOf(s.link); u != nil {
			address, ok := canonical(u)
			if ok && !looksLikePicture(u) && !linksToItself(address, s.sizes) {
				owners[i] = owner{address: address, link: s.link, around: true}
				continue
			}
		}
		if p.info.isWork {
			continue
		}
		cards[i] = w.cardLinks(s, func(a *html.Node) bool {
			if _, seen := links[a]; !seen {
				links[a] = p.cardTarget(a)
			}
			return links[a] != ""
		})
		for _, a := range cards[i] {
			uses[links[a]]++
		}
	}
	for i, card := range cards {
		for _, a := range card {
			if uses[links[a]] == 1 && !leadsToPerson(a, p) {
				owners[i] = owner{address: links[a], link: a}
				break
			}
		}
	}
	return owners
}

// cardTarget is the page that a link in a card leads to, if it is followed.
func (p *page) cardTarget(a *html.Node) string {
	u := p.linkOf(a)
	if u == nil || isNextLink(a, p) {
		return ""
	}
	address, ok := p.follows(u)
	if !ok || address == p.self {
		return ""
	}
	return address
}

// cardLinks are the links to pages in the smallest element around a picture
// that has any, if it is a card of a list.
func (w *walker) cardLinks(s *shownPicture, leads func(*html.Node) bool) []*html.Node {
	for card := s.node.Parent; card != nil; card = card.Parent {
		switch card.Data {
		case "body", "main", "html", "ul", "ol", "tbody", "table":
			return nil
		}
		tree := w.trees[card]
		if tree == nil {
			continue
		}
		var links []*html.Node
		seen := map[string]bool{}
		for _, a := range tree.links {
			if leads(a) && !seen[attribute(a, "href")] {
				seen[attribute(a, "href")] = true
				links = append(links, a)
			}
		}
		if len(links) > 0 {
			if !w.distinct(tree) || !w.isListed(card) {
				return nil
			}
			return links
		}
	}
	return nil
}

// isListed reports elements that are one of several. The only picture of an
// article is the article's, whatever it links to.
func (w *walker) isListed(card *html.Node) bool {
	if card.Data == "li" || card.Data == "td" {
		return true
	}
	for _, step := range []func(*html.Node) *html.Node{
		func(n *html.Node) *html.Node { return n.PrevSibling }, func(n *html.Node) *html.Node { return n.NextSibling },
	} {
		looked := 0
		for n := step(card); n != nil && looked < 64; n = step(n) {
			looked++
			if n.Type == html.ElementNode && n.Data == card.Data && w.trees[n] != nil {
				return true
			}
		}
	}
	return false
}

func leadsToPerson(a *html.Node, p *page) bool {
	if u := p.linkOf(a); u != nil && personPath.MatchString(u.EscapedPath()) {
		return true
	}
	rel, prop := attribute(a, "rel"), attribute(a, "itemprop")
	if rel == "author" || prop == "creator" || prop == "author" || prop == "artist" {
		return true
	}
	before := a.PrevSibling
	return before != nil && before.Type == html.TextNode && byBefore.MatchString(before.Data)
}

// lead leaves a picture to the page that it links to.
func (p *page) lead(o owner, s *shownPicture, c *candidate) {
	caption := s.captions.text()
	if !o.around {
		caption = firstOf(caption, tidy(textIn(o.link)))
	} else if caption == "" {
		caption = tidy(textIn(s.link))
	}
	source := c.task.Source
	source.Title = firstOf(source.Title, caption)
	if _, seen := p.leads[o.address]; !seen && o.address != p.self {
		p.leadOrder = append(p.leadOrder, o.address)
	}
	passed := slices.ContainsFunc(p.task.Leads, func(l Lead) bool {
		return len(l.Addresses) > 0 && l.strict() == imprintOf(c.task.URL).strict
	})
	p.leads[o.address] = append(p.leads[o.address], Lead{
		Addresses: append([]string{c.task.URL}, c.task.Alternatives...), Around: o.around, Person: o.address == p.self || leadsToPerson(o.link, p),
		Passed: passed, Width: c.width, Caption: caption, Source: source, Depth: p.task.Depth,
	})
}

var advertisers = wordSet("ads ad adserver adservice doubleclick googlesyndication googleadservices amazon-adsystem adnxs taboola outbrain")

// isAdvertisement reports pictures that link to those who sell advertisements.
func isAdvertisement(s *shownPicture, p *page) bool {
	u := p.linkOf(s.link)
	if u == nil {
		return false
	}
	if containsWord(attribute(s.link, "rel"), "sponsored") {
		return true
	}
	return hostHasLabel(u.Hostname(), advertisers) && !p.run.sameSite(p.at.Hostname(), u.Hostname())
}

package crawler

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/PuerkitoBio/goquery"
)

// shownPicture is one element of a page that shows a picture.
type shownPicture struct {
	addresses []string // canonical, the best first
	linked    bool     // the first is where a link around the element leads
	width     int      // the largest that the page claims; 0 is not known
	framed    bool     // it stands in the page's main part
	caption   string
}

// furniture is the part of a page that is the same on every page.
const furniture = "header, footer, nav, aside, [role=banner], [role=contentinfo], [role=navigation], [role=complementary]"

// shownPictures are those that belong to this page. Those that belong to
// linked pages go to leads.
func (p *page) shownPictures() []shownPicture {
	var out []shownPicture
	taken := map[string]bool{}
	p.doc.Find("img, amp-img").Each(func(_ int, s *goquery.Selection) {
		if isFurniture(s) || isIcon(s) {
			return
		}
		shown := shownPicture{framed: s.Closest("figure, main, article").Length() > 0, caption: caption(s)}
		shown.addresses, shown.width = p.sizes(s)
		link, isPage := p.linkAround(s)
		if link == nil && len(shown.addresses) == 0 {
			return
		}
		if isPage {
			p.lead(link, shown)
			return
		}
		if link != nil {
			if address, ok := canonical(link); ok {
				shown.addresses = prepend(address, shown.addresses)
				shown.linked = true
			}
		}
		if owner := p.cardOwner(s); owner != nil {
			p.lead(owner, shown)
			return
		}
		if len(shown.addresses) > 0 && !taken[shown.addresses[0]] {
			taken[shown.addresses[0]] = true
			out = append(out, shown)
		}
	})
	return append(out, p.linkedPictures(taken)...)
}

// linkedPictures are those that a link without a picture in it leads to.
func (p *page) linkedPictures(taken map[string]bool) []shownPicture {
	var out []shownPicture
	p.doc.Find("a[href]").Each(func(_ int, s *goquery.Selection) {
		u, ok := resolve(p.base, s.AttrOr("href", ""))
		if !ok || !looksLikePicture(u) || isFurniture(s) || s.Find("img, amp-img").Length() > 0 {
			return
		}
		address, ok := canonical(u)
		if !ok || taken[address] {
			return
		}
		taken[address] = true
		shown := shownPicture{addresses: []string{address}, linked: true, framed: s.Closest("figure, main, article").Length() > 0}
		if owner := p.cardOwner(s); owner != nil {
			p.lead(owner, shown)
			return
		}
		out = append(out, shown)
	})
	return out
}

func isFurniture(s *goquery.Selection) bool {
	f := s.Closest(furniture)
	if f.Length() == 0 {
		return false
	}
	// An article's own header may hold its picture.
	return !f.Is("header") || f.Closest("article, main, figure").Length() == 0
}

// isIcon reports pictures that the page itself shows tiny: icons and
// counting pixels.
func isIcon(s *goquery.Selection) bool {
	w, errW := strconv.Atoi(strings.TrimSuffix(s.AttrOr("width", ""), "px"))
	h, errH := strconv.Atoi(strings.TrimSuffix(s.AttrOr("height", ""), "px"))
	return errW == nil && errH == nil && w <= 32 && h <= 32
}

// linkAround is where the link around a picture leads, and whether that is a
// page other than this one. Links to nowhere, such as those of scripts, are nil.
func (p *page) linkAround(s *goquery.Selection) (u *url.URL, isPage bool) {
	a := s.Closest("a[href]")
	if a.Length() == 0 {
		return nil, false
	}
	u, ok := resolve(p.base, a.AttrOr("href", ""))
	if !ok {
		return nil, false
	}
	if looksLikePicture(u) {
		return u, false
	}
	if address, ok := canonical(u); !ok || address == p.self {
		return nil, false
	}
	return u, true
}

// cardOwner is the page that a picture belongs to by standing beside the
// link to it: the smallest element around the picture that has such a link
// is a card if it shows no other picture and is one of a list. Nil if there
// is none.
func (p *page) cardOwner(s *goquery.Selection) *url.URL {
	if p.info.isWork {
		return nil
	}
	for card := s.Parent(); card.Length() > 0 && !card.Is("body, main, html, ul, ol, tbody, table"); card = card.Parent() {
		if owner := p.linkIn(card); owner != nil {
			if p.countPictures(card) > 1 || !isListed(card) {
				return nil
			}
			return owner
		}
	}
	return nil
}

// linkIn is the first page that an element links to.
func (p *page) linkIn(s *goquery.Selection) (to *url.URL) {
	s.Find("a[href]").EachWithBreak(func(_ int, a *goquery.Selection) bool {
		if u, ok := resolve(p.base, a.AttrOr("href", "")); ok {
			if address, ok := p.follows(u); ok && address != p.self && !isNextPage(a) {
				to = u
			}
		}
		return to == nil
	})
	return to
}

// isListed reports elements that are one of several with a picture. The only
// picture of an article is the article's, whatever it links to.
func isListed(card *goquery.Selection) bool {
	return card.Is("li, td") || card.SiblingsFiltered(goquery.NodeName(card)).Has("img, a[href]").Length() > 0
}

// countPictures counts different pictures, one in several sizes as one.
func (p *page) countPictures(s *goquery.Selection) int {
	seen := map[string]bool{}
	s.Find("img, amp-img").Each(func(_ int, img *goquery.Selection) {
		if addresses, _ := p.sizes(img); len(addresses) > 0 {
			seen[addresses[0]] = true
		}
	})
	return len(seen)
}

func (p *page) lead(to *url.URL, shown shownPicture) {
	address, ok := canonical(to)
	if !ok {
		return
	}
	l := p.leads[address]
	if l == nil {
		l = &lead{}
		p.leads[address] = l
	}
	for _, a := range shown.addresses {
		if !slices.Contains(l.addresses, a) {
			l.addresses = append(l.addresses, a)
		}
	}
	l.title = firstOf(l.title, shown.caption)
}

func caption(s *goquery.Selection) string {
	return tidy(firstOf(s.Closest("figure").Find("figcaption").First().Text(), s.AttrOr("alt", ""), s.AttrOr("title", "")))
}

func prepend(address string, rest []string) []string {
	return append([]string{address}, slices.DeleteFunc(rest, func(a string) bool { return a == address })...)
}

// workPicture is the one picture of a page that describes one work. What
// names the file outright comes first, then the largest that is shown.
func (p *page) workPicture(shown []shownPicture) (Task, bool) {
	var addresses []string
	add := func(references ...string) {
		for _, ref := range references {
			if u, ok := resolve(p.base, ref); ok {
				if a, ok := canonical(u); ok && len(a) <= maxPictureAddress && !slices.Contains(addresses, a) {
					addresses = append(addresses, a)
				}
			}
		}
	}
	add(p.doc.Find(".fullImageLink a[href], .fullMedia a[href]").First().AttrOr("href", ""))
	add(p.info.files...)
	if main := mainPicture(shown); main != nil {
		add(main.addresses...)
	}
	add(p.info.images...)
	if len(addresses) == 0 {
		return Task{}, false
	}
	return p.candidate(addresses, ""), true
}

// mainPicture is the one that a page is about: in its main part rather than
// outside, linked to its file rather than not, wider, earlier.
func mainPicture(shown []shownPicture) *shownPicture {
	var best *shownPicture
	for i := range shown {
		s := &shown[i]
		if best == nil || s.weight() > best.weight() || s.weight() == best.weight() && s.width > best.width {
			best = s
		}
	}
	return best
}

func (s *shownPicture) weight() (w int) {
	if s.framed {
		w += 2
	}
	if s.linked {
		w++
	}
	return w
}

// pictures are the candidates of a page that is about none or several.
func (p *page) pictures(shown []shownPicture) []Task {
	if len(shown) == 0 && len(p.leads) == 0 {
		// A page drawn by scripts may still name its picture.
		for _, ref := range slices.Concat(p.info.files, p.info.images) {
			if u, ok := resolve(p.base, ref); ok {
				if a, ok := canonical(u); ok {
					shown = append(shown, shownPicture{addresses: []string{a}})
					break
				}
			}
		}
	}
	var out []Task
	for _, s := range shown {
		if len(s.addresses[0]) > maxPictureAddress {
			continue
		}
		t := p.candidate(s.addresses, s.caption)
		if len(shown) > 1 {
			// The page's record can't be of them all.
			t.Source = p.info.place()
			t.Source.Title = s.caption
		}
		out = append(out, t)
	}
	return out
}

func (p *page) candidate(addresses []string, title string) Task {
	source := p.info.fill(p.info.place())
	source.Title = firstOf(source.Title, title, p.task.Source.Title, p.info.heading)
	return Task{
		Kind: Image, URL: addresses[0], Alternatives: addresses[1:],
		Referer: p.self, Depth: p.task.Depth, Source: source,
	}
}

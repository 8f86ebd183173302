package crawler

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// shownPicture is a picture that a page shows, in all its sizes.
type shownPicture struct {
	sizes    []size
	node     *html.Node
	link     *html.Node // the link around it; nil if there is none
	noscript *html.Node // around it
	lazy     bool       // a script puts the address in its place
	framed   bool       // it stands in the page's main part
	behind   bool       // a background
	captions captions
	target   string // the id of the element that a link on this page opens; both have it
	into     int    // the picture that this one is another element of; its own place if none
}

// captions are what a page says beside a picture, the likeliest first.
type captions struct{ figure, alt, title string }

func (c captions) text() string { return firstOf(c.figure, c.alt, c.title) }

// textLink is a link to a picture without a picture in it.
type textLink struct {
	node    *html.Node
	address string
	framed  bool
}

// subtree is what an element holds: the pictures from first to before last,
// and its first links.
type subtree struct {
	first, last int
	links       []*html.Node
}

// maxCardLinks bounds the links of one card that are looked at.
const maxCardLinks = 8

// walker goes once through a page, so that reading takes time in proportion
// to the page's size.
type walker struct {
	page     *page
	ctx      context.Context
	visited  int
	pictures []shownPicture
	links    []textLink
	trees    map[*html.Node]*subtree
	captions map[*html.Node]string // by figure
	rules    map[string][][]size   // backgrounds of style elements by "#id" and ".class"
}

// place is what an element's surroundings say.
type place struct {
	link, noscript, figure *html.Node
	furniture, framed      bool
}

func (p *page) collect(ctx context.Context) (*walker, error) {
	w := &walker{page: p, ctx: ctx, trees: map[*html.Node]*subtree{}, captions: map[*html.Node]string{}, rules: map[string][][]size{}}
	for _, root := range p.doc.Nodes {
		w.readStyles(root)
		if _, err := w.walk(root, place{}); err != nil {
			return nil, err
		}
	}
	w.group()
	return w, nil
}

func (w *walker) walk(n *html.Node, at place) (*subtree, error) {
	if w.visited++; w.visited%1024 == 0 && w.ctx.Err() != nil {
		return nil, context.Cause(w.ctx)
	}
	own := &subtree{first: len(w.pictures)}
	if n.Type == html.ElementNode {
		switch n.Data {
		case "script", "style", "template", "head", "video", "audio", "canvas", "math", "select", "textarea":
			own.last = own.first
			return own, nil
		}
		at = w.enter(n, at)
		if isPictureElement(n) {
			w.addElement(n, at)
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type != html.ElementNode {
			continue
		}
		below, err := w.walk(c, at)
		if err != nil {
			return nil, err
		}
		own.links = append(own.links, below.links[:min(len(below.links), maxCardLinks-len(own.links))]...)
	}
	if n.Type == html.ElementNode {
		w.leave(n, at, own)
	}
	own.last = len(w.pictures)
	if own.last > own.first || len(own.links) > 0 {
		w.trees[n] = own
	}
	return own, nil
}

func (w *walker) enter(n *html.Node, at place) place {
	switch role := attribute(n, "role"); {
	case n.Data == "a" && attribute(n, "href") != "":
		at.link = n
	case n.Data != "a" && at.link == nil && clickAddress(n) != "":
		at.link = n
	case n.Data == "noscript":
		at.noscript = n
	case n.Data == "figure":
		at.figure, at.framed = n, true
	case n.Data == "main", n.Data == "article", role == "main":
		at.framed = true
	case n.Data == "footer", n.Data == "nav", role == "contentinfo", role == "navigation":
		at.furniture = true
	case (n.Data == "header" || n.Data == "aside" || role == "banner" || role == "complementary") && !at.framed:
		// Within an article or the main part they may hold the work itself.
		at.furniture = true
	}
	return at
}

func isPictureElement(n *html.Node) bool {
	switch n.Data {
	case "img", "amp-img", "image":
		return true
	case "object":
		return strings.HasPrefix(attribute(n, "type"), "image/")
	}
	return strings.HasSuffix(n.Data, "-img") || strings.HasSuffix(n.Data, "-image")
}

// addElement files an element that is a picture.
func (w *walker) addElement(n *html.Node, at place) {
	if at.furniture || isIcon(n) {
		return
	}
	s := shownPicture{node: n, link: at.link, noscript: at.noscript, framed: at.framed, into: len(w.pictures)}
	s.sizes, s.lazy = w.page.elementSizes(n)
	if len(s.sizes) == 0 && at.link == nil {
		return
	}
	s.captions = w.caption(n, at)
	w.pictures = append(w.pictures, s)
}

// elementSizes are all addresses of an img element's picture.
func (p *page) elementSizes(n *html.Node) (sizes []size, lazy bool) {
	for source := range sources(n) {
		for _, a := range source.Attr {
			sizes = append(sizes, p.attributeSizes(source, a, true)...)
		}
	}
	declared := atoi(strings.TrimSuffix(attribute(n, "width"), "px"))
	late := len(sizes)
	for _, a := range n.Attr {
		switch strings.ToLower(a.Key) {
		case "src", "xlink:href", "href", "data", "srcset":
			continue
		}
		sizes = append(sizes, p.attributeSizes(n, a, true)...)
	}
	lazy = len(sizes) > late
	sizes = append(sizes, p.resolved(parseSrcset(attribute(n, "srcset")), "")...)
	named := len(sizes) > 0
	for _, name := range []string{"src", "xlink:href", "href", "data"} {
		value := attribute(n, name)
		if value == "" || n.Data == "img" && name != "src" {
			continue
		}
		for _, s := range p.resolved([]size{{address: value, density: 1}}, "src") {
			s.placeholder = named && (lazy || isPlaceholder(s.address)) && !resemblesAny(s.address, sizes)
			sizes = append(sizes, s)
		}
		if strings.HasPrefix(value, "data:") || isPlaceholder(value) {
			lazy = true
		}
	}
	for i := range sizes {
		switch s := &sizes[i]; {
		case s.width == 0 && s.density > 1 && declared > 0:
			s.width = int(float64(declared) * s.density)
		case s.width == 0 && s.density == 1 && len(sizes) == 1:
			s.width = declared
		}
	}
	return sizes, lazy
}

// sources are the source elements of the picture element around an img.
func sources(img *html.Node) func(func(*html.Node) bool) {
	return func(yield func(*html.Node) bool) {
		around := img.Parent
		for range 3 {
			if around == nil || around.Data == "picture" {
				break
			}
			around = around.Parent
		}
		if around == nil || around.Data != "picture" {
			return
		}
		for c := around.FirstChild; c != nil; c = c.NextSibling {
			if c.Type != html.ElementNode || c.Data != "source" {
				continue
			}
			kind := strings.ToLower(attribute(c, "type"))
			if isUnreadableType(kind) {
				continue
			}
			if !yield(c) {
				return
			}
		}
	}
}

func resemblesAny(address string, sizes []size) bool {
	own := imprintOf(address)
	for _, s := range sizes[:min(len(sizes), 16)] {
		if s.address == address || own.resembles(imprintOf(s.address)) {
			return true
		}
	}
	return false
}

var placeholderWords = []string{"placeholder", "blank.", "spacer", "pixel.", "transparent", "loading", "loader", "lazy", "spinner", "1x1", "dummy", "/empty", "grey.", "gray.", "clear.gif", "trans.gif"}

func isPlaceholder(address string) bool {
	name := strings.ToLower(address)
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[i:]
	}
	return slices.ContainsFunc(placeholderWords, func(w string) bool { return strings.Contains(name, w) })
}

// leave looks at what an element says of the pictures in it, and at what it
// shows itself.
func (w *walker) leave(n *html.Node, at place, own *subtree) {
	if n.Data == "a" || n.Data == "area" {
		w.leaveLink(n, at, own)
	}
	if at.furniture || isPictureElement(n) || n.Data == "body" || n.Data == "html" || n.Data == "source" || n.Data == "iframe" || n.Data == "frame" || n.Data == "input" || n.Data == "link" || n.Data == "meta" {
		return
	}
	var beside []size
	for _, a := range n.Attr {
		beside = append(beside, w.page.attributeSizes(n, a, false)...)
	}
	behind := w.backgrounds(n)
	inside := w.pictures[own.first:]
	if len(beside) > 0 {
		switch {
		case len(inside) == 0:
		case onePicture(inside):
			for i := range beside {
				beside[i].whole = beside[i].whole || !smallName.MatchString(beside[i].address)
			}
			inside[0].sizes = append(inside[0].sizes, beside...)
			if inside[0].captions.text() == "" {
				inside[0].captions.title = elementCaption(n)
			}
			beside = nil
		default:
			beside = slices.DeleteFunc(beside, func(s size) bool { return shownIn(s, inside) })
		}
	}
	behind = slices.DeleteFunc(behind, func(sizes []size) bool {
		return slices.ContainsFunc(sizes, func(s size) bool { return shownIn(s, inside) })
	})
	if len(inside) == 0 && len(beside) > 0 {
		for _, sizes := range behind {
			beside = append(beside, sizes...)
		}
		w.addOwn(n, at, beside, false)
		return
	}
	for _, sizes := range behind {
		w.addOwn(n, at, sizes, true)
	}
	for _, s := range beside {
		w.addOwn(n, at, []size{s}, true)
	}
}

func (w *walker) addOwn(n *html.Node, at place, sizes []size, behind bool) {
	w.pictures = append(w.pictures, shownPicture{
		sizes: sizes, node: n, link: at.link, noscript: at.noscript, framed: at.framed, behind: behind,
		captions: w.caption(n, at), into: len(w.pictures),
	})
}

// onePicture reports whether all elements show one picture: the second is
// the first without a script.
func onePicture(pictures []shownPicture) bool {
	return len(pictures) == 1 || len(pictures) == 2 && pictures[1].noscript != nil && pictures[0].noscript == nil
}

func shownIn(s size, pictures []shownPicture) bool {
	own := imprintOf(s.address)
	for _, p := range pictures[:min(len(pictures), 16)] {
		for _, t := range p.sizes[:min(len(p.sizes), 8)] {
			if t.address == s.address || imprintOf(t.address).strict == own.strict {
				return true
			}
		}
	}
	return false
}

func (w *walker) leaveLink(n *html.Node, at place, own *subtree) {
	u := w.page.linkOf(n)
	if u == nil {
		return
	}
	if len(own.links) < maxCardLinks {
		own.links = append(own.links, n)
	}
	if looksLikePicture(u) && len(w.pictures) == own.first && !at.furniture {
		if address, ok := canonical(u); ok && len(address) <= maxPictureAddress {
			w.links = append(w.links, textLink{node: n, address: address, framed: at.framed})
		}
	}
}

// isIcon reports pictures that the page itself shows tiny: icons and
// counting pixels.
func isIcon(n *html.Node) bool {
	width, height := strings.TrimSuffix(attribute(n, "width"), "px"), strings.TrimSuffix(attribute(n, "height"), "px")
	return width != "" && height != "" && isSmallNumber(width) && isSmallNumber(height)
}

func isSmallNumber(s string) bool { return (atoi(s) > 0 || s == "0") && atoi(s) <= 32 }

// caption reads what is said of a picture by the figure around it, by itself
// and by the link around it.
func (w *walker) caption(n *html.Node, at place) captions {
	c := captions{alt: tidy(attribute(n, "alt")), title: elementCaption(n)}
	if at.figure != nil {
		text, ok := w.captions[at.figure]
		if !ok {
			text = figureCaption(at.figure)
			w.captions[at.figure] = text
		}
		c.figure = text
	}
	if c.title == "" && at.link != nil {
		c.title = elementCaption(at.link)
	}
	return c
}

func elementCaption(n *html.Node) string {
	for _, name := range []string{"data-caption", "data-sub-html", "data-title", "title", "aria-label", "data-description"} {
		if text := attribute(n, name); text != "" && len(text) < 4096 && !strings.HasPrefix(text, "#") && !strings.HasPrefix(text, ".") {
			return stripHTML(text)
		}
	}
	return ""
}

func figureCaption(figure *html.Node) string {
	var find func(n *html.Node) string
	find = func(n *html.Node) string {
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if c.Type != html.ElementNode || c.Data == "figure" {
				continue
			}
			if c.Data == "figcaption" {
				return tidy(textIn(c))
			}
			if text := find(c); text != "" {
				return text
			}
		}
		return ""
	}
	return find(figure)
}

// textIn is an element's text.
func textIn(n *html.Node) string {
	var out strings.Builder
	var add func(*html.Node)
	add = func(n *html.Node) {
		if n.Type == html.TextNode {
			out.WriteString(n.Data)
		}
		if n.Data == "script" || n.Data == "style" {
			return
		}
		for c := n.FirstChild; c != nil && out.Len() < 4096; c = c.NextSibling {
			add(c)
		}
		if n.Data == "br" || n.Data == "p" || n.Data == "div" || n.Data == "li" {
			out.WriteByte(' ')
		}
	}
	add(n)
	return out.String()
}

// linkOf is where a link leads; nil where it leads nowhere.
func (p *page) linkOf(a *html.Node) *url.URL {
	if a == nil {
		return nil
	}
	u, ok := resolve(p.base, firstOf(clickAddress(a), attribute(a, "href")))
	if !ok {
		return nil
	}
	return u
}

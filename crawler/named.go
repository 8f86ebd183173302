package crawler

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/PuerkitoBio/goquery"

	"github.com/palate-art/palate"
)

// showing finds the pictures of a page by what their addresses have in common.
type showing map[uint64]*candidate

func (p *page) index(shown []*candidate) showing {
	at := showing{}
	add := func(addresses []string, c *candidate) {
		for _, m := range marksOf(addresses) {
			if at[m] == nil {
				at[m] = c
			}
		}
	}
	for _, c := range shown {
		add(append([]string{c.task.URL}, c.task.Alternatives...), c)
	}
	for _, leads := range p.leads {
		for _, l := range leads {
			add(l.Addresses, &candidate{}) // it is another page's
		}
	}
	return at
}

func (s showing) find(addresses []string) *candidate {
	for _, m := range marksOf(addresses) {
		if c := s[m]; c != nil {
			return c
		}
	}
	return nil
}

// widen gives a picture further sizes, and chooses again.
func (p *page) widen(c *candidate, sizes []size) {
	if c.task.URL == "" {
		return
	}
	all := []size{{address: c.task.URL, width: c.width, density: 1}}
	for _, a := range c.task.Alternatives {
		all = append(all, size{address: a, density: 1})
	}
	addresses := chooseSizes(append(sizes, all...), p.run.cfg.Want, p.run.cfg.MinWidth)
	c.task.URL, c.task.Alternatives, c.imprints = addresses[0], addresses[1:], nil
	c.width = widthIn(addresses[0])
	for _, s := range append(sizes, all...) {
		if s.address == addresses[0] && s.width > 0 {
			c.width = s.width
		}
	}
}

func addressesOf(sizes []size) []string {
	out := make([]string, len(sizes))
	for i, s := range sizes {
		out[i] = s.address
	}
	return out
}

func (p *page) newCandidate(sizes []size, source palate.Source) *candidate {
	addresses := chooseSizes(sizes, p.run.cfg.Want, p.run.cfg.MinWidth)
	if len(addresses) == 0 {
		return nil
	}
	source.Page, source.Site = firstOf(source.Page, p.info.page), firstOf(source.Site, p.info.site)
	return &candidate{
		task:  Task{Kind: Image, URL: addresses[0], Alternatives: addresses[1:], Referer: p.self, Depth: p.task.Depth, Source: source},
		width: widthIn(addresses[0]),
	}
}

// withNamed brings in the pictures that structured data and a wiki's own
// markup name: larger files of those that are shown, or further ones.
func (p *page) withNamed(shown []*candidate) []*candidate {
	if href := p.doc.Find(".fullImageLink a[href], .fullMedia a[href]").First().AttrOr("href", ""); href != "" {
		p.info.named = append([]namedPicture{{references: []string{href}, own: true}}, p.info.named...)
	}
	at := p.index(shown)
	p.doc.Find(`link[as="image" i][imagesrcset]`).Each(func(_ int, s *goquery.Selection) {
		sizes := p.resolved(parseSrcset(s.AttrOr("imagesrcset", "")), "")
		if c := at.find(addressesOf(sizes)); c != nil {
			p.widen(c, sizes)
		}
	})
	var own []namedPicture
	for _, n := range p.info.named {
		sizes := p.namedSizes(n)
		if len(sizes) == 0 {
			continue
		}
		if c := at.find(addressesOf(sizes)); c != nil {
			p.widen(c, sizes)
			if c.task.URL != "" && n.source.Title != "" {
				c.task.Source = p.info.fillFrom(c.task.Source, n.source)
			}
			continue
		}
		own = append(own, n)
	}
	before := shown
	for _, n := range own {
		sizes := p.namedSizes(n)
		switch {
		case len(own) == 1 && n.own && len(mainOnes(before)) == 1:
			// The work's file beside the work's picture.
			p.widen(mainOnes(before)[0], sizes)
		case n.own || len(before) == 0 && len(p.leads) == 0:
			if at.find(addressesOf(sizes)) != nil {
				continue // another size of one that was named before
			}
			if c := p.newCandidate(sizes, n.source); c != nil {
				shown = append(shown, c)
				for _, m := range marksOf(addressesOf(sizes)) {
					at[m] = c
				}
			}
		}
	}
	return shown
}

func (p *page) namedSizes(n namedPicture) []size {
	var out []size
	for _, r := range n.references {
		out = append(out, size{address: r, width: n.width, density: 1, whole: true})
	}
	return p.resolved(out, "")
}

// mainOnes are the pictures in the page's main part, or all where none is.
func mainOnes(shown []*candidate) []*candidate {
	var framed []*candidate
	for _, c := range shown {
		if c.framed {
			framed = append(framed, c)
		}
	}
	if len(framed) > 0 {
		return framed
	}
	return shown
}

// withShareImage adds the picture that stands for the page elsewhere: as the
// last resort of a page about one work, and alone where there is no other.
func (p *page) withShareImage(shown []*candidate) []*candidate {
	for _, ref := range p.info.images {
		sizes := p.resolved([]size{{address: ref, density: 1}}, "")
		if len(sizes) == 0 {
			continue
		}
		switch {
		case len(shown) == 0 && len(p.leads) == 0:
			if c := p.newCandidate(sizes, palate.Source{}); c != nil {
				return append(shown, c)
			}
		case p.info.isWork && len(shown) == 1:
			shown[0].addAlternatives(addressesOf(sizes))
		}
	}
	return shown
}

var (
	stateValue = regexp.MustCompile(`(?:=|\bparse\()\s*(?:JSON\.parse\()?["'` + "`" + `]?[\[{]`)
	quoted     = regexp.MustCompile(`"((?:[^"\\]|\\.){4,})"|'((?:[^'\\]|\\.){4,})'`)
)

// maxState bounds the script that is read for pictures.
const maxState = 8 << 20

// withState brings in the pictures in the JSON that scripts draw the page
// from. Where the page shows pictures without its scripts, only larger sizes
// of them and further ones of the same list are taken.
func (p *page) withState(shown []*candidate, pictures []*jsonPicture) []*candidate {
	if len(pictures) == 0 {
		return shown
	}
	at := p.index(shown)
	empty := len(shown) == 0 && len(p.leads) == 0
	lists := map[int]bool{}
	var rest []*jsonPicture
	for _, g := range pictures {
		c := at.find(addressesOf(g.sizes))
		if c == nil {
			rest = append(rest, g)
			continue
		}
		lists[g.listed] = true
		p.widen(c, g.sizes)
		if c.task.URL != "" {
			c.task.Source = p.info.fillFrom(c.task.Source, g.source)
		}
	}
	for _, g := range rest {
		if !empty && (g.listed == 0 || !lists[g.listed]) {
			continue
		}
		if at.find(addressesOf(g.sizes)) != nil && g.imprint.base == "" {
			continue
		}
		if c := p.newCandidate(g.sizes, g.source); c != nil {
			shown = append(shown, c)
		}
	}
	return shown
}

// statePictures are the pictures in the page's scripts that hold JSON.
func (p *page) statePictures() []*jsonPicture {
	r := &jsonReader{page: p, byStrict: map[string]*jsonPicture{}}
	left := maxState
	p.doc.Find("script").Each(func(_ int, s *goquery.Selection) {
		kind := strings.ToLower(s.AttrOr("type", ""))
		text := s.Text()
		if len(text) < 16 || len(text) > left || kind == "application/ld+json" || kind == "importmap" || kind == "speculationrules" {
			return
		}
		left -= len(text)
		if strings.Contains(kind, "json") {
			var v any
			if json.Unmarshal([]byte(strings.TrimSpace(text)), &v) == nil {
				r.walk(v, "", 0, 0)
			}
			return
		}
		if strings.Contains(text, "__next_f.push(") {
			r.pushed(text)
			return
		}
		r.script(text)
	})
	r.pieces()
	p.galleries(r)
	return r.found
}

// script reads the values that a script assigns: JSON, JSON in a string, or,
// where it is no JSON, the addresses of pictures in its strings.
func (r *jsonReader) script(text string) {
	if !strings.Contains(text, "{") && !strings.Contains(text, "[") {
		return
	}
	parsed := false
	for tries := 0; tries < 64; tries++ {
		at := stateValue.FindStringIndex(text)
		if at == nil {
			if !parsed && tries == 0 {
				r.literals(text)
			}
			break
		}
		start := at[1] - 1
		rest := text[start:]
		var v any
		if q := text[start-1]; q == '"' || q == '\'' || q == '`' {
			rest = text[start-1:]
			if inner, n := stringLiteral(rest); n > 0 && json.Unmarshal([]byte(inner), &v) == nil {
				r.walk(v, "", 0, 0)
				parsed = true
				text = rest[n:]
				continue
			}
			text = text[at[1]:]
			continue
		}
		decoder := json.NewDecoder(strings.NewReader(rest))
		if decoder.Decode(&v) == nil {
			r.walk(v, "", 0, 0)
			parsed = true
			text = rest[decoder.InputOffset():]
			continue
		}
		if parsed || len(r.found) > 0 {
			text = text[at[1]:]
			continue
		}
		r.literals(rest)
		return
	}
}

// literals takes the pictures among a script's strings.
func (r *jsonReader) literals(text string) {
	r.arrays++
	own := r.arrays
	for _, m := range quoted.FindAllStringSubmatch(text, maxJSONPictures) {
		value := firstOf(m[1], m[2])
		if strings.Contains(value, `\`) {
			var plain string
			if json.Unmarshal([]byte(`"`+strings.ReplaceAll(value, `"`, `\"`)+`"`), &plain) != nil {
				continue
			}
			value = plain
		}
		if isReference(value) && !unwantedKeys.MatchString(value) {
			r.text(value, "", own)
		}
	}
}

// stringLiteral reads a script's string; n is its length with the quotes.
func stringLiteral(text string) (value string, n int) {
	q := text[0]
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case q:
			body := text[1:i]
			if q != '"' {
				body = strings.ReplaceAll(strings.ReplaceAll(body, `\'`, `'`), `"`, `\"`)
				body = strings.ReplaceAll(body, `\\"`, `\"`)
			}
			var out string
			if json.Unmarshal([]byte(`"`+body+`"`), &out) != nil {
				return "", 0
			}
			return out, i + 1
		}
	}
	return "", 0
}

// optOutWords forbid the use of pictures for learning.
var optOutWords = []string{"noai", "noimageai"}

// optsOut reports pages whose makers do not want their pictures learned from.
func optsOut(doc *goquery.Selection) bool {
	out := false
	doc.Find("meta[name]").Each(func(_ int, s *goquery.Selection) {
		switch strings.ToLower(s.AttrOr("name", "")) {
		case "robots", "noai", "palate":
			out = out || wordsOptOut(s.AttrOr("content", "")+","+s.AttrOr("name", ""))
		}
	})
	return out
}

func wordsOptOut(text string) bool {
	for word := range strings.FieldsFuncSeq(strings.ToLower(text), func(r rune) bool { return r == ',' || r == ' ' || r == ':' || r == ';' }) {
		if slices.Contains(optOutWords, word) {
			return true
		}
	}
	return false
}

// optedOut leaves the page's pictures and counts them; links are followed.
func (p *page) optedOut(shown []*candidate) reading {
	var out reading
	for _, c := range shown {
		out.found = append(out.found, refusedTask("opted_out", c.task.URL))
	}
	for _, leads := range p.leads {
		for _, l := range leads {
			out.found = append(out.found, refusedTask("opted_out", l.Addresses[0]))
		}
	}
	p.leads, p.leadOrder = map[string][]Lead{}, nil
	out.shown = (&shownPage{Refused: "opted_out"}).text()
	for _, l := range p.task.Leads {
		out.found = append(out.found, refusedTask("opted_out", l.Addresses[0]))
	}
	out.found = append(out.found, p.links()...)
	return out
}

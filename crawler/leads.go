package crawler

import (
	"hash/fnv"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/palate-art/palate"
)

// Lead is a picture that links to a page. It is left to that page, which may
// show it larger and say more of it. A page that does not show it gives it
// back: then it is a candidate itself.
type Lead struct {
	Addresses []string      `json:"addresses"`        // the best first
	Around    bool          `json:"around,omitempty"` // the link is around the picture, not only beside it
	Person    bool          `json:"person,omitempty"` // the link leads to whoever made it
	Passed    bool          `json:"passed,omitempty"` // the page that it stands on was led to by the same picture
	Width     int           `json:"width,omitempty"`  // of the first, if known
	Caption   string        `json:"caption,omitempty"`
	Source    palate.Source `json:"source"`
	Depth     int           `json:"depth,omitempty"`
}

// task makes a candidate of a lead.
func (l Lead) task() Task {
	return Task{
		Kind: Image, URL: l.Addresses[0], Alternatives: l.Addresses[1:],
		Referer: l.Source.Page, Depth: l.Depth, Source: l.Source,
	}
}

// maxLeads bounds the leads that one page's task carries; those beyond it are
// candidates at once.
const maxLeads = 64

// trail remembers the pages that this run has linked to. It is safe for
// concurrent use.
type trail struct {
	mu    sync.Mutex
	pages map[uint64]bool
}

func newTrail() *trail { return &trail{pages: map[uint64]bool{}} }

func hashOf(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text))
	return h.Sum64()
}

// offer notes that a page has been linked to. It reports whether this is the
// first time in this run.
func (t *trail) offer(address string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := hashOf(address)
	if t.pages[key] {
		return false
	}
	t.pages[key] = true
	return true
}

// offered reports whether a page has been linked to in this run.
func (t *trail) offered(address string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pages[hashOf(address)]
}

// marks tell a picture by what its addresses have in common.
func (l Lead) marks() []uint64 { return marksOf(l.Addresses) }

// strict tells a lead's picture from others.
func (l Lead) strict() string { return imprintOf(l.Addresses[0]).strict }

func marksOf(addresses []string) []uint64 {
	var out []uint64
	for _, a := range addresses[:min(len(addresses), 4)] {
		im := imprintOf(a)
		out = append(out, hashOf("s"+im.strict), hashOf("s"+im.loose))
		if im.base != "" {
			out = append(out, hashOf("b"+im.base))
		}
	}
	return out
}

// shownMarks are those of a picture that a page shows. Leads are asked for
// with soughtMarks: the two have one in common where imprints resemble each other.
func shownMarks(addresses []string) []uint64 {
	out := marksOf(addresses)
	for _, a := range addresses[:min(len(addresses), 4)] {
		for _, segment := range imprintOf(a).path {
			if telling(segment) {
				out = append(out, hashOf("p"+segment))
			}
		}
	}
	return out
}

func soughtMarks(addresses []string) []uint64 {
	out := marksOf(addresses)
	for _, a := range addresses[:min(len(addresses), 4)] {
		im := imprintOf(a)
		if im.base != "" {
			out = append(out, hashOf("p"+im.base))
		}
		for _, segment := range im.path {
			out = append(out, hashOf("b"+segment))
		}
	}
	return out
}

// settle decides on the leads of a page that has been read: those that it
// shows become further addresses of the picture it shows them by, the others
// are given back. memory is what is remembered of the page.
func (p *page) settle(leads []Lead, shown []*candidate) (back []Lead, memory *shownPage) {
	memory = &shownPage{Only: p.only(shown)}
	for _, c := range shown {
		memory.Own.add(shownMarks(append([]string{c.task.URL}, c.task.Alternatives...)))
	}
	for _, address := range p.leadOrder {
		for _, l := range p.leads[address] {
			memory.Handed.add(l.marks())
		}
	}
	for _, l := range leads {
		if len(l.Addresses) == 0 {
			continue
		}
		if c := p.showing(l, leads, shown, memory); c != nil {
			c.addAlternatives(l.Addresses)
			c.task.Source.Title = firstOf(c.task.Source.Title, l.Source.Title)
			memory.Own.add(l.marks())
			continue
		}
		if !p.leadsOn(l) {
			back = append(back, l)
		}
	}
	return back, memory
}

// showing is the picture of this page that shows a lead, which is one of
// leads; nil if none does.
func (p *page) showing(l Lead, leads []Lead, shown []*candidate, memory *shownPage) *candidate {
	for _, c := range shown {
		if c.resembles(l.Addresses) {
			return c
		}
	}
	if !memory.Only.standsFor(l, leads) {
		return nil
	}
	c := memory.Only.candidate
	memory.stand(l)
	if !memory.Only.isAbout(l) {
		memory.Unnamed = true
		c.task.For = &Stand{Page: p.task.URL, Lead: l}
	}
	return c
}

// onlyPicture is the picture of a page that shows one: it may stand for a
// lead whose address is another.
type onlyPicture struct {
	URL   string   `json:"url"`
	Width int      `json:"width,omitempty"` // 0 is not known
	Names []string `json:"names,omitempty"` // what the page and the picture are called

	candidate *candidate
}

// maxName bounds what is remembered of a name.
const maxName = 300

// only is the page's one picture: that of its main part, or the only one; nil
// if there are several, or none.
func (p *page) only(shown []*candidate) *onlyPicture {
	one := mainOnes(shown)
	if len(one) != 1 {
		return nil
	}
	c := one[0]
	var names []string
	for _, name := range []string{p.info.heading, p.info.source.Title, c.task.Source.Title} {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name[:min(len(name), maxName)])
		}
	}
	return &onlyPicture{URL: c.task.URL, Width: c.width, Names: names, candidate: c}
}

// standsFor reports whether a lead, which is one of leads to the same page,
// is the page's only picture by another address. Their names say so, or else
// the link around the lead is taken at its word where nothing speaks against it.
func (o *onlyPicture) standsFor(l Lead, leads []Lead) bool {
	if o == nil || l.Person || l.Width > 0 && o.Width > 0 && o.Width < l.Width {
		return false
	}
	about, told := sharesWords(l.Caption, o.Names)
	if !about && (told || !l.Around) {
		return false
	}
	own := l.strict()
	return !slices.ContainsFunc(leads, func(other Lead) bool {
		// Two pictures on one page are two. A link without a name is believed only where it is the only one.
		return len(other.Addresses) > 0 && (!about || other.Source.Page == l.Source.Page) && other.strict() != own
	})
}

// isAbout reports whether the page's names say what the lead's do.
func (o *onlyPicture) isAbout(l Lead) bool {
	about, _ := sharesWords(l.Caption, o.Names)
	return about
}

// leadsOn reports whether this page hands the lead on to a page that it shows
// the same picture for.
func (p *page) leadsOn(l Lead) bool {
	return slices.ContainsFunc(l.marks(), func(m uint64) bool { return p.handedOn[m] })
}

var fileLike = regexp.MustCompile(`(?i)^[\w-]+\.[a-z]{3,4}$|^(?:img|dsc|image|thumb|thumbnail|picture|photo|untitled|preview)[\s_-]*\d*$`)

// sharesWords reports whether a caption has a word in common with one of the
// names. told is false if either says nothing.
func sharesWords(caption string, names []string) (shares, told bool) {
	if fileLike.MatchString(caption) {
		return false, false
	}
	own := wordsOf(caption)
	if len(own) == 0 {
		return false, false
	}
	for _, name := range names {
		words := wordsOf(name)
		if len(words) == 0 {
			continue
		}
		told = true
		common := 0
		for w := range words {
			if own[w] {
				common++
			}
		}
		if common*2 >= min(len(words), len(own)) {
			return true, true
		}
	}
	return false, told
}

func wordsOf(text string) map[string]bool {
	out := map[string]bool{}
	for word := range strings.FieldsFuncSeq(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if len(out) < 64 {
			out[word] = true
		}
	}
	for _, plain := range []string{"the", "a", "of", "and", "by", "in", "view", "der", "die", "das", "la", "le", "de"} {
		delete(out, plain)
	}
	return out
}

var (
	personPath = regexp.MustCompile(`(?i)/(?:artists?|authors?|users?|profiles?|people|person|members?|creators?|k(?:ü|ue|%C3%BC)nstler(?:in)?|artistes?|autor(?:es)?|auteurs?|artistas?|photographers?|painters?|makers?|u|~[^/]+|@[^/]+)(?:/|$)`)
	byBefore   = regexp.MustCompile(`(?i)(?:^|[\s,])(?:by|von|par|por|di|da|door|av|af|©|von:|artist:|by:)\s*$`)
)

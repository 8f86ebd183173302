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

// trail remembers what this run has read, so that a lead to a page that has
// been read, or that waits already, is not lost. It is safe for concurrent use.
type trail struct {
	mu    sync.Mutex
	pages map[uint64]*pageNote
	shows map[uint64]*takeover // pictures that took a lead's place on no more than the page's word
}

// pageNote is what is remembered of a page.
type pageNote struct {
	read    bool
	shows   []uint64 // what tells the pictures that it showed
	waiting []Lead   // that came after its task
}

// takeover is a picture that stood for the picture that linked to its page.
type takeover struct {
	page string
	lead Lead
}

func newTrail() *trail {
	return &trail{pages: map[uint64]*pageNote{}, shows: map[uint64]*takeover{}}
}

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
	if t.pages[key] != nil {
		return false
	}
	t.pages[key] = &pageNote{}
	return true
}

// offered reports whether a page has been linked to in this run.
func (t *trail) offered(address string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pages[hashOf(address)] != nil
}

// leave hands leads to a page that was offered before. It gives back those
// which that page, having been read, did not show.
func (t *trail) leave(address string, leads []Lead) (back []Lead) {
	t.mu.Lock()
	defer t.mu.Unlock()
	note := t.pages[hashOf(address)]
	for _, l := range leads {
		switch {
		case note == nil || !note.read && len(note.waiting) >= maxLeads:
			back = append(back, l)
		case !note.read:
			note.waiting = append(note.waiting, l)
		case !slices.ContainsFunc(l.marks(), func(m uint64) bool { return slices.Contains(note.shows, m) }):
			back = append(back, l)
		}
	}
	return back
}

// waiting takes the leads that came to a page while it was read. Where there
// are none, the page counts as read from now on.
func (t *trail) waiting(address string) []Lead {
	t.mu.Lock()
	defer t.mu.Unlock()
	note := t.note(address)
	waiting := note.waiting
	note.waiting, note.read = nil, len(waiting) == 0
	return waiting
}

// read notes that a page has been dealt with, and gives the leads that came
// to it meanwhile.
func (t *trail) read(address string) []Lead {
	t.mu.Lock()
	defer t.mu.Unlock()
	note := t.note(address)
	waiting := note.waiting
	note.waiting, note.read = nil, true
	return waiting
}

func (t *trail) note(address string) *pageNote {
	key := hashOf(address)
	note := t.pages[key]
	if note == nil {
		note = &pageNote{}
		t.pages[key] = note
	}
	return note
}

// showed notes the pictures of a page that has been read.
func (t *trail) showed(address string, marks []uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if note := t.note(address); len(note.shows) < 512 {
		note.shows = append(note.shows, marks...)
	}
}

// shown reports whether a page has been noted to show a lead.
func (t *trail) shown(address string, l Lead) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	note := t.note(address)
	return slices.ContainsFunc(l.marks(), func(m uint64) bool { return slices.Contains(note.shows, m) })
}

// takesOver notes that a page's picture stands for a lead. If it has stood
// for that of another page it is part of the site's frame: then both leads
// are given back.
func (t *trail) takesOver(picture, page string, l Lead) (ok bool, other []Lead) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := hashOf(picture)
	switch earlier := t.shows[key]; {
	case earlier == nil:
		if len(t.shows) < 50_000 {
			t.shows[key] = &takeover{page: page, lead: l}
		}
		return true, nil
	case earlier.page == page:
		return true, nil
	case len(earlier.lead.Addresses) > 0:
		other = []Lead{earlier.lead}
		earlier.lead = Lead{}
		return false, other
	}
	return false, nil
}

// marks tell a picture by what its addresses have in common.
func (l Lead) marks() []uint64 { return marksOf(l.Addresses) }

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

// settle decides on the leads of a page that has been read: those that it
// shows become further addresses of the picture it shows them by, the others
// are given back.
func (p *page) settle(leads []Lead, shown []*candidate) (back []Lead) {
	different := map[string]bool{}
	for _, l := range leads {
		if len(l.Addresses) > 0 {
			different[imprintOf(l.Addresses[0]).strict] = true
		}
	}
	for _, l := range leads {
		if len(l.Addresses) == 0 {
			continue
		}
		if c := p.showing(l, shown, len(different)); c != nil {
			c.addAlternatives(l.Addresses)
			c.task.Source.Title = firstOf(c.task.Source.Title, l.Source.Title)
			p.run.trail.showed(p.task.URL, l.marks())
			continue
		}
		if p.leadsOn(l) || p.run.trail.shown(p.task.URL, l) {
			continue
		}
		back = append(back, l)
	}
	return back
}

// showing is the picture of this page that shows a lead; nil if none does.
func (p *page) showing(l Lead, shown []*candidate, leads int) *candidate {
	for _, c := range shown {
		if c.resembles(l.Addresses) {
			return c
		}
	}
	if l.Person || leads != 1 {
		return nil
	}
	// Another address: the page must show one picture and be about the lead.
	var only *candidate
	for _, c := range shown {
		if c.framed == (shown[0].framed || c.framed) {
			if only != nil && only.framed == c.framed {
				return nil
			}
			if only == nil || c.framed {
				only = c
			}
		}
	}
	if only == nil || l.Width > 0 && only.width > 0 && only.width < l.Width {
		return nil
	}
	names := []string{p.info.heading, p.info.source.Title, only.task.Source.Title}
	about, told := sharesWords(l.Caption, names)
	if told && !about || !l.Around && !about {
		return nil
	}
	if about {
		return only
	}
	ok, other := p.run.trail.takesOver(only.task.URL, p.task.URL, l)
	for _, o := range other {
		p.given = append(p.given, o.task())
	}
	if !ok {
		return nil
	}
	return only
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

package crawler

import (
	"sync"
)

// Calendars and their like go on for ever. They are told by their addresses,
// which differ in nothing but numbers, and by their pages, which show no
// picture and lead to nothing but more of the same.

const (
	barrenChain  = 12 // pages one behind the other
	barrenVisits = 24 // pages of one shape, none of which gave anything
)

// endless counts what pages gave by the shape of their addresses. It is safe
// for concurrent use.
type endless struct {
	mu     sync.Mutex
	chain  map[uint64]int // barren pages before this one, by address
	shapes map[uint64]*shapeNote
}

// shapeNote counts the pages of one shape: all, those with a picture, and those
// without one that led to something new.
type shapeNote struct{ visits, pictured, leading int }

// count takes in a page.
func (n *shapeNote) count(gave Gave) {
	n.visits++
	switch gave {
	case GavePictures:
		n.pictured++
	case GaveLinks:
		n.leading++
	}
}

// isBarren reports a shape whose pages gave nothing, often enough. A page that
// was read before the rest of the site was known led to something new by that
// alone.
func (n *shapeNote) isBarren() bool {
	return n.visits >= barrenVisits && n.pictured == 0 && n.leading*8 <= n.visits
}

func newEndless() *endless {
	return &endless{chain: map[uint64]int{}, shapes: map[uint64]*shapeNote{}}
}

// shapeOf is an address without its numbers.
func shapeOf(address string) string { return digits.ReplaceAllString(address, "#") }

// verdict says which links of a page that was read lead nowhere.
type verdict struct {
	of    *endless
	shape uint64
	gave  Gave
	chain int
}

// read notes what a page gave.
func (e *endless) read(task Task, self string, gave Gave) verdict {
	e.mu.Lock()
	defer e.mu.Unlock()
	shape := hashOf(shapeOf(self))
	e.note(shape).count(gave)
	if gave != GaveNothing {
		delete(e.chain, hashOf(task.URL))
		return verdict{of: e, shape: shape, gave: gave}
	}
	return verdict{of: e, shape: shape, gave: gave, chain: e.chain[hashOf(task.URL)]}
}

// retrace gives what takes in the pages that earlier runs of the round met, in
// their order.
func (r *run) retrace() func(Step) error {
	type followed struct {
		shape uint64
		chain int
	}
	barren := map[uint64]followed{}
	return func(s Step) error {
		r.trail.offer(s.URL)
		shape, key := hashOf(shapeOf(s.URL)), hashOf(s.URL)
		chain := 0
		if before, ok := barren[hashOf(s.Referer)]; ok && before.shape == shape {
			chain = before.chain + 1
		}
		if s.State == Visited && s.Gave == GaveNothing {
			barren[key] = followed{shape, chain}
		}
		r.endless.retrace(s, shape, key, chain)
		return nil
	}
}

func (e *endless) retrace(s Step, shape, key uint64, chain int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if chain > 0 && len(e.chain) < 100_000 {
		e.chain[key] = chain
	}
	if s.State == Visited {
		e.note(shape).count(s.Gave)
	}
}

func (e *endless) note(shape uint64) *shapeNote {
	n := e.shapes[shape]
	if n == nil {
		n = &shapeNote{}
		if len(e.shapes) < 100_000 {
			e.shapes[shape] = n
		}
	}
	return n
}

// endless reports a link of the page that goes on with a barren chain, and
// else notes how long the chain is.
func (v verdict) endless(address string) bool {
	if v.gave != GaveNothing {
		return false
	}
	v.of.mu.Lock()
	defer v.of.mu.Unlock()
	shape := hashOf(shapeOf(address))
	note := v.of.note(shape)
	if shape != v.shape {
		return v.chain >= 2 && note.isBarren()
	}
	if v.chain+1 >= barrenChain || note.isBarren() {
		return true
	}
	key := hashOf(address)
	if _, known := v.of.chain[key]; !known && len(v.of.chain) < 100_000 {
		v.of.chain[key] = v.chain + 1
	}
	return false
}

// stopped reports a page that was linked before its kind was found to go on
// without end.
func (e *endless) stopped(task Task) bool {
	if task.Referer == "" {
		return false
	}
	shape := shapeOf(task.URL)
	if shape != shapeOf(task.Referer) {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	note := e.shapes[hashOf(shape)]
	return note != nil && note.isBarren()
}

// isBarren reports pages of a kind that has given nothing so far, often enough.
func (e *endless) isBarren(address string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	note := e.shapes[hashOf(shapeOf(address))]
	return note != nil && note.isBarren()
}

// leadsElsewhere reports whether the page leads to pages that are new and not
// merely more of itself.
func (p *page) leadsElsewhere(links []pageLink) bool {
	own := shapeOf(p.self)
	for _, l := range links {
		if shapeOf(l.address) != own && !p.run.trail.offered(l.address) && !p.run.endless.isBarren(l.address) {
			return true
		}
	}
	return false
}

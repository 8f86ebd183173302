package crawler

import (
	"strings"

	"golang.org/x/net/html"
)

// group brings together the elements that show one picture: those with an
// address in common, with addresses that differ only in a size, and a
// noscript with the element it stands in for.
func (w *walker) group() {
	w.markPlaceholders()
	w.markTargets()
	owner := map[string]int{}
	for i := range w.pictures {
		s := &w.pictures[i]
		into := i
		if other, ok := w.scriptTwin(i); ok {
			into = w.pictures[other].into
		}
		for _, key := range s.keys() {
			if other, ok := owner[key]; ok && into == i {
				into = other
				break
			}
		}
		if into != i {
			w.merge(into, i)
		}
		for _, key := range s.keys() {
			if _, ok := owner[key]; !ok {
				owner[key] = into
			}
		}
	}
}

// keys are what another element of the same picture has in common.
func (s *shownPicture) keys() []string {
	var out []string
	if s.target != "" {
		out = append(out, "\x00#"+s.target)
	}
	for _, z := range s.sizes {
		if z.placeholder || len(out) >= 2*maxAlternatives {
			continue
		}
		out = append(out, z.address, "\x00"+imprintOf(z.address).strict)
	}
	return out
}

// markTargets finds the pictures that open another one on the same page: a
// link to an element that shows nothing else.
func (w *walker) markTargets() {
	uses := map[string]int{}
	for i := range w.pictures {
		s := &w.pictures[i]
		if s.link == nil {
			continue
		}
		if id, ok := strings.CutPrefix(attribute(s.link, "href"), "#"); ok && id != "" {
			s.target = id
			uses[id]++
		}
	}
	if len(uses) == 0 {
		return
	}
	for i := range w.pictures {
		s := &w.pictures[i]
		if s.target != "" && uses[s.target] > 1 {
			s.target = ""
		}
		for n, up := s.node, 0; n != nil && up < 6 && s.target == ""; n, up = n.Parent, up+1 {
			if id := attribute(n, "id"); id != "" && uses[id] == 1 && (n == s.node || w.trees[n] != nil && w.trees[n].last-w.trees[n].first == 1) {
				s.target = id
			}
		}
	}
}

func (w *walker) merge(into, from int) {
	a, b := &w.pictures[into], &w.pictures[from]
	b.into = into
	if len(a.sizes) < 8*maxAlternatives {
		a.sizes = append(a.sizes, b.sizes...)
	}
	a.framed = a.framed || b.framed
	if a.link == nil {
		a.link = b.link
	}
	if a.captions.text() == "" {
		a.captions = b.captions
	}
}

// markPlaceholders finds the addresses that several pictures have until a
// script has run.
func (w *walker) markPlaceholders() {
	uses := map[string]int{}
	for _, s := range w.pictures {
		if len(s.sizes) > 1 {
			uses[s.sizes[len(s.sizes)-1].address]++
		}
	}
	for i := range w.pictures {
		sizes := w.pictures[i].sizes
		for k := range sizes {
			if len(sizes) > 1 && uses[sizes[k].address] > 1 && !sizes[k].whole && sizes[k].width == 0 && k == len(sizes)-1 && w.pictures[i].lazy {
				sizes[k].placeholder = true
			}
		}
	}
}

// scriptTwin is the element that a noscript with one picture stands in for:
// the lazy one directly before or after it.
func (w *walker) scriptTwin(i int) (int, bool) {
	s := &w.pictures[i]
	if s.noscript == nil {
		return 0, false
	}
	tree := w.trees[s.noscript]
	if tree == nil || tree.last-tree.first != 1 {
		return 0, false
	}
	before := i > 0 && w.pictures[i-1].noscript == nil && w.pictures[i-1].lazy && isWithin(w.pictures[i-1].node, sibling(s.noscript, true))
	if before {
		return i - 1, true
	}
	return 0, false
}

// sibling is the element beside another.
func sibling(n *html.Node, before bool) *html.Node {
	for {
		if before {
			n = n.PrevSibling
		} else {
			n = n.NextSibling
		}
		if n == nil || n.Type == html.ElementNode || n.Type == html.TextNode && strings.TrimSpace(n.Data) != "" {
			return n
		}
	}
}

func isWithin(n, around *html.Node) bool {
	for range 8 {
		if n == nil || around == nil {
			return false
		}
		if n == around {
			return true
		}
		n = n.Parent
	}
	return false
}

// distinct reports whether a part of the page shows exactly one picture.
func (w *walker) distinct(t *subtree) bool {
	if t.last-t.first > 8 || t.last == t.first {
		return false
	}
	first := w.pictures[t.first].into
	for _, s := range w.pictures[t.first:t.last] {
		if s.into != first {
			return false
		}
	}
	return true
}

package crawler

import (
	"cmp"
	"slices"
)

// A size without a known width that is said to be the whole file, such as
// what the link around a thumbnail leads to, counts as wider than any.
const wholeFile = 1 << 20

// chooseSizes puts the addresses of one picture in the order in which they
// are tried: the narrowest that is no narrower than want, those that are
// wider, then those that are narrower, the wide before the narrow. With want
// 0 the widest comes first. Widths below the narrowest are left out unless
// there is nothing else.
func chooseSizes(sizes []size, want, narrowest int) []string {
	sizes = slices.Clone(sizes)
	said := map[string]int{}
	for _, s := range sizes {
		said[s.address] = max(said[s.address], s.width)
	}
	for i := range sizes {
		s := &sizes[i]
		s.width = said[s.address]
		if s.width == 0 {
			s.width = widthIn(s.address)
			if s.whole && s.width < want {
				s.width = max(s.width, wholeFile)
			}
		}
	}
	// A thumbnail's own file is what has no size in its name.
	for i := range sizes {
		s := &sizes[i]
		if s.width == 0 && !s.placeholder && hasNarrowTwin(sizes, *s) {
			s.width = wholeFile
		}
	}
	slices.SortStableFunc(sizes, func(a, b size) int {
		return cmp.Or(cmp.Compare(a.class(want), b.class(want)), a.order(b, want), cmp.Compare(b.density, a.density))
	})
	var out []string
	for _, s := range sizes {
		if slices.Contains(out, s.address) || len(out) > 0 && s.width > 0 && s.width < narrowest {
			continue
		}
		if out = append(out, s.address); len(out) == maxAlternatives {
			break
		}
	}
	return out
}

// maxAlternatives bounds the addresses of one picture: a page may claim any
// number of sizes.
const maxAlternatives = 12

// class puts what is wide enough before what is not, and what is said
// nothing of last.
func (s size) class(want int) int {
	switch {
	case s.placeholder:
		return 3
	case s.width >= max(want, 1):
		return 0
	case s.width > 0:
		return 1
	}
	return 2
}

func (s size) order(t size, want int) int {
	if want > 0 && s.width >= want && t.width >= want {
		return cmp.Compare(s.width, t.width)
	}
	return cmp.Compare(t.width, s.width)
}

// hasNarrowTwin reports whether the same picture stands there with a size in
// its address.
func hasNarrowTwin(sizes []size, s size) bool {
	if len(sizes) > 64 {
		return false
	}
	own := imprintOf(s.address)
	return slices.ContainsFunc(sizes, func(t size) bool {
		return t.address != s.address && t.width > 0 && t.width < wholeFile && imprintOf(t.address).strict == own.strict
	})
}

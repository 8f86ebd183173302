package probe

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/palate-art/palate"
)

// keptNeighbours is how many neighbours of an example are remembered: twice
// what is asked for, so that an example is seldom measured anew because some
// of its neighbours are gone.
const keptNeighbours = 2 * scaleNeighbours

// Comparisons remember what was found when examples were compared with each
// other in search of near-duplicates (Config.NearDuplicates), so that the next
// search compares only what is new. What is found does not depend on what was
// remembered, nor on the order in which examples came. They keep no embedding
// and no sketch: some 700 bytes for each example. Make them with
// NewComparisons. They are safe for concurrent use; one search runs at a time.
type Comparisons struct {
	mu    sync.Mutex
	dim   int
	slots []slot
	free  []int32
	at    map[exampleKey]int32
	alike map[pair]verdict // pairs whose looks are alike
	laid  map[pair]verdict // other pairs that were laid over each other
}

// NewComparisons remember nothing yet.
func NewComparisons() *Comparisons {
	return &Comparisons{at: make(map[exampleKey]int32), alike: make(map[pair]verdict), laid: make(map[pair]verdict)}
}

// exampleKey tells examples apart: by picture and row and, where that is not
// enough, by their place among those that have the same.
type exampleKey struct {
	image palate.ImageID
	row   int
	nth   int
}

func (k exampleKey) compare(other exampleKey) int {
	return cmp.Or(bytes.Compare(k.image[:], other.image[:]), cmp.Compare(k.row, other.row), cmp.Compare(k.nth, other.nth))
}

// slot is what is known of an example.
type slot struct {
	key         exampleKey
	fingerprint uint64
	looks       []look
	near        []neighbour // the nearest others, the nearest first
	all         bool        // near has all others
}

// look is what a picture looks like in small, as it is and mirrored.
type look struct{ straight, mirrored []float32 }

type neighbour struct {
	slot    int32
	product float32
}

// pair is two slots, the lesser first.
type pair struct{ a, b int32 }

func pairOf(a, b int32) pair { return pair{min(a, b), max(a, b)} }

// verdict is what laying two pictures over each other told.
type verdict int8

const (
	unknown verdict = iota
	same
	different
)

// search is one look for near-duplicates.
type search struct {
	*Comparisons
	examples []Example
	slotOf   []int32 // of each example
	example  []int32 // of each slot, -1 for none
	fresh    []int32 // slots that are compared with all
	seen     sketches
}

// pairs finds the pairs of examples that show one work, by their place. It
// ends with ctx's error once ctx is done, and then remembers nothing.
func (c *Comparisons) pairs(ctx context.Context, examples []Example) ([][2]int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &search{Comparisons: c, examples: examples}
	found, err := s.run(ctx)
	if err != nil {
		c.forget()
		return nil, fmt.Errorf("probe: near-duplicates: %w", err)
	}
	return found, nil
}

// forget begins anew.
func (c *Comparisons) forget() {
	c.slots, c.free = nil, nil
	clear(c.at)
	clear(c.alike)
	clear(c.laid)
}

func (s *search) run(ctx context.Context) ([][2]int, error) {
	if len(s.examples) == 0 {
		return nil, nil
	}
	if dim := len(s.examples[0].Embedding); dim != s.dim {
		s.forget()
		s.dim = dim
	}
	added := s.match()
	if err := s.measure(ctx); err != nil {
		return nil, err
	}
	if err := s.look(ctx, added); err != nil {
		return nil, err
	}
	return s.decide(ctx)
}

// match gives every example its slot, drops the slots of those that are gone,
// and returns the slots that are new.
func (s *search) match() (added []int32) {
	known := make(map[int32]bool, len(s.examples))
	s.slotOf = make([]int32, len(s.examples))
	seen := make(map[exampleKey]int, len(s.examples))
	keys := make([]exampleKey, len(s.examples))
	prints := make([]uint64, len(s.examples))
	for i, e := range s.examples {
		key := exampleKey{image: e.Image, row: e.Row}
		key.nth, seen[key] = seen[key], seen[key]+1
		keys[i], prints[i], s.slotOf[i] = key, fingerprint(e.Embedding), -1
		if at, there := s.at[key]; there && s.slots[at].fingerprint == prints[i] {
			s.slotOf[i] = at
			known[at] = true
		}
	}
	s.drop(known)
	for i := range s.examples {
		if s.slotOf[i] < 0 {
			s.slotOf[i] = s.take(slot{key: keys[i], fingerprint: prints[i]})
			added = append(added, s.slotOf[i])
		}
	}
	s.example = make([]int32, len(s.slots))
	for i := range s.example {
		s.example[i] = -1
	}
	for i, at := range s.slotOf {
		s.example[at] = int32(i)
	}
	s.fresh = append(s.fresh, added...)
	return added
}

func (s *search) take(x slot) int32 {
	at := int32(len(s.slots))
	if n := len(s.free); n > 0 {
		at, s.free = s.free[n-1], s.free[:n-1]
		s.slots[at] = x
	} else {
		s.slots = append(s.slots, x)
	}
	s.at[x.key] = at
	return at
}

// drop forgets the slots that are not known any more. Whoever had them among
// its neighbours has fewer, or is measured anew if that is too few.
func (s *search) drop(known map[int32]bool) {
	if len(known) == len(s.at) {
		return
	}
	gone := make([]bool, len(s.slots))
	for key, at := range s.at {
		if !known[at] {
			gone[at] = true
			delete(s.at, key)
			s.slots[at] = slot{}
			s.free = append(s.free, at)
		}
	}
	slices.Sort(s.free)
	for _, verdicts := range []map[pair]verdict{s.alike, s.laid} {
		for p := range verdicts {
			if gone[p.a] || gone[p.b] {
				delete(verdicts, p)
			}
		}
	}
	for at := range known {
		x := &s.slots[at]
		x.near = slices.DeleteFunc(x.near, func(n neighbour) bool { return gone[n.slot] })
		if !x.all && len(x.near) < scaleNeighbours {
			s.fresh = append(s.fresh, at)
		}
	}
	slices.Sort(s.fresh)
}

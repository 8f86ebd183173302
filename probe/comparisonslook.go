package probe

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/palate-art/palate/internal/sketch"
)

// sketches remembers the sketches that were asked for during one search.
type sketches struct {
	mu   sync.Mutex
	kept map[int32]*sketch.Sketch
}

// sketch gives the sketch of a slot, nil if it has none.
func (s *search) sketch(at int32) *sketch.Sketch {
	e := s.examples[s.example[at]]
	if e.Sketch == nil {
		return nil
	}
	s.seen.mu.Lock()
	known, there := s.seen.kept[at]
	s.seen.mu.Unlock()
	if there {
		return known
	}
	made, ok := sketch.Read(e.Sketch())
	if !ok {
		made = nil
	}
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	if s.seen.kept == nil {
		s.seen.kept = make(map[int32]*sketch.Sketch)
	}
	s.seen.kept[at] = made
	return made
}

// look compares what the added slots look like with what all do, and notes the
// pairs that are alike.
func (s *search) look(ctx context.Context, added []int32) error {
	err := inParallel(ctx, 0, len(added), func(ctx context.Context, i int) error {
		if x := s.sketch(added[i]); x != nil {
			for _, l := range x.Looks() {
				s.slots[added[i]].looks = append(s.slots[added[i]].looks, look{padded(l), padded(sketch.Mirrored(l))})
			}
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	// The looks of the added ones come first, each also mirrored; the mirrored
	// looks of others would say the same again.
	type owned struct {
		slot     int32
		mirrored bool
	}
	var owners []owned
	var rows [][]float32
	isAdded := make([]bool, len(s.slots))
	for _, at := range added {
		isAdded[at] = true
		for _, l := range s.slots[at].looks {
			owners, rows = append(owners, owned{at, false}, owned{at, true}), append(rows, l.straight, l.mirrored)
		}
	}
	first := len(rows)
	for _, at := range s.slotOf {
		if !isAdded[at] {
			for _, l := range s.slots[at].looks {
				owners, rows = append(owners, owned{at, false}), append(rows, l.straight)
			}
		}
	}
	var mu sync.Mutex
	return products(ctx, rows, first, func(i, j int, product float32) {
		if product < sketch.Alike || owners[i].slot == owners[j].slot || owners[i].mirrored && owners[j].mirrored {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		p := pairOf(owners[i].slot, owners[j].slot)
		if _, there := s.alike[p]; !there {
			s.alike[p] = unknown
		}
	})
}

// padded is a look at a length that the kernel takes whole.
func padded(look []float32) []float32 { return append(look, make([]float32, -len(look)&7)...) }

// lay lays pictures over each other, of those pairs of which that is not known
// and that others do not hold together already.
func (s *search) lay(ctx context.Context, pairs []pair, verdictOf func(pair) map[pair]verdict, joined forest) error {
	slices.SortFunc(pairs, func(x, y pair) int { return cmp.Or(cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b)) })
	byFirst := slices.Collect(chunkBy(pairs, func(p pair) int32 { return p.a }))
	var mu sync.Mutex
	return inParallel(ctx, 0, len(byFirst), func(ctx context.Context, i int) error {
		var first *sketch.Picture
		for _, p := range byFirst[i] {
			mu.Lock()
			skip := joined.root(int(s.example[p.a])) == joined.root(int(s.example[p.b]))
			mu.Unlock()
			if skip {
				continue
			}
			a, b := s.sketch(p.a), s.sketch(p.b)
			if a == nil || b == nil {
				continue
			}
			if first == nil {
				first = sketch.NewPicture(a)
			}
			told := different
			if sketch.Same(first, sketch.NewPicture(b)) {
				told = same
			}
			mu.Lock()
			verdictOf(p)[p] = told
			if told == same {
				joined.join(int(s.example[p.a]), int(s.example[p.b]))
			}
			mu.Unlock()
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		return ctx.Err()
	})
}

// chunkBy gives the runs of elements that have the same key.
func chunkBy[T any, K comparable](all []T, key func(T) K) func(yield func([]T) bool) {
	return func(yield func([]T) bool) {
		for from := 0; from < len(all); {
			to := from + 1
			for to < len(all) && key(all[to]) == key(all[from]) {
				to++
			}
			if !yield(all[from:to]) {
				return
			}
			from = to
		}
	}
}

// decide gives the pairs of examples that show one work.
func (s *search) decide(ctx context.Context) (found [][2]int, err error) {
	joined := newForest(len(s.examples))
	hold := func(p pair) {
		found = append(found, [2]int{int(s.example[p.a]), int(s.example[p.b])})
		joined.join(int(s.example[p.a]), int(s.example[p.b]))
	}
	near, surely := s.neighbours()
	for _, p := range surely {
		hold(p)
	}
	verdictOf := func(p pair) map[pair]verdict {
		if _, there := s.alike[p]; there {
			return s.alike
		}
		return s.laid
	}
	asked := slices.Collect(maps.Keys(s.alike))
	for _, p := range near {
		if _, there := s.alike[p]; !there {
			asked = append(asked, p)
		}
	}
	open := asked[:0:0]
	for _, p := range asked {
		switch verdictOf(p)[p] {
		case same:
			hold(p)
		case unknown:
			open = append(open, p)
		}
	}
	if err := s.lay(ctx, open, verdictOf, joined); err != nil {
		return nil, err
	}
	for _, p := range open {
		if verdictOf(p)[p] == same {
			hold(p)
		}
	}
	return found, nil
}

// neighbours gives the pairs of which one is among the nearest of the other,
// and those of them that their embeddings alone show to be of one work.
func (s *search) neighbours() (near, surely []pair) {
	k := min(scaleNeighbours, len(s.examples)/4)
	if k < 2 {
		return nil, nil
	}
	share := 0.
	if dimension, typical := s.dimension(k); typical > 0 {
		share = shareOf(dimension, len(s.examples), k)
	}
	for _, at := range s.slotOf {
		x := s.slots[at]
		for _, n := range x.near[:k] {
			other := s.slots[n.slot]
			mutual := slices.ContainsFunc(other.near[:k], func(o neighbour) bool { return o.slot == at })
			if mutual && at > n.slot {
				continue
			}
			p := pairOf(at, n.slot)
			scale := min(square(float64(x.near[k-1].product)), square(float64(other.near[k-1].product)))
			if square(float64(n.product)) <= share*scale {
				surely = append(surely, p)
			} else {
				near = append(near, p)
			}
		}
	}
	return near, surely
}

// dimension estimates the intrinsic dimension, and the median scale, at some of
// the examples.
func (s *search) dimension(k int) (dimension, typical float64) {
	var around [][]float64
	for i := 0; i < len(s.slotOf); i += max(1, len(s.slotOf)/scaleProbes) {
		squares := make([]float64, 1, k+1)
		for _, n := range s.slots[s.slotOf[i]].near[:k] {
			squares = append(squares, square(float64(n.product)))
		}
		around = append(around, squares)
	}
	return dimensionOf(around, k, s.dim)
}

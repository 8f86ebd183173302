package probe

import (
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// tile is how many rows are measured against all others in one pass: they stay
// in the processor's cache.
const tile = 64

// gathering is the neighbours of a slot while they are gathered.
type gathering struct {
	mu    sync.Mutex
	least atomic.Uint32 // bits of the product below which nothing is kept
}

// measure finds the neighbours of the fresh slots, and puts these among the
// neighbours of the others.
func (s *search) measure(ctx context.Context) error {
	isFresh := make([]bool, len(s.slots))
	for _, at := range s.fresh {
		isFresh[at] = true
		s.slots[at].near, s.slots[at].all = nil, len(s.examples) <= keptNeighbours+1
	}
	gathered := make([]gathering, len(s.slots))
	for at := range s.slots {
		gathered[at].least.Store(math.Float32bits(s.leastOf(int32(at), isFresh[at])))
		s.slots[at].all = s.slots[at].all && len(s.examples) <= keptNeighbours+1
	}
	// The fresh first: each is measured against those before it and, of the
	// others, all.
	order := slices.Clone(s.fresh)
	for _, at := range s.slotOf {
		if !isFresh[at] {
			order = append(order, at)
		}
	}
	rows := make([][]float32, len(order))
	for i, at := range order {
		rows[i] = s.examples[s.example[at]].Embedding
	}
	return products(ctx, rows, len(s.fresh), func(i, j int, product float32) {
		a, b := order[i], order[j]
		s.keep(&gathered[a], a, neighbour{b, product})
		s.keep(&gathered[b], b, neighbour{a, product})
	})
}

// leastOf is the product below which a slot takes no neighbour: that of its
// last one, if there may be unknown ones beyond it.
func (s *search) leastOf(at int32, fresh bool) float32 {
	near := s.slots[at].near
	switch {
	case fresh || s.slots[at].all:
		return float32(math.Inf(-1))
	case len(near) == 0:
		return float32(math.Inf(1))
	}
	return near[len(near)-1].product
}

// keep puts a neighbour at its place; of equals that with the lesser key comes
// first.
func (s *search) keep(g *gathering, at int32, n neighbour) {
	if n.product < math.Float32frombits(g.least.Load()) {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	x := &s.slots[at]
	place, there := slices.BinarySearchFunc(x.near, n, func(a, b neighbour) int {
		switch {
		case a.product > b.product:
			return -1
		case a.product < b.product:
			return 1
		}
		return s.slots[a.slot].key.compare(s.slots[b.slot].key)
	})
	complete := math.IsInf(float64(math.Float32frombits(g.least.Load())), -1)
	if there || place == len(x.near) && !complete || place >= keptNeighbours {
		return
	}
	x.near = slices.Insert(x.near, place, n)
	if len(x.near) > keptNeighbours {
		x.near = x.near[:keptNeighbours]
	}
	if len(x.near) == keptNeighbours || !complete {
		g.least.Store(math.Float32bits(x.near[len(x.near)-1].product))
	}
}

// products gives the inner products of each of the first rows with every row
// before it, and of every later row with all of the first: each pair once,
// several at a time.
func products(ctx context.Context, rows [][]float32, first int, told func(i, j int, product float32)) error {
	tiles := (first + tile - 1) / tile
	return inParallel(ctx, 0, tiles, func(ctx context.Context, t int) error {
		// The last tiles first: they have the fewest rows after them.
		from := (tiles - 1 - t) * tile
		to := min(from+tile, first)
		var out [8]float32
		for j := from; j < len(rows); j += 4 {
			row := func(k int) []float32 { return rows[min(j+k, len(rows)-1)] }
			w, x, y, z := row(0), row(1), row(2), row(3)
			for i := from; i < to && i < j+3; i += 2 {
				second := min(i+1, to-1)
				products8(rows[i], rows[second], w, x, y, z, &out)
				for k := range 4 {
					if j+k >= len(rows) {
						break
					}
					if i < j+k {
						told(i, j+k, out[k])
					}
					if second > i && second < j+k {
						told(second, j+k, out[4+k])
					}
				}
			}
		}
		return ctx.Err()
	})
}

package flat

import (
	"math"
	"sync/atomic"

	"github.com/palate-art/palate/internal/simd"
)

// candidate is a row that may be among the best.
type candidate struct {
	place
	upper float32 // bound of its score, as simd.Query scales it
}

// bound is a number that only grows, shared by the workers of one search.
type bound struct{ bits atomic.Uint32 }

func (b *bound) get() float32 { return math.Float32frombits(b.bits.Load()) }

func (b *bound) raise(to float32) {
	for {
		now := b.bits.Load()
		if math.Float32frombits(now) >= to || b.bits.CompareAndSwap(now, math.Float32bits(to)) {
			return
		}
	}
}

// harvest is what one worker finds for one search.
type harvest struct {
	lower []float32   // the k largest lower bounds, the smallest on top of a heap
	found []candidate // that reach what least was when they were seen
	prune int         // how many make it worth looking at least again
}

// pruneAt is how many candidates are kept before the first are thrown out.
const pruneAt = 1 << 14

// scan looks at rows from ≤ i < to of a segment, or at those listed, which
// count from there.
func (j *job) scan(h *harvest, kernel simd.Kernel, segment, from, to int, list []int32, found *simd.Found) {
	codes := j.view.segments[segment].codes.Slice(from, to)
	kernel.Scan(codes, list, j.query, j.least.get(), found)
	dead := j.view.dead[segment]
	base := j.view.segments[segment].base
	for i, row := range found.Rows {
		at := from + int(row)
		if dead != nil && dead.has(at) || j.chosen != nil && j.chosen.all != nil && !j.chosen.all.has(int(base)+at) || j.leftOut(base+uint32(at)) {
			continue
		}
		margin := j.query.Margin(codes.Residual[row])
		estimate := found.Estimates[i]
		if estimate-margin > j.most {
			continue // before what the answer goes on behind
		}
		h.found = append(h.found, candidate{place{int32(segment), int32(at)}, estimate + margin})
		if estimate+margin < j.most { // else it may be no hit at all
			h.keepLower(estimate-margin, j)
		}
	}
	if h.prune == 0 {
		h.prune = pruneAt
	}
	if len(h.found) > h.prune {
		h.found = reaching(h.found, j.least.get())
		h.prune = max(pruneAt, 2*len(h.found))
	}
}

// reaching keeps the candidates that may still be among the best.
func reaching(found []candidate, least float32) []candidate {
	kept := found[:0]
	for _, c := range found {
		if c.upper >= least {
			kept = append(kept, c)
		}
	}
	return kept
}

// keepLower keeps the k largest lower bounds. Once there are k, whoever does
// not reach the smallest of them is not among the best.
func (h *harvest) keepLower(lower float32, j *job) {
	switch {
	case len(h.lower) < j.want:
		h.lower = append(h.lower, lower)
		up(h.lower)
		if len(h.lower) == j.want {
			j.least.raise(h.lower[0])
		}
	case lower > h.lower[0]:
		h.lower[0] = lower
		down(h.lower)
		j.least.raise(h.lower[0])
	}
}

// up moves the last of a heap to its place; down moves the first.
func up(heap []float32) {
	for i := len(heap) - 1; i > 0; {
		parent := (i - 1) / 2
		if heap[parent] <= heap[i] {
			return
		}
		heap[parent], heap[i] = heap[i], heap[parent]
		i = parent
	}
}

func down(heap []float32) {
	for i := 0; ; {
		child := 2*i + 1
		if child+1 < len(heap) && heap[child+1] < heap[child] {
			child++
		}
		if child >= len(heap) || heap[i] <= heap[child] {
			return
		}
		heap[i], heap[child] = heap[child], heap[i]
		i = child
	}
}

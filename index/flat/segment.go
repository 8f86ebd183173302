package flat

import (
	"math/bits"
	"sort"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/simd"
)

// Segments hold from minSegment rows, while there are few, to maxSegment.
const (
	minSegment = 1 << 10
	maxSegment = 1 << 16
)

// segment is room for rows. A row is written once, before a view shows it, and
// read without a lock from then on.
type segment struct {
	base  uint32           // number of the first row
	codes simd.Rows        // rounded to 8 bits
	exact []float32        // room × dim, in memory or in a file
	ids   []palate.ImageID // by row
	file  *mapping         // that exact lies in; nil if in memory
	terms [][]uint32       // codes of attributes by row; guarded by Index.mu
}

func newSegment(base uint32, room, dim int) *segment {
	return &segment{
		base: base, codes: makeCodes(room, dim), exact: make([]float32, room*dim),
		ids: make([]palate.ImageID, room), terms: make([][]uint32, room),
	}
}

func makeCodes(n, dim int) simd.Rows {
	codes := simd.MakeRows(n, dim)
	adviseHuge(codes.Codes)
	return codes
}

func (s *segment) room() int { return len(s.ids) }

func (s *segment) row(i, dim int) []float32 { return s.exact[i*dim : (i+1)*dim : (i+1)*dim] }

// view is what a search sees. It never changes.
type view struct {
	generation uint64 // views of one generation share segments
	segments   []*segment
	dead       []bitmap // by segment; nil where every row lives
	rows       uint32   // that are written, the dead among them
	live       int
}

// place is a row by its segment.
type place struct{ segment, row int32 }

func (v *view) place(row uint32) place {
	i := sort.Search(len(v.segments), func(i int) bool { return v.segments[i].base > row }) - 1
	return place{int32(i), int32(row - v.segments[i].base)}
}

// shown is how many rows of a segment the view shows.
func (v *view) shown(segment int) int {
	s := v.segments[segment]
	return min(int(v.rows-s.base), s.room())
}

func (v *view) exact(at place, dim int) []float32 {
	return v.segments[at.segment].row(int(at.row), dim)
}

// bitmap is a set of small numbers.
type bitmap []uint64

func newBitmap(n int) bitmap { return make(bitmap, (n+63)/64) }

func (b bitmap) has(i int) bool { return b[i>>6]&(1<<(i&63)) != 0 }
func (b bitmap) add(i int)      { b[i>>6] |= 1 << (i & 63) }

func (b bitmap) count() (n int) {
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// fill adds all numbers below n.
func (b bitmap) fill(n int) {
	for i := range n / 64 {
		b[i] = ^uint64(0)
	}
	if n%64 != 0 {
		b[n/64] = 1<<(n%64) - 1
	}
}

// take removes what is in other, which may be shorter or longer.
func (b bitmap) take(other []uint64) {
	for i := range min(len(b), len(other)) {
		b[i] &^= other[i]
	}
}

// countRange counts from ≤ i < to.
func (b bitmap) countRange(from, to int) (n int) {
	for i := from &^ 63; i < to; i += 64 {
		n += bits.OnesCount64(b.word(i, from, to))
	}
	return n
}

// appendRange lists from ≤ i < to, as i − from.
func (b bitmap) appendRange(list []int32, from, to int) []int32 {
	for i := from &^ 63; i < to; i += 64 {
		for w := b.word(i, from, to); w != 0; w &= w - 1 {
			list = append(list, int32(i+bits.TrailingZeros64(w)-from))
		}
	}
	return list
}

// word is the word of number i, a multiple of 64, without what is outside
// from ≤ j < to.
func (b bitmap) word(i, from, to int) uint64 {
	w := b[i>>6]
	if i < from {
		w &^= 1<<(from-i) - 1
	}
	if to-i < 64 {
		w &= 1<<(to-i) - 1
	}
	return w
}

package picture

import (
	"image"
	"math"
	"slices"
)

// This file resizes a picture while its rows come: of the whole one no more is
// held than the rows that the vertical pass still needs. The arithmetic, and
// its order, is that of Resize, which goes the same way, so the result is the
// same to the byte, for a picture that is to be turned too: there the
// columns of the upright picture are the rows that come, and the
// horizontal pass is what is done over several of them.

// Window is the part of a resized picture that is needed.
type Window struct {
	Width, Height int             // what the whole upright picture is resized to
	Part          image.Rectangle // of that
	Filter        Filter
}

// fits reports whether pictures of width × height are resized to it as their
// rows come. What is to be refused is left to ResizeWindow.
func (w Window) fits(width, height int) bool {
	return w.Filter != Nearest && w.check(width, height) == nil
}

// rowSink takes a picture row by row while it is decoded.
type rowSink interface {
	// row is where the pixels of row y are to be written, 3 bytes each.
	row(y int) []byte
	// done says that they are. Rows are done from the top to the bottom.
	done(y int)
}

// collected is all rows together, which may be written in any order.
type collected struct {
	m             *RGB // nil before the first row
	width, height int
}

func (c *collected) row(y int) []byte {
	if c.m == nil {
		c.m = NewRGB(c.width, c.height)
	}
	return c.m.Row(y)
}

func (c *collected) done(int) {}

// dropped are rows that nobody needs.
type dropped struct {
	width int
	line  []byte
}

func (d *dropped) row(int) []byte {
	if d.line == nil {
		d.line = make([]byte, 3*d.width)
	}
	return d.line
}

func (d *dropped) done(int) {}

// reduction makes a window of the rows of a picture as it is stored.
type reduction struct {
	width, height int // as stored
	line          []byte
	mirrored      bool // each row is to be read from its end
	flipped       bool // the last row comes first
	turned        bool // rows are columns, and so is what is made of them
	columns, rows span // those that are needed
	first         stage
	out           *RGB
}

// stage is a part of a reduction. Rows that it takes are the caller's again
// once it returns; their numbers rise or fall by one.
type stage interface {
	take(y int, row []byte)
	end()
}

// newReduction begins a reduction of a picture of width × height as stored.
func newReduction(width, height, orientation int, w Window) *reduction {
	r := &reduction{width: width, height: height, turned: swapsSides(orientation)}
	r.mirrored, r.flipped = orientation == 2 || orientation == 3, orientation == 3 || orientation == 4
	columns, rows := side{width, w.Width, w.Part.Min.X, w.Part.Max.X}, side{height, w.Height, w.Part.Min.Y, w.Part.Max.Y}
	if r.turned {
		r.mirrored, r.flipped = orientation == 7 || orientation == 8, orientation == 6 || orientation == 7
		columns, rows = side{width, w.Height, w.Part.Min.Y, w.Part.Max.Y}, side{height, w.Width, w.Part.Min.X, w.Part.Max.X}
	}
	r.out = NewRGB(columns.to-columns.from, rows.to-rows.from)
	r.first = keeping{r.out}
	if r.turned {
		r.first, r.columns = newSqueeze(w.Filter, columns, r.first)
		r.first, r.rows = newFold(w.Filter, rows, r.flipped, r.first)
	} else {
		r.first, r.rows = newFold(w.Filter, rows, r.flipped, r.first)
		r.first, r.columns = newSqueeze(w.Filter, columns, r.first)
	}
	return r
}

func (r *reduction) row(int) []byte {
	if r.line == nil {
		r.line = make([]byte, 3*r.width)
	}
	return r.line
}

func (r *reduction) done(y int) {
	if r.flipped {
		y = r.height - 1 - y
	}
	if r.mirrored {
		mirror(&RGB{Pix: r.line, Width: r.width, Height: 1})
	}
	r.take(y, r.line)
}

// take takes row y, as it is read.
func (r *reduction) take(y int, row []byte) {
	if y >= r.rows.from && y < r.rows.to {
		r.first.take(y-r.rows.from, row[3*r.columns.from:3*r.columns.to])
	}
}

// finish gives the window when all rows have come.
func (r *reduction) finish() *RGB {
	r.first.end()
	if r.turned {
		return transpose(r.out)
	}
	return r.out
}

// keeping writes rows into a picture.
type keeping struct{ m *RGB }

func (k keeping) take(y int, row []byte) { copy(k.m.Row(y), row) }
func (k keeping) end()                   {}

// side is what becomes of one side of a picture: the places from ≤ i < to of
// the out that in become.
type side struct{ in, out, from, to int }

// span is the samples from ≤ i < to.
type span struct{ from, to int }

// kernels of the side, and the samples that they touch, from which they count.
func (s side) kernels(filter Filter) (*kernels, span) {
	k := newKernels(shapes[filter], s.in, s.out, s.from, s.to)
	first, last := k.span()
	for i := range k.start {
		k.start[i] -= first
	}
	return k, span{first, last}
}

// taps is how many samples one of its kernels has at most.
func (s side) taps(filter Filter) int64 {
	if s.in == s.out {
		return 1
	}
	return 2*int64(math.Ceil(shapes[filter].support*max(float64(s.in)/float64(s.out), 1))) + 4
}

// bytes is what reducing a picture as stored takes, at most: the result, rows
// that wait, and kernels.
func (w Window) bytes(width, height, orientation int) int64 {
	columns, rows := side{width, w.Width, w.Part.Min.X, w.Part.Max.X}, side{height, w.Height, w.Part.Min.Y, w.Part.Max.Y}
	out := 3 * int64(w.Part.Dx()) * int64(w.Part.Dy())
	waiting := int64(w.Part.Dx())
	if swapsSides(orientation) {
		columns, rows = side{width, w.Height, w.Part.Min.Y, w.Part.Max.Y}, side{height, w.Width, w.Part.Min.X, w.Part.Max.X}
		out *= 2
		waiting = int64(width)
	}
	kernels := int64(columns.to-columns.from)*(16+4*columns.taps(w.Filter)) + int64(rows.to-rows.from)*(16+4*rows.taps(w.Filter))
	const line, pairs, sums = 3, 3 * 8, 3 * 5
	return out + kernels + 3*waiting*min(rows.taps(w.Filter), int64(height)) + (line+pairs+sums)*int64(width) + 16<<10
}

// squeeze mixes the samples of each row, two rows at a time.
type squeeze struct {
	k     *kernels
	pairs []int64 // of a row, and of the next one in the upper half
	y     int     // the row that waits for the next
	waits bool
	out   [2][]byte
	next  stage
}

// newSqueeze makes the pass along rows, of which only a span is given to it.
func newSqueeze(filter Filter, s side, next stage) (stage, span) {
	if s.in == s.out {
		return next, span{s.from, s.to}
	}
	k, needed := s.kernels(filter)
	q := &squeeze{k: k, pairs: make([]int64, 3*(needed.to-needed.from)), next: next}
	for i := range q.out {
		q.out[i] = make([]byte, 3*len(k.start))
	}
	return q, needed
}

func (s *squeeze) take(y int, row []byte) {
	pairs := s.pairs[:len(row)]
	if !s.waits {
		for i, v := range row {
			pairs[i] = int64(v)
		}
		s.y, s.waits = y, true
		return
	}
	for i, v := range row {
		pairs[i] |= int64(v) << 32
	}
	s.mix()
	s.waits = false
	s.next.take(s.y, s.out[0])
	s.next.take(y, s.out[1])
}

func (s *squeeze) end() {
	if s.waits { // the last of an odd number
		s.mix()
		s.next.take(s.y, s.out[0])
	}
	s.next.end()
}

func (s *squeeze) mix() {
	k := s.k
	for x, start := range k.start {
		r, g, b := mixPairs(s.pairs[3*start:], k.weights[x*k.size:][:k.taps[x]])
		out := s.out[0][3*x:][:3:3]
		out[0], out[1], out[2] = clip8(int32(r)), clip8(int32(g)), clip8(int32(b))
		out = s.out[1][3*x:][:3:3]
		out[0], out[1], out[2] = clip8(upperHalf(r)), clip8(upperHalf(g)), clip8(upperHalf(b))
	}
}

// fold mixes rows.
type fold struct {
	k       *kernels
	falling bool
	at      int      // the output that is made next
	waiting [][]byte // rows by their number, in turn
	sums    []int32
	line    []byte
	next    stage
}

// newFold makes the pass across rows, of which only a span is given to it.
func newFold(filter Filter, s side, falling bool, next stage) (stage, span) {
	if s.in == s.out {
		return next, span{s.from, s.to}
	}
	k, needed := s.kernels(filter)
	f := &fold{k: k, falling: falling, next: next, waiting: make([][]byte, slices.Max(k.taps))}
	if falling {
		f.at = len(k.start) - 1
	}
	return f, needed
}

func (f *fold) take(y int, row []byte) {
	if f.sums == nil {
		f.sums, f.line = make([]int32, len(row)), make([]byte, len(row))
	}
	slot := &f.waiting[y%len(f.waiting)]
	if *slot == nil {
		*slot = make([]byte, len(row))
	}
	copy(*slot, row)
	if f.falling {
		for ; f.at >= 0 && f.k.start[f.at] >= y; f.at-- {
			f.mix()
		}
		return
	}
	for ; f.at < len(f.k.start) && f.k.start[f.at]+f.k.taps[f.at] <= y+1; f.at++ {
		f.mix()
	}
}

func (f *fold) end() { f.next.end() }

// mix makes one row; all that it needs are waiting.
func (f *fold) mix() {
	for i := range f.sums {
		f.sums[i] = half
	}
	start, taps := f.k.start[f.at], f.k.taps[f.at]
	// Past a kernel's taps the weight is zero and any row will do.
	row := func(j int) []byte { return f.waiting[(start+min(j, taps-1))%len(f.waiting)] }
	weights := f.k.weights[f.at*f.k.size:][:f.k.size]
	for j := 0; j < taps; j += 4 {
		add4(f.sums, row(j), row(j+1), row(j+2), row(j+3), weights[j:j+4])
	}
	for i, v := range f.sums {
		f.line[i] = clip8(v)
	}
	f.next.take(f.at, f.line)
}

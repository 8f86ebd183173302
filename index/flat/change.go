package flat

import (
	"context"
	"fmt"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// change runs one change at a time. prepare works beside searches and returns
// what makes its work seen, which runs alone and quickly.
func (x *Index) change(ctx context.Context, prepare func(s *state) (publish func())) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	x.writing.Lock()
	defer x.writing.Unlock()
	if x.closed { // changes alone write it
		return errClosed
	}
	publish := prepare(x.state)
	x.mu.Lock()
	publish()
	x.mu.Unlock()
	x.tidy()
	return nil
}

// Upsert implements index.Index.
func (x *Index) Upsert(ctx context.Context, points []index.Point) error {
	if err := index.ValidatePoints(points, x.dim); err != nil {
		return fmt.Errorf("flat index: upsert: %w", err)
	}
	points = lastOfEach(points)
	return x.change(ctx, func(s *state) func() {
		next := s.view.grow(len(points), x.dim)
		first := s.view.rows
		x.write(next, first, points)
		return func() {
			burial := next.bury()
			for i, p := range points {
				row := first + uint32(i)
				if old, there := s.rows[p.ID]; there {
					s.drop(burial, old)
				}
				s.rows[p.ID] = row
				s.describe(next, row, s.terms.encode(p.Attributes))
			}
			next.live = len(s.rows)
			s.view = next
			x.changed += len(points)
			x.loose += len(points)
		}
	})
}

// lastOfEach leaves out points that a later one of the same ID replaces.
func lastOfEach(points []index.Point) []index.Point {
	last := make(map[palate.ImageID]int, len(points))
	for i, p := range points {
		last[p.ID] = i
	}
	if len(last) == len(points) {
		return points
	}
	kept := make([]index.Point, 0, len(last))
	for i, p := range points {
		if last[p.ID] == i {
			kept = append(kept, p)
		}
	}
	return kept
}

// grow returns the view with n rows more, still to be written.
func (v *view) grow(n, dim int) *view {
	next := &view{generation: v.generation, segments: v.segments, dead: slices.Clone(v.dead), rows: v.rows + uint32(n)}
	room := 0
	if last := len(v.segments) - 1; last >= 0 {
		room = int(v.segments[last].base) + v.segments[last].room()
	}
	for room < int(next.rows) {
		size := min(maxSegment, max(minSegment, (max(room, int(next.rows)-room)+minSegment-1)/minSegment*minSegment))
		next.segments = append(next.segments, newSegment(uint32(room), size, dim))
		next.dead = append(next.dead, nil)
		room += size
	}
	return next
}

// write fills rows that no view shows yet.
func (x *Index) write(v *view, first uint32, points []index.Point) {
	for len(points) > 0 {
		at := v.place(first)
		s := v.segments[at.segment]
		from := int(at.row)
		n := min(len(points), s.room()-from)
		for i, p := range points[:n] {
			copy(s.row(from+i, x.dim), p.Embedding)
			s.ids[from+i] = p.ID
		}
		x.kernel.Quantise(s.exact[from*x.dim:(from+n)*x.dim], x.dim, s.codes.Slice(from, from+n))
		first, points = first+uint32(n), points[n:]
	}
}

// describe gives a row its attributes.
func (s *state) describe(v *view, row uint32, codes []uint32) {
	at := v.place(row)
	of := v.segments[at.segment].terms
	s.terms.move(row, of[at.row], codes)
	of[at.row] = codes
}

// burial marks rows of a view as dead that is not published yet. Bitmaps that
// other views share are copied, once each.
type burial struct {
	view   *view
	copied []bool
}

func (v *view) bury() *burial { return &burial{v, make([]bool, len(v.segments))} }

func (b *burial) mark(row uint32) {
	at := b.view.place(row)
	if i := at.segment; !b.copied[i] {
		b.copied[i] = true
		shared := b.view.dead[i]
		b.view.dead[i] = newBitmap(b.view.segments[i].room())
		copy(b.view.dead[i], shared)
	}
	b.view.dead[at.segment].add(int(at.row))
}

// drop takes a row out of everything.
func (s *state) drop(b *burial, row uint32) {
	s.describe(b.view, row, nil)
	b.mark(row)
}

// Delete implements index.Index.
func (x *Index) Delete(ctx context.Context, ids []palate.ImageID) error {
	return x.change(ctx, func(s *state) func() {
		return func() {
			next := s.view.grow(0, x.dim)
			burial := next.bury()
			for _, id := range ids {
				if row, there := s.rows[id]; there {
					s.drop(burial, row)
					delete(s.rows, id)
					x.changed++
				}
			}
			next.live = len(s.rows)
			s.view = next
		}
	})
}

// SetAttributes implements index.Index.
func (x *Index) SetAttributes(ctx context.Context, attributes map[palate.ImageID]index.Attributes) error {
	return x.change(ctx, func(s *state) func() {
		return func() {
			for id, a := range attributes {
				if row, there := s.rows[id]; there {
					s.describe(s.view, row, s.terms.encode(a))
					x.changed++
				}
			}
		}
	})
}

// Judge implements index.Index.
func (x *Index) Judge(ctx context.Context, judgements []index.Judgement) error {
	return x.change(ctx, func(s *state) func() {
		return func() {
			for _, j := range judgements {
				if row, there := s.rows[j.ID]; there {
					at := s.view.place(row)
					s.describe(s.view, row, s.terms.judge(s.view.segments[at.segment].terms[at.row], j))
					x.changed++
				}
			}
		}
	})
}

// Clear implements index.Index.
func (x *Index) Clear(ctx context.Context) error {
	return x.change(ctx, func(s *state) func() {
		empty := emptyState(s.view.generation + 1)
		return func() {
			x.state, x.position = empty, 0
			x.changed, x.loose = x.changed+len(s.rows), 0
			x.forget()
		}
	})
}

// Rows that are dead or loose are written anew when they are many, so that
// each row is, on average, written a few times in its life.
const (
	deadShare  = 4       // one row of four
	leastDead  = 1 << 12 // and at least as many
	looseShare = 3       // one row of three, that is half of the rest
	leastLoose = maxSegment
)

// tidy writes everything anew if it is time. Searches go on meanwhile.
func (x *Index) tidy() {
	v, position := x.state.view, x.Position()
	dead := int(v.rows) - v.live
	tooDead := dead > max(leastDead, int(v.rows)/deadShare)
	tooLoose := x.loose > max(leastLoose, v.live/looseShare)
	if x.config.Path != "" && position != 0 && (tooDead || tooLoose) {
		x.loose = 0 // if there is no room for the file, not at every change again
		if x.save(x.state, position) && x.load() {
			return
		}
	}
	if tooDead {
		x.adopt(x.assemble(x.state.terms.names, x.state.parts(x.dim), v.generation+1), position)
	}
}

// adopt makes another state the present one.
func (x *Index) adopt(s *state, position uint64) {
	x.mu.Lock()
	x.state, x.position = s, position
	x.mu.Unlock()
}

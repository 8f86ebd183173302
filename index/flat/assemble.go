package flat

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/palate-art/palate"
)

// part is what becomes one segment: maxSegment rows, the last part at most.
type part struct {
	ids   []palate.ImageID
	exact []float32
	terms [][]uint32 // as a list of names codes them
	file  *mapping   // that exact lies in; nil if in memory
}

// parts copies what lives, in the order of rows.
func (s *state) parts(dim int) (all []part) {
	for live := range slices.Chunk(s.liveRows(), maxSegment) {
		p := part{ids: make([]palate.ImageID, len(live)), exact: make([]float32, len(live)*dim), terms: make([][]uint32, len(live))}
		for i, row := range live {
			at := s.view.place(row)
			from := s.view.segments[at.segment]
			p.ids[i], p.terms[i] = from.ids[at.row], from.terms[at.row]
			copy(p.exact[i*dim:], from.row(int(at.row), dim))
		}
		all = append(all, p)
	}
	return all
}

// liveRows lists the rows of the living.
func (s *state) liveRows() []uint32 {
	rows := make([]uint32, 0, len(s.rows))
	for _, row := range s.rows {
		rows = append(rows, row)
	}
	slices.Sort(rows)
	return rows
}

// assemble makes a state of parts, which it takes over. names are the terms
// that the parts' codes stand for; those that nothing has are left out.
func (x *Index) assemble(names []term, parts []part, generation uint64) *state {
	s := emptyState(generation)
	s.view.dead = make([]bitmap, len(parts))
	for i, p := range parts {
		s.view.segments = append(s.view.segments, segmentOf(p, uint32(i*maxSegment), x.dim))
		s.view.rows += uint32(len(p.ids))
	}
	s.view.live = int(s.view.rows)
	var wait sync.WaitGroup
	var next atomic.Int64
	for range x.config.Workers {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(parts); i = int(next.Add(1)) - 1 {
				n := len(parts[i].ids)
				segment := s.view.segments[i]
				x.kernel.Quantise(segment.exact[:n*x.dim], x.dim, segment.codes.Slice(0, n))
			}
		})
	}
	wait.Go(func() {
		s.rows = make(map[palate.ImageID]uint32, s.view.rows)
		for i, p := range parts {
			for row, id := range p.ids {
				s.rows[id] = uint32(i*maxSegment + row)
			}
		}
	})
	wait.Go(func() { s.learn(names) })
	wait.Wait()
	return s
}

// segmentOf takes a part over. Only a full segment may lie in a file: rows
// are added to the last one.
func segmentOf(p part, base uint32, dim int) *segment {
	n := len(p.ids)
	if n == maxSegment {
		return &segment{base: base, codes: makeCodes(n, dim), exact: p.exact, ids: p.ids, terms: p.terms, file: p.file}
	}
	s := newSegment(base, max(minSegment, (n+minSegment-1)/minSegment*minSegment), dim)
	copy(s.exact, p.exact)
	copy(s.ids, p.ids)
	copy(s.terms, p.terms)
	return s
}

// learn builds the dictionary from the segments, whose codes stand for names
// so far.
func (s *state) learn(names []term) {
	codes := make([]uint32, len(names))
	known := make([]bool, len(names))
	rows := make([][]uint32, 0, len(names))
	for _, segment := range s.view.segments {
		for i, had := range segment.terms {
			for j, old := range had {
				if !known[old] {
					known[old], codes[old] = true, s.terms.code(names[old])
					rows = append(rows, nil)
				}
				had[j] = codes[old]
				rows[had[j]] = append(rows[had[j]], segment.base+uint32(i))
			}
			slices.Sort(had)
		}
	}
	for code, list := range rows {
		s.terms.rows[code].AddMany(list)
	}
}

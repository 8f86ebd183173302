package flat

import "sync/atomic"

// Stats says what an index holds.
type Stats struct {
	Points int
	// Dead rows wait for their memory to be used again.
	Dead int
	// MemoryBytes is what the vectors take: bytes for all, and float32 for
	// those that are not in the side file. MappedBytes is what lies in the
	// file, of which the system keeps in memory what is used.
	MemoryBytes, MappedBytes int64
	// Searches counts scans on behalf of a search (with Query.Collapse one
	// search may take several), Passes how often all rows were read for
	// them, Scored the rows that were scored exactly, since Open.
	Searches, Passes, Scored int64
}

// counters count since Open.
type counters struct{ searches, passes, scored atomic.Int64 }

// Stats says what the index holds now.
func (x *Index) Stats() Stats {
	x.mu.RLock()
	defer x.mu.RUnlock()
	v := x.state.view
	s := Stats{
		Points: v.live, Dead: int(v.rows) - v.live,
		Searches: x.counts.searches.Load(), Passes: x.counts.passes.Load(), Scored: x.counts.scored.Load(),
	}
	for _, segment := range v.segments {
		s.MemoryBytes += int64(len(segment.codes.Codes)) + 8*int64(segment.room())
		if segment.file != nil {
			s.MappedBytes += 4 * int64(len(segment.exact))
		} else {
			s.MemoryBytes += 4 * int64(len(segment.exact))
		}
	}
	return s
}

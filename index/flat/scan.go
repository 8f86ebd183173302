package flat

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/palate-art/palate/internal/simd"
)

const (
	// blockBytes of codes are looked at for one search after the other: they
	// stay in the processor's second cache.
	blockBytes = 256 << 10
	// unitBlocks blocks are taken by a worker at a time, and between two
	// looks at the context.
	unitBlocks = 8
	// aloneBytes is what is scanned by the caller itself, without waiting
	// for others: too little to be worth it.
	aloneBytes = 4 << 20
	// maxShared is how many searches share a scan.
	maxShared = 32
	// sparse is the share of a block, one row in so many, below which the
	// rows that a filter passes are picked and not scanned.
	sparse = 4
)

// queue lets searches that come while memory is being read wait, and read it
// together next.
type queue struct {
	turn    chan struct{} // holds the right to scan
	mu      sync.Mutex
	waiting []*job
}

// scanAll scans every row for jobs of one view, alone or with others.
func (x *Index) scanAll(ctx context.Context, jobs []*job) error {
	if len(jobs) == 0 {
		return ctx.Err()
	}
	if int(jobs[0].view.rows)*simd.Stride(x.dim) <= aloneBytes {
		x.scanTogether(jobs, min(len(jobs), x.config.Workers))
		return ctx.Err()
	}
	x.scans.mu.Lock()
	x.scans.waiting = append(x.scans.waiting, jobs...)
	x.scans.mu.Unlock()
	for _, j := range jobs {
		if err := x.waitFor(ctx, j); err != nil {
			return err
		}
	}
	return nil
}

// waitFor returns when a job that waits was scanned for, by whoever has the
// right to scan.
func (x *Index) waitFor(ctx context.Context, j *job) error {
	q := &x.scans
	for {
		select {
		case <-j.done:
			return ctx.Err()
		case <-ctx.Done():
			return ctx.Err() // whoever scans passes the job by
		case q.turn <- struct{}{}:
		}
		select {
		case <-j.done: // while the turn was being given: the next one takes it
		default:
			batch := q.take()
			x.scanTogether(batch, x.config.Workers)
			for _, other := range batch {
				close(other.done)
			}
		}
		<-q.turn
	}
}

// take gives the searches that wait longest and can share a scan.
func (q *queue) take() (batch []*job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	rest := q.waiting[:0]
	for _, j := range q.waiting {
		switch {
		case j.ctx.Err() != nil: // its caller has left
		case len(batch) < maxShared && (len(batch) == 0 || batch[0].view.generation == j.view.generation):
			batch = append(batch, j)
		default:
			rest = append(rest, j)
		}
	}
	clear(q.waiting[len(rest):])
	q.waiting = rest
	return batch
}

// unit is a stretch of a segment.
type unit struct{ segment, from, to int }

// scanTogether reads the rows once for all jobs, whose views are of one
// generation: their segments are the same as far as both have them.
func (x *Index) scanTogether(batch []*job, workers int) {
	if len(batch) == 0 {
		return
	}
	x.counts.passes.Add(1)
	block := max(64, blockBytes/simd.Stride(x.dim)&^63)
	widest := batch[0].view
	for _, j := range batch {
		if j.view.rows > widest.rows {
			widest = j.view
		}
	}
	var units []unit
	for segment := range widest.segments {
		for from := 0; from < widest.shown(segment); from += block * unitBlocks {
			units = append(units, unit{segment, from, min(from+block*unitBlocks, widest.shown(segment))})
		}
	}
	share(workers, len(units), func(worker func() int) {
		harvests := make([]*harvest, len(batch))
		for i := range harvests {
			harvests[i] = new(harvest)
		}
		scratch := newScratch(block)
		defer scratch.release()
		for i := worker(); i < len(units); i = worker() {
			u := units[i]
			for from := u.from; from < u.to; from += block {
				for n, j := range batch {
					j.scanBlock(harvests[n], x.kernel, u.segment, from, min(from+block, u.to), scratch)
				}
			}
		}
		for n, j := range batch {
			j.add(harvests[n])
		}
	})
}

// share runs work in as many goroutines as there are workers; each asks for
// the next of n numbers until they are used up.
func share(workers, n int, work func(next func() int)) {
	var taken atomic.Int64
	next := func() int { return int(taken.Add(1)) - 1 }
	if workers = min(workers, n); workers <= 1 {
		work(next)
		return
	}
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() { work(next) })
	}
	wait.Wait()
}

// scanBlock looks at a block as far as the job's view shows it.
func (j *job) scanBlock(h *harvest, kernel simd.Kernel, segment, from, to int, s *scratch) {
	if segment >= len(j.view.segments) || j.ctx.Err() != nil {
		return
	}
	if to = min(to, j.view.shown(segment)); from >= to {
		return
	}
	var list []int32
	if j.chosen != nil {
		base := int(j.view.segments[segment].base)
		n := j.chosen.all.countRange(base+from, base+to)
		if n == 0 {
			return
		}
		if n < (to-from)/sparse {
			s.list = j.chosen.all.appendRange(s.list[:0], base+from, base+to)
			list = s.list
		}
	}
	j.scan(h, kernel, segment, from, to, list, s.found)
}

// gather looks at the rows that the filter lists.
func (x *Index) gather(j *job) {
	const chunk = 2048
	type piece struct {
		segment int
		rows    []uint32
	}
	var pieces []piece
	rest := j.chosen.list
	for segment, s := range j.view.segments {
		n := 0
		for n < len(rest) && int(rest[n]-s.base) < s.room() {
			n++
		}
		for of := rest[:n]; len(of) > 0; of = of[min(chunk, len(of)):] {
			pieces = append(pieces, piece{segment, of[:min(chunk, len(of))]})
		}
		rest = rest[n:]
	}
	share(min(x.config.Workers, len(j.chosen.list)/chunk), len(pieces), func(next func() int) {
		var h harvest
		scratch := newScratch(chunk)
		defer scratch.release()
		for i := next(); i < len(pieces) && j.ctx.Err() == nil; i = next() {
			p := pieces[i]
			scratch.list = scratch.list[:0]
			for _, row := range p.rows {
				scratch.list = append(scratch.list, int32(row-j.view.segments[p.segment].base))
			}
			j.scan(&h, x.kernel, p.segment, 0, j.view.shown(p.segment), scratch.list, scratch.found)
		}
		j.add(&h)
	})
}

// scratch is a worker's memory, used again by later scans.
type scratch struct {
	found *simd.Found
	list  []int32
}

var scratches sync.Pool

func newScratch(rows int) *scratch {
	s, _ := scratches.Get().(*scratch)
	if s == nil || cap(s.found.Rows) < rows {
		s = &scratch{found: simd.MakeFound(rows), list: make([]int32, 0, rows)}
	}
	return s
}

func (s *scratch) release() { scratches.Put(s) }

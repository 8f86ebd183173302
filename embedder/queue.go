package embedder

import (
	"context"
	"sync"
)

// queue holds prepared pictures. It gives them out by shape: a model runs on
// inputs of one shape, so a batch of many would be many small ones.
type queue struct {
	mu      sync.Mutex
	changed *sync.Cond
	jobs    []*job // in order of arrival
	room    int
	closed  bool
	done    bool // the context is
}

// newQueue gives a queue of bounded room; whoever waits in it is let go when
// ctx is done. The caller calls release in the end.
func newQueue(ctx context.Context, room int) (q *queue, release func() bool) {
	q = &queue{room: room}
	q.changed = sync.NewCond(&q.mu)
	return q, context.AfterFunc(ctx, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.done = true
		q.changed.Broadcast()
	})
}

// put waits for room. It gives ctx's error once ctx is done.
func (q *queue) put(ctx context.Context, j *job) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.jobs) >= q.room && !q.done {
		q.changed.Wait()
	}
	if q.done {
		return context.Cause(ctx)
	}
	q.jobs = append(q.jobs, j)
	q.changed.Broadcast()
	return nil
}

// take waits for a picture and gives the one that came first with as many
// others of its shape as there are, up to most. It gives none when the queue
// is closed and empty, or ctx is done.
func (q *queue) take(most int) []*job {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.jobs) == 0 && !q.closed && !q.done {
		q.changed.Wait()
	}
	if len(q.jobs) == 0 || q.done {
		return nil
	}
	width, height := q.jobs[0].input.Width, q.jobs[0].input.Height
	var batch, rest []*job
	for _, j := range q.jobs {
		if len(batch) < most && j.input.Width == width && j.input.Height == height {
			batch = append(batch, j)
		} else {
			rest = append(rest, j)
		}
	}
	q.jobs = rest
	q.changed.Broadcast()
	return batch
}

// close says that nothing more comes.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.changed.Broadcast()
}

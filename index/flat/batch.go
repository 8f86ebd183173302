package flat

import (
	"context"
	"fmt"
	"reflect"
	"runtime"

	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/simd"
)

// SearchBatch implements index.Index. As many searches as share a pass over
// memory are made at a time, so that other callers' get in between.
func (x *Index) SearchBatch(ctx context.Context, queries []index.Query) ([][]index.Hit, error) {
	if err := index.ValidateAll(queries, x.dim); err != nil {
		return nil, fmt.Errorf("flat index: %w", err)
	}
	return x.search(ctx, queries)
}

// search answers queries that are valid.
func (x *Index) search(ctx context.Context, queries []index.Query) ([][]index.Hit, error) {
	jobs, err := x.prepare(ctx, queries)
	if err != nil {
		return nil, err
	}
	defer runtime.KeepAlive(jobs) // and with their views the file that embeddings lie in
	answers := make([][]index.Hit, len(queries))
	var together []int // places of the queries that are answered by one scan
	flush := func() error {
		some := make([]*job, len(together))
		for n, i := range together {
			some[n] = jobs[i]
		}
		found, err := x.run(ctx, some)
		if err != nil {
			return err
		}
		for n, i := range together {
			answers[i] = hitsOf(found[n], queries[i])
		}
		together = together[:0]
		return nil
	}
	for i, q := range queries {
		if q.Collapse != 0 {
			found, err := x.collapsed(ctx, jobs[i], q)
			if err != nil {
				return nil, err
			}
			answers[i] = hitsOf(found, q)
			continue
		}
		if together = append(together, i); len(together) == maxShared {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	if len(together) > 0 {
		if err := flush(); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// hitsOf is the page that a query asks for of what was found.
func hitsOf(found []scored, q index.Query) []index.Hit {
	if !goesOnAfter(q) {
		found = found[min(q.Offset, len(found)):]
	}
	hits := make([]index.Hit, len(found))
	for i, s := range found {
		hits[i] = index.Hit{ID: s.id, Score: float32(s.score)}
	}
	return hits
}

// prepare makes a job of each query, all of one state. A filter that several
// queries in a row have is resolved once.
func (x *Index) prepare(ctx context.Context, queries []index.Query) ([]*job, error) {
	jobs := make([]*job, len(queries))
	err := x.read(ctx, func(s *state) (err error) {
		for i, q := range queries {
			j := &job{ctx: ctx, view: s.view, threshold: q.Threshold, want: q.Offset + q.Limit, done: make(chan struct{})}
			if goesOnAfter(q) {
				j.after, j.want = q.After, q.Limit
			}
			if j.vector, j.left, err = x.vector(s, q); err != nil {
				return err
			}
			if i > 0 && reflect.DeepEqual(q.Filter, queries[i-1].Filter) {
				j.chosen = jobs[i-1].chosen
			} else {
				j.chosen = s.resolve(q.Filter)
			}
			jobs[i] = j
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, j := range jobs {
		j.query = simd.NewQuery(j.vector)
	}
	return jobs, nil
}

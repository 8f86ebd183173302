package flat

import (
	"bytes"
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// shardRows is the least number of rows worth a goroutine of their own.
const shardRows = 2048

// checkRows is how many rows are scanned between two looks at the context.
const checkRows = 4096

// candidate is a row with its score. Candidates are ordered by score, the
// best first, then by id.
type candidate struct {
	id    palate.ImageID
	score float64
}

func compare(a, b candidate) int {
	if c := cmp.Compare(b.score, a.score); c != 0 {
		return c
	}
	return bytes.Compare(a.id[:], b.id[:])
}

// worstFirst is a heap of the best candidates so far, the worst on top.
type worstFirst []candidate

func (h worstFirst) Len() int           { return len(h) }
func (h worstFirst) Less(i, j int) bool { return compare(h[i], h[j]) > 0 }
func (h worstFirst) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *worstFirst) Push(c any)        { *h = append(*h, c.(candidate)) }
func (h *worstFirst) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// offer keeps c if it is among the best n.
func (h *worstFirst) offer(c candidate, n int) {
	if len(*h) < n {
		heap.Push(h, c)
	} else if compare(c, (*h)[0]) < 0 {
		(*h)[0] = c
		heap.Fix(h, 0)
	}
}

// Search implements index.Index.
func (x *Index) Search(ctx context.Context, q index.Query) ([]index.Hit, error) {
	if err := q.Validate(x.dim); err != nil {
		return nil, fmt.Errorf("flat index: search: %w", err)
	}
	hits := []index.Hit{}
	err := x.read(ctx, func() error {
		vector, left, err := x.resolve(q)
		if err != nil {
			return fmt.Errorf("flat index: search: %w", err)
		}
		filter := q.Filter
		filter.NotIDs = append(slices.Clone(filter.NotIDs), left...)
		best, err := x.best(ctx, vector, filter, q)
		if err != nil {
			return err
		}
		for _, c := range best[min(q.Offset, len(best)):] {
			hits = append(hits, index.Hit{ID: c.id, Score: float32(c.score)})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return hits, nil
}

// best gives the first Offset+Limit hits. With Collapse it asks for more until
// enough are left.
func (x *Index) best(ctx context.Context, vector []float32, f index.Filter, q index.Query) ([]candidate, error) {
	want := q.Offset + q.Limit
	for ask := want; ; ask *= 2 {
		found, err := x.scan(ctx, vector, f, q.Threshold, ask)
		if err != nil || q.Collapse == 0 {
			return found, err
		}
		collapser := index.NewCollapser(q.Collapse, vector)
		var kept []candidate
		for _, c := range found {
			if len(kept) < want && collapser.Keep(float32(c.score), x.row(x.rows[c.id])) {
				kept = append(kept, c)
			}
		}
		if len(kept) == want || len(found) < ask {
			return kept, nil
		}
	}
}

// resolve gives the query vector and the points that are left out of the
// answer.
func (x *Index) resolve(q index.Query) (vector []float32, left []palate.ImageID, err error) {
	switch {
	case q.Near != nil:
		i, there := x.rows[*q.Near]
		if !there {
			return nil, nil, fmt.Errorf("image %s: %w", *q.Near, palate.ErrNotFound)
		}
		return x.row(i), []palate.ImageID{*q.Near}, nil
	case q.Examples != nil:
		return x.average(*q.Examples)
	}
	return q.Vector, nil, nil
}

// average gives 2·mean(positive) − mean(negative).
func (x *Index) average(e index.Examples) (vector []float32, left []palate.ImageID, err error) {
	sum := make([]float64, x.dim)
	add := func(ids []palate.ImageID, weight float64) error {
		for _, id := range ids {
			i, there := x.rows[id]
			if !there {
				return fmt.Errorf("example %s: %w", id, palate.ErrNotFound)
			}
			for j, v := range x.row(i) {
				sum[j] += float64(v) * weight / float64(len(ids))
			}
		}
		return nil
	}
	positive := 1.0
	if len(e.Negative) > 0 {
		positive = 2
	}
	if err := add(e.Positive, positive); err != nil {
		return nil, nil, err
	}
	if err := add(e.Negative, -1); err != nil {
		return nil, nil, err
	}
	vector = make([]float32, x.dim)
	for i, v := range sum {
		vector[i] = float32(v)
	}
	return vector, append(slices.Clone(e.Positive), e.Negative...), nil
}

// scan gives the best n rows that pass, the best first.
func (x *Index) scan(ctx context.Context, vector []float32, f index.Filter, threshold *float32, n int) ([]candidate, error) {
	rows := len(x.ids)
	shards := max(1, min(runtime.GOMAXPROCS(0), rows/shardRows))
	found := make([]worstFirst, shards)
	var wait sync.WaitGroup
	for s := range shards {
		wait.Go(func() {
			found[s] = x.scanRows(ctx, vector, f, threshold, n, rows*s/shards, rows*(s+1)/shards)
		})
	}
	wait.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	best := slices.Concat(found...)
	slices.SortFunc(best, compare)
	return best[:min(n, len(best))], nil
}

func (x *Index) scanRows(ctx context.Context, vector []float32, f index.Filter, threshold *float32, n, from, to int) worstFirst {
	var best worstFirst
	// |float32 sum − exact sum| ≤ γ·Σ|aᵢbᵢ| ≤ γ·‖vector‖·‖row‖, with γ about
	// (dim/8+3)·2⁻²⁴ for eight lanes (Higham 2002, §3.1); rows have norm 1.
	margin := (float64(x.dim)/8 + 16) * 0x1p-23 * math.Sqrt(dot64(vector, vector))
	pass := func(int) bool { return true }
	if !f.IsZero() {
		matcher := f.Matcher()
		pass = func(i int) bool { return matcher.Match(x.ids[i], x.attrs[i]) }
	}
	for i := from; i < to; i++ {
		if i%checkRows == 0 && ctx.Err() != nil {
			return nil
		}
		if !pass(i) {
			continue
		}
		// The quick sum rules out who can't be among the best.
		if len(best) == n && float64(dot(vector, x.row(i))) < best[0].score-margin {
			continue
		}
		c := candidate{x.ids[i], dot64(vector, x.row(i))}
		if threshold == nil || float32(c.score) > *threshold {
			best.offer(c, n)
		}
	}
	return best
}

// Scores implements index.Index.
func (x *Index) Scores(ctx context.Context, vector []float32, ids []palate.ImageID) (map[palate.ImageID]float32, error) {
	if err := index.ValidateVector(vector, x.dim); err != nil {
		return nil, fmt.Errorf("flat index: scores: %w", err)
	}
	scores := make(map[palate.ImageID]float32, len(ids))
	err := x.read(ctx, func() error {
		for _, id := range ids {
			if i, there := x.rows[id]; there {
				scores[id] = float32(dot64(vector, x.row(i)))
			}
		}
		return nil
	})
	return scores, err
}

package main

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"time"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/simd"
)

// contender answers a query with rows, the best first. It reports how long
// that took, or 0 if the caller's clock says it.
type contender struct {
	name   string
	every  int // it takes part in one turn of so many
	search func(ctx context.Context, q []float32, k int) (rows []int, took time.Duration, err error)
}

func indexContender(name string, ix index.Index, f index.Filter) contender {
	return contender{name, 1, func(ctx context.Context, q []float32, k int) (rows []int, _ time.Duration, err error) {
		hits, err := ix.Search(ctx, index.Query{Vector: q, Limit: k, Filter: f})
		for _, hit := range hits {
			rows = append(rows, rowOf(hit.ID))
		}
		return rows, 0, err
	}}
}

// readContender reads as many bytes as the index has codes, with as many
// goroutines: what no scan of a byte for each value can be faster than.
func readContender(bytes int) contender {
	memory := hugeBytes(bytes)
	var sink uint64
	return contender{"read", 1, func(context.Context, []float32, int) ([]int, time.Duration, error) {
		const piece = 2 << 20
		var next, wait, mu = make(chan int, len(memory)/piece+1), sync.WaitGroup{}, sync.Mutex{}
		for from := 0; from < len(memory); from += piece {
			next <- from
		}
		close(next)
		for range runtime.GOMAXPROCS(0) {
			wait.Go(func() {
				var all uint64
				for from := range next {
					all |= simd.Read(memory[from:min(len(memory), from+piece)])
				}
				mu.Lock()
				sink |= all
				mu.Unlock()
			})
		}
		wait.Wait()
		return nil, 0, nil
	}}
}

// naiveContender is what one writes first: a loop over float32, one goroutine.
func naiveContender(c *collection) contender {
	return contender{"naive loop", 4, func(_ context.Context, q []float32, k int) ([]int, time.Duration, error) {
		best := newTop(k)
		for i := range c.points() {
			var sum float32
			row := c.row(i)
			for j, v := range q {
				sum += v * row[j]
			}
			best.offer(i, float64(sum))
		}
		return best.rows(), 0, nil
	}}
}

// gonumContender multiplies the matrix of all rows with the query, in as many
// goroutines as run at once.
func gonumContender(c *collection) contender {
	return contender{"gonum", 2, func(_ context.Context, q []float32, k int) ([]int, time.Duration, error) {
		const block = 4096
		shards := runtime.GOMAXPROCS(0)
		best := make([]*top, shards)
		var wait sync.WaitGroup
		for s := range shards {
			wait.Go(func() {
				best[s] = newTop(k)
				scores := make([]float32, block)
				for from, end := c.points()*s/shards, c.points()*(s+1)/shards; from < end; from += block {
					n := min(block, end-from)
					blas32.Gemv(blas.NoTrans, 1, blas32.General{Rows: n, Cols: c.dim, Stride: c.dim, Data: c.vectors[from*c.dim : (from+n)*c.dim]},
						blas32.Vector{N: c.dim, Inc: 1, Data: q}, 0, blas32.Vector{N: n, Inc: 1, Data: scores})
					for i, score := range scores[:n] {
						best[s].offer(from+i, float64(score))
					}
				}
			})
		}
		wait.Wait()
		for _, other := range best[1:] {
			for _, s := range other.kept {
				best[0].offer(s.row, s.score)
			}
		}
		return best[0].rows(), 0, nil
	}}
}

// exactTop is the truth: every score in float64, of the rows that pass; nil
// passes all.
func exactTop(c *collection, q []float32, k int, passes func(row int) bool) *top {
	shards := runtime.GOMAXPROCS(0)
	best := make([]*top, shards)
	var wait sync.WaitGroup
	for s := range shards {
		wait.Go(func() {
			best[s] = newTop(k)
			for i := c.points() * s / shards; i < c.points()*(s+1)/shards; i++ {
				if passes == nil || passes(i) {
					best[s].offer(i, exactScore(q, c.row(i)))
				}
			}
		})
	}
	wait.Wait()
	for _, other := range best[1:] {
		for _, s := range other.kept {
			best[0].offer(s.row, s.score)
		}
	}
	return best[0]
}

func exactScore(q, row []float32) float64 {
	var s0, s1, s2, s3 float64
	i := 0
	for ; i+4 <= len(q); i += 4 {
		s0 += float64(q[i]) * float64(row[i])
		s1 += float64(q[i+1]) * float64(row[i+1])
		s2 += float64(q[i+2]) * float64(row[i+2])
		s3 += float64(q[i+3]) * float64(row[i+3])
	}
	for ; i < len(q); i++ {
		s0 += float64(q[i]) * float64(row[i])
	}
	return s0 + s1 + s2 + s3
}

// top keeps the k best rows in order.
type top struct {
	k    int
	kept []scoredRow
}

type scoredRow struct {
	row   int
	score float64
}

func newTop(k int) *top { return &top{k: k, kept: make([]scoredRow, 0, k+1)} }

func (t *top) offer(row int, score float64) {
	if len(t.kept) == t.k && score <= t.kept[t.k-1].score {
		return
	}
	at, _ := slices.BinarySearchFunc(t.kept, score, func(a scoredRow, score float64) int { return cmp.Compare(score, a.score) })
	t.kept = slices.Insert(t.kept, at, scoredRow{row, score})
	t.kept = t.kept[:min(t.k, len(t.kept))]
}

func (t *top) rows() (rows []int) {
	for _, s := range t.kept {
		rows = append(rows, s.row)
	}
	return rows
}

// recall is the share of rows that score at least what the k-th best does, or
// the last if there are fewer.
func (t *top) recall(c *collection, q []float32, rows []int, k int) float64 {
	k = min(k, len(t.kept))
	least := t.kept[k-1].score - 1e-9
	found := 0
	for _, row := range rows[:min(k, len(rows))] {
		if exactScore(q, c.row(row)) >= least {
			found++
		}
	}
	return float64(found) / float64(k)
}

// turn lets every contender answer the same query, in drawn order.
func turn(ctx context.Context, r *rand.Rand, n int, contenders []contender, q []float32, k int) (map[string]time.Duration, map[string][]int, error) {
	took, rows := map[string]time.Duration{}, map[string][]int{}
	for _, i := range r.Perm(len(contenders)) {
		c := contenders[i]
		if n%c.every != 0 {
			continue
		}
		begin := time.Now()
		found, own, err := c.search(ctx, q, k)
		if err != nil {
			return nil, nil, err
		}
		took[c.name], rows[c.name] = cmp.Or(own, time.Since(begin)), found
	}
	return took, rows, nil
}

// percentile of durations, in milliseconds.
func percentile(all []time.Duration, share float64) float64 {
	if len(all) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(all))
	at := int(math.Ceil(share*float64(len(sorted)))) - 1
	return float64(sorted[max(0, at)].Microseconds()) / 1000
}

package atlas

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/palate-art/palate/internal/simd"
)

const (
	// wholeBelow is up to how many points each is held against all others.
	wholeBelow = 4000
	// cellsLooked is in how many cells, of about as many points as there are
	// cells, neighbours are looked for: on features of photographs nine of ten
	// true neighbours and more are in them.
	cellsLooked = 16
	// roundsOfCells is how often the middles of the cells are moved.
	roundsOfCells = 4
	// chunk is how many points one goroutine takes at a time.
	chunk = 256
)

// neighbour is a point near another.
type neighbour struct {
	point    int32
	distance float32
}

// points are embeddings of norm 1, row by row, and their codes.
type points struct {
	dim    int
	x      []float32
	rows   simd.Rows
	kernel simd.Kernel
}

func newPoints(x []float32, dim int) *points {
	p := &points{dim: dim, x: x, rows: simd.MakeRows(len(x)/dim, dim), kernel: simd.Best()}
	p.kernel.Quantise(x, dim, p.rows)
	return p
}

func (p *points) len() int              { return p.rows.Len() }
func (p *points) row(i int32) []float32 { return p.x[int(i)*p.dim : int(i+1)*p.dim] }

// inChunks does something for all numbers below n, several at a time; what it
// does to one must not depend on another.
func inChunks(ctx context.Context, n int, do func(from, to int) error) error {
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for from := 0; from < n && working.Err() == nil; from += chunk {
		group.Go(func() error {
			if err := working.Err(); err != nil {
				return err
			}
			return do(from, min(from+chunk, n))
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// nearest are k neighbours of every point, the nearest first: the true ones of
// few points, and of many the nearest in the cells about each.
func (p *points) nearest(ctx context.Context, k int, seed uint64, progress func(done, total int)) ([]neighbour, error) {
	n := p.len()
	cells, err := p.cells(ctx, seed)
	if err != nil {
		return nil, err
	}
	out := make([]neighbour, n*k)
	done := newCounter(n, progress)
	err = inChunks(ctx, n, func(from, to int) error {
		search := cells.search(k)
		for i := from; i < to; i++ {
			search.of(int32(i), out[i*k:(i+1)*k])
		}
		done.add(to - from)
		return nil
	})
	return out, err
}

// cells are points sorted by the nearest of some middles.
type cells struct {
	*points
	middles simd.Rows
	sorted  *points // in the order of cells
	names   []int32 // of the points in that order
	begins  []int   // of each cell, and the end of the last
}

func (p *points) cells(ctx context.Context, seed uint64) (*cells, error) {
	n, count := p.len(), 1
	if n > wholeBelow {
		count = int(math.Sqrt(float64(n)))
	}
	random := rand.New(rand.NewPCG(seed, 1))
	middles := make([]float32, 0, count*p.dim)
	for _, i := range random.Perm(n)[:count] {
		middles = append(middles, p.row(int32(i))...)
	}
	c := &cells{points: p}
	of := make([]int32, n)
	for round := 0; ; round++ {
		c.middles = simd.MakeRows(count, p.dim)
		p.kernel.Quantise(middles, p.dim, c.middles)
		if err := inChunks(ctx, n, func(from, to int) error {
			found := simd.MakeFound(count)
			for i := from; i < to; i++ {
				of[i] = c.near(simd.NewQuery(p.row(int32(i))), 1, found)[0]
			}
			return nil
		}); err != nil {
			return nil, err
		}
		if round == roundsOfCells || count == 1 {
			break
		}
		middles = p.means(of, middles)
	}
	c.sort(of, count)
	return c, nil
}

// means are the mean directions of what is about each middle; one that nothing is
// about stays.
func (p *points) means(of []int32, middles []float32) []float32 {
	sums := make([]float64, len(middles))
	for i, cell := range of {
		to := sums[int(cell)*p.dim:]
		for j, v := range p.row(int32(i)) {
			to[j] += float64(v)
		}
	}
	for cell := range len(middles) / p.dim {
		sum, middle := sums[cell*p.dim:(cell+1)*p.dim], middles[cell*p.dim:(cell+1)*p.dim]
		var square float64
		for _, v := range sum {
			square += v * v
		}
		if square == 0 {
			continue
		}
		for j, v := range sum {
			middle[j] = float32(v / math.Sqrt(square))
		}
	}
	return middles
}

func (c *cells) sort(of []int32, count int) {
	c.begins = make([]int, count+1)
	for _, cell := range of {
		c.begins[cell+1]++
	}
	for i := range count {
		c.begins[i+1] += c.begins[i]
	}
	next := slices.Clone(c.begins)
	c.names = make([]int32, len(of))
	for i, cell := range of {
		c.names[next[cell]] = int32(i)
		next[cell]++
	}
	x := make([]float32, 0, len(c.x))
	for _, i := range c.names {
		x = append(x, c.row(i)...)
	}
	c.sorted = newPoints(x, c.dim)
}

// near are the middles nearest to a query, the nearest first.
func (c *cells) near(q *simd.Query, count int, found *simd.Found) []int32 {
	c.kernel.Scan(c.middles, nil, q, float32(math.Inf(-1)), found)
	order := found.Rows
	if count == 1 {
		best := 0
		for i, e := range found.Estimates {
			if e > found.Estimates[best] {
				best = i
			}
		}
		return order[best : best+1]
	}
	ranked := make([]neighbour, len(order))
	for i, row := range order {
		ranked[i] = neighbour{row, -found.Estimates[i]}
	}
	slices.SortFunc(ranked, compare)
	out := make([]int32, min(count, len(ranked)))
	for i := range out {
		out[i] = ranked[i].point
	}
	return out
}

func compare(a, b neighbour) int {
	switch {
	case a.distance < b.distance:
		return -1
	case a.distance > b.distance:
		return 1
	}
	return int(a.point) - int(b.point)
}

// search is what one goroutine looks with.
type search struct {
	*cells
	found *simd.Found
	best  []neighbour // by descending estimate, negated; the point is a place in sorted
	k     int
	exact []float64
}

func (c *cells) search(k int) *search {
	most := len(c.begins)
	for i := range len(c.begins) - 1 {
		most = max(most, c.begins[i+1]-c.begins[i])
	}
	return &search{cells: c, found: simd.MakeFound(most), k: k, exact: make([]float64, k+1)}
}

// of writes the neighbours of a point; where the cells have fewer, the last is
// named again.
func (s *search) of(i int32, out []neighbour) {
	q := simd.NewQuery(s.row(i))
	s.best = s.best[:0]
	for _, cell := range s.near(q, cellsLooked, s.found) {
		from, to := s.begins[cell], s.begins[cell+1]
		least := float32(math.Inf(-1))
		if len(s.best) > s.k {
			least = -s.best[s.k].distance
		}
		s.kernel.Scan(s.sorted.rows.Slice(from, to), nil, q, least, s.found)
		for at, row := range s.found.Rows {
			// One more, for the point itself is among them.
			s.best = among(s.best, neighbour{int32(from) + row, -s.found.Estimates[at]}, s.k+1)
		}
	}
	s.write(i, q, out)
}

// among keeps the k least, in their order.
func among(best []neighbour, n neighbour, k int) []neighbour {
	if len(best) == k {
		if compare(n, best[k-1]) >= 0 {
			return best
		}
		best = best[:k-1]
	}
	at, _ := slices.BinarySearchFunc(best, n, compare)
	return slices.Insert(best, at, n)
}

// write gives the best with their true distances.
func (s *search) write(i int32, q *simd.Query, out []neighbour) {
	list := make([]int32, len(s.best))
	for at, b := range s.best {
		list[at] = b.point
	}
	s.kernel.Dots(s.sorted.x, s.dim, list, q, s.exact)
	for at := range s.best {
		s.best[at] = neighbour{s.names[list[at]], float32(math.Sqrt(max(2-2*s.exact[at], 0)))}
	}
	others := slices.DeleteFunc(s.best, func(n neighbour) bool { return n.point == i })
	slices.SortFunc(others, compare)
	for at := range out {
		out[at] = others[min(at, len(others)-1)]
	}
}

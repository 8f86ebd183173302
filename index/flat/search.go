package flat

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/simd"
)

// job is one search.
type job struct {
	ctx       context.Context // of the call, for whoever scans for it
	view      *view
	chosen    *selection // nil: every row
	vector    []float32
	left      []uint32 // rows that are left out of the answer
	query     *simd.Query
	threshold *float32
	after     *index.Hit // nil: from the best on
	want      int        // the best so many behind after
	least     bound      // upper bounds below it are out
	most      float32    // lower bounds above it lie before after
	done      chan struct{}

	mu       sync.Mutex
	harvests []*harvest // guarded by mu until the scan is over
}

// again is the job as it was before it was run, asking for so many.
func (j *job) again(want int) *job {
	return &job{ctx: j.ctx, view: j.view, chosen: j.chosen, vector: j.vector, left: j.left, query: j.query, threshold: j.threshold,
		after: j.after, want: want, done: make(chan struct{})}
}

// scored is a row with its exact score.
type scored struct {
	place
	id    palate.ImageID
	score float64
}

// compareScored orders by the score that is told, the best first, then by id.
func compareScored(a, b scored) int {
	return cmp.Or(cmp.Compare(float32(b.score), float32(a.score)), compareIDs(a.id, b.id))
}

// before reports whether a row comes before or is the hit that the answer
// goes on behind.
func (j *job) before(s scored) bool {
	return j.after != nil && compareScored(s, scored{id: j.after.ID, score: float64(j.after.Score)}) <= 0
}

func (j *job) leftOut(row uint32) bool { return len(j.left) > 0 && slices.Contains(j.left, row) }

func (j *job) add(h *harvest) {
	j.mu.Lock()
	j.harvests = append(j.harvests, h)
	j.mu.Unlock()
}

// Search implements index.Index.
func (x *Index) Search(ctx context.Context, q index.Query) ([]index.Hit, error) {
	if err := q.Validate(x.dim); err != nil {
		return nil, fmt.Errorf("flat index: search: %w", err)
	}
	hits, err := x.search(ctx, []index.Query{q})
	if err != nil {
		return nil, err
	}
	return hits[0], nil
}

// goesOnAfter reports whether a search begins behind a hit instead of
// counting. What collapses must see the hits before too.
func goesOnAfter(q index.Query) bool { return q.After != nil && q.Collapse == 0 }

// collapsed gives the best Offset+Limit hits without near duplicates: more are
// looked for until enough are left.
func (x *Index) collapsed(ctx context.Context, first *job, q index.Query) ([]scored, error) {
	for ask := first.want; ; ask *= 2 {
		run, err := x.run(ctx, []*job{first.again(ask)})
		if err != nil {
			return nil, err
		}
		found := run[0]
		collapser := index.NewCollapser(q.Collapse, first.vector)
		var kept []scored
		for _, s := range found {
			if len(kept) < first.want && collapser.Keep(float32(s.score), first.view.exact(s.place, x.dim)) {
				kept = append(kept, s)
			}
		}
		if len(kept) == first.want || len(found) < ask {
			return kept, nil
		}
	}
}

// vector gives the query vector and the rows that are left out of the answer.
func (x *Index) vector(s *state, q index.Query) (vector []float32, left []uint32, err error) {
	switch {
	case q.Near != nil:
		row, there := s.rows[*q.Near]
		if !there {
			return nil, nil, fmt.Errorf("flat index: search: image %s: %w", *q.Near, palate.ErrNotFound)
		}
		return s.view.exact(s.view.place(row), x.dim), []uint32{row}, nil
	case q.Examples != nil:
		return x.average(s, *q.Examples)
	}
	return q.Vector, nil, nil
}

// average gives 2·mean(positive) − mean(negative).
func (x *Index) average(s *state, e index.Examples) (vector []float32, left []uint32, err error) {
	sum := make([]float64, x.dim)
	add := func(ids []palate.ImageID, weight float64) error {
		for _, id := range ids {
			row, there := s.rows[id]
			if !there {
				return fmt.Errorf("flat index: search: example %s: %w", id, palate.ErrNotFound)
			}
			left = append(left, row)
			for j, v := range s.view.exact(s.view.place(row), x.dim) {
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
	if !slices.ContainsFunc(vector, func(v float32) bool { return v != 0 }) {
		return nil, nil, fmt.Errorf("flat index: search: the examples cancel out to zero: %w", palate.ErrInvalid)
	}
	return vector, left, nil
}

// run scans for jobs and scores what was found, in their order.
func (x *Index) run(ctx context.Context, jobs []*job) ([][]scored, error) {
	var scanned []*job
	for _, j := range jobs {
		x.counts.searches.Add(1)
		j.bound()
		switch {
		case j.chosen != nil && j.chosen.count == 0:
		case j.chosen != nil && j.chosen.all == nil:
			x.gather(j)
		default:
			scanned = append(scanned, j)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	if err := x.scanAll(ctx, scanned); err != nil {
		return nil, err
	}
	found := make([][]scored, len(jobs))
	share(x.config.Workers, len(jobs), func(next func() int) {
		for i := next(); i < len(jobs); i = next() {
			found[i] = x.score(jobs[i])
		}
	})
	return found, nil
}

// bound says which scores the job asks for at all.
func (j *job) bound() {
	j.least.bits.Store(math.Float32bits(float32(math.Inf(-1))))
	if j.threshold != nil {
		// Scores that round to more than the threshold may be half a step
		// of float32 below it.
		step := math.Nextafter32(*j.threshold, float32(math.Inf(-1)))
		j.least.raise(j.query.Least(float64(step)))
	}
	j.most = float32(math.Inf(1))
	if j.after != nil {
		step := math.Nextafter32(j.after.Score, float32(math.Inf(1)))
		j.most = j.query.Most(float64(step))
	}
}

// score scores candidates exactly until no other can be among the best: first
// the most promising, then all that reach the last of these.
func (x *Index) score(j *job) []scored {
	var lower []float32
	var found []candidate
	for _, h := range j.harvests {
		lower = append(lower, h.lower...)
	}
	if len(lower) > j.want {
		selectFirst(lower, j.want, func(a, b float32) int { return cmp.Compare(b, a) })
		j.least.raise(slices.Min(lower[:j.want]))
	}
	for _, h := range j.harvests {
		found = append(found, reaching(h.found, j.least.get())...)
	}
	// What may lie before the hit to go on behind is told by its exact score.
	best, found := x.straddling(j, found)
	promising := min(len(found), j.want+j.want/4+16)
	selectFirst(found, promising, func(a, b candidate) int { return cmp.Compare(b.upper, a.upper) })
	best = append(best, x.exact(j, found[:promising])...)
	if rest := found[promising:]; len(rest) > 0 {
		selectFirst(best, j.want, compareScored)
		if len(best) >= j.want {
			last := slices.MaxFunc(best[:j.want], compareScored)
			step := math.Nextafter32(float32(last.score), float32(math.Inf(-1)))
			rest = reaching(rest, j.query.Least(float64(step)))
		}
		best = append(best, x.exact(j, rest)...)
	}
	if j.threshold != nil {
		best = slices.DeleteFunc(best, func(s scored) bool { return float32(s.score) <= *j.threshold })
	}
	selectFirst(best, j.want, compareScored)
	best = best[:min(j.want, len(best))]
	slices.SortFunc(best, compareScored)
	return best
}

// straddling scores the candidates that may lie before the hit that the
// answer goes on behind, and gives those that do not, and the others.
func (x *Index) straddling(j *job, found []candidate) (behind []scored, rest []candidate) {
	if j.after == nil {
		return nil, found
	}
	var may []candidate
	rest = found[:0]
	for _, c := range found {
		if c.upper >= j.most {
			may = append(may, c)
		} else {
			rest = append(rest, c)
		}
	}
	return slices.DeleteFunc(x.exact(j, may), j.before), rest
}

// exact scores candidates by their embeddings.
func (x *Index) exact(j *job, found []candidate) []scored {
	const chunk = 512
	x.counts.scored.Add(int64(len(found)))
	all := make([]scored, len(found))
	share(min(x.config.Workers, len(found)/chunk), (len(found)+chunk-1)/chunk, func(next func() int) {
		for i := next(); i*chunk < len(found); i = next() {
			to := min(len(found), (i+1)*chunk)
			x.exactChunk(j, found[i*chunk:to], all[i*chunk:to])
		}
	})
	return all
}

func (x *Index) exactChunk(j *job, found []candidate, all []scored) {
	// One call for the rows of each segment, in the order of segments.
	slices.SortFunc(found, func(a, b candidate) int { return cmp.Compare(a.segment, b.segment) })
	rows := make([]int32, len(found))
	scores := make([]float64, len(found))
	for i, c := range found {
		rows[i] = c.row
	}
	for from, to := 0, 0; from < len(found); from = to {
		segment := j.view.segments[found[from].segment]
		for to < len(found) && found[to].segment == found[from].segment {
			to++
		}
		x.kernel.Dots(segment.exact, x.dim, rows[from:to], j.query, scores[from:to])
	}
	runtime.KeepAlive(j.view)
	for i, c := range found {
		all[i] = scored{c.place, j.view.segments[c.segment].ids[c.row], scores[i]}
	}
}

// Scores implements index.Index.
func (x *Index) Scores(ctx context.Context, vector []float32, ids []palate.ImageID) (map[palate.ImageID]float32, error) {
	if err := index.ValidateVector(vector, x.dim); err != nil {
		return nil, fmt.Errorf("flat index: scores: %w", err)
	}
	j := &job{query: simd.NewQuery(vector)}
	var found []candidate
	err := x.read(ctx, func(s *state) error {
		j.view = s.view
		for _, id := range ids {
			if row, there := s.rows[id]; there {
				found = append(found, candidate{place: s.view.place(row)})
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	scores := make(map[palate.ImageID]float32, len(found))
	for _, s := range x.exact(j, found) {
		scores[s.id] = float32(s.score)
	}
	return scores, nil
}

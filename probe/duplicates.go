package probe

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"

	"github.com/palate-art/palate"
)

const (
	// scaleNeighbours is which neighbour's distance tells how far apart
	// different works lie at a place: the tenth, so that a few copies of one
	// work do not hide themselves.
	scaleNeighbours = 10
	// scaleProbes is how many examples the intrinsic dimension is estimated at.
	scaleProbes = 128
	// chanceDuplicates is how many examples chance may put together with
	// another in the whole collection.
	chanceDuplicates = .5
	// surelyNear and perhapsNear bound the squared distance of near-duplicates
	// by that of the tenth neighbour, without and with hashes that agree.
	surelyNear  = .35
	perhapsNear = .7
	// hashBits is how many of the 64 bits of two perceptual hashes of the same
	// picture may differ.
	hashBits = 6
	// signsFrom is the number of examples from which on pairs are sifted by
	// the signs of random projections before they are measured.
	signsFrom = 600
)

// nearDuplicates finds the pairs of examples that show one work: a copy, a
// crop, another photograph.
//
// What is near depends on the model and on the collection, so distances are
// measured by that of the tenth neighbour at the same place. In m dimensions
// a share of k·r^m of all points has a neighbour within r times the k-th one's
// distance by chance; the intrinsic dimension m is estimated from the data
// (Levina and Bickel, Maximum likelihood estimation of intrinsic dimension,
// NIPS 2004), and a pair counts as one work where chance would put together
// fewer than half an example of the whole collection, and never beyond
// surelyNear. Up to perhapsNear a pair counts if perceptual hashes agree.
//
// It ends with ctx's error once ctx is done.
func nearDuplicates(ctx context.Context, examples []Example) (pairs [][2]int, err error) {
	n := len(examples)
	k := min(scaleNeighbours, n/4)
	if k < 2 {
		return nil, nil
	}
	d := &distances{examples: examples, k: k, local: make(map[int]float64), hashes: make(map[int][]uint64)}
	share, typical := d.nearness(scaleProbes)
	if typical == 0 {
		return nil, nil
	}
	widest := share
	if slices.ContainsFunc(examples, func(e Example) bool { return e.Hashes != nil }) {
		widest = perhapsNear
	}
	near, err := d.candidates(ctx, widest*typical)
	if err != nil {
		return nil, err
	}
	if err := d.measure(ctx, near); err != nil {
		return nil, err
	}
	for _, p := range near {
		scale := min(d.local[p.i], d.local[p.j])
		if p.square <= share*scale || p.square <= perhapsNear*scale && p.square <= widest*scale && sameHash(d.hash(p.i), d.hash(p.j)) {
			pairs = append(pairs, [2]int{p.i, p.j})
		}
	}
	return pairs, nil
}

// candidate is a pair of examples, i < j, and their squared distance.
type candidate struct {
	i, j   int
	square float64
}

// NearDuplicate is the squared distance below which two of the embeddings, or
// one that lies among them, are near-duplicates; 0 among too few to tell. It
// looks at as many of them as probes says. All must be of one length and norm.
func NearDuplicate(embeddings []palate.Embedding, probes int) float64 {
	k := min(scaleNeighbours, len(embeddings)/4)
	if k < 2 {
		return 0
	}
	examples := make([]Example, len(embeddings))
	for i, e := range embeddings {
		examples[i].Embedding = e
	}
	d := &distances{examples: examples, k: k, local: make(map[int]float64)}
	share, typical := d.nearness(probes)
	return share * typical
}

// nearness gives the share of the typical scale below which chance would put
// too few together, and the typical scale.
func (d *distances) nearness(probes int) (share, typical float64) {
	dimension, typical := d.dimension(probes)
	return min(surelyNear, math.Pow(chanceDuplicates/float64(len(d.examples)*d.k), 2/dimension)), typical
}

// sameHash reports whether the whole of one picture looks like the other or
// like a window of it.
func sameHash(a, b []uint64) bool {
	within := func(whole, windows []uint64) bool {
		return len(whole) > 0 && slices.ContainsFunc(windows, func(h uint64) bool { return bits.OnesCount64(h^whole[0]) <= hashBits })
	}
	return within(a, b) || within(b, a)
}

// distances are squared Euclidean distances of embeddings.
type distances struct {
	examples []Example
	k        int
	local    map[int]float64  // scale, by example
	hashes   map[int][]uint64 // of the examples that were asked
}

// hash gives the perceptual hashes of an example, none if it has none.
func (d *distances) hash(i int) []uint64 {
	if h, known := d.hashes[i]; known || d.examples[i].Hashes == nil {
		return h
	}
	d.hashes[i] = d.examples[i].Hashes()
	return d.hashes[i]
}

// widened is an example's embedding in float64.
func (d *distances) widened(i int) []float64 {
	row := make([]float64, len(d.examples[i].Embedding))
	for j, v := range d.examples[i].Embedding {
		row[j] = float64(v)
	}
	return row
}

// square is the squared distance of two rows of norm 1 with this inner product.
func square(product float64) float64 { return max(0, 2-2*product) }

// together is how many examples are measured against all others in one pass:
// their rows stay in the processor's cache.
const together = 16

// nearest gives, of each of some examples, the squared distances of the k+1
// nearest, itself the first, ascending.
func (d *distances) nearest(some []int) [][]float64 {
	rows, kept := make([][]float64, len(some)), make([][]float64, len(some))
	for a, i := range some {
		rows[a], kept[a] = d.widened(i), make([]float64, 1, d.k+2)
	}
	add := func(a, j int, product float64) {
		s, near := square(product), kept[a]
		if j == some[a] || len(near) > d.k && s >= near[d.k] {
			return
		}
		at, _ := slices.BinarySearch(near, s)
		near = slices.Insert(near, at, s)
		kept[a] = near[:min(len(near), d.k+1)]
	}
	j, n := 0, len(d.examples)
	for ; j+4 <= n; j += 4 {
		w, x, y, z := d.examples[j].Embedding, d.examples[j+1].Embedding, d.examples[j+2].Embedding, d.examples[j+3].Embedding
		for a, row := range rows {
			s0, s1, s2, s3 := dot4(row, w, x, y, z)
			add(a, j, s0)
			add(a, j+1, s1)
			add(a, j+2, s2)
			add(a, j+3, s3)
		}
	}
	for ; j < n; j++ {
		for a, row := range rows {
			add(a, j, dot(row, d.examples[j].Embedding))
		}
	}
	return kept
}

// measure finds the scale of every example of the pairs: the squared distance
// of its k-th neighbour.
func (d *distances) measure(ctx context.Context, pairs []candidate) error {
	var asked []int
	for _, p := range pairs {
		for _, i := range []int{p.i, p.j} {
			if _, known := d.local[i]; !known {
				d.local[i] = 0
				asked = append(asked, i)
			}
		}
	}
	groups := slices.Collect(slices.Chunk(asked, together))
	found := make([][][]float64, len(groups))
	err := inParallel(ctx, 0, len(groups), func(ctx context.Context, g int) error {
		found[g] = d.nearest(groups[g])
		return ctx.Err()
	})
	if err != nil {
		return fmt.Errorf("probe: near-duplicates: %w", err)
	}
	for a, near := range slices.Concat(found...) {
		d.local[asked[a]] = near[d.k]
	}
	return nil
}

// dimension estimates the intrinsic dimension, and the median scale. Of
// points that lie evenly, the logarithm of the ratio of the k-th and the j-th
// neighbour's distance is (1/j + … + 1/(k-1))/m on average.
func (d *distances) dimension(probes int) (dimension, typical float64) {
	n := len(d.examples)
	step := max(1, n/max(1, probes))
	var scales []float64
	var sum, terms float64
	var some []int
	for i := 0; i < n; i += step {
		some = append(some, i)
	}
	for a, squares := range d.nearest(some) {
		far := squares[d.k]
		scales = append(scales, far)
		d.local[some[a]] = far
		// The nearer half may be copies, which tell nothing of the space.
		expected := 0.
		for j := d.k - 1; j >= (d.k+1)/2; j-- {
			expected += 1 / float64(j)
			if squares[j] > 1e-12 {
				sum += math.Log(far/squares[j]) / 2
				terms += expected
			}
		}
	}
	slices.Sort(scales)
	typical = scales[len(scales)/2]
	if terms == 0 || sum <= 0 {
		return float64(len(d.examples[0].Embedding)), typical
	}
	return max(1, terms/sum), typical
}

// candidates gives the pairs that are nearer than the given squared distance;
// in large collections nearly all of them.
func (d *distances) candidates(ctx context.Context, within float64) ([]candidate, error) {
	n := len(d.examples)
	var signs []uint64
	differ := 64
	if n > signsFrom {
		signs, differ = d.signs(within)
	}
	found := make([][]candidate, n)
	err := inParallel(ctx, 0, n, func(ctx context.Context, i int) error {
		var row []float64
		for j := i + 1; j < n; j++ {
			if signs != nil && bits.OnesCount64(signs[i]^signs[j]) > differ {
				continue
			}
			if row == nil {
				row = d.widened(i)
			}
			if s := square(dot(row, d.examples[j].Embedding)); s < within {
				found[i] = append(found[i], candidate{i, j, s})
			}
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("probe: near-duplicates: %w", err)
	}
	return slices.Concat(found...), nil
}

// signs gives each example the signs of 64 random projections of its offset
// from the mean, and how many of them differ at most, three deviations above
// what is expected, between examples within the given squared distance
// (Charikar, Similarity estimation techniques from rounding algorithms,
// STOC 2002).
func (d *distances) signs(within float64) (signs []uint64, differ int) {
	dim := len(d.examples[0].Embedding)
	mean := make([]float64, dim)
	for _, e := range d.examples {
		for j, v := range e.Embedding {
			mean[j] += float64(v) / float64(len(d.examples))
		}
	}
	var square float64
	for _, v := range mean {
		square += v * v
	}
	signs = make([]uint64, len(d.examples))
	random := rand.New(rand.NewPCG(1, 64))
	direction := make([]float64, dim)
	for bit := range 64 {
		var offset float64
		for j := range direction {
			direction[j] = random.NormFloat64()
			offset += direction[j] * mean[j]
		}
		for i, e := range d.examples {
			if dot(direction, e.Embedding) > offset {
				signs[i] |= 1 << bit
			}
		}
	}
	spread := max(1-square, 1e-9) // mean squared distance from the mean
	angle := math.Acos(max(-1, 1-within/(2*spread))) / math.Pi
	return signs, min(64, int(64*angle+3*math.Sqrt(64*angle*(1-angle))))
}

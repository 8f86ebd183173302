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
	err = d.candidates(ctx, widest*typical, func(i, j int, square float64) {
		scale := d.scale(i)
		if square > widest*scale {
			return
		}
		scale = min(scale, d.scale(j))
		if square <= share*scale || square <= perhapsNear*scale && sameHash(d.hash(i), d.hash(j)) {
			pairs = append(pairs, [2]int{i, j})
		}
	})
	return pairs, err
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
	row      []float64
}

// hash gives the perceptual hashes of an example, none if it has none.
func (d *distances) hash(i int) []uint64 {
	if h, known := d.hashes[i]; known || d.examples[i].Hashes == nil {
		return h
	}
	d.hashes[i] = d.examples[i].Hashes()
	return d.hashes[i]
}

// from gives the squared distances of example i from all, itself at 0.
func (d *distances) from(i int, out []float64) []float64 {
	d.load(i)
	out = out[:0]
	for j, e := range d.examples {
		if j == i {
			out = append(out, 0)
			continue
		}
		out = append(out, max(0, d.squares(e.Embedding)))
	}
	return out
}

func (d *distances) load(i int) {
	d.row = d.row[:0]
	for _, v := range d.examples[i].Embedding {
		d.row = append(d.row, float64(v))
	}
}

// squares is the squared distance of the loaded row from another; both have
// norm 1.
func (d *distances) squares(other []float32) float64 { return 2 - 2*dot(d.row, other) }

// scale is the squared distance of the k-th neighbour of example i.
func (d *distances) scale(i int) float64 {
	if s, known := d.local[i]; known {
		return s
	}
	kept := slices.Clone(d.row) // the caller goes on with the row it loaded
	squares := d.from(i, nil)
	d.row = kept
	slices.Sort(squares)
	d.local[i] = squares[d.k]
	return squares[d.k]
}

// dimension estimates the intrinsic dimension, and the median scale. Of
// points that lie evenly, the logarithm of the ratio of the k-th and the j-th
// neighbour's distance is (1/j + … + 1/(k-1))/m on average.
func (d *distances) dimension(probes int) (dimension, typical float64) {
	n := len(d.examples)
	step := max(1, n/max(1, probes))
	var scales, squares []float64
	var sum, terms float64
	for i := 0; i < n; i += step {
		squares = d.from(i, squares)
		slices.Sort(squares)
		far := squares[d.k]
		scales = append(scales, far)
		d.local[i] = far
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

// candidates calls found for the pairs that are nearer than the given squared
// distance, i < j; in large collections nearly all of them.
func (d *distances) candidates(ctx context.Context, within float64, found func(i, j int, square float64)) error {
	n := len(d.examples)
	var signs []uint64
	differ := 64
	if n > signsFrom {
		signs, differ = d.signs(within)
	}
	for i := range n {
		if ctx.Err() != nil {
			return fmt.Errorf("probe: near-duplicates: %w", ctx.Err())
		}
		loaded := false
		for j := i + 1; j < n; j++ {
			if signs != nil && bits.OnesCount64(signs[i]^signs[j]) > differ {
				continue
			}
			if !loaded {
				d.load(i)
				loaded = true
			}
			if s := max(0, d.squares(d.examples[j].Embedding)); s < within {
				found(i, j, s)
			}
		}
	}
	return nil
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

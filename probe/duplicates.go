package probe

import (
	"math"
	"slices"

	"github.com/palate-art/palate"
)

// What is near depends on the model and on the collection, so distances are
// measured by that of the tenth neighbour at the same place. In m dimensions
// a share of k·r^m of all points has a neighbour within r times the k-th one's
// distance by chance; the intrinsic dimension m is estimated from the data
// (Levina and Bickel, Maximum likelihood estimation of intrinsic dimension,
// NIPS 2004), and a pair counts as one work where chance would put together
// fewer than half an example of the whole collection, and never beyond
// surelyNear. Whatever else is among the nearest, and whatever looks alike in
// small, is one work if one picture can be laid over the other (package
// sketch): see Comparisons.
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
	// surelyNear bounds the squared distance of near-duplicates by that of the
	// tenth neighbour.
	surelyNear = .35
	// copiesWithin is the squared distance that rounding leaves between equal
	// embeddings.
	copiesWithin = 1e-5
)

// NearDuplicate is the squared distance below which two of the embeddings, or
// one that lies among them, are near-duplicates; 0 among too few to tell. It
// looks at as many of them as probes says. All must be of one length and norm.
func NearDuplicate(embeddings []palate.Embedding, probes int) float64 {
	k := min(scaleNeighbours, len(embeddings)/4)
	if k < 2 {
		return 0
	}
	var some []int
	for i := 0; i < len(embeddings); i += max(1, len(embeddings)/max(1, probes)) {
		some = append(some, i)
	}
	dimension, typical := dimensionOf(nearestSquares(embeddings, some, k), k, len(embeddings[0]))
	return shareOf(dimension, len(embeddings), k) * typical
}

// shareOf is the share of the scale below which chance would put too few
// together.
func shareOf(dimension float64, n, k int) float64 {
	return min(surelyNear, math.Pow(chanceDuplicates/float64(n*k), 2/dimension))
}

// square is the squared distance of two rows of norm 1 with this inner product.
func square(product float64) float64 { return max(0, 2-2*product) }

// together is how many examples are measured against all others in one pass:
// their rows stay in the processor's cache.
const together = 16

// nearestSquares gives, of some of the embeddings, the squared distances of the
// k+1 nearest, itself the first, ascending.
func nearestSquares(embeddings []palate.Embedding, some []int, k int) [][]float64 {
	var out [][]float64
	for chunk := range slices.Chunk(some, together) {
		out = append(out, nearestTogether(embeddings, chunk, k)...)
	}
	return out
}

func nearestTogether(embeddings []palate.Embedding, some []int, k int) [][]float64 {
	rows, kept := make([][]float64, len(some)), make([][]float64, len(some))
	for a, i := range some {
		rows[a], kept[a] = widen(embeddings[i]), make([]float64, 1, k+2)
	}
	add := func(a, j int, product float64) {
		s, near := square(product), kept[a]
		if j == some[a] || len(near) > k && s >= near[k] {
			return
		}
		at, _ := slices.BinarySearch(near, s)
		near = slices.Insert(near, at, s)
		kept[a] = near[:min(len(near), k+1)]
	}
	j, n := 0, len(embeddings)
	for ; j+4 <= n; j += 4 {
		w, x, y, z := embeddings[j], embeddings[j+1], embeddings[j+2], embeddings[j+3]
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
			add(a, j, dot(row, embeddings[j]))
		}
	}
	return kept
}

// dimensionOf estimates the intrinsic dimension, and the median scale, from
// the squared distances of neighbours, each example's ascending from itself on
// to the k-th. Of points that lie evenly, the logarithm of the ratio of the
// k-th and the j-th neighbour's distance is (1/j + … + 1/(k-1))/m on average.
func dimensionOf(around [][]float64, k, dim int) (dimension, typical float64) {
	var scales []float64
	var sum, terms float64
	for _, squares := range around {
		far := squares[k]
		scales = append(scales, far)
		// The nearer half may be copies, which tell nothing of the space.
		expected := 0.
		for j := k - 1; j >= (k+1)/2; j-- {
			expected += 1 / float64(j)
			if squares[j] > copiesWithin {
				sum += math.Log(far/squares[j]) / 2
				terms += expected
			}
		}
	}
	slices.Sort(scales)
	typical = scales[len(scales)/2]
	if terms == 0 || sum <= 0 {
		return float64(dim), typical
	}
	return max(1, terms/sum), typical
}

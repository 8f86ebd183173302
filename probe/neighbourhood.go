package probe

import (
	"github.com/palate-art/palate"
)

// How many examples of a side a Neighbourhood looks at: one of every eight, at
// most five. Few likes are spread over what a person likes, so that the fifth
// nearest is of another kind.
const (
	mostNearest   = 5
	likesANearest = 8
)

// enoughDislikes is from how many on dislikes count beside likes: fewer lie
// nowhere near most images, and their mean says what the features have in
// common, not what is disliked.
const enoughDislikes = 3 * mostNearest

// Neighbourhood scores by nearness to what was liked, less the nearness to
// what was disliked. It needs neither both verdicts nor any training: with
// likes alone it orders a collection where no probe can be learned. Its scores
// are no logits and have no calibration, for favourites are no random sample
// of what a person would like. It is safe for concurrent use.
type Neighbourhood struct {
	likes, dislikes sideOf
}

// sideOf is the examples of one verdict. Those of one work stand one after
// another.
type sideOf struct {
	rows  [][]float32
	works []int // of each row, from 0 on, ascending
}

// add puts one more row of a work behind the others.
func (s *sideOf) add(row []float32, work int) {
	s.rows, s.works = append(s.rows, row), append(s.works, work)
}

// count is how many works there are.
func (s *sideOf) count() int {
	if len(s.works) == 0 {
		return 0
	}
	return s.works[len(s.works)-1] + 1
}

// NewNeighbourhood takes what is liked and what is disliked, embeddings of one
// model and length; it keeps the slices. One of the two may be empty, not both
// (palate.ErrInvalid).
func NewNeighbourhood(likes, dislikes []palate.Embedding) (*Neighbourhood, error) {
	if len(likes)+len(dislikes) == 0 {
		return nil, invalid("a neighbourhood needs at least one like or dislike")
	}
	n := new(Neighbourhood)
	for i, e := range likes {
		n.likes.add(e, i)
	}
	for i, e := range dislikes {
		n.dislikes.add(e, i)
	}
	return n, nil
}

// Score is the mean inner product of an embedding with the nearest likes, one
// of every eight and at most five, less that with the nearest dislikes, from
// fifteen dislikes on. Without likes it is the nearness to the dislikes,
// negated. An example that is the embedding's own image is left out where there
// are others: like and dislike are its places among the likes and the dislikes,
// -1 for none. See bench/results/labels.md for what other ways give.
func (n *Neighbourhood) Score(e palate.Embedding, like, dislike int) float64 {
	asked := widen(e)
	if n.likes.count() == 0 {
		return -n.dislikes.nearness(asked, dislike)
	}
	score := n.likes.nearness(asked, like)
	if n.CountsDislikes() {
		score -= n.dislikes.nearness(asked, dislike)
	}
	return score
}

// CountsDislikes reports whether the score depends on the dislikes.
func (n *Neighbourhood) CountsDislikes() bool {
	return n.likes.count() == 0 || n.dislikes.count() >= enoughDislikes
}

// WeightsAt is the linear function that the score is at an embedding that is
// none of the examples, and all around it, where the neighbours are the same.
// The caller owns the weights.
func (n *Neighbourhood) WeightsAt(e palate.Embedding) []float32 {
	out := make([]float32, len(e))
	n.addWeightsAt(out, e, -1, -1, 1)
	return out
}

func (n *Neighbourhood) addWeightsAt(out []float32, e palate.Embedding, like, dislike int, scale float64) {
	asked := widen(e)
	add := func(s *sideOf, without int, factor float64) {
		kept := s.nearest(asked, without)
		for _, row := range kept.rows[:kept.n] {
			for j, x := range s.rows[row] {
				out[j] += float32(factor / float64(kept.n) * float64(x))
			}
		}
	}
	add(&n.likes, like, scale)
	if n.CountsDislikes() {
		add(&n.dislikes, dislike, -scale)
	}
}

// Bound is the highest score of an image whose inner product with the i-th
// like is at most least[i], for all likes, where dislikes do not count: what is
// not among the nearest of any like can't score higher.
func (n *Neighbourhood) Bound(least []float64) float64 {
	kept := newNearest(n.likes.count())
	for _, product := range least {
		kept.add(product, 0)
	}
	return kept.mean()
}

// widen is a row in float64.
func widen(row []float32) []float64 {
	out := make([]float64, len(row))
	for j, x := range row {
		out[j] = float64(x)
	}
	return out
}

// nearness is the mean inner product with the nearest works, all but one of
// them. A work is as near as its nearest picture.
func (s *sideOf) nearness(asked []float64, without int) float64 {
	kept := s.nearest(asked, without)
	return kept.mean()
}

// nearest finds the nearest works. The number left out is not left out where
// it is the only one.
func (s *sideOf) nearest(asked []float64, without int) nearest {
	kept := newNearest(s.count())
	add := func(i int, product float64) {
		if s.works[i] != without || s.count() == 1 {
			kept.addWork(product, i, s.works)
		}
	}
	last := len(s.rows) - 1
	for i := 0; i <= last; i += 4 {
		products := [4]float64{}
		products[0], products[1], products[2], products[3] = dot4(asked, s.rows[i], s.rows[min(i+1, last)], s.rows[min(i+2, last)], s.rows[min(i+3, last)])
		for k := range min(4, len(s.rows)-i) {
			add(i+k, products[k])
		}
	}
	return kept
}

// nearest keeps the largest values, the smallest of them first, with the rows
// that they are of.
type nearest struct {
	values [mostNearest]float64
	rows   [mostNearest]int
	n, max int
}

func newNearest(works int) nearest {
	return nearest{max: nearestOf(works)}
}

// nearestOf is how many works are looked at among so many.
func nearestOf(works int) int {
	return min(mostNearest, (works+likesANearest-1)/likesANearest)
}

// addWork adds a row, or puts it in the place of another of its work.
func (k *nearest) addWork(value float64, row int, works []int) {
	for at := range k.n {
		if works[k.rows[at]] == works[row] {
			if value > k.values[at] {
				copy(k.values[at:], k.values[at+1:k.n])
				copy(k.rows[at:], k.rows[at+1:k.n])
				k.n--
				k.add(value, row)
			}
			return
		}
	}
	k.add(value, row)
}

func (k *nearest) add(value float64, row int) {
	switch {
	case k.n < k.max:
		k.n++
		copy(k.values[1:k.n], k.values[:k.n-1])
		copy(k.rows[1:k.n], k.rows[:k.n-1])
	case value <= k.values[0]:
		return
	}
	i := 1
	for ; i < k.n && k.values[i] < value; i++ {
		k.values[i-1], k.rows[i-1] = k.values[i], k.rows[i]
	}
	k.values[i-1], k.rows[i-1] = value, row
}

func (k *nearest) mean() float64 {
	if k.n == 0 {
		return 0
	}
	var sum float64
	for _, value := range k.values[:k.n] {
		sum += value
	}
	return sum / float64(k.n)
}

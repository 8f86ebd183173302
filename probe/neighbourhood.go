package probe

import (
	"slices"

	"github.com/palate-art/palate"
)

// Nearest is how many examples of a side a Neighbourhood looks at.
const Nearest = 5

// Neighbourhood scores by nearness to what was liked, less the nearness to
// what was disliked. It needs neither both verdicts nor any training: with
// likes alone it orders a collection where no probe can be learned. Its scores
// are no logits and have no calibration, for favourites are no random sample
// of what a person would like. It is safe for concurrent use.
type Neighbourhood struct {
	likes, dislikes [][]float32
}

// NewNeighbourhood takes what is liked and what is disliked, embeddings of one
// model and length; it keeps the slices. One of the two may be empty, not both
// (palate.ErrInvalid).
func NewNeighbourhood(likes, dislikes []palate.Embedding) (*Neighbourhood, error) {
	if len(likes)+len(dislikes) == 0 {
		return nil, invalid("a neighbourhood needs at least one like or dislike")
	}
	n := new(Neighbourhood)
	for _, side := range []struct {
		from []palate.Embedding
		into *[][]float32
	}{{likes, &n.likes}, {dislikes, &n.dislikes}} {
		for _, e := range side.from {
			*side.into = append(*side.into, e)
		}
	}
	return n, nil
}

// Score is the mean inner product of an embedding with the five nearest likes
// less that with the five nearest dislikes. With fewer than five dislikes
// their mean counts by their share of five, so that a single slip does not
// turn the order; without likes it is the nearness to the dislikes, negated.
// An example that is the embedding's own image is left out where there are
// others: like and dislike are its places among the likes and the dislikes, -1
// for none.
func (n *Neighbourhood) Score(e palate.Embedding, like, dislike int) float64 {
	asked := make([]float64, len(e))
	for j, x := range e {
		asked[j] = float64(x)
	}
	near, liked := nearness(asked, n.likes, like)
	far, disliked := nearness(asked, n.dislikes, dislike)
	if liked == 0 {
		return -far
	}
	return near - far*float64(disliked)/Nearest
}

// Bound is the highest score of an image whose inner product with the i-th
// like is at most least[i]: what is not among the nearest of any like can't
// score higher. It holds without dislikes only.
func (n *Neighbourhood) Bound(least []float64) float64 {
	var kept nearestOf
	for _, product := range least {
		kept.add(product)
	}
	mean, _ := kept.mean()
	return mean
}

// nearness is the mean inner product with the nearest rows, all but one of
// them, and how many were looked at.
func nearness(asked []float64, rows [][]float32, without int) (float64, int) {
	var kept nearestOf
	for i, row := range rows {
		if i != without || len(rows) == 1 {
			kept.add(dot(asked, row))
		}
	}
	return kept.mean()
}

// nearestOf keeps the largest values, the smallest of them first.
type nearestOf struct {
	values [Nearest]float64
	n      int
}

func (k *nearestOf) add(value float64) {
	if k.n < Nearest {
		k.values[k.n] = value
		k.n++
		slices.Sort(k.values[:k.n])
		return
	}
	if value <= k.values[0] {
		return
	}
	i := 1
	for ; i < Nearest && k.values[i] < value; i++ {
		k.values[i-1] = k.values[i]
	}
	k.values[i-1] = value
}

func (k *nearestOf) mean() (float64, int) {
	if k.n == 0 {
		return 0, 0
	}
	var sum float64
	for _, value := range k.values[:k.n] {
		sum += value
	}
	return sum / float64(k.n), k.n
}

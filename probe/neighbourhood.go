package probe

import (
	"slices"

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

// Score is the mean inner product of an embedding with the nearest likes, one
// of every eight and at most five, less that with the nearest dislikes, from
// fifteen dislikes on. Without likes it is the nearness to the dislikes,
// negated. An example that is the embedding's own image is left out where there
// are others: like and dislike are its places among the likes and the dislikes,
// -1 for none. See bench/results/labels.md for what other ways give.
func (n *Neighbourhood) Score(e palate.Embedding, like, dislike int) float64 {
	asked := make([]float64, len(e))
	for j, x := range e {
		asked[j] = float64(x)
	}
	if len(n.likes) == 0 {
		return -nearness(asked, n.dislikes, dislike)
	}
	score := nearness(asked, n.likes, like)
	if n.CountsDislikes() {
		score -= nearness(asked, n.dislikes, dislike)
	}
	return score
}

// CountsDislikes reports whether the score depends on the dislikes.
func (n *Neighbourhood) CountsDislikes() bool {
	return len(n.likes) == 0 || len(n.dislikes) >= enoughDislikes
}

// Bound is the highest score of an image whose inner product with the i-th
// like is at most least[i], for all likes, where dislikes do not count: what is
// not among the nearest of any like can't score higher.
func (n *Neighbourhood) Bound(least []float64) float64 {
	kept := newNearest(len(n.likes))
	for _, product := range least {
		kept.add(product)
	}
	return kept.mean()
}

// nearness is the mean inner product with the nearest rows, all but one of
// them.
func nearness(asked []float64, rows [][]float32, without int) float64 {
	kept := newNearest(len(rows))
	for i, row := range rows {
		if i != without || len(rows) == 1 {
			kept.add(dot(asked, row))
		}
	}
	return kept.mean()
}

// nearest keeps the largest values, the smallest of them first.
type nearest struct {
	values [mostNearest]float64
	n, max int
}

func newNearest(examples int) nearest {
	return nearest{max: min(mostNearest, (examples+likesANearest-1)/likesANearest)}
}

func (k *nearest) add(value float64) {
	if k.n < k.max {
		k.values[k.n] = value
		k.n++
		slices.Sort(k.values[:k.n])
		return
	}
	if value <= k.values[0] {
		return
	}
	i := 1
	for ; i < k.n && k.values[i] < value; i++ {
		k.values[i-1] = k.values[i]
	}
	k.values[i-1] = value
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

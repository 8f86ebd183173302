package taste

import (
	"github.com/palate-art/palate"
)

// versionOrder is the order of a version that goes by neighbours.
type versionOrder struct {
	version       Version
	likes         []palate.Embedding
	along, beyond palate.Embedding // linear, rest
}

func newVersionOrder(v Version) *versionOrder {
	n := v.Learned.Nearness
	o := &versionOrder{version: v}
	for _, x := range n.Likes {
		o.likes = append(o.likes, x.Embedding)
	}
	o.beyond = v.Learned.Query()
	if n.CountsDislikes() {
		// What the dislikes nearest to an image take off is no less than what
		// all of them would. A work counts once.
		works := make(map[int]int)
		for _, x := range n.Dislikes {
			works[x.Work]++
		}
		for _, x := range n.Dislikes {
			addMean(o.beyond, []palate.Embedding{x.Embedding}, -n.Scale/float64(len(works)*works[x.Work]))
		}
	}
	o.along = append(palate.Embedding(nil), o.beyond...)
	addMean(o.along, o.likes, n.Scale)
	return o
}

func (o *versionOrder) seeds() []palate.Embedding { return o.likes }

func (o *versionOrder) bound(least []float64) float64 {
	if len(o.likes) == 0 {
		return o.version.Learned.Bias
	}
	return o.version.Learned.Nearness.Bound(least) + o.version.Learned.Bias
}

func (o *versionOrder) rest() palate.Embedding {
	for _, x := range o.beyond {
		if x != 0 {
			return o.beyond
		}
	}
	return nil
}

func (o *versionOrder) linear() palate.Embedding { return o.along }

func (o *versionOrder) score(id palate.ImageID, e palate.Embedding) (Score, error) {
	if err := e.Validate(len(o.version.Learned.Weights)); err != nil {
		return Score{}, err
	}
	return o.version.scoreOf(id, e), nil
}

package taste

import (
	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// versionOrder is the order of a version that goes by neighbours.
type versionOrder struct {
	version Version
	likes   []palate.Embedding
	along   palate.Embedding // linear
	alone   bool
}

func newVersionOrder(v Version) *versionOrder {
	n := v.Learned.Nearness
	o := &versionOrder{version: v, along: v.Learned.Query()}
	for _, x := range n.Likes {
		o.likes = append(o.likes, x.Embedding)
	}
	o.alone = !n.CountsDislikes() && !isDirection(o.along)
	if n.CountsDislikes() {
		works := make(map[int]int) // a work counts once
		for _, x := range n.Dislikes {
			works[x.Work]++
		}
		for _, x := range n.Dislikes {
			addMean(o.along, []palate.Embedding{x.Embedding}, -n.Scale/float64(len(works)*works[x.Work]))
		}
	}
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

func (o *versionOrder) likesAlone() bool { return o.alone }

func (o *versionOrder) linear() palate.Embedding { return o.along }

func (o *versionOrder) weightsAt(point index.Point) palate.Embedding {
	return o.version.Learned.WeightsAt(point.ID, point.Embedding)
}

func (o *versionOrder) scores(points []index.Point) ([]Score, error) {
	return o.version.scoresOf(points)
}

// scoresOf is scoreOf of many images, whose embeddings are checked.
func (v Version) scoresOf(points []index.Point) ([]Score, error) {
	ids, embeddings := make([]palate.ImageID, len(points)), make([]palate.Embedding, len(points))
	for i, point := range points {
		if err := point.Embedding.Validate(len(v.Learned.Weights)); err != nil {
			return nil, err
		}
		ids[i], embeddings[i] = point.ID, point.Embedding
	}
	out := make([]Score, len(points))
	for i, score := range v.Learned.ScoresOf(ids, embeddings) {
		out[i] = v.score(ids[i], float32(score-v.Learned.Bias))
	}
	return out, nil
}

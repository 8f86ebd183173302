package judge

import (
	"cmp"
	"math"
	"slices"

	"github.com/palate-art/palate"
)

// Difference is how much larger one AUC is than another on the same works,
// with the 95 % interval and the two-sided P of the paired test of DeLong et
// al. (1988). Works is 0 and P is 1 where nothing can be compared.
type Difference struct {
	Works int     `json:"works"`
	AUC   float64 `json:"auc"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	P     float64 `json:"p"`
}

// difference compares two placements of the same works in the same strata.
func (p *placements) difference(other *placements, liked []bool) Difference {
	d := Difference{Works: len(liked), P: 1}
	var standardError float64
	d.AUC, standardError = p.less(other, liked)
	d.Low, d.High = d.AUC-z95*standardError, d.AUC+z95*standardError
	if standardError > 0 {
		d.P = math.Erfc(math.Abs(d.AUC) / standardError / math.Sqrt2)
	} else if d.AUC != 0 {
		d.P = 0
	}
	return d
}

// less is how much larger the area of p is than that of other, with the
// standard error of the paired difference, which is 0 if it can't be told.
func (p *placements) less(other *placements, liked []bool) (difference, standardError float64) {
	difference = p.won/p.total - other.won/other.total
	variance, _, _ := structuralVariance(liked, difference, func(i int) (float64, bool) {
		a, ok := p.of(i)
		b, _ := other.of(i)
		return a - b, ok
	})
	if !(variance > 0) {
		return difference, 0
	}
	return difference, math.Sqrt(variance)
}

// key tells what a prediction is of.
type key struct {
	image palate.ImageID
	row   int
}

func (p Prediction) key() key {
	if p.Row != nil {
		return key{p.Image, *p.Row}
	}
	return key{image: p.Image}
}

// Compare tests two sets of out-of-fold predictions against each other on the
// images that both have with the same verdict: two kinds, two versions or two
// models. For two profiles it says how their predictions differ where they
// agree.
func Compare(a, b []Prediction) Difference {
	of := make(map[key]Prediction, len(b))
	for _, p := range b {
		of[p.key()] = p
	}
	var first, second []float64
	var liked []bool
	for _, p := range a {
		if q, there := of[p.key()]; there && q.Liked == p.Liked {
			first, second, liked = append(first, p.Probability), append(second, q.Probability), append(liked, p.Liked)
		}
	}
	likes := countLikes(liked)
	if likes == 0 || likes == len(liked) {
		return Difference{P: 1}
	}
	strata := make([]int, len(liked))
	pa, pb := newPlacements(len(liked)), newPlacements(len(liked))
	pa.add(first, liked, strata)
	pb.add(second, liked, strata)
	return pa.difference(pb, liked)
}

// Mislabel is a rating that the rest of the ratings speaks against.
type Mislabel struct {
	Prediction
	// Doubt is the probability of the other verdict.
	Doubt float64 `json:"doubt"`
}

// nearlyAsSure is the share of the mean confidence of a verdict that puts a
// rating of the other in doubt. At 1 a third of the mistakes are missed; at .7
// nine of ten are listed, and a quarter of the list and more are mistakes where
// the taste can be told at all (docs/decisions/0013).
const nearlyAsSure = .7

// Mislabels lists the ratings that are likely mistakes, the likeliest first,
// by confident learning (Northcutt, Jiang and Chuang, Confident learning:
// estimating uncertainty in dataset labels, JAIR 70, 2021): a like is in doubt
// if it is predicted as disliked with nearly the mean confidence of the
// dislikes, and the other way round, unless it is as sure of its own verdict
// as usual and surer than of the other. They are ordered by the probability of
// the other verdict. Predictions must be out of fold, else each rating speaks
// for itself.
func Mislabels(predictions []Prediction) []Mislabel {
	var sum, n [2]float64 // mean probability of a verdict among those who have it
	verdict := func(liked bool) int {
		if liked {
			return 1
		}
		return 0
	}
	confidence := func(p Prediction, liked bool) float64 {
		if liked {
			return p.Probability
		}
		return 1 - p.Probability
	}
	for _, p := range predictions {
		sum[verdict(p.Liked)] += confidence(p, p.Liked)
		n[verdict(p.Liked)]++
	}
	if n[0] == 0 || n[1] == 0 {
		return nil
	}
	var out []Mislabel
	for _, p := range predictions {
		own, other := verdict(p.Liked), verdict(!p.Liked)
		doubt := confidence(p, !p.Liked)
		usual := confidence(p, p.Liked) >= sum[own]/n[own] && confidence(p, p.Liked) > confidence(p, !p.Liked)
		if doubt >= nearlyAsSure*sum[other]/n[other] && !usual {
			out = append(out, Mislabel{p, doubt})
		}
	}
	slices.SortStableFunc(out, func(a, b Mislabel) int { return cmp.Compare(b.Doubt, a.Doubt) })
	return out
}

package judge

import (
	"math"
	"slices"
)

// z95 is the 97.5 % quantile of the normal distribution.
const z95 = 1.959963984540054

// AUC is the area under the ROC curve: the share of pairs of a like and a
// dislike in which the like has the higher score; a tie counts half. With
// one class only it is palate.ErrInvalid.
func AUC(scores []float64, liked []bool) (float64, error) {
	auc, _, _, err := AUCInterval(scores, liked)
	return auc, err
}

// AUCInterval is AUC with its 95 % interval. The variance is that of DeLong,
// DeLong and Clarke-Pearson (Comparing the areas under two or more correlated
// receiver operating characteristic curves, Biometrics 44, 1988), and the
// interval is made on the logit scale, so that it stays within 0 and 1. Where
// that variance is 0 or unknown (the classes are separated, or one has a
// single example) it is Newcombe's score interval (Confidence intervals for
// an effect size measure based on the Mann-Whitney statistic, part 2,
// Statistics in Medicine 25, 2006, method 5).
func AUCInterval(scores []float64, liked []bool) (auc, low, high float64, err error) {
	if err := checkScores(scores, liked); err != nil {
		return 0, 0, 0, err
	}
	if n := countLikes(liked); n == 0 || n == len(liked) {
		return 0, 0, 0, invalid("the area under the ROC curve of one class is not defined")
	}
	p := newPlacements(len(scores))
	p.add(scores, liked, make([]int, len(scores)))
	auc, low, high = p.interval(liked)
	return auc, low, high, nil
}

// placements has, for every example, the share of examples of the other class
// in its stratum that it is placed rightly against. Strata are the folds of a
// cross-validation: scores of different models are not compared with each
// other (Forman and Scholz, Apples-to-apples in cross-validation studies,
// SIGKDD Explorations 12, 2010).
type placements struct {
	share []float64 // sum over the rounds
	pairs []float64 // sum over the rounds: how many pairs a share is made of
	won   float64
	total float64
}

func newPlacements(n int) *placements {
	return &placements{share: make([]float64, n), pairs: make([]float64, n)}
}

// add counts one round, in which example i is in the stratum strata[i].
func (p *placements) add(scores []float64, liked []bool, strata []int) {
	members := make([][]int, slices.Max(strata)+1)
	for _, i := range byScore(scores) {
		members[strata[i]] = append(members[strata[i]], i)
	}
	for _, order := range members {
		p.addStratum(order, func(at int) float64 { return scores[order[at]] }, liked)
	}
}

// addStratum counts the examples of one stratum, in ascending order of the
// scores that score gives by their place in it.
func (p *placements) addStratum(order []int, score func(at int) float64, liked []bool) {
	var likes float64
	for _, i := range order {
		if liked[i] {
			likes++
		}
	}
	dislikes := float64(len(order)) - likes
	var likesBelow, dislikesBelow float64
	for at := 0; at < len(order); {
		end := at
		var tiedLikes, tiedDislikes float64
		for ; end < len(order) && score(end) == score(at); end++ {
			if liked[order[end]] {
				tiedLikes++
			} else {
				tiedDislikes++
			}
		}
		for _, i := range order[at:end] {
			if liked[i] {
				right := dislikesBelow + tiedDislikes/2
				p.share[i] += right
				p.pairs[i] += dislikes
				p.won += right
				p.total += dislikes
			} else {
				p.share[i] += likes - likesBelow - tiedLikes/2
				p.pairs[i] += likes
			}
		}
		likesBelow, dislikesBelow, at = likesBelow+tiedLikes, dislikesBelow+tiedDislikes, end
	}
}

// of is the share of example i, and whether it was in any pair.
func (p *placements) of(i int) (float64, bool) {
	if p.pairs[i] == 0 {
		return 0, false
	}
	return p.share[i] / p.pairs[i], true
}

func (p *placements) interval(liked []bool) (auc, low, high float64) {
	auc = p.won / p.total
	variance, likes, dislikes := structuralVariance(liked, auc, p.of)
	if !(variance > 0) || auc == 0 || auc == 1 {
		low, high = newcombe(auc, likes, dislikes)
		return auc, low, high
	}
	logit := math.Log(auc) - math.Log1p(-auc)
	half := z95 * math.Sqrt(variance) / (auc * (1 - auc))
	return auc, 1 / (1 + math.Exp(half-logit)), 1 / (1 + math.Exp(-half-logit))
}

// structuralVariance is DeLong's variance from each example's component with
// the given mean, and the number of likes and dislikes that have one. It is
// NaN if a class has fewer than two.
func structuralVariance(liked []bool, mean float64, component func(int) (float64, bool)) (variance, likes, dislikes float64) {
	var squares [2]float64
	var n [2]float64
	for i, l := range liked {
		v, ok := component(i)
		if !ok {
			continue
		}
		class := 0
		if l {
			class = 1
		}
		squares[class] += (v - mean) * (v - mean)
		n[class]++
	}
	if n[0] < 2 || n[1] < 2 {
		return math.NaN(), n[1], n[0]
	}
	return squares[0]/(n[0]-1)/n[0] + squares[1]/(n[1]-1)/n[1], n[1], n[0]
}

// newcombe solves (auc-θ)² = z²·V(θ) for both ends, V being Hanley and
// McNeil's variance with both sample sizes in its brackets replaced by their
// mean.
func newcombe(auc, likes, dislikes float64) (low, high float64) {
	mean := (likes+dislikes)/2 - 1
	far := func(t float64) bool {
		v := t * (1 - t) / (likes * dislikes) * (1 + mean*((1-t)/(2-t)+t/(1+t)))
		return (auc-t)*(auc-t) > z95*z95*v
	}
	end := func(outer float64) float64 {
		if outer == auc {
			return auc
		}
		inside, outside := auc, outer
		for range 60 {
			if middle := (inside + outside) / 2; far(middle) {
				outside = middle
			} else {
				inside = middle
			}
		}
		return inside
	}
	return end(0), end(1)
}

// AUCWithin is AUCInterval over the pairs of a like and a dislike that are of
// one stratum, numbered from 0: scores of different models are not compared.
// All are NaN without such a pair. The slices have the same length, above 0.
func AUCWithin(scores []float64, liked []bool, strata []int) (auc, low, high float64) {
	p := newPlacements(len(scores))
	p.add(scores, liked, strata)
	if p.total == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	return p.interval(liked)
}

// Paired is how much larger the AUC of the first scores is than that of the
// second on the same labels, which must be of both kinds, with the standard
// error of the difference by DeLong et al. (1988); it is 0 where it can't be
// told.
func Paired(first, second []float64, liked []bool) (difference, standardError float64) {
	return PairedWithin(first, second, liked, make([]int, len(liked)))
}

// PairedWithin is Paired of the pairs within strata, as AUCWithin counts them;
// NaN where no stratum has both labels.
func PairedWithin(first, second []float64, liked []bool, strata []int) (difference, standardError float64) {
	a, b := newPlacements(len(liked)), newPlacements(len(liked))
	a.add(first, liked, strata)
	b.add(second, liked, strata)
	if a.total == 0 {
		return math.NaN(), math.NaN()
	}
	return a.less(b, liked)
}

package probe

import (
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe/judge"
)

// unseenNeeded is how many ratings that the old probe had not seen it takes
// to compare two probes.
const unseenNeeded = 20

// z95OneSided is the 95 % quantile of the normal distribution.
const z95OneSided = 1.6448536269514722

// TakesOver decides whether a new probe replaces an old one, and says why.
// since are the examples rated after the old probe was trained; outOfFold is
// the new probe's Report.OutOfFold, in which since is contained.
//
// The old probe predicts since as what it had not seen, the new one out of
// fold. It takes over unless it is worse on them: unless its AUC is lower by
// more than noise explains, by the paired test of DeLong et al. (1988) at 5 %
// on one side. Holding back whatever has a lower AUC would hold back every
// second probe of equal worth, and the next training corrects one that is a
// little worse. Comparing on
// earlier ratings would hold back nearly all, as the old probe was fitted to
// them. With fewer than 20 such ratings, or of one class only, the new probe
// takes over: it knows more. So it does if old is nil or judges embeddings of
// another length.
func TakesOver(old *Probe, since []Example, outOfFold []judge.Prediction) (takesOver bool, reason string) {
	if old == nil {
		return true, "the first probe"
	}
	predicted := make(map[palate.ImageID]float64, len(outOfFold))
	for _, p := range outOfFold {
		// Probabilities are comparable between folds, whose probes may have
		// been regularised differently.
		predicted[p.Image] = p.Probability
	}
	var before, now []float64
	var liked []bool
	for _, e := range since {
		score, known := predicted[e.Image]
		if !known {
			continue
		}
		if len(e.Embedding) != len(old.Weights) {
			return true, "the old probe judges embeddings of another model"
		}
		before, now, liked = append(before, old.ScoreOf(e.Image, e.Embedding)), append(now, score), append(liked, e.Liked)
	}
	likes := 0
	for _, l := range liked {
		if l {
			likes++
		}
	}
	switch {
	case len(liked) < unseenNeeded:
		return true, fmt.Sprintf("only %s since the old probe, fewer than %d: too few to compare on", count(len(liked), "rating"), unseenNeeded)
	case likes == 0 || likes == len(liked):
		return true, fmt.Sprintf("the %d ratings since the old probe are of one kind: nothing to compare on", len(liked))
	}
	difference, standardError := judge.Paired(now, before, liked)
	auc, err := judge.AUC(before, liked)
	if err != nil { // the old probe's scores are not finite
		return true, "the old probe gives no usable scores"
	}
	compared := fmt.Sprintf("AUC %.3f against %.3f of the old probe on the %d ratings since (difference %+.3f, standard error %.3f)",
		auc+difference, auc, len(liked), difference, standardError)
	if difference < -z95OneSided*standardError {
		return false, "worse on ratings that the old probe had not seen: " + compared
	}
	return true, "not worse on ratings that the old probe had not seen: " + compared
}

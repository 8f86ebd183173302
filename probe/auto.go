package probe

import (
	"context"
	"math"

	"github.com/palate-art/palate/probe/judge"
)

// auto is the kind that tries the others and takes one.
type auto struct{}

func (auto) Name() string                              { return "auto" }
func (auto) Linear() bool                              { return false }
func (auto) Serves() bool                              { return true }
func (auto) features(e []Example) ([][]float32, error) { return embeddings(e) }

// The odds between logistic regression and knn, the two ends of what auto can
// learn; docs/decisions/0038 has the figures.
const (
	// forNeighbours is by how many standard errors of the difference logistic
	// regression must judge better to be as likely the better one: where few
	// ratings tell little, a taste of islands loses more by a line than a
	// taste of one direction loses by neighbours.
	forNeighbours = .5
	// sure is from which chance on the better one is taken alone.
	sure = .9
	// negligible is a gain in AUC that is not worth leaving a line for, where
	// there are works enough to tell.
	negligible     = .005
	enoughForAGain = 100
)

// tried is what one of the kinds made of the examples.
type tried struct {
	kind   Kind
	made   *learned
	logits []float64
}

// learn lets every kind that can serve learn from the same parts. It takes
// logistic regression or knn where one of the two is surely better, else a blend
// of both in which each counts by its chance to be the better one. Because it is
// called again without each fold, the report judges this choice too.
func (auto) learn(ctx context.Context, l *learner, numbers, part []int, parts int) (*learned, []float64, error) {
	all, err := l.tryAll(ctx, numbers, part, parts)
	if err != nil {
		return nil, nil, err
	}
	works := l.collection.Works(numbers)
	liked, folds := make([]bool, len(works)), make([]int, len(works))
	scores := make([][]float64, len(all))
	for i, w := range works {
		liked[i], folds[i] = w.Liked, part[w.Members[0]]
		for k := range all {
			scores[k] = append(scores[k], w.Mean(all[k].logits))
		}
	}
	choice := &judge.Choice{}
	for k := range all {
		auc, _, _ := judge.AUCWithin(scores[k], liked, folds)
		if math.IsNaN(auc) {
			auc = .5 // no part has both verdicts: nothing is told apart
		}
		choice.Candidates = append(choice.Candidates, judge.Candidate{Kind: all[k].kind.Name(), AUC: auc})
	}
	beats := func(k, other int) (difference, standardError float64) {
		return judge.PairedWithin(scores[k], scores[other], liked, folds)
	}
	taken, share := choose(len(works), beats)
	if taken == blended && share != evenly {
		all[taken].made, all[taken].logits, err = l.blend(ctx, all[line].made, all[line].logits, share, numbers, part, parts)
		if err != nil {
			return nil, nil, err
		}
		for i, w := range works {
			scores[taken][i] = w.Mean(all[taken].logits)
		}
		choice.Candidates[taken].AUC, _, _ = judge.AUCWithin(scores[taken], liked, folds)
	}
	choice.Kind = all[taken].kind.Name()
	out := all[taken].made
	out.kind, out.choice = choice.Kind, choice
	return out, all[taken].logits, nil
}

// The places of the kinds in what tryAll gives.
const (
	line    = 0
	blended = 2
	near    = 3
)

// choose gives the place of what to take and, of a blend, the share of logistic
// regression. beats is the difference of the AUCs of two places with its
// standard error, among so many works.
func choose(works int, beats func(k, other int) (difference, standardError float64)) (taken int, share float64) {
	gains := func(k int) bool {
		difference, standardError := beats(k, line)
		return !(difference+standardError <= negligible)
	}
	if works >= enoughForAGain && !gains(blended) && !gains(near) {
		return line, 0
	}
	share = chanceFirst(beats(line, near))
	switch {
	case share >= sure:
		taken = line
	case share <= 1-sure:
		taken = near
	default:
		return blended, share
	}
	// Two that differ may know more together than the better one alone.
	if difference, standardError := beats(blended, taken); difference > standardError {
		return blended, evenly
	}
	return taken, 0
}

// chanceFirst is how likely the first of two is the better one, by the
// difference of their AUCs and its standard error: a normal distribution,
// moved in favour of the second. Where nothing is known both are as likely.
func chanceFirst(difference, standardError float64) float64 {
	if math.IsNaN(difference) {
		return evenly
	}
	return .5 * math.Erfc(-(difference/max(standardError, 1e-6)-forNeighbours)/math.Sqrt2)
}

// tryAll lets the kinds learn, the simplest first.
func (l *learner) tryAll(ctx context.Context, numbers, part []int, parts int) ([]tried, error) {
	var all []tried
	for _, kind := range []Kind{Logistic, Centroid, KNN} {
		made, logits, err := kind.learn(ctx, l, numbers, part, parts)
		if err != nil {
			return nil, err
		}
		all = append(all, tried{kind, made, logits})
	}
	made, logits, err := l.blend(ctx, all[0].made, all[0].logits, evenly, numbers, part, parts)
	return []tried{all[0], all[1], {Blend, made, logits}, all[2]}, err
}

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

// simplerBy is how many standard errors of the difference a kind must judge
// better by than a simpler one to be taken; docs/decisions/0038 has the figures.
const simplerBy = .25

// tried is what one of the kinds made of the examples.
type tried struct {
	kind   Kind
	made   *learned
	logits []float64
}

// learn lets every kind that can serve learn from the same parts, and takes
// the simplest that none of the others beats. Because it is called again
// without each fold, the report judges this choice too.
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
	best := 0
	for k := range all {
		auc, _, _ := judge.AUCWithin(scores[k], liked, folds)
		if math.IsNaN(auc) {
			auc = .5 // no part has both verdicts: nothing is told apart
		}
		choice.Candidates = append(choice.Candidates, judge.Candidate{Kind: all[k].kind.Name(), AUC: auc})
		if auc > choice.Candidates[best].AUC {
			best = k
		}
	}
	taken := best
	for k := range all[:best] {
		difference, standardError := judge.PairedWithin(scores[best], scores[k], liked, folds)
		if math.IsNaN(difference) || difference <= simplerBy*standardError {
			taken = k
			break
		}
	}
	choice.Kind = all[taken].kind.Name()
	out := all[taken].made
	out.kind, out.choice = choice.Kind, choice
	return out, all[taken].logits, nil
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
	made, logits, err := l.blend(ctx, all[0].made, all[0].logits, numbers, part, parts)
	return []tried{all[0], all[1], {Blend, made, logits}, all[2]}, err
}

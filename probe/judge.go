package probe

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/palate-art/palate"
)

// judged is what one kind predicts of every work by probes learned without
// it.
type judged struct {
	kind          Kind
	works         []work
	liked         []bool      // of each work
	parts         [][]int     // the fold of each work, by round
	scores        [][]float64 // of each work, by round
	probabilities []float64   // the mean over the rounds
	margins       []float64   // mean of score less threshold
	predictions   []Prediction
}

// judge predicts every example by probes learned without it. All kinds of one
// collection are judged on the same splits.
func (l *learner) judge(ctx context.Context) (*judged, error) {
	set, numbers := l.collection, l.collection.all()
	out := &judged{kind: l.kind, works: set.works(numbers), predictions: make([]Prediction, len(numbers))}
	for i, e := range set.examples {
		out.predictions[i] = Prediction{Image: e.Image, Liked: e.Liked}
	}
	for _, w := range out.works {
		out.liked = append(out.liked, w.liked)
	}
	margins := make([]float64, len(numbers))
	rounds := float64(l.config.Repeats)
	for repeat := range l.config.Repeats {
		round := repeat + 1
		part, parts := set.split(numbers, l.config.Folds, l.config.random(round, 0))
		scores := make([]float64, len(numbers))
		for fold := range parts {
			made, err := l.learn(ctx, side(numbers, part, fold, false), l.config.InnerFolds, l.config.random(round, fold+1))
			if err != nil {
				return nil, err
			}
			for _, i := range side(numbers, part, fold, true) {
				scores[i] = made.score(l.rows[i])
				margins[i] += (scores[i] - made.threshold.Score) / rounds
				out.predictions[i].Score += scores[i] / rounds
				out.predictions[i].Probability += made.calibration.Probability(scores[i]) / rounds
				if repeat == 0 {
					out.predictions[i].Fold = fold
				}
			}
		}
		out.add(scores, part)
	}
	probabilities := make([]float64, len(numbers))
	for i := range numbers {
		p := &out.predictions[i]
		p.Probability = min(p.Probability, 1)
		p.Decided = margins[i] >= 0
		probabilities[i] = p.Probability
	}
	for _, w := range out.works {
		out.probabilities = append(out.probabilities, min(w.mean(probabilities), 1))
		out.margins = append(out.margins, w.mean(margins))
	}
	return out, nil
}

// add takes the scores and the parts of one round.
func (j *judged) add(scores []float64, part []int) {
	byWork, parts := make([]float64, len(j.works)), make([]int, len(j.works))
	for i, w := range j.works {
		byWork[i], parts[i] = w.mean(scores), part[w.members[0]]
	}
	j.scores, j.parts = append(j.scores, byWork), append(j.parts, parts)
}

// placements are those of the works within their folds.
func (j *judged) placements() *placements {
	p := newPlacements(len(j.works))
	for round, scores := range j.scores {
		p.add(scores, j.liked, j.parts[round])
	}
	return p
}

// curveRound is a round of splits that no judging uses.
const curveRound = 1 << 20

// curve judges the kind on growing shares of each fold's training part: what
// more ratings would bring.
func (l *learner) curve(ctx context.Context, shares []float64) ([]CurvePoint, error) {
	set, numbers := l.collection, l.collection.all()
	part, parts := set.split(numbers, l.config.Folds, l.config.random(1, 0))
	works := set.works(numbers)
	liked := make([]bool, len(works))
	for i, w := range works {
		liked[i] = w.liked
	}
	var points []CurvePoint
	for _, share := range shares {
		out := &judged{works: works, liked: liked}
		scores := make([]float64, len(numbers))
		used := 0
		enough := true
		for fold := range parts {
			seen := l.some(side(numbers, part, fold, false), share, l.config.random(curveRound, fold))
			made, err := l.learn(ctx, seen, l.config.InnerFolds, l.config.random(1, fold+1))
			if errors.Is(err, palate.ErrConflict) {
				enough = false // too few to be split
				break
			}
			if err != nil {
				return nil, err
			}
			used += len(set.works(seen))
			for _, i := range side(numbers, part, fold, true) {
				scores[i] = made.score(l.rows[i])
			}
		}
		if !enough {
			continue
		}
		out.add(scores, part)
		point := CurvePoint{Works: used / parts}
		point.AUC, point.Low, point.High = out.placements().interval(liked)
		points = append(points, point)
	}
	return points, nil
}

// some draws a share of the works of each verdict. A larger share of the same
// draw contains the smaller one.
func (l *learner) some(numbers []int, share float64, random *rand.Rand) []int {
	works := l.collection.works(numbers)
	random.Shuffle(len(works), func(i, j int) { works[i], works[j] = works[j], works[i] })
	var total, taken [2]int
	verdict := func(w work) int {
		if w.liked {
			return 1
		}
		return 0
	}
	for _, w := range works {
		total[verdict(w)]++
	}
	var out []int
	for _, w := range works {
		v := verdict(w)
		if taken[v] < max(2, int(share*float64(total[v])+.5)) {
			taken[v]++
			for _, i := range w.members {
				out = append(out, numbers[i])
			}
		}
	}
	return out
}

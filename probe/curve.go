package probe

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe/judge"
)

// curveRound is a round of splits that no judging uses.
const curveRound = 1 << 20

// curve judges the kind on growing shares of each fold's training part: what
// more ratings would bring.
func (l *learner) curve(ctx context.Context, split judge.Split, shares []float64) ([]judge.CurvePoint, error) {
	var points []judge.CurvePoint
	for _, share := range shares {
		scores := make([]float64, l.collection.Len())
		used := 0
		enough := true
		for fold := range split.Folds {
			seen := l.some(split.Train(fold), share, l.config.random(curveRound, fold))
			made, err := l.learn(ctx, seen, l.config.InnerFolds, l.config.random(split.Round, fold+1))
			if errors.Is(err, palate.ErrConflict) {
				enough = false // too few to be split
				break
			}
			if err != nil {
				return nil, err
			}
			used += len(l.collection.Works(seen))
			for _, i := range split.Held(fold) {
				scores[i] = made.score(i)
			}
		}
		if !enough {
			continue
		}
		point := judge.CurvePoint{Works: used / split.Folds}
		point.AUC, point.Low, point.High = l.collection.AUC(split, scores)
		points = append(points, point)
	}
	return points, nil
}

// some draws a share of the works of each verdict. A larger share of the same
// draw contains the smaller one.
func (l *learner) some(numbers []int, share float64, random *rand.Rand) []int {
	works := l.collection.Works(numbers)
	random.Shuffle(len(works), func(i, j int) { works[i], works[j] = works[j], works[i] })
	var total, taken [2]int
	verdict := func(w judge.Work) int {
		if w.Liked {
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
			for _, i := range w.Members {
				out = append(out, numbers[i])
			}
		}
	}
	return out
}

package probe

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/palate-art/palate/probe/judge"
)

// learner turns some of a collection's examples into what predicts others.
// Train gives it all of them, and, to judge the result, each fold's training
// part: whatever is chosen is chosen again without the examples that judge it.
type learner struct {
	config     Config
	collection *collection
	kind       Kind
	rows       [][]float32 // the kind's features of each example
	between    [][]float32 // the same of the pictures between
	strengths  []float64   // ascending, each once
}

func newLearner(set *collection, kind Kind, config Config) (*learner, error) {
	rows, err := kind.features(set.examples)
	if err != nil {
		return nil, err
	}
	between, err := kind.features(set.between)
	if err != nil {
		between = nil // they lack what the kind needs, and are no examples
	}
	return &learner{
		config: config, collection: set, kind: kind, rows: rows, between: between,
		strengths: slices.Compact(slices.Sorted(slices.Values(config.Strengths))),
	}, nil
}

// learned is what a learner made of some examples.
type learned struct {
	kind        string                   // that served best, where several were tried; else the kind
	score       func(number int) float64 // of an example, its own group left out
	weights     []float64                // score is weights·row + bias + nearness; nil of a kind that can't serve
	bias        float64
	near        float64 // nearness is near times what the neighbours among from say
	from        []int   // examples that are neighbours; nil of a linear kind
	choice      *judge.Choice
	calibration judge.Calibration
	threshold   judge.Threshold
	class       ClassWeights // as given to each class
	folds       int

	// Of logistic regression alone.
	strength   float64
	losses     []float64 // mean held-out loss of each strength
	stops      []judge.FoldStop
	iterations int
	ran        int
	converged  bool
}

// learn makes of the named examples what the kind makes of them.
func (l *learner) learn(ctx context.Context, numbers []int, folds int, random *rand.Rand) (*learned, error) {
	part, parts := l.collection.Part(numbers, folds, random)
	if parts == 0 {
		return nil, judge.TooFewToSplit()
	}
	out, logits, err := l.kind.learn(ctx, l, numbers, part, parts)
	if err != nil {
		return nil, err
	}
	out.folds = parts
	out.kind = cmp.Or(out.kind, l.kind.Name())
	if out.class == (ClassWeights{}) {
		out.class = l.collection.resolve(numbers, l.config.ClassWeights)
	}
	l.finish(out, numbers, part, parts, logits)
	return out, nil
}

// scoreLinear is the score of a linear kind.
func (l *learner) scoreLinear(weights []float64, bias float64) func(number int) float64 {
	return func(number int) float64 { return dot(weights, l.rows[number]) + bias }
}

// finish calibrates and sets the threshold, both on the logits that each fold
// gave to what it did not see.
func (l *learner) finish(out *learned, numbers, part []int, parts int, logits []float64) {
	works := l.collection.Works(numbers)
	scores, liked, folds := make([]float64, len(works)), make([]bool, len(works)), make([]int, len(works))
	for i, w := range works {
		scores[i], liked[i], folds[i] = w.Mean(logits), w.Liked, part[w.Members[0]]
	}
	out.calibration = judge.Calibrate(scores, liked, folds, parts, l.config.Calibration)
	out.threshold = l.config.Threshold.Choose(scores, liked)
	out.threshold.Probability = out.calibration.Probability(out.threshold.Score)
}

// sides gives the training part of a fold and what is held out, weighed as
// the training part is.
func (l *learner) sides(numbers, part []int, fold int) (train, held Samples) {
	seen := side(numbers, part, fold, false)
	weights := l.collection.resolve(seen, l.config.ClassWeights)
	return l.collection.samples(l.rows, seen, weights), l.collection.samples(l.rows, side(numbers, part, fold, true), weights)
}

// outOfFold gives the logit of each named example by what model makes of the
// other folds.
func (l *learner) outOfFold(ctx context.Context, numbers, part []int, parts int, model func(ctx context.Context, fold int) (func(number int) float64, error)) ([]float64, error) {
	logits := make([]float64, len(numbers))
	err := l.parallel(ctx, parts, func(ctx context.Context, fold int) error {
		score, err := model(ctx, fold)
		if err != nil {
			return err
		}
		for i, number := range numbers {
			if part[i] == fold {
				logits[i] = score(number)
			}
		}
		return nil
	})
	return logits, err
}

// parallel is inParallel with the learner's parallelism.
func (l *learner) parallel(ctx context.Context, n int, task func(context.Context, int) error) error {
	return inParallel(ctx, l.config.Parallelism, n, task)
}

// inParallel runs tasks 0 to n-1 on at most parallelism goroutines and returns
// after the last has ended. The first error, by number, is returned; the
// others are cancelled.
func inParallel(ctx context.Context, parallelism, n int, task func(context.Context, int) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, n)
	numbers := make(chan int, n) // holds every task: sending never waits
	for i := range n {
		numbers <- i
	}
	close(numbers)
	var wg sync.WaitGroup
	for range min(n, workers(parallelism)) {
		wg.Go(func() {
			for i := range numbers {
				if errs[i] = task(ctx, i); errs[i] != nil {
					cancel()
				}
			}
		})
	}
	wg.Wait()
	// What was cancelled because another task failed is not the cause.
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return errors.Join(errs...)
}

// median is the lower one of an even number.
func median(values []int) int {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2]
}

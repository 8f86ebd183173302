package probe

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/palate-art/palate"
)

// learner turns some of a collection's examples into a probe. Train gives it
// all of them, and, to judge the result, each fold's training part: whatever
// is chosen is chosen again without the examples that judge it.
type learner struct {
	config     Config
	collection *collection
	strengths  []float64 // ascending, each once
}

// learned is what the learner made of some examples.
type learned struct {
	fitted      *Fitted
	calibration Calibration
	weights     ClassWeights // as given to each class
	strength    float64
	losses      []float64 // mean held-out loss of each strength
	stops       []FoldStop
	folds       int
}

// learn chooses strength and iterations by cross-validation among the named
// examples, calibrates on what each fold did not see, and fits all of them.
func (l *learner) learn(ctx context.Context, numbers []int, folds int, random *rand.Rand) (*learned, error) {
	part, parts := l.collection.split(numbers, folds, random)
	if parts == 0 {
		return nil, fmt.Errorf("probe: likes and dislikes are of too few works to be split for judging: %w", palate.ErrConflict)
	}
	path, err := l.descend(ctx, numbers, part, parts)
	if err != nil {
		return nil, err
	}
	out := &learned{folds: parts}
	chosen, limit := 0, 0
	for i := range l.strengths {
		iterations := l.iterations(path[i])
		out.losses = append(out.losses, meanLossAt(path[i], iterations))
		if i == 0 || out.losses[i] < out.losses[chosen] {
			chosen, limit = i, iterations
		}
	}
	out.strength = l.strengths[chosen]
	for fold, f := range path[chosen] {
		out.stops = append(out.stops, FoldStop{Fold: fold, Iteration: f.Iterations, Ran: f.Ran, Loss: f.HeldOutLoss})
	}
	if out.calibration, err = l.calibrate(ctx, numbers, part, path[chosen], out.strength, limit); err != nil {
		return nil, err
	}
	out.weights = l.collection.resolve(numbers, l.config.ClassWeights)
	out.fitted, err = fit(ctx, l.collection.samples(numbers, out.weights), l.options(out.strength, limit, l.config.Parallelism))
	return out, err
}

// iterations is how many the final probe takes: the median of the folds' best
// ones, at least one, or as many as it needs if there is no early stopping.
func (l *learner) iterations(folds []*Fitted) int {
	if l.config.Patience == 0 {
		return l.config.MaxIterations
	}
	best := make([]int, len(folds))
	for i, f := range folds {
		best[i] = f.Iterations
	}
	return max(1, median(best))
}

// meanLossAt is the mean held-out loss after so many iterations, or after the
// last where there were fewer. The folds are compared where the final probe
// will stop: the mean of each fold's own lowest loss would favour weak
// regularisation, whose losses swing the most and so have the lowest of lows.
func meanLossAt(folds []*Fitted, iterations int) (mean float64) {
	for _, f := range folds {
		mean += f.HeldOutLosses[min(iterations, f.Ran)] / float64(len(folds))
	}
	return mean
}

func (l *learner) options(strength float64, limit, parallelism int) FitOptions {
	return FitOptions{
		C: strength, Standardise: l.config.Standardise, MaxIterations: limit,
		Tolerance: l.config.Tolerance, Parallelism: parallelism,
	}
}

// sides gives the training part of a fold and what is held out, weighed as
// the training part is.
func (l *learner) sides(numbers, part []int, fold int) (train, held Samples) {
	seen := side(numbers, part, fold, false)
	weights := l.collection.resolve(seen, l.config.ClassWeights)
	return l.collection.samples(seen, weights), l.collection.samples(side(numbers, part, fold, true), weights)
}

// descend fits every strength in every fold, stopping by patience.
func (l *learner) descend(ctx context.Context, numbers, part []int, parts int) ([][]*Fitted, error) {
	path := make([][]*Fitted, len(l.strengths))
	for i := range path {
		path[i] = make([]*Fitted, parts)
	}
	err := l.parallel(ctx, len(l.strengths)*parts, func(ctx context.Context, task int) error {
		strength, fold := task/parts, task%parts
		train, held := l.sides(numbers, part, fold)
		options := l.options(l.strengths[strength], l.config.MaxIterations, 1)
		options.HeldOut, options.Patience = &held, l.config.Patience
		fitted, err := fit(ctx, train, options)
		path[strength][fold] = fitted
		return err
	})
	return path, err
}

// calibrate fits Platt's function to the logits that each fold gives to what
// it did not see, after as many iterations as the final probe has.
func (l *learner) calibrate(ctx context.Context, numbers, part []int, stopped []*Fitted, strength float64, limit int) (Calibration, error) {
	logits := make([][]float64, len(stopped))
	liked := make([][]bool, len(stopped))
	err := l.parallel(ctx, len(stopped), func(ctx context.Context, fold int) error {
		train, held := l.sides(numbers, part, fold)
		f := stopped[fold]
		if f.Iterations != limit && l.config.Patience > 0 {
			var err error
			if f, err = fit(ctx, train, l.options(strength, limit, 1)); err != nil {
				return err
			}
		}
		liked[fold] = held.Liked
		for _, row := range held.Rows {
			logits[fold] = append(logits[fold], f.Logit(row))
		}
		return nil
	})
	if err != nil {
		return Calibration{}, err
	}
	return Platt(slices.Concat(logits...), slices.Concat(liked...)), nil
}

// converge finds what each fold's early stop gained: the held-out loss at
// convergence stands against that of the state kept.
func (l *learner) converge(ctx context.Context, numbers, part []int, strength float64, stops []FoldStop) error {
	return l.parallel(ctx, len(stops), func(ctx context.Context, fold int) error {
		train, held := l.sides(numbers, part, fold)
		options := l.options(strength, l.config.MaxIterations, 1)
		options.HeldOut = &held
		fitted, err := fit(ctx, train, options)
		if err != nil {
			return err
		}
		stops[fold].ConvergedAt, stops[fold].LossAtConvergence = fitted.Ran, fitted.HeldOutLoss
		stops[fold].Gain = fitted.HeldOutLoss - stops[fold].Loss
		return nil
	})
}

// parallel runs tasks 0 to n-1 on at most Parallelism goroutines and returns
// after the last has ended. The first error, by number, is returned; the
// others are cancelled.
func (l *learner) parallel(ctx context.Context, n int, task func(context.Context, int) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, n)
	numbers := make(chan int, n) // holds every task: sending never waits
	for i := range n {
		numbers <- i
	}
	close(numbers)
	var wg sync.WaitGroup
	for range min(n, workers(l.config.Parallelism)) {
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

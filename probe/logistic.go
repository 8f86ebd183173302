package probe

import (
	"context"

	"github.com/palate-art/palate/probe/judge"
)

// logistic is the kind that fits a logistic regression to some rows.
type logistic struct {
	name   string
	rows   func([]Example) ([][]float32, error)
	linear bool
}

func (k logistic) Name() string                              { return k.name }
func (k logistic) Linear() bool                              { return k.linear }
func (k logistic) Serves() bool                              { return k.linear }
func (k logistic) features(e []Example) ([][]float32, error) { return k.rows(e) }

// learn chooses strength and iterations by cross-validation among the named
// examples and fits all of them.
func (k logistic) learn(ctx context.Context, l *learner, numbers, part []int, parts int) (*learned, []float64, error) {
	folds, err := l.descend(ctx, numbers, part, parts)
	if err != nil {
		return nil, nil, err
	}
	out := &learned{}
	chosen, limit := 0, 0
	for i := range l.strengths {
		iterations := l.iterations(folds.fits[i])
		out.losses = append(out.losses, meanLossAt(folds.fits[i], iterations))
		if i == 0 || out.losses[i] < out.losses[chosen] {
			chosen, limit = i, iterations
		}
	}
	out.strength = l.strengths[chosen]
	for fold, f := range folds.fits[chosen] {
		out.stops = append(out.stops, judge.FoldStop{Fold: fold, Iteration: f.Iterations, Ran: f.Ran, Loss: f.HeldOutLoss})
	}
	// The logits are of as many iterations as the final fit has.
	logits, err := l.outOfFold(ctx, numbers, part, parts, func(ctx context.Context, fold int) (func(int) float64, error) {
		f := folds.fits[chosen][fold]
		if f.Iterations != limit && l.config.Patience > 0 {
			var err error
			if f, err = fit(ctx, folds.train[fold], folds.frames[fold], l.options(out.strength, limit, 1)); err != nil {
				return nil, err
			}
		}
		return l.scoreLinear(f.Weights, f.Bias), nil
	})
	if err != nil {
		return nil, nil, err
	}
	all, class := l.lesson(numbers)
	out.class = class
	fitted, err := fit(ctx, all, newFrame(all, l.config.Standardise), l.options(out.strength, limit, l.config.Parallelism))
	if err != nil {
		return nil, nil, err
	}
	out.score, out.weights, out.bias = l.scoreLinear(fitted.Weights, fitted.Bias), fitted.Weights, fitted.Bias
	out.iterations, out.ran, out.converged = fitted.Iterations, fitted.Ran, fitted.Converged
	return out, logits, nil
}

// descents are the fits of every strength in every fold.
type descents struct {
	fits        [][]*Fitted // by strength and fold
	train, held []Samples   // by fold
	frames      []*frame
}

// descend fits every strength in every fold. With patience each fit begins at
// nothing and is stopped on its own: where it stops is a regularisation of
// its own, which a start elsewhere would change. Without, the strengths of a
// fold are a path.
func (l *learner) descend(ctx context.Context, numbers, part []int, parts int) (*descents, error) {
	d := &descents{fits: make([][]*Fitted, len(l.strengths)),
		train: make([]Samples, parts), held: make([]Samples, parts), frames: make([]*frame, parts)}
	for i := range d.fits {
		d.fits[i] = make([]*Fitted, parts)
	}
	err := l.parallel(ctx, parts, func(ctx context.Context, fold int) error {
		d.train[fold], d.held[fold], _ = l.lessons(numbers, part, fold)
		d.frames[fold] = newFrame(d.train[fold], l.config.Standardise)
		if l.config.Patience > 0 {
			return nil
		}
		options := l.options(0, l.config.MaxIterations, 1)
		options.HeldOut = &d.held[fold]
		fits, err := path(ctx, d.train[fold], d.frames[fold], l.strengths, options)
		for i, f := range fits {
			d.fits[i][fold] = f
		}
		return err
	})
	if err != nil || l.config.Patience == 0 {
		return d, err
	}
	err = l.parallel(ctx, len(l.strengths)*parts, func(ctx context.Context, task int) error {
		strength, fold := task/parts, task%parts
		options := l.options(l.strengths[strength], l.config.MaxIterations, 1)
		options.HeldOut, options.Patience = &d.held[fold], l.config.Patience
		fitted, err := fit(ctx, d.train[fold], d.frames[fold], options)
		d.fits[strength][fold] = fitted
		return err
	})
	return d, err
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
		mean += f.HeldOutLosses[min(iterations, len(f.HeldOutLosses)-1)] / float64(len(folds))
	}
	return mean
}

func (l *learner) options(strength float64, limit, parallelism int) FitOptions {
	return FitOptions{
		C: strength, Standardise: l.config.Standardise, MaxIterations: limit,
		Tolerance: l.config.Tolerance, Parallelism: parallelism,
	}
}

// converge finds what each fold's early stop gained: the held-out loss at
// convergence stands against that of the state kept.
func (l *learner) converge(ctx context.Context, numbers, part []int, strength float64, stops []judge.FoldStop) error {
	return l.parallel(ctx, len(stops), func(ctx context.Context, fold int) error {
		train, held, _ := l.lessons(numbers, part, fold)
		fitted, err := fit(ctx, train, newFrame(train, l.config.Standardise), l.options(strength, l.config.MaxIterations, 1))
		if err != nil {
			return err
		}
		stops[fold].ConvergedAt, stops[fold].LossAtConvergence = fitted.Ran, held.meanLoss(fitted.Weights, fitted.Bias)
		stops[fold].Gain = stops[fold].LossAtConvergence - stops[fold].Loss
		return nil
	})
}

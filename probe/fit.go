package probe

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/optimize"
)

// smallGradient is the relative gradient below which a line search that finds
// no better point means that rounding has ended the descent: the change of
// the loss is below what float64 tells apart.
const smallGradient = 1e-5

// pathMemory is how many steps L-BFGS remembers along a path, which goes on to
// weak strengths and long descents: it saves a quarter of the iterations.
const pathMemory = 40

// smallError is how far off the weights may be, as a share of the largest.
const smallError = 1e-6

// maxSearch is how many evaluations one line search may take: more only come
// from a search that goes in circles among values that rounding has made
// equal, as Moré and Thuente's can.
const maxSearch = 50

var errCircles = errors.New("the line search found no lower point")

// FitOptions say how Fit descends.
type FitOptions struct {
	// C is the inverse strength of the regularisation, as in scikit-learn.
	C float64
	// Standardise gives every feature mean 0 and deviation 1 for the descent.
	Standardise bool
	// MaxIterations ends the descent there; 0 does not.
	MaxIterations int
	// Tolerance is Config.Tolerance; 0 descends as far as rounding lets it.
	Tolerance float64
	// Patience, if above 0, ends the descent after so many iterations without
	// a lower loss of HeldOut and keeps the state with the lowest one.
	Patience int
	// HeldOut, if not nil, is judged after every iteration.
	HeldOut *Samples
	// Start, if not nil, is where the descent begins: a fit to rows of the
	// same length. Nil begins at weight 0 and the intercept of the weighted
	// class frequencies. The optimum does not depend on it.
	Start *Fitted
	// Parallelism is Config.Parallelism.
	Parallelism int

	// memory is how many steps L-BFGS remembers; 0 is gonum's 15.
	memory int
}

// Fitted is a linear function fitted to samples: logit = Weights·row + Bias,
// on rows as they were given.
type Fitted struct {
	Weights    []float64
	Bias       float64
	Objective  float64 // the value minimised, at the state kept
	Iterations int     // that led to the state kept
	Ran        int     // iterations in all
	Converged  bool    // the state kept is the optimum, to Tolerance or to rounding

	// HeldOutLosses has the mean weighted log-loss of HeldOut at the start
	// and after every iteration, along a path only at the end; HeldOutLoss is
	// the one of the state kept.
	HeldOutLosses []float64
	HeldOutLoss   float64
}

// Logit is the value of the function at a row.
func (f *Fitted) Logit(row []float32) float64 { return dot(f.Weights, row) + f.Bias }

// Fit minimises C·Σ s_i·log(1+exp(-y_i(w·x_i+b))) + ½|w|² with gonum's L-BFGS
// (Liu and Nocedal, On the limited memory BFGS method for large scale
// optimization, Mathematical Programming 45, 1989). The intercept is not
// regularised. The result does not depend on Parallelism.
//
// Rows of different lengths, values that are not finite, weights or options
// out of range and samples of one class are palate.ErrInvalid. A context that
// is done ends it with the context's error within one pass over the rows.
func Fit(ctx context.Context, s Samples, o FitOptions) (*Fitted, error) {
	if err := s.validate(true); err != nil {
		return nil, err
	}
	if err := o.validate(len(s.Rows[0])); err != nil {
		return nil, err
	}
	return fit(ctx, s, newFrame(s, o.Standardise), o)
}

// Path is Fit for every strength: the values of C, ascending, take the place
// of o.C, and each descent begins at the optimum of the strength before it,
// which is near. What does not depend on the strength is computed once.
// A fit that is stopped early depends on where it began, so patience is
// palate.ErrInvalid here. HeldOut is judged once for each strength.
func Path(ctx context.Context, s Samples, strengths []float64, o FitOptions) ([]*Fitted, error) {
	if err := s.validate(true); err != nil {
		return nil, err
	}
	if len(strengths) == 0 || !slices.IsSorted(strengths) {
		return nil, invalid("the strengths of a path are %v, want at least one and ascending", strengths)
	}
	if o.Patience > 0 {
		return nil, invalid("a path is fitted to convergence, without patience")
	}
	for _, c := range strengths {
		o.C = c
		if err := o.validate(len(s.Rows[0])); err != nil {
			return nil, err
		}
	}
	return path(ctx, s, newFrame(s, o.Standardise), strengths, o)
}

// path is Path for what is known to be valid.
func path(ctx context.Context, s Samples, f *frame, strengths []float64, o FitOptions) ([]*Fitted, error) {
	held := o.HeldOut
	o.HeldOut, o.memory = nil, pathMemory
	fits := make([]*Fitted, len(strengths))
	for i, c := range strengths {
		o.C = c
		var err error
		if fits[i], err = fit(ctx, s, f, o); err != nil {
			return nil, err
		}
		if held != nil {
			fits[i].HeldOutLoss = held.meanLoss(fits[i].Weights, fits[i].Bias)
			fits[i].HeldOutLosses = []float64{fits[i].HeldOutLoss}
		}
		o.Start = fits[i]
	}
	return fits, nil
}

// fit is Fit for samples and options that are known to be valid.
func fit(ctx context.Context, s Samples, f *frame, o FitOptions) (*Fitted, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("probe: fit: %w", err)
	}
	obj := newObjective(s, f, o)
	start := make([]float64, obj.dim+1)
	if o.Start != nil {
		start = obj.unfold(o.Start.Weights, o.Start.Bias)
	} else {
		start[obj.dim] = s.prior()
	}
	watch := &monitor{options: o, objective: obj, bound: obj.bound(), iteration: -1}
	problem := optimize.Problem{
		Func: obj.value, Grad: obj.gradient,
		// gonum asks after every evaluation.
		Status: func() (optimize.Status, error) {
			watch.searched++
			switch {
			case ctx.Err() != nil:
				return optimize.Failure, ctx.Err()
			case watch.searched > maxSearch:
				return optimize.Failure, errCircles
			}
			return optimize.NotTerminated, nil
		},
	}
	// NaN: the monitor alone decides what a small gradient is.
	// Moré and Thuente's search needs a fifth fewer passes than bisection here.
	method := &optimize.LBFGS{GradStopThreshold: math.NaN(), Linesearcher: &optimize.MoreThuente{}, Store: o.memory}
	_, err := optimize.Minimize(problem, start, &optimize.Settings{Converger: watch}, method)
	if cancelled := ctx.Err(); cancelled != nil {
		return nil, fmt.Errorf("probe: fit: %w", cancelled)
	}
	if err != nil {
		if !stuck(err) || !(watch.relativeGradient <= smallGradient) {
			return nil, fmt.Errorf("probe: fit with C=%g after %d iterations, relative gradient %.3g: %w",
				o.C, watch.iteration, watch.relativeGradient, err)
		}
		watch.converged = true
	}
	return watch.result(), nil
}

// stuck tells the errors of a line search that found no lower point.
func stuck(err error) bool {
	return errors.Is(err, errCircles) || errors.Is(err, optimize.ErrLinesearcherFailure) || errors.Is(err, optimize.ErrNoProgress) ||
		errors.Is(err, optimize.ErrNonDescentDirection) || errors.Is(err, optimize.ErrLinesearcherBound)
}

// monitor sees every iteration, decides when to stop and keeps the state.
type monitor struct {
	options   FitOptions
	objective *objective
	bound     float64

	iteration        int
	searched         int // evaluations since the last iteration
	relativeGradient float64
	converged        bool
	stopped          bool

	kept          []float64
	keptIteration int
	keptObjective float64
	keptLoss      float64
	losses        []float64
	folded        []float64
}

// Init is part of optimize.Converger.
func (m *monitor) Init(dim int) { m.folded = make([]float64, dim-1) }

// Converged is part of optimize.Converger: it is called at the start and
// after every iteration.
func (m *monitor) Converged(at *optimize.Location) optimize.Status {
	if m.stopped {
		return optimize.NotTerminated // the method may report a last state after its end
	}
	m.iteration++
	m.searched = 0
	m.relativeGradient = floats.Norm(at.Gradient, math.Inf(1)) / m.bound
	// The objective is 1-strongly convex in the weights: it lies at most
	// |g|²/2 above its minimum, where the intercept is at its best.
	// For the same reason the weights are off by |g| at most, which counts
	// where strong regularisation keeps them small beside the objective.
	gradient := floats.Norm(at.Gradient, 2)
	m.converged = gradient*gradient/2 <= m.options.Tolerance*at.F &&
		gradient <= smallError*floats.Norm(at.X[:len(at.X)-1], math.Inf(1))
	m.keep(at)
	switch o := m.options; {
	case m.converged:
		m.stopped = true
		return optimize.GradientThreshold
	case o.Patience > 0 && m.iteration-m.keptIteration >= o.Patience:
		m.stopped = true
		return optimize.FunctionConvergence
	case o.MaxIterations > 0 && m.iteration >= o.MaxIterations:
		m.stopped = true
		return optimize.IterationLimit
	}
	return optimize.NotTerminated
}

// keep keeps the state if it is the best: with patience the one with the
// lowest held-out loss, otherwise the last.
func (m *monitor) keep(at *optimize.Location) {
	if held := m.options.HeldOut; held != nil {
		bias := m.objective.fold(m.folded, at.X)
		loss := held.meanLoss(m.folded, bias)
		m.losses = append(m.losses, loss)
		if m.options.Patience > 0 && m.iteration > 0 && !(loss < m.keptLoss) {
			return
		}
		m.keptLoss = loss
	}
	m.kept = append(m.kept[:0], at.X...)
	m.keptIteration, m.keptObjective = m.iteration, at.F
}

func (m *monitor) result() *Fitted {
	weights := make([]float64, m.objective.dim)
	bias := m.objective.fold(weights, m.kept)
	return &Fitted{
		Weights: weights, Bias: bias, Objective: m.keptObjective,
		Iterations: m.keptIteration, Ran: m.iteration,
		Converged:     m.converged && m.keptIteration == m.iteration,
		HeldOutLosses: m.losses, HeldOutLoss: m.keptLoss,
	}
}

func (o FitOptions) validate(dim int) error {
	var problems []error
	if !positive(o.C) {
		problems = append(problems, invalid("C is %v, want more than 0", o.C))
	}
	if !(o.Tolerance >= 0 && o.Tolerance < 1) {
		problems = append(problems, invalid("Tolerance is %v, want 0 or more and less than 1", o.Tolerance))
	}
	if o.MaxIterations < 0 || o.Patience < 0 || o.Parallelism < 0 {
		problems = append(problems, invalid("MaxIterations is %d, Patience %d and Parallelism %d, want 0 or more", o.MaxIterations, o.Patience, o.Parallelism))
	}
	if o.Start != nil && len(o.Start.Weights) != dim {
		problems = append(problems, invalid("the descent would start at %d weights, the rows have %d values", len(o.Start.Weights), dim))
	}
	if o.Patience > 0 && o.HeldOut == nil {
		problems = append(problems, invalid("Patience is %d without anything held out", o.Patience))
	}
	if o.HeldOut != nil {
		if err := o.HeldOut.validate(false); err != nil {
			problems = append(problems, fmt.Errorf("held out: %w", err))
		} else if got := len(o.HeldOut.Rows[0]); got != dim {
			problems = append(problems, invalid("held-out rows have %d values, the others %d", got, dim))
		}
	}
	return errors.Join(problems...)
}

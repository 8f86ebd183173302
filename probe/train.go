package probe

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/palate-art/palate"
)

// Train learns a probe from examples and judges it on data that it has not
// seen.
//
// The examples are split into stratified folds that keep groups together. In
// every fold and for every strength the descent runs on the other folds and
// stops when the held-out loss has not fallen for Patience iterations. The
// strength with the lowest mean loss at the median of the folds' best
// iterations is chosen, and the probe is fitted to all examples with that
// strength and that many iterations. To judge
// it, the whole of this is done again without each fold in turn, and the
// result predicts that fold.
//
// Errors: *NotEnoughError (palate.ErrConflict) if there are too few ratings or
// only of one kind; palate.ErrInvalid if a setting is out of range, an
// embedding is none, or an image is given twice; ctx's error, promptly, once
// ctx is done. Train is safe for concurrent use; its result depends on the
// examples (not on their order), the settings and the seed.
func Train(ctx context.Context, examples []Example, model palate.ModelID, config Config) (*Probe, *Report, error) {
	if err := config.Validate(); err != nil {
		return nil, nil, err
	}
	set := collect(examples)
	if err := set.validate(); err != nil {
		return nil, nil, err
	}
	if err := config.enough(set); err != nil {
		return nil, nil, fmt.Errorf("probe: train: %w", err)
	}
	l := &learner{config: config, collection: set, strengths: slices.Compact(slices.Sorted(slices.Values(config.Strengths)))}
	numbers := set.all()
	final, err := l.learn(ctx, numbers, config.Folds, config.random(0, 0))
	if err != nil {
		return nil, nil, err
	}
	// The same seed gives the same split again.
	part, _ := set.split(numbers, config.Folds, config.random(0, 0))
	if err := l.converge(ctx, numbers, part, final.strength, final.stops); err != nil {
		return nil, nil, err
	}
	report := &Report{Model: model, Examples: len(examples), Groups: 1 + slices.Max(set.groups)}
	if err := l.judge(ctx, report); err != nil {
		return nil, nil, err
	}
	p := final.probe(model, config)
	p.Likes, p.Dislikes = report.Likes, report.Dislikes
	report.Strength, report.Stops, report.Iterations = final.strength, final.stops, final.fitted.Iterations
	for i, s := range l.strengths {
		report.Strengths = append(report.Strengths, StrengthLoss{Strength: s, Loss: final.losses[i]})
	}
	report.warn(l, final)
	return p, report, nil
}

// random is a source of its own for each split: the splits of a round, and
// within it of a fold.
func (c Config) random(round, fold int) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(c.Seed), uint64(round)<<32|uint64(fold)))
}

// judge predicts every example by probes learned without it.
func (l *learner) judge(ctx context.Context, report *Report) error {
	set, numbers := l.collection, l.collection.all()
	predictions := make([]Prediction, len(numbers))
	liked := make([]bool, len(numbers))
	for i, e := range set.examples {
		predictions[i] = Prediction{Image: e.Image, Liked: e.Liked}
		liked[i] = e.Liked
	}
	placed := newPlacements(len(numbers))
	for repeat := range l.config.Repeats {
		round := repeat + 1
		part, parts := set.split(numbers, l.config.Folds, l.config.random(round, 0))
		scores := make([]float64, len(numbers))
		for fold := range parts {
			seen := side(numbers, part, fold, false)
			made, err := l.learn(ctx, seen, l.config.InnerFolds, l.config.random(round, fold+1))
			if err != nil {
				return err
			}
			for _, i := range side(numbers, part, fold, true) {
				scores[i] = made.fitted.Logit(set.examples[i].Embedding)
				predictions[i].Score += scores[i] / float64(l.config.Repeats)
				predictions[i].Probability += made.calibration.Probability(scores[i]) / float64(l.config.Repeats)
				if repeat == 0 {
					predictions[i].Fold = fold
				}
			}
		}
		placed.add(scores, liked, part)
	}
	report.OutOfFold = predictions
	report.AUC, report.AUCLow, report.AUCHigh = placed.interval(liked)
	return report.measure(liked)
}

// measure fills in the metrics that are of all folds together.
func (r *Report) measure(liked []bool) (err error) {
	scores, probabilities := make([]float64, len(liked)), make([]float64, len(liked))
	for i, p := range r.OutOfFold {
		scores[i], probabilities[i] = p.Score, min(p.Probability, 1)
	}
	r.Likes = countLikes(liked)
	r.Dislikes = len(liked) - r.Likes
	if r.AveragePrecision, err = AveragePrecision(probabilities, liked); err != nil {
		return err
	}
	if r.LogLoss, err = LogLoss(probabilities, liked); err != nil {
		return err
	}
	if r.Brier, err = Brier(probabilities, liked); err != nil {
		return err
	}
	if r.CalibrationError, err = ExpectedCalibrationError(probabilities, liked, 10); err != nil {
		return err
	}
	if r.Confusion, err = NewConfusion(scores, liked, 0); err != nil {
		return err
	}
	r.BalancedAccuracy, r.F1 = r.Confusion.BalancedAccuracy(), r.Confusion.F1()
	return nil
}

// warn says what to keep in mind.
func (r *Report) warn(l *learner, final *learned) {
	warn := func(format string, args ...any) { r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...)) }
	if r.AUCLow <= .5 {
		warn("the probe is not told apart from chance: the interval of its AUC reaches %.2f", r.AUCLow)
	}
	if final.folds < l.config.Folds {
		warn("%d folds instead of %d: one kind of rating is scarce", final.folds, l.config.Folds)
	}
	if n := len(l.strengths); n > 1 && final.strength == l.strengths[n-1] {
		warn("the weakest regularisation that was tried is the best (C = %g): an even weaker one may be better", final.strength)
	} else if n > 1 && final.strength == l.strengths[0] {
		warn("the strongest regularisation that was tried is the best (C = %g): an even stronger one may be better", final.strength)
	}
	if l.config.Patience == 0 && !final.fitted.Converged {
		warn("the fit had not converged after %d iterations", final.fitted.Ran)
	}
}

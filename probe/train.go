package probe

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
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
// strength and that many iterations. Calibration and threshold are chosen on
// what each fold did not see. To judge the probe, the whole of this is done
// again without each fold in turn, and the result predicts that fold.
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
	set, err := collect(ctx, examples, config.NearDuplicates)
	if err != nil {
		return nil, nil, err
	}
	if err := config.enough(set); err != nil {
		return nil, nil, fmt.Errorf("probe: train: %w", err)
	}
	l, err := newLearner(set, config.kind(), config)
	if err != nil {
		return nil, nil, err
	}
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
	report := &Report{
		Model: model, Kind: l.kind.Name(), Examples: len(examples), Groups: 1 + slices.Max(set.groups), Data: set.hash(),
		Folds: final.folds, Repeats: config.Repeats, Calibration: final.calibration.Method(),
		Threshold: final.threshold,
		Strength:  final.strength, Stops: final.stops, Iterations: final.iterations,
	}
	for i, loss := range final.losses {
		report.Strengths = append(report.Strengths, StrengthLoss{Strength: l.strengths[i], Loss: loss})
	}
	if err := l.report(ctx, report); err != nil {
		return nil, nil, err
	}
	p := final.probe(model, config)
	p.Likes, p.Dislikes = report.Likes, report.Dislikes
	report.warn(l, final)
	return p, report, nil
}

// report judges the kind and whatever is asked for beside it.
func (l *learner) report(ctx context.Context, r *Report) error {
	mine, err := l.judge(ctx)
	if err != nil {
		return err
	}
	r.OutOfFold = mine.predictions
	for _, p := range mine.predictions {
		if p.Liked {
			r.Likes++
		} else {
			r.Dislikes++
		}
	}
	placed := mine.placements()
	r.AUC, r.AUCLow, r.AUCHigh = placed.interval(mine.liked)
	whole := mine.sheetOf(nil)
	if r.Metrics, err = l.bootstrap(ctx, whole); err != nil {
		return err
	}
	r.AveragePrecision, r.LogLoss = r.Metrics[metricAveragePrecision].Value, r.Metrics[metricLogLoss].Value
	r.Brier, r.CalibrationError = r.Metrics[metricBrier].Value, r.Metrics[metricCalibrationError].Value
	r.BalancedAccuracy, r.F1 = r.Metrics[metricBalancedAccuracy].Value, r.Metrics[metricF1].Value
	for i, liked := range whole.liked {
		r.Confusion.count(whole.decided[i], liked)
	}
	if err := l.explore(ctx, r, mine); err != nil {
		return err
	}
	r.Breakdowns = l.breakdowns(mine)
	for _, kind := range l.config.Against {
		b, err := l.against(ctx, kind, mine, placed)
		if err != nil {
			return err
		}
		r.Baselines = append(r.Baselines, b)
	}
	if len(l.config.CurveShares) > 0 {
		r.LearningCurve, err = l.curve(ctx, l.config.CurveShares)
	}
	return err
}

func (l *learner) bootstrap(ctx context.Context, s *sheet) ([]Metric, error) {
	return s.bootstrap(ctx, l.config.Resamples, l.config.Parallelism, l.config.Seed)
}

// explore measures the works that were shown to explore. The others were
// chosen by a probe or by the person: metrics on them are of that choice too.
func (l *learner) explore(ctx context.Context, r *Report, mine *judged) error {
	s := mine.sheetOf(func(i int) bool {
		return slices.ContainsFunc(mine.works[i].members, func(m int) bool {
			return l.collection.examples[m].Shown == palate.ShownQueueExplore
		})
	})
	if !s.both() {
		return nil
	}
	metrics, err := l.bootstrap(ctx, s)
	r.Explore = &Subset{Works: len(s.liked), Likes: countLikes(s.liked), Metrics: metrics}
	return err
}

// against judges another kind on the same splits.
func (l *learner) against(ctx context.Context, kind Kind, mine *judged, placed *placements) (Baseline, error) {
	other, err := newLearner(l.collection, kind, l.config)
	if err != nil {
		return Baseline{}, fmt.Errorf("probe: %s beside %s: %w", kind.Name(), l.kind.Name(), err)
	}
	theirs, err := other.judge(ctx)
	if err != nil {
		return Baseline{}, err
	}
	b := Baseline{Kind: kind.Name(), OutOfFold: theirs.predictions, Difference: placed.difference(theirs.placements(), mine.liked)}
	b.Metrics, err = l.bootstrap(ctx, theirs.sheetOf(nil))
	return b, err
}

// random is a source of its own for each split: the splits of a round, and
// within it of a fold.
func (c Config) random(round, fold int) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(c.Seed), uint64(round)<<32|uint64(fold)))
}

// hash is the SHA-256 of all examples in their order.
func (s *collection) hash() string {
	h := sha256.New()
	var b []byte
	for _, e := range s.examples {
		b = append(b[:0], e.Image[:]...)
		for _, v := range e.Embedding {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(e.weight()))
		if e.Liked {
			b = append(b, 1)
		} else {
			b = append(b, 0)
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(len(e.Group)))
		b = append(b, e.Group...)
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))
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
	if n := len(r.Strengths); n > 1 && final.strength == l.strengths[n-1] {
		warn("the weakest regularisation that was tried is the best (C = %g): an even weaker one may be better", final.strength)
	} else if n > 1 && final.strength == l.strengths[0] {
		warn("the strongest regularisation that was tried is the best (C = %g): an even stronger one may be better", final.strength)
	}
	if l.config.Patience == 0 && !final.converged {
		warn("the fit had not converged after %d iterations", final.ran)
	}
	if !final.threshold.Met {
		warn("no threshold keeps a precision of %g: the highest one is used", l.config.Threshold.Value)
	}
	for _, b := range r.Breakdowns {
		if b.shortcut() {
			warn("which %s it is predicts the rating as well as the probe does (AUC %.2f), and within one %s the probe is not told apart from chance (AUC %.2f [%.2f, %.2f]): it may have learned the %s",
				b.By, b.AlikeAUC, b.By, b.WithinAUC, b.WithinLow, b.WithinHigh, b.By)
		}
	}
}

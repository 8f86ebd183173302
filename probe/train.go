package probe

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe/judge"
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
func Train(ctx context.Context, examples []Example, model palate.ModelID, config Config) (*Probe, *judge.Report, error) {
	if err := config.Validate(); err != nil {
		return nil, nil, err
	}
	set, err := collect(ctx, examples, config.comparisons())
	if err != nil {
		return nil, nil, err
	}
	if err := config.enough(set); err != nil {
		return nil, nil, fmt.Errorf("probe: train: %w", err)
	}
	if err := set.addBetween(config.Between); err != nil {
		return nil, nil, err
	}
	l, err := newLearner(set, config.kind(), config)
	if err != nil {
		return nil, nil, err
	}
	numbers := set.All()
	final, err := l.learn(ctx, numbers, config.Folds, config.random(0, 0))
	if err != nil {
		return nil, nil, err
	}
	// The same seed gives the same split again.
	part, _ := set.Part(numbers, config.Folds, config.random(0, 0))
	if err := l.converge(ctx, numbers, part, final.strength, final.stops); err != nil {
		return nil, nil, err
	}
	report, err := l.report(ctx)
	if err != nil {
		return nil, nil, err
	}
	report.Model, report.Data, report.Folds = model, set.hash(), final.folds
	report.Calibration, report.Threshold = final.calibration.Method(), final.threshold
	report.Strength, report.Stops, report.Iterations = final.strength, final.stops, final.iterations
	for i, loss := range final.losses {
		report.Strengths = append(report.Strengths, judge.StrengthLoss{Strength: l.strengths[i], Loss: loss})
	}
	l.warn(report, final)
	report.Kind, report.Choice = final.kind, final.choice
	conclude(report, l.kind)
	p := final.probe(set, model, config)
	p.Likes, p.Dislikes = report.Likes, report.Dislikes
	return p, report, nil
}

// report judges the kind and whatever is asked for beside it.
func (l *learner) report(ctx context.Context) (*judge.Report, error) {
	splits, err := l.collection.Splits(l.config.plan())
	if err != nil {
		return nil, err
	}
	mine, err := l.predict(ctx, splits)
	if err != nil {
		return nil, err
	}
	var others []judge.Predictions
	for _, kind := range l.config.Against {
		other, err := newLearner(l.collection, kind, l.config)
		if err != nil {
			return nil, fmt.Errorf("probe: %s beside %s: %w", kind.Name(), l.kind.Name(), err)
		}
		theirs, err := other.predict(ctx, splits)
		if err != nil {
			return nil, err
		}
		others = append(others, theirs)
	}
	r, err := l.collection.Judge(ctx, l.config.judging(), mine, others...)
	if err != nil {
		return nil, err
	}
	if len(l.config.CurveShares) > 0 {
		r.LearningCurve, err = l.curve(ctx, splits[0], l.config.CurveShares)
	}
	return r, err
}

// predict scores every example by what is learned without its fold, the
// choice of strength, calibration and threshold included.
func (l *learner) predict(ctx context.Context, splits []judge.Split) (judge.Predictions, error) {
	out := judge.Predictions{Method: l.kind.Name()}
	n := l.collection.Len()
	for _, split := range splits {
		round := judge.Round{Split: split, Scores: make([]float64, n), Probabilities: make([]float64, n), Margins: make([]float64, n)}
		for fold := range split.Folds {
			made, err := l.learn(ctx, split.Train(fold), l.config.InnerFolds, l.config.random(split.Round, fold+1))
			if err != nil {
				return out, err
			}
			for _, i := range split.Held(fold) {
				round.Scores[i] = made.score(i)
				round.Probabilities[i] = min(made.calibration.Probability(round.Scores[i]), 1)
				round.Margins[i] = round.Scores[i] - made.threshold.Score
			}
		}
		out.Rounds = append(out.Rounds, round)
	}
	return out, nil
}

// random is a source of its own for each split: those of a round, and within
// it of a fold. Round 0 is the probe's own.
func (c Config) random(round, fold int) *rand.Rand { return c.plan().Random(round, fold) }

// hash is the SHA-256 of all examples in their order.
func (s *collection) hash() string {
	h := sha256.New()
	var b []byte
	for _, e := range s.examples {
		b = append(b[:0], e.Image[:]...)
		if e.Image.IsZero() {
			b = binary.LittleEndian.AppendUint64(b, uint64(e.Row))
		}
		for _, v := range e.Embedding {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		weight := e.Weight
		if weight == 0 {
			weight = 1
		}
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(weight))
		if e.Liked {
			b = append(b, 1)
		} else {
			b = append(b, 0)
		}
		if e.Stars != 0 { // without them the hash is what it always was
			b = append(b, 2+byte(e.Stars))
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(len(e.Group)))
		b = append(b, e.Group...)
		h.Write(b)
	}
	for _, e := range s.between {
		h.Write(append([]byte("between"), e.Image[:]...))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// warn says what to keep in mind about how it was learned.
func (l *learner) warn(r *judge.Report, final *learned) {
	if final.folds < l.config.Folds {
		r.Warn("%d folds instead of %d: one kind of rating is scarce", final.folds, l.config.Folds)
	}
	if n := len(r.Strengths); n > 1 && final.strength == l.strengths[n-1] {
		r.Warn("the weakest regularisation that was tried is the best (C = %g): an even weaker one may be better", final.strength)
	} else if n > 1 && final.strength == l.strengths[0] {
		r.Warn("the strongest regularisation that was tried is the best (C = %g): an even stronger one may be better", final.strength)
	}
	if l.config.Patience == 0 && !final.converged {
		r.Warn("the fit had not converged after %d iterations", final.ran)
	}
	if !final.threshold.Met {
		r.Warn("no threshold keeps a precision of %g: the highest one is used", l.config.Threshold.Value)
	}
}

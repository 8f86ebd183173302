package judge

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"

	"github.com/palate-art/palate"
)

// Predictions are what one method says of every example, each time learned
// without the fold that the example is in.
type Predictions struct {
	// Method names who predicts, in reports.
	Method string
	// Rounds has one for each split.
	Rounds []Round
}

// Round is what a method says over one split. Slices have a value for each
// example, by number.
type Round struct {
	Split Split
	// Scores are finite, and higher for what is liked more.
	Scores []float64
	// Probabilities of a like, from 0 to 1, calibrated without the example's
	// fold. Without them each fold's scores are calibrated by those of the
	// other folds.
	Probabilities []float64
	// Margins are the scores less the threshold that was chosen without the
	// example's fold. Without them the thresholds are chosen on the scores of
	// the other folds.
	Margins []float64
}

// Config says how a set is judged.
type Config struct {
	// Threshold and Calibration are for methods that give scores alone.
	Threshold   ThresholdRule
	Calibration CalibrationMethod
	// Resamples of the bootstrap give the intervals of metrics; 0 gives none.
	Resamples int
	// Seed draws the resamples.
	Seed int64
	// Parallelism bounds the goroutines at work; 0 is one for each core. It
	// has no influence on the result.
	Parallelism int
}

// DefaultConfig decides at score 0 and takes the better calibration.
func DefaultConfig() Config {
	return Config{Calibration: BestCalibration, Resamples: 1000, Seed: 1}
}

// Validate reports everything that is wrong, as palate.ErrInvalid.
func (c Config) Validate() error {
	problems := []error{c.Threshold.Validate()}
	if !c.Calibration.known() {
		problems = append(problems, invalid("Calibration is %q, want best, platt or isotonic", string(c.Calibration)))
	}
	if c.Resamples < 0 {
		problems = append(problems, invalid("Resamples is %d, want 0 or more", c.Resamples))
	}
	if c.Parallelism < 0 {
		problems = append(problems, invalid("Parallelism is %d, want 0 (every core) or more", c.Parallelism))
	}
	return errors.Join(problems...)
}

// judged is what one method predicts of every work.
type judged struct {
	method        string
	works         []Work
	liked         []bool      // of each work
	parts         [][]int     // the fold of each work, by round
	scores        [][]float64 // of each work, by round
	probabilities []float64   // the mean over the rounds
	margins       []float64   // mean of score less threshold
	predictions   []Prediction
}

// Judge reports how well a method predicts, and how it compares with others
// that predicted over the same splits. Predictions that are not of this set,
// or of other splits than the first method's, are palate.ErrInvalid. It ends
// with ctx's error once ctx is done.
//
// What only the method knows of itself (model, data, strength, stops, learning
// curve) is left for the caller to fill in.
func (s *Set) Judge(ctx context.Context, config Config, mine Predictions, others ...Predictions) (*Report, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	judged, err := s.judge(config, mine, mine.Rounds)
	if err != nil {
		return nil, err
	}
	r := &Report{Format: Format, Kind: mine.Method, Examples: s.Len(), Groups: s.Groups(), Works: len(judged.works), Repeats: len(mine.Rounds), Folds: mine.Rounds[0].Split.Folds,
		OutOfFold: judged.predictions, Threshold: Threshold{ThresholdRule: config.Threshold}, Calibration: config.Calibration}
	r.Likes = countLikes(likedOf(judged.predictions))
	r.Dislikes = s.Len() - r.Likes
	placed := judged.placements()
	r.AUC, r.AUCLow, r.AUCHigh = placed.interval(judged.liked)
	whole := judged.sheetOf(nil)
	if err := r.measure(ctx, config, whole); err != nil {
		return nil, err
	}
	if r.Explore, err = s.explored(ctx, config, judged); err != nil {
		return nil, err
	}
	r.Breakdowns = s.breakdowns(judged)
	for _, other := range others {
		b, err := s.beside(ctx, config, other, mine, judged, placed)
		if err != nil {
			return nil, err
		}
		r.Baselines = append(r.Baselines, b)
	}
	r.warn()
	return r, nil
}

func likedOf(predictions []Prediction) []bool {
	liked := make([]bool, len(predictions))
	for i, p := range predictions {
		liked[i] = p.Liked
	}
	return liked
}

// measure fills in the metrics of all works.
func (r *Report) measure(ctx context.Context, config Config, whole *sheet) (err error) {
	if r.Metrics, err = whole.bootstrap(ctx, config); err != nil {
		return err
	}
	r.AveragePrecision, r.LogLoss = r.Metrics[metricAveragePrecision].Value, r.Metrics[metricLogLoss].Value
	r.Brier, r.CalibrationError = r.Metrics[metricBrier].Value, r.Metrics[metricCalibrationError].Value
	r.BalancedAccuracy, r.F1 = r.Metrics[metricBalancedAccuracy].Value, r.Metrics[metricF1].Value
	for i, liked := range whole.liked {
		r.Confusion.count(whole.decided[i], liked)
	}
	return nil
}

// explored measures the works that were shown to explore. The others were
// chosen by a probe or by the person: metrics on them are of that choice too.
func (s *Set) explored(ctx context.Context, config Config, mine *judged) (*Subset, error) {
	some := mine.sheetOf(func(i int) bool {
		return slices.ContainsFunc(mine.works[i].Members, func(m int) bool { return s.examples[m].Shown == palate.ShownQueueExplore })
	})
	if !some.both() {
		return nil, nil
	}
	metrics, err := some.bootstrap(ctx, config)
	return &Subset{Works: len(some.liked), Likes: countLikes(some.liked), Metrics: metrics}, err
}

// beside judges another method on the same splits.
func (s *Set) beside(ctx context.Context, config Config, other, mine Predictions, judged *judged, placed *placements) (Baseline, error) {
	theirs, err := s.judge(config, other, mine.Rounds)
	if err != nil {
		return Baseline{}, err
	}
	b := Baseline{Kind: other.Method, OutOfFold: theirs.predictions, Difference: placed.difference(theirs.placements(), judged.liked)}
	b.Metrics, err = theirs.sheetOf(nil).bootstrap(ctx, config)
	return b, err
}

// judge puts a method's rounds together; like are those whose splits they
// must be of.
func (s *Set) judge(config Config, p Predictions, like []Round) (*judged, error) {
	if err := s.check(p, like); err != nil {
		return nil, err
	}
	out := &judged{method: p.Method, works: s.Works(s.All()), predictions: make([]Prediction, s.Len())}
	for i, e := range s.examples {
		out.predictions[i] = Prediction{Image: e.Image, Liked: e.Liked, Fold: p.Rounds[0].Split.Fold(i)}
		if e.Image.IsZero() {
			out.predictions[i].Row = &s.examples[i].Row
		}
	}
	for _, w := range out.works {
		out.liked = append(out.liked, w.Liked)
	}
	probabilities, margins := make([]float64, s.Len()), make([]float64, s.Len())
	rounds := float64(len(p.Rounds))
	for _, round := range p.Rounds {
		chances, over := s.complete(config, out, round)
		for i, score := range round.Scores {
			out.predictions[i].Score += score / rounds
			probabilities[i] += chances[i] / rounds
			margins[i] += over[i] / rounds
		}
		out.add(round)
	}
	for i := range out.predictions {
		probabilities[i] = min(probabilities[i], 1)
		out.predictions[i].Probability, out.predictions[i].Decided = probabilities[i], margins[i] >= 0
	}
	for _, w := range out.works {
		out.probabilities = append(out.probabilities, min(w.Mean(probabilities), 1))
		out.margins = append(out.margins, w.Mean(margins))
	}
	return out, nil
}

// check reports predictions that can't be judged.
func (s *Set) check(p Predictions, like []Round) error {
	if likes, dislikes := s.Count(); likes == 0 || dislikes == 0 {
		return invalid("%d groups with likes and %d with dislikes, want some of both", likes, dislikes)
	}
	if len(p.Rounds) == 0 || len(p.Rounds) != len(like) {
		return invalid("%s predicted over %d splits, want %d", p.Method, len(p.Rounds), max(1, len(like)))
	}
	for i, r := range p.Rounds {
		if len(r.Split.part) != s.Len() || !slices.Equal(r.Split.part, like[i].Split.part) {
			return invalid("%s predicted over other splits of the set", p.Method)
		}
		for _, values := range []struct {
			name   string
			of     []float64
			needed bool
		}{{"scores", r.Scores, true}, {"probabilities", r.Probabilities, false}, {"margins", r.Margins, false}} {
			if len(values.of) != s.Len() && (values.needed || values.of != nil) {
				return invalid("%s has %d %s, want one for each of %d examples", p.Method, len(values.of), values.name, s.Len())
			}
			for number, v := range values.of {
				if math.IsNaN(v) || math.IsInf(v, 0) || values.name == "probabilities" && (v < 0 || v > 1) {
					return invalid("of example %d %s has the %s %v", number, p.Method, values.name, v)
				}
			}
		}
	}
	return nil
}

// complete gives the probabilities and margins of a round. Where the method
// has none, those of a fold are learned from the scores of the others.
func (s *Set) complete(config Config, j *judged, round Round) (probabilities, margins []float64) {
	probabilities, margins = round.Probabilities, round.Margins
	if probabilities != nil && margins != nil {
		return probabilities, margins
	}
	chances, over := make([]float64, s.Len()), make([]float64, s.Len())
	for fold := range round.Split.Folds {
		var scores []float64
		var liked []bool
		var parts []int
		for _, w := range j.works {
			part := round.Split.Fold(w.Members[0])
			if part == fold {
				continue
			}
			if part > fold {
				part-- // the parts that are left are numbered without a gap
			}
			scores, liked, parts = append(scores, w.Mean(round.Scores)), append(liked, w.Liked), append(parts, part)
		}
		calibration := Calibrate(scores, liked, parts, round.Split.Folds-1, config.Calibration)
		threshold := config.Threshold.Choose(scores, liked)
		for _, i := range round.Split.Held(fold) {
			chances[i] = calibration.Probability(round.Scores[i])
			over[i] = round.Scores[i] - threshold.Score
		}
	}
	if probabilities == nil {
		probabilities = chances
	}
	if margins == nil {
		margins = over
	}
	return probabilities, margins
}

// add takes the scores and the parts of one round.
func (j *judged) add(round Round) {
	byWork, parts := make([]float64, len(j.works)), make([]int, len(j.works))
	for i, w := range j.works {
		byWork[i], parts[i] = w.Mean(round.Scores), round.Split.Fold(w.Members[0])
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

// AUC is the area under the ROC curve of works within their folds, with its
// 95 % interval, of scores by number over one split.
func (s *Set) AUC(split Split, scores []float64) (auc, low, high float64) {
	j := &judged{works: s.Works(s.All())}
	for _, w := range j.works {
		j.liked = append(j.liked, w.Liked)
	}
	j.add(Round{Split: split, Scores: scores})
	return j.placements().interval(j.liked)
}

// warn says what to keep in mind.
func (r *Report) warn() {
	if r.AUCLow <= .5 {
		r.Warn("the probe is not told apart from chance: the interval of its AUC reaches %.2f", r.AUCLow)
	}
	for _, b := range r.Breakdowns {
		if b.shortcut() {
			r.Warn("which %s it is predicts the rating as well as the probe does (AUC %.2f), and within one %s the probe is not told apart from chance (AUC %.2f [%.2f, %.2f]): it may have learned the %s",
				b.By, b.AlikeAUC, b.By, b.WithinAUC, b.WithinLow, b.WithinHigh, b.By)
		}
	}
}

// Warn adds what people should keep in mind.
func (r *Report) Warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

func workers(parallelism int) int {
	if parallelism > 0 {
		return parallelism
	}
	return runtime.GOMAXPROCS(0)
}

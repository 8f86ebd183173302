package judge

import (
	"context"
	"math/rand/v2"
	"slices"

	"golang.org/x/sync/errgroup"
)

// Metric is one number of a report with its 95 % interval: of the AUC that of
// AUCInterval, of the others the percentiles of bootstrap resamples of the
// works (Efron and Tibshirani, An introduction to the bootstrap, 1993). What
// was learned is not learned again for each resample: the interval is of the
// judgement, not of the training.
type Metric struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	// Low and High are nil where no interval is known to hold the truth as
	// often as it says: of the calibration error, see CalibrationError, and
	// without resamples.
	Low  *float64 `json:"low,omitempty"`
	High *float64 `json:"high,omitempty"`
}

// The names of metrics, in the order of a report.
const (
	metricAUC = iota
	metricAveragePrecision
	metricBalancedAccuracy
	metricF1
	metricPrecision
	metricRecall
	metricAccuracy
	metricMCC
	metricLogLoss
	metricBrier
	metricCalibrationError // not of resamples
	metricCount
)

var metricNames = [metricCount]string{"auc", "average_precision", "balanced_accuracy", "f1", "precision", "recall",
	"accuracy", "mcc", "log_loss", "brier", "calibration_error"}

// sheet is predictions of works put in order once, so that the metrics of any
// resample are one pass.
type sheet struct {
	liked         []bool
	probabilities []float64
	decided       []bool
	losses        []float64
	falling       []int     // by probability, the highest first
	strata        []stratum // the folds of all rounds
}

// stratum is the works of one fold of one round, by score.
type stratum struct {
	order  []int
	scores []float64 // of each in order
}

// sheetOf takes the works for which include holds; nil takes all.
func (j *judged) sheetOf(include func(work int) bool) *sheet {
	s := &sheet{}
	place := make([]int, len(j.works))
	for i := range j.works {
		place[i] = -1
		if include != nil && !include(i) {
			continue
		}
		place[i] = len(s.liked)
		p := j.probabilities[i]
		s.liked, s.probabilities = append(s.liked, j.liked[i]), append(s.probabilities, p)
		s.decided = append(s.decided, j.margins[i] >= 0)
		s.losses = append(s.losses, lossAt(p, j.liked[i]))
	}
	s.falling = byScore(s.probabilities)
	slices.Reverse(s.falling)
	for round, scores := range j.scores {
		folds := make([]stratum, slices.Max(j.parts[round])+1)
		for _, i := range byScore(scores) {
			if place[i] >= 0 {
				f := &folds[j.parts[round][i]]
				f.order, f.scores = append(f.order, place[i]), append(f.scores, scores[i])
			}
		}
		s.strata = append(s.strata, folds...)
	}
	return s
}

func (s *sheet) both() bool {
	likes := countLikes(s.liked)
	return likes > 0 && likes < len(s.liked)
}

// metrics are of the works counted as often as counts says; both verdicts
// must be among them. An AUC without a pair in one fold is .5.
func (s *sheet) metrics(counts []float64) (m [metricCount]float64) {
	m[metricAUC] = s.auc(counts)
	m[metricAveragePrecision] = s.averagePrecision(counts)
	var total, tp, fp, tn, fn float64
	for i, n := range counts {
		if n == 0 {
			continue
		}
		total += n
		m[metricLogLoss] += n * s.losses[i]
		wrong := s.probabilities[i]
		if s.liked[i] {
			wrong = 1 - wrong
		}
		m[metricBrier] += n * wrong * wrong
		switch {
		case s.liked[i] && s.decided[i]:
			tp += n
		case s.liked[i]:
			fn += n
		case s.decided[i]:
			fp += n
		default:
			tn += n
		}
	}
	m[metricLogLoss] /= total
	m[metricBrier] /= total
	c := Confusion{TrueLikes: int(tp), FalseLikes: int(fp), TrueDislikes: int(tn), FalseDislikes: int(fn)}
	m[metricBalancedAccuracy], m[metricF1] = c.BalancedAccuracy(), c.F1()
	m[metricPrecision], m[metricRecall] = c.Precision(), c.Recall()
	m[metricAccuracy], m[metricMCC] = c.Accuracy(), c.MCC()
	return m
}

// placements are those of the works within their folds.
func (s *sheet) placements() *placements {
	p := newPlacements(len(s.liked))
	for _, stratum := range s.strata {
		p.addStratum(stratum.order, func(at int) float64 { return stratum.scores[at] }, s.liked)
	}
	return p
}

func (s *sheet) auc(counts []float64) float64 {
	var won, pairs float64
	for _, stratum := range s.strata {
		var dislikesBelow, likes float64
		for at := 0; at < len(stratum.order); {
			var tiedLikes, tiedDislikes float64
			for score := stratum.scores[at]; at < len(stratum.order) && stratum.scores[at] == score; at++ {
				if i := stratum.order[at]; s.liked[i] {
					tiedLikes += counts[i]
				} else {
					tiedDislikes += counts[i]
				}
			}
			won += tiedLikes * (dislikesBelow + tiedDislikes/2)
			dislikesBelow += tiedDislikes
			likes += tiedLikes
		}
		pairs += likes * dislikesBelow
	}
	if pairs == 0 {
		return .5
	}
	return won / pairs
}

func (s *sheet) averagePrecision(counts []float64) float64 {
	var sum, found, seen float64
	for at := 0; at < len(s.falling); {
		before := found
		for p := s.probabilities[s.falling[at]]; at < len(s.falling) && s.probabilities[s.falling[at]] == p; at++ {
			i := s.falling[at]
			seen += counts[i]
			if s.liked[i] {
				found += counts[i]
			}
		}
		if seen > 0 {
			sum += (found - before) * found / seen
		}
	}
	return sum / found
}

// bootstrap gives every metric with its interval.
func (s *sheet) bootstrap(ctx context.Context, config Config) ([]Metric, error) {
	n := len(s.liked)
	once := make([]float64, n)
	for i := range once {
		once[i] = 1
	}
	values := s.metrics(once)
	values[metricCalibrationError] = calibrationError(s.falling, s.probabilities, s.liked)
	drawn := make([][metricCount]float64, config.Resamples)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers(config.Parallelism))
	draw := func(r int) error {
		random := rand.New(rand.NewPCG(uint64(config.Seed), uint64(r)<<8|1))
		counts := make([]float64, n)
		for likes := 0; likes == 0 || likes == n; {
			clear(counts)
			likes = 0
			for range n {
				i := random.IntN(n)
				counts[i]++
				if s.liked[i] {
					likes++
				}
			}
		}
		drawn[r] = s.metrics(counts)
		return ctx.Err()
	}
	for r := range drawn {
		group.Go(func() error { return draw(r) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	out := make([]Metric, metricCount)
	column := make([]float64, len(drawn))
	for m, name := range metricNames {
		for r := range drawn {
			column[r] = drawn[r][m]
		}
		out[m] = Metric{Name: name, Value: values[m]}
		switch {
		case len(drawn) == 0 || m == metricCalibrationError:
		case m == metricAUC:
			if p := s.placements(); p.total > 0 {
				_, low, high := p.interval(s.liked)
				out[m].Low, out[m].High = &low, &high
			}
		default:
			slices.Sort(column)
			low, high := percentile(column, .025), percentile(column, .975)
			out[m].Low, out[m].High = &low, &high
		}
	}
	return out, nil
}

// percentile is of sorted values, linear between them.
func percentile(sorted []float64, p float64) float64 {
	at := p * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

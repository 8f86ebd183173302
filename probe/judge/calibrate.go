package judge

import (
	"math"
	"slices"
)

// Calibration turns a logit into a probability. It grows with the logit, so
// that the order of images never changes.
type Calibration struct {
	// A, above 0, and B are Platt's: 1/(1+exp(-(A·logit+B))).
	A float64 `json:"a"`
	B float64 `json:"b"`
	// Isotonic, if set, takes Platt's place but for plattShare of it, which
	// keeps the probability growing where the isotonic one is level.
	Isotonic *Isotonic `json:"isotonic,omitempty"`
}

const (
	// leastSlope is the slope of a calibration whose scores tell nothing, or
	// the opposite: nearly every image gets the share of likes.
	leastSlope = 1e-3
	plattShare = .01
)

// CalibrationMethod says how scores become probabilities.
type CalibrationMethod string

// The methods.
const (
	// BestCalibration takes the one with the lower log-loss on folds that it
	// was not fitted to.
	BestCalibration     CalibrationMethod = "best"
	PlattCalibration    CalibrationMethod = "platt"
	IsotonicCalibration CalibrationMethod = "isotonic"
)

// Method names what the calibration is.
func (c Calibration) Method() CalibrationMethod {
	if c.Isotonic != nil {
		return IsotonicCalibration
	}
	return PlattCalibration
}

func (m CalibrationMethod) known() bool {
	return m == BestCalibration || m == PlattCalibration || m == IsotonicCalibration
}

// Probability is the calibrated probability of a like at a logit.
func (c Calibration) Probability(logit float64) float64 {
	p := sigmoid(c.A*logit + c.B)
	if c.Isotonic == nil {
		return p
	}
	return plattShare*p + (1-plattShare)*c.Isotonic.Probability(logit)
}

func sigmoid(z float64) float64 {
	if z >= 0 {
		return 1 / (1 + math.Exp(-z))
	}
	e := math.Exp(z)
	return e / (1 + e)
}

// lossOfLike is log(1+exp(-logit)), without overflow.
func lossOfLike(logit float64) float64 {
	if logit > 0 {
		return math.Log1p(math.Exp(-logit))
	}
	return math.Log1p(math.Exp(logit)) - logit
}

// Logit is the logit at which Probability is p; -Inf and +Inf where it is
// above or below p everywhere.
func (c Calibration) Logit(p float64) float64 {
	platt := func(p float64) float64 { return (math.Log(p) - math.Log1p(-p) - c.B) / c.A }
	if c.Isotonic == nil {
		return platt(p)
	}
	values := c.Isotonic.Probabilities
	level := (1 - plattShare) * values[0]
	if p <= level {
		return math.Inf(-1)
	}
	if p >= plattShare+(1-plattShare)*values[len(values)-1] {
		return math.Inf(1)
	}
	low, high := c.Isotonic.Scores[0], c.Isotonic.Scores[len(values)-1]
	// Beyond the isotonic points only Platt's share grows.
	if c.Probability(low) >= p {
		low, high = platt((p-level)/plattShare), low
	} else if c.Probability(high) < p {
		low, high = high, platt((p-(1-plattShare)*values[len(values)-1])/plattShare)
	}
	for range 200 {
		middle := low + (high-low)/2
		if middle <= low || middle >= high {
			break
		}
		if c.Probability(middle) < p {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// Calibrate fits a calibration to scores that had no part in what gave them.
// Which method is better is found on the parts that they are of, numbered from
// 0: each is predicted by what the others give. With fewer than two parts the
// best is Platt's. The slices have the same length, above 0; scores are finite.
func Calibrate(scores []float64, liked []bool, part []int, parts int, method CalibrationMethod) Calibration {
	c := Platt(scores, liked)
	switch method {
	case PlattCalibration:
		return c
	case BestCalibration:
		if parts < 2 {
			return c
		}
		var platt, isotonic float64
		for fold := range parts {
			var train, held []float64
			var trainLiked, heldLiked []bool
			for i, s := range scores {
				if part[i] == fold {
					held, heldLiked = append(held, s), append(heldLiked, liked[i])
				} else {
					train, trainLiked = append(train, s), append(trainLiked, liked[i])
				}
			}
			without := Platt(train, trainLiked)
			platt += logLossSum(without, held, heldLiked)
			without.Isotonic = bounded(train, trainLiked)
			isotonic += logLossSum(without, held, heldLiked)
		}
		if !(isotonic < platt) {
			return c
		}
	}
	c.Isotonic = bounded(scores, liked)
	return c
}

// bounded is the isotonic regression held off 0 and 1 by what so many
// examples can tell, as Platt's targets are. The scores are finite.
func bounded(scores []float64, liked []bool) *Isotonic {
	r, err := NewIsotonic(scores, liked)
	if err != nil {
		panic(err) // scores are logits of a fit, one for each label
	}
	least := 1 / (float64(len(scores)) + 2)
	for i, p := range r.Probabilities {
		r.Probabilities[i] = min(max(p, least), 1-least)
	}
	return r
}

func logLossSum(c Calibration, scores []float64, liked []bool) (sum float64) {
	for i, s := range scores {
		sum += lossAt(c.Probability(s), liked[i])
	}
	return sum
}

// Platt fits a calibration to held-out logits by maximum likelihood with
// Platt's smoothed targets (Platt, Probabilistic outputs for support vector
// machines, 1999), by the damped Newton method of Lin, Lin and Weng (A note
// on Platt's probabilistic outputs for support vector machines, Machine
// Learning 68, 2007). A slope below a small positive one is set to that, so
// that scores that are no use give every image about the share of likes.
// logits and liked have the same length, above 0; logits are finite.
func Platt(logits []float64, liked []bool) Calibration {
	likes := countLikes(liked)
	high, low := (float64(likes)+1)/(float64(likes)+2), 1/(float64(len(liked)-likes)+2)
	targets := make([]float64, len(liked))
	for i, l := range liked {
		targets[i] = low
		if l {
			targets[i] = high
		}
	}
	prior := math.Log((float64(likes) + 1) / (float64(len(liked)-likes) + 1))
	c := newtonPlatt(logits, targets, Calibration{B: prior}, false)
	if !(c.A >= leastSlope) {
		c = newtonPlatt(logits, targets, Calibration{A: leastSlope, B: prior}, true)
	}
	return c
}

// newtonPlatt minimises the cross-entropy from a start; with fixedSlope only
// over B.
func newtonPlatt(logits, targets []float64, c Calibration, fixedSlope bool) Calibration {
	entropy := func(c Calibration) (sum float64) {
		for i, z := range logits {
			loss := lossOfLike(c.A*z + c.B) // a dislike costs the logit more
			sum += loss + (1-targets[i])*(c.A*z+c.B)
		}
		return sum
	}
	value := entropy(c)
	for range 100 {
		// The ridge keeps the Hessian regular when all logits are equal.
		haa, hbb, hab, ga, gb := 1e-12, 1e-12, 0., 0., 0.
		for i, z := range logits {
			p := sigmoid(c.A*z + c.B)
			d, v := p-targets[i], p*(1-p)
			ga, gb = ga+d*z, gb+d
			haa, hbb, hab = haa+v*z*z, hbb+v, hab+v*z
		}
		if fixedSlope {
			ga, hab = 0, 0
		}
		if math.Abs(ga) < 1e-10 && math.Abs(gb) < 1e-10 {
			break
		}
		determinant := haa*hbb - hab*hab
		da, db := -(hbb*ga-hab*gb)/determinant, -(haa*gb-hab*ga)/determinant
		slope, step := ga*da+gb*db, 1.
		for ; step >= 1e-10; step /= 2 {
			next := Calibration{A: c.A + step*da, B: c.B + step*db}
			if v := entropy(next); v < value+1e-4*step*slope {
				c, value = next, v
				break
			}
		}
		if step < 1e-10 {
			break // no lower point: rounding has ended the descent
		}
	}
	return c
}

// Isotonic is a probability that never falls with the score, linear between
// its points.
type Isotonic struct {
	Scores        []float64 `json:"scores"`        // ascending
	Probabilities []float64 `json:"probabilities"` // of each, not falling
}

// NewIsotonic fits the least-squares isotonic regression of labels on scores
// by pooling adjacent violators (Ayer, Brunk, Ewing, Reid and Silverman, An
// empirical distribution function for sampling with incomplete information,
// Annals of Mathematical Statistics 26, 1955). Equal scores are averaged
// first. scores and liked must have the same length, above 0, and scores must
// be finite; otherwise it is palate.ErrInvalid.
func NewIsotonic(scores []float64, liked []bool) (*Isotonic, error) {
	if err := checkScores(scores, liked); err != nil {
		return nil, err
	}
	type pool struct {
		first, last float64 // scores
		sum, n      float64
	}
	var pools []pool
	order := byScore(scores)
	for i := 0; i < len(order); {
		p := pool{first: scores[order[i]], last: scores[order[i]]}
		for ; i < len(order) && scores[order[i]] == p.last; i++ {
			p.n++
			if liked[order[i]] {
				p.sum++
			}
		}
		for len(pools) > 0 && pools[len(pools)-1].sum*p.n >= p.sum*pools[len(pools)-1].n {
			before := pools[len(pools)-1]
			pools = pools[:len(pools)-1]
			p.first, p.sum, p.n = before.first, p.sum+before.sum, p.n+before.n
		}
		pools = append(pools, p)
	}
	out := &Isotonic{}
	for _, p := range pools {
		out.Scores = append(out.Scores, p.first)
		out.Probabilities = append(out.Probabilities, p.sum/p.n)
		if p.last > p.first {
			out.Scores = append(out.Scores, p.last)
			out.Probabilities = append(out.Probabilities, p.sum/p.n)
		}
	}
	return out, nil
}

// Probability is the value at a score; beyond the ends it is that of the end.
func (r *Isotonic) Probability(score float64) float64 {
	i, found := slices.BinarySearch(r.Scores, score)
	switch {
	case found:
		return r.Probabilities[i]
	case i == 0:
		return r.Probabilities[0]
	case i == len(r.Scores):
		return r.Probabilities[i-1]
	}
	share := (score - r.Scores[i-1]) / (r.Scores[i] - r.Scores[i-1])
	return r.Probabilities[i-1] + share*(r.Probabilities[i]-r.Probabilities[i-1])
}

// Validate reports a calibration that can't be used, as palate.ErrInvalid.
func (c Calibration) Validate() error {
	for _, v := range []float64{c.A, c.B} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return invalid("a parameter of the calibration is %v", v)
		}
	}
	if c.A <= 0 {
		return invalid("calibration slope %v turns the order round", c.A)
	}
	return c.Isotonic.validate()
}

// validate accepts nil: not every calibration is isotonic.
func (r *Isotonic) validate() error {
	if r == nil {
		return nil
	}
	if len(r.Scores) == 0 || len(r.Scores) != len(r.Probabilities) {
		return invalid("an isotonic calibration of %d scores and %d probabilities", len(r.Scores), len(r.Probabilities))
	}
	for i, s := range r.Scores {
		p := r.Probabilities[i]
		if math.IsNaN(s) || math.IsInf(s, 0) || !(p >= 0 && p <= 1) {
			return invalid("point %d of the isotonic calibration is %v at %v", i, p, s)
		}
		if i > 0 && (s <= r.Scores[i-1] || p < r.Probabilities[i-1]) {
			return invalid("point %d of the isotonic calibration falls behind the one before", i)
		}
	}
	return nil
}

package probe

import (
	"math"
	"slices"
)

// Calibration turns a logit into a probability: 1/(1+exp(-(A·logit+B))).
// A is above 0, so that the order of images never changes.
type Calibration struct {
	A float64 `json:"a"`
	B float64 `json:"b"`
}

// leastSlope is the slope of a calibration whose scores tell nothing, or the
// opposite: nearly every image gets the share of likes.
const leastSlope = 1e-3

// Probability is the calibrated probability of a like at a logit.
func (c Calibration) Probability(logit float64) float64 {
	z := c.A*logit + c.B
	if z >= 0 {
		return 1 / (1 + math.Exp(-z))
	}
	e := math.Exp(z)
	return e / (1 + e)
}

// Logit is the logit at which Probability is p; -Inf at 0 and +Inf at 1.
func (c Calibration) Logit(p float64) float64 {
	return (math.Log(p) - math.Log1p(-p) - c.B) / c.A
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
			loss, _ := logLoss(c.A*z + c.B) // of a like; a dislike costs the logit more
			sum += loss + (1-targets[i])*(c.A*z+c.B)
		}
		return sum
	}
	value := entropy(c)
	for range 100 {
		// The ridge keeps the Hessian regular when all logits are equal.
		haa, hbb, hab, ga, gb := 1e-12, 1e-12, 0., 0., 0.
		for i, z := range logits {
			p := c.Probability(z)
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
	Scores        []float64 // ascending
	Probabilities []float64 // of each, not falling
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

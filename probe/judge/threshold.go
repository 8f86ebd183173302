package judge

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ThresholdRule says which images shall count as liked.
type ThresholdRule struct {
	// For is "balanced", "f1", "precision" or "top"; empty is "balanced".
	For ThresholdKind `json:"for"`
	// Value is the least precision, or the share of the images, 0 to 1; the
	// others have none.
	Value float64 `json:"value,omitempty"`
}

// ThresholdKind is what a threshold is chosen for.
type ThresholdKind string

// The rules.
const (
	// ThresholdBalanced decides at score 0, the boundary of the class-weighted
	// model: with balanced classes balanced accuracy is best there. No
	// rating is used to find it.
	ThresholdBalanced ThresholdKind = "balanced"
	// ThresholdF1 decides where F1 is best.
	ThresholdF1 ThresholdKind = "f1"
	// ThresholdPrecision lets as many images count as liked as keep the precision.
	ThresholdPrecision ThresholdKind = "precision"
	// ThresholdTop lets the given share of the images count as liked.
	ThresholdTop ThresholdKind = "top"
)

// ParseThreshold reads "balanced", "f1", "precision:0.9" or "top:5%".
func ParseThreshold(s string) (ThresholdRule, error) {
	name, value, given := strings.Cut(s, ":")
	r := ThresholdRule{For: ThresholdKind(name)}
	if given {
		share, percent := strings.CutSuffix(value, "%")
		v, err := strconv.ParseFloat(strings.TrimSpace(share), 64)
		if err != nil {
			return ThresholdRule{}, invalid("threshold %q: %q is no number", s, value)
		}
		if percent {
			v /= 100
		}
		r.Value = v
	}
	return r, r.Validate()
}

// String gives the form that ParseThreshold reads.
func (r ThresholdRule) String() string {
	switch r.For {
	case "":
		return string(ThresholdBalanced)
	case ThresholdPrecision, ThresholdTop:
		return fmt.Sprintf("%s:%g", r.For, r.Value)
	}
	return string(r.For)
}

// Validate reports a rule that is none, as palate.ErrInvalid.
func (r ThresholdRule) Validate() error {
	switch r.For {
	case "", ThresholdBalanced, ThresholdF1:
		if r.Value != 0 {
			return invalid("a threshold for %s has no value, got %g", r, r.Value)
		}
	case ThresholdPrecision, ThresholdTop:
		if !(r.Value > 0 && r.Value <= 1) {
			return invalid("a threshold for %s is asked for at %g, want more than 0 and at most 1, as precision:0.9 or top:5%%", r.For, r.Value)
		}
	default:
		return invalid("threshold for %q, want balanced, f1, precision:P or top:N%%", string(r.For))
	}
	return nil
}

// Threshold is where an image begins to count as liked, and which rule put it
// there.
type Threshold struct {
	ThresholdRule
	Score float64 `json:"score"`
	// Probability is what the calibration makes of Score.
	Probability float64 `json:"probability"`
	// Met is false where no threshold gives the precision that was asked for:
	// then it is where the precision is highest.
	Met bool `json:"met"`
}

// Choose finds the threshold among scores of one scale, which the scored had
// no part in. Its Probability is left open.
func (r ThresholdRule) Choose(scores []float64, liked []bool) Threshold {
	if r.For == "" || r.For == ThresholdBalanced {
		return Threshold{ThresholdRule: r, Met: true}
	}
	order := byScore(scores)
	slices.Reverse(order)
	best, bestValue, met := 0., -1., false
	likes, found := countLikes(liked), 0
	for i := 0; i < len(order); {
		score := scores[order[i]]
		for ; i < len(order) && scores[order[i]] == score; i++ {
			if liked[order[i]] {
				found++
			}
		}
		at := score // half way to the next one below
		if i < len(order) {
			at = (score + scores[order[i]]) / 2
		}
		precision := float64(found) / float64(i)
		switch r.For {
		case ThresholdF1:
			if f1 := 2 * float64(found) / float64(i+likes); f1 > bestValue {
				best, bestValue, met = at, f1, true
			}
		case ThresholdPrecision:
			if precision >= r.Value || !met && precision > bestValue {
				best, bestValue, met = at, precision, met || precision >= r.Value
			}
		case ThresholdTop:
			if bestValue < 0 || float64(i) <= r.Value*float64(len(order))+.5 {
				best, bestValue, met = at, 0, true
			}
		}
	}
	return Threshold{ThresholdRule: r, Score: best, Met: met}
}

package probe

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Wish says which images shall count as liked.
type Wish struct {
	// For is "balanced", "f1", "precision" or "top"; empty is "balanced".
	For WishKind `json:"for"`
	// Value is the least precision, or the share of the images, 0 to 1; the
	// others have none.
	Value float64 `json:"value,omitempty"`
}

// WishKind is what a threshold is chosen for.
type WishKind string

// The wishes.
const (
	// WishBalanced decides at score 0, the boundary of the class-weighted
	// model: with balanced classes the place of best balanced accuracy. No
	// rating is used to find it.
	WishBalanced WishKind = "balanced"
	// WishF1 decides where F1 is best.
	WishF1 WishKind = "f1"
	// WishPrecision lets as many images count as liked as keep the precision.
	WishPrecision WishKind = "precision"
	// WishTop lets the given share of the images count as liked.
	WishTop WishKind = "top"
)

// ParseWish reads "balanced", "f1", "precision:0.9" or "top:5%".
func ParseWish(s string) (Wish, error) {
	name, value, given := strings.Cut(s, ":")
	w := Wish{For: WishKind(name)}
	if given {
		share, percent := strings.CutSuffix(value, "%")
		v, err := strconv.ParseFloat(strings.TrimSpace(share), 64)
		if err != nil {
			return Wish{}, invalid("threshold %q: %q is no number", s, value)
		}
		if percent {
			v /= 100
		}
		w.Value = v
	}
	return w, w.validate()
}

// String gives the form that ParseWish reads.
func (w Wish) String() string {
	switch w.For {
	case "":
		return string(WishBalanced)
	case WishPrecision, WishTop:
		return fmt.Sprintf("%s:%g", w.For, w.Value)
	}
	return string(w.For)
}

func (w Wish) validate() error {
	switch w.For {
	case "", WishBalanced, WishF1:
		if w.Value != 0 {
			return invalid("a threshold for %s has no value, got %g", w, w.Value)
		}
	case WishPrecision, WishTop:
		if !(w.Value > 0 && w.Value <= 1) {
			return invalid("a threshold for %s is wished at %g, want more than 0 and at most 1, as precision:0.9 or top:5%%", w.For, w.Value)
		}
	default:
		return invalid("threshold for %q, want balanced, f1, precision:P or top:N%%", string(w.For))
	}
	return nil
}

// Boundary is the score from which on an image counts as liked.
type Boundary struct {
	Score float64 `json:"score"`
	// Met is false where no threshold gives the precision that was wished:
	// then it is where the precision is highest.
	Met bool `json:"met"`
}

// boundary finds the boundary among scores of one scale, which the scored had
// no part in.
func (w Wish) boundary(scores []float64, liked []bool) Boundary {
	if w.For == "" || w.For == WishBalanced {
		return Boundary{Met: true}
	}
	order := byScore(scores)
	slices.Reverse(order)
	best, bestValue, met := Boundary{}, -1., false
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
		switch w.For {
		case WishF1:
			if f1 := 2 * float64(found) / float64(i+likes); f1 > bestValue {
				best, bestValue, met = Boundary{Score: at}, f1, true
			}
		case WishPrecision:
			if precision >= w.Value || !met && precision > bestValue {
				best, bestValue, met = Boundary{Score: at}, precision, met || precision >= w.Value
			}
		case WishTop:
			if bestValue < 0 || float64(i) <= w.Value*float64(len(order))+.5 {
				best, bestValue, met = Boundary{Score: at}, 0, true
			}
		}
	}
	best.Met = met
	return best
}

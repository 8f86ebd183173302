package judge

import (
	"cmp"
	"math"
	"slices"
)

// Confusion counts decisions against what was said.
type Confusion struct {
	TrueLikes     int `json:"true_likes"`     // liked, and decided so
	FalseLikes    int `json:"false_likes"`    // disliked, but decided as liked
	TrueDislikes  int `json:"true_dislikes"`  // disliked, and decided so
	FalseDislikes int `json:"false_dislikes"` // liked, but decided as disliked
}

// NewConfusion decides "liked" where the score is at least the threshold.
// The slices must have the same length, above 0, and scores must be finite;
// otherwise it is palate.ErrInvalid, as in all metrics.
func NewConfusion(scores []float64, liked []bool, threshold float64) (Confusion, error) {
	var c Confusion
	if err := checkScores(scores, liked); err != nil {
		return c, err
	}
	for i, s := range scores {
		c.count(s >= threshold, liked[i])
	}
	return c, nil
}

func (c *Confusion) count(decided, liked bool) {
	switch {
	case decided && liked:
		c.TrueLikes++
	case decided:
		c.FalseLikes++
	case liked:
		c.FalseDislikes++
	default:
		c.TrueDislikes++
	}
}

// Accuracy is the share of right decisions.
func (c Confusion) Accuracy() float64 {
	return ratio(c.TrueLikes+c.TrueDislikes, c.TrueLikes+c.TrueDislikes+c.FalseLikes+c.FalseDislikes)
}

// Precision is the share of likes among what was decided as liked, 0 if
// nothing was.
func (c Confusion) Precision() float64 { return ratio(c.TrueLikes, c.TrueLikes+c.FalseLikes) }

// Recall is the share of the likes that was found, 0 if there are none.
func (c Confusion) Recall() float64 { return ratio(c.TrueLikes, c.TrueLikes+c.FalseDislikes) }

// F1 is the harmonic mean of precision and recall, 0 if both are 0.
func (c Confusion) F1() float64 {
	return ratio(2*c.TrueLikes, 2*c.TrueLikes+c.FalseLikes+c.FalseDislikes)
}

// BalancedAccuracy is the mean share of right decisions over the classes
// that occur.
func (c Confusion) BalancedAccuracy() float64 {
	likes, dislikes := c.TrueLikes+c.FalseDislikes, c.TrueDislikes+c.FalseLikes
	switch {
	case likes == 0:
		return ratio(c.TrueDislikes, dislikes)
	case dislikes == 0:
		return c.Recall()
	}
	return (c.Recall() + ratio(c.TrueDislikes, dislikes)) / 2
}

// MCC is Matthews' correlation coefficient, 0 where it is not defined.
func (c Confusion) MCC() float64 {
	tp, fp, tn, fn := float64(c.TrueLikes), float64(c.FalseLikes), float64(c.TrueDislikes), float64(c.FalseDislikes)
	denominator := math.Sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
	if denominator == 0 {
		return 0
	}
	return (tp*tn - fp*fn) / denominator
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// AveragePrecision is Σ (R_k - R_{k-1})·P_k over the distinct scores from the
// highest down, without interpolation, as in scikit-learn; images of equal
// score are taken together. Without a like it is palate.ErrInvalid.
func AveragePrecision(scores []float64, liked []bool) (float64, error) {
	if err := checkScores(scores, liked); err != nil {
		return 0, err
	}
	likes := countLikes(liked)
	if likes == 0 {
		return 0, invalid("average precision without a like is not defined")
	}
	order := byScore(scores)
	slices.Reverse(order)
	var sum float64
	var found int
	for i := 0; i < len(order); {
		score, before := scores[order[i]], found
		for ; i < len(order) && scores[order[i]] == score; i++ {
			if liked[order[i]] {
				found++
			}
		}
		sum += float64(found-before) / float64(likes) * float64(found) / float64(i)
	}
	return sum, nil
}

// LogLoss is the mean of -log of the probability that was given to what was
// said; a probability is held off 0 and 1 by float64's precision, as in
// scikit-learn. Values outside [0, 1] are palate.ErrInvalid.
func LogLoss(probabilities []float64, liked []bool) (float64, error) {
	if err := checkProbabilities(probabilities, liked); err != nil {
		return 0, err
	}
	var sum float64
	for i, p := range probabilities {
		sum += lossAt(p, liked[i])
	}
	return sum / float64(len(liked)), nil
}

func lossAt(p float64, liked bool) float64 {
	const epsilon = 0x1p-52
	if !liked {
		p = 1 - p
	}
	return -math.Log(min(max(p, epsilon), 1-epsilon))
}

// Brier is the mean squared distance of the probability from what was said
// (Brier, Verification of forecasts expressed in terms of probability,
// Monthly Weather Review 78, 1950).
func Brier(probabilities []float64, liked []bool) (float64, error) {
	if err := checkProbabilities(probabilities, liked); err != nil {
		return 0, err
	}
	var sum float64
	for i, p := range probabilities {
		if liked[i] {
			p = 1 - p
		}
		sum += p * p
	}
	return sum / float64(len(liked)), nil
}

// CalibrationError is how far the probabilities are from the shares of likes
// that they stand for: the root of the mean square of that distance over bins
// of equally many, ten at most and of ten or more each. Of what was said only a
// sample is known, which lies off the truth by chance alone; so the square is
// taken between different examples of a bin, whose chance errors are
// independent, and is right in the mean (Widmann, Lindsten and Zachariah,
// Calibration tests in multi-class classification: a unifying framework,
// NeurIPS 2019). Where it comes out below 0 there is nothing to be seen, and
// it is 0. It has no interval: near 0 neither the bootstrap's nor the normal
// one holds the truth as often as it says.
func CalibrationError(probabilities []float64, liked []bool) (float64, error) {
	if err := checkProbabilities(probabilities, liked); err != nil {
		return 0, err
	}
	return calibrationError(byScore(probabilities), probabilities, liked), nil
}

const mostCalibrationBins, leastInBin = 10, 10

// calibrationError takes the places of the probabilities in either order.
func calibrationError(order []int, probabilities []float64, liked []bool) float64 {
	n := len(order)
	bins := min(mostCalibrationBins, max(1, n/leastInBin))
	var square float64
	for bin := range bins {
		members := order[bin*n/bins : (bin+1)*n/bins]
		var sum, squares float64
		for _, i := range members {
			r := -probabilities[i]
			if liked[i] {
				r++
			}
			sum, squares = sum+r, squares+r*r
		}
		if m := float64(len(members)); m > 1 {
			square += m / float64(n) * (sum*sum - squares) / (m * (m - 1))
		}
	}
	return math.Sqrt(max(square, 0))
}

func checkScores(scores []float64, liked []bool) error {
	if len(scores) != len(liked) || len(liked) == 0 {
		return invalid("%d scores and %d labels, want as many of each, above 0", len(scores), len(liked))
	}
	for i, s := range scores {
		if math.IsNaN(s) || math.IsInf(s, 0) {
			return invalid("score %d is %v", i, s)
		}
	}
	return nil
}

func checkProbabilities(probabilities []float64, liked []bool) error {
	if err := checkScores(probabilities, liked); err != nil {
		return err
	}
	for i, p := range probabilities {
		if p < 0 || p > 1 {
			return invalid("probability %d is %v, want 0 to 1", i, p)
		}
	}
	return nil
}

func countLikes(liked []bool) (n int) {
	for _, l := range liked {
		if l {
			n++
		}
	}
	return n
}

// byScore gives the places of the scores in ascending order.
func byScore(scores []float64) []int {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[a], scores[b]) })
	return order
}

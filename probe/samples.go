package probe

import "math"

// Samples are rows of features with what was said of them. Fit reads them and
// keeps nothing.
type Samples struct {
	Rows    [][]float32 // all of one length
	Liked   []bool      // one for each row
	Weights []float64   // one above 0 for each row, or nil: each is 1
}

func (s Samples) weight(i int) float64 {
	if s.Weights == nil {
		return 1
	}
	return s.Weights[i]
}

// meanLoss is the weighted mean of the log-loss.
func (s Samples) meanLoss(weights []float64, bias float64) float64 {
	var sum, total float64
	add := func(i int, margin float64) {
		if !s.Liked[i] {
			margin = -margin
		}
		loss, _ := logLoss(margin)
		sum += s.weight(i) * loss
		total += s.weight(i)
	}
	i := 0
	for ; i+4 <= len(s.Rows); i += 4 {
		z0, z1, z2, z3 := dot4(weights, s.Rows[i], s.Rows[i+1], s.Rows[i+2], s.Rows[i+3])
		add(i, z0+bias)
		add(i+1, z1+bias)
		add(i+2, z2+bias)
		add(i+3, z3+bias)
	}
	for ; i < len(s.Rows); i++ {
		add(i, dot(weights, s.Rows[i])+bias)
	}
	return sum / total
}

// totals are the sums of the weights of likes and of dislikes.
func (s Samples) totals() (likes, dislikes float64) {
	for i, liked := range s.Liked {
		if liked {
			likes += s.weight(i)
		} else {
			dislikes += s.weight(i)
		}
	}
	return likes, dislikes
}

// prior is the intercept that fits best when all weights are 0.
func (s Samples) prior() float64 {
	likes, dislikes := s.totals()
	return math.Log(likes / dislikes)
}

func (s Samples) validate(bothClasses bool) error {
	if len(s.Rows) == 0 {
		return invalid("no samples")
	}
	if len(s.Liked) != len(s.Rows) || s.Weights != nil && len(s.Weights) != len(s.Rows) {
		return invalid("%d rows, %d labels and %d weights, want as many of each", len(s.Rows), len(s.Liked), len(s.Weights))
	}
	dim := len(s.Rows[0])
	for i, row := range s.Rows {
		if len(row) != dim || dim == 0 {
			return invalid("row %d has %d values and row 0 has %d, want the same above 0", i, len(row), dim)
		}
		for j, x := range row {
			if f := float64(x); math.IsNaN(f) || math.IsInf(f, 0) {
				return invalid("value %d of row %d is %v", j, i, x)
			}
		}
		if !positive(s.weight(i)) {
			return invalid("the weight of row %d is %v, want more than 0", i, s.weight(i))
		}
	}
	if likes, dislikes := s.totals(); bothClasses && (likes == 0 || dislikes == 0) {
		return invalid("the samples are of one class")
	}
	return nil
}

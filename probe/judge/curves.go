package judge

import "slices"

// Point is a point of a curve.
type Point struct{ X, Y float64 }

// ROC is the curve of the share of likes found (Y) over the share of dislikes
// taken for likes (X), from (0, 0) to (1, 1), as the threshold falls. Both
// verdicts must be there.
func ROC(scores []float64, liked []bool) ([]Point, error) {
	if err := checkScores(scores, liked); err != nil {
		return nil, err
	}
	likes := countLikes(liked)
	if likes == 0 || likes == len(liked) {
		return nil, invalid("the ROC curve of one class is not defined")
	}
	points := []Point{{0, 0}}
	falling(scores, liked, func(found, seen int) {
		points = append(points, Point{float64(seen-found) / float64(len(liked)-likes), float64(found) / float64(likes)})
	})
	return points, nil
}

// PrecisionRecall is the curve of precision (Y) over recall (X) as the
// threshold falls; average precision is the area of its steps. There must be
// a like.
func PrecisionRecall(scores []float64, liked []bool) ([]Point, error) {
	if err := checkScores(scores, liked); err != nil {
		return nil, err
	}
	likes := countLikes(liked)
	if likes == 0 {
		return nil, invalid("precision and recall without a like are not defined")
	}
	var points []Point
	falling(scores, liked, func(found, seen int) {
		points = append(points, Point{float64(found) / float64(likes), float64(found) / float64(seen)})
	})
	return points, nil
}

// falling calls visit after each distinct score, the highest first, with the
// number of likes among those that are at least as high.
func falling(scores []float64, liked []bool, visit func(found, seen int)) {
	order := byScore(scores)
	slices.Reverse(order)
	found := 0
	for i := 0; i < len(order); {
		for score := scores[order[i]]; i < len(order) && scores[order[i]] == score; i++ {
			if liked[order[i]] {
				found++
			}
		}
		visit(found, i)
	}
}

// Bin is the images of about one probability.
type Bin struct {
	Probability float64 // mean of what was predicted
	Likes       float64 // share of likes
	Images      int
}

// Reliability sorts predictions into bins of equal width and leaves out empty
// ones.
func Reliability(probabilities []float64, liked []bool, bins int) ([]Bin, error) {
	if err := checkProbabilities(probabilities, liked); err != nil {
		return nil, err
	}
	if bins < 1 {
		return nil, invalid("%d bins, want 1 or more", bins)
	}
	out := make([]Bin, bins)
	for i, p := range probabilities {
		b := &out[min(int(p*float64(bins)), bins-1)]
		b.Images++
		b.Probability += p
		if liked[i] {
			b.Likes++
		}
	}
	out = slices.DeleteFunc(out, func(b Bin) bool { return b.Images == 0 })
	for i := range out {
		out[i].Probability /= float64(out[i].Images)
		out[i].Likes /= float64(out[i].Images)
	}
	return out, nil
}

package museum_test

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/palate-art/palate/internal/museum"
	"github.com/palate-art/palate/test/race"
)

// meanColours gives each work's mean red, green and blue. They hardly depend
// on the size that it is drawn at.
func meanColours(m *museum.Museum) [][3]float64 {
	const width, height = 100, 80
	out := make([][3]float64, len(m.Works()))
	for i := range out {
		for k, v := range museum.Draw(m, i, width, height) {
			if k%4 < 3 {
				out[i][k%4] += float64(v) / (width * height)
			}
		}
	}
	return out
}

// auc is the share of pairs of a liked and a disliked work in the right
// order, ties half.
func auc(scores []float64, liked []bool) float64 {
	var right, pairs float64
	for i, a := range scores {
		for j, b := range scores {
			if liked[i] && !liked[j] {
				pairs++
				if a > b {
					right++
				} else if a == b {
					right += .5
				}
			}
		}
	}
	return right / pairs
}

const folds = 5

// neighbours lists for every work those of other folds by distance of
// colour.
func neighbours(x [][3]float64) [][]int {
	out := make([][]int, len(x))
	for i := range x {
		distance := make([]float64, len(x))
		for j := range x {
			for c := range 3 {
				distance[j] += (x[i][c] - x[j][c]) * (x[i][c] - x[j][c])
			}
			if j%folds != i%folds {
				out[i] = append(out[i], j)
			}
		}
		slices.SortFunc(out[i], func(a, b int) int { return cmp.Compare(distance[a], distance[b]) })
	}
	return out
}

// byNeighbours scores every work by the likes among its k neighbours.
func byNeighbours(near [][]int, liked []bool, k int) []float64 {
	scores := make([]float64, len(near))
	for i := range near {
		for _, j := range near[i][:k] {
			if liked[j] {
				scores[i]++
			}
		}
	}
	return scores
}

// linear scores every work by a logistic regression on the colours of the
// other folds, fitted by plain gradient descent on standardised inputs.
func linear(x [][3]float64, liked []bool) []float64 {
	scores := make([]float64, len(x))
	var mean, dev [3]float64
	for c := range 3 {
		for i := range x {
			mean[c] += x[i][c] / float64(len(x))
		}
		for i := range x {
			dev[c] += (x[i][c] - mean[c]) * (x[i][c] - mean[c]) / float64(len(x))
		}
		dev[c] = math.Sqrt(dev[c])
	}
	logit := func(w [4]float64, i int) float64 {
		z := w[3]
		for c := range 3 {
			z += w[c] * (x[i][c] - mean[c]) / dev[c]
		}
		return z
	}
	for fold := range folds {
		var w [4]float64
		for range 80 {
			var grad [4]float64
			for i := range x {
				if i%folds == fold {
					continue
				}
				miss := 1 / (1 + math.Exp(-logit(w, i)))
				if liked[i] {
					miss--
				}
				for c := range 3 {
					grad[c] += miss * (x[i][c] - mean[c]) / dev[c]
				}
				grad[3] += miss
			}
			for c := range w {
				w[c] -= 2 * grad[c] / float64(len(x))
			}
		}
		for i := fold; i < len(x); i += folds {
			scores[i] = logit(w, i)
		}
	}
	return scores
}

func TestMeanColourSaysNearlyNothingOfTheStyle(t *testing.T) {
	race.Long(t)
	worstLinear, worstNear := 0.0, 0.0
	for seed := int64(1); seed <= 3; seed++ {
		m := newMuseum(t, func(c *museum.Config) { c.Seed = seed })
		colours, works, styles := meanColours(m), m.Works(), museum.Styles()
		near := neighbours(colours)
		random := rand.New(rand.NewPCG(uint64(seed), 9))
		for range 8 {
			random.Shuffle(len(styles), func(i, j int) { styles[i], styles[j] = styles[j], styles[i] })
			liked := make([]bool, len(works))
			for i, w := range works {
				liked[i] = slices.Contains(styles[:3], w.Style)
			}
			line, nearest := auc(linear(colours, liked), liked), auc(byNeighbours(near, liked, 15), liked)
			if line >= .75 || nearest >= .75 {
				t.Errorf("seed %d, %v: AUC %.3f by logistic regression, %.3f by neighbours, want below .75", seed, styles[:3], line, nearest)
			}
			worstLinear, worstNear = max(worstLinear, line), max(worstNear, nearest)
		}
	}
	t.Logf("highest AUC of mean colour: %.3f by logistic regression, %.3f by neighbours", worstLinear, worstNear)
}

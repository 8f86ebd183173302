package main

import (
	"math"
	"slices"
)

// variance is how palate asked before: six of ten by variance reduction, two
// drawn evenly and two of the best.
func variance(s *state, n int) []int {
	var out []int
	if s.learned != nil {
		out = s.best(nil, n/5)
	}
	out = s.fill(out, len(out)+n/5)
	candidates := slices.DeleteFunc(slices.Clone(s.left), func(i int) bool { return slices.Contains(out, i) })
	d := s.design(candidates[:min(len(candidates), 250)])
	for len(out) < n {
		best, most := -1, math.Inf(-1)
		for x, i := range d.pictures {
			if told := d.told(x); told > most && !slices.Contains(out, i) {
				best, most = x, told
			}
		}
		if best < 0 {
			return s.fill(out, n)
		}
		out = append(out, d.pictures[best])
		d.observe(best)
	}
	return out
}

// design is what is not known of the scores of some pictures: the posterior
// covariance of a logistic regression whose weights have a Gaussian prior of
// variance C, in its Laplace approximation, as a Gaussian process with the
// kernel C·x·y (Rasmussen and Williams, Gaussian processes for machine
// learning, 2006), a rating at x having the noise 1/(p(1−p)). Rows are taken
// from their mean. Asking what lowers the expected squared error of all
// probabilities most is A-optimality, which Schein and Ungar (Active learning
// for logistic regression: an evaluation, Machine Learning 68, 2007) found the
// most dependable.
type design struct {
	pictures   []int
	covariance [][]float64 // of the pictures
	noise      []float64   // of a rating of each
	weight     []float64   // how much the score of each matters
}

func (s *state) design(among []int) *design {
	prior := 10.
	if s.learned != nil && s.learned.Settings.Strength > 0 {
		prior = s.learned.Settings.Strength
	}
	newest := s.asked[max(0, len(s.asked)-150):]
	all := append(slices.Clone(newest), among...)
	d := &design{pictures: among}
	for _, i := range all {
		curvature := .25
		if s.learned != nil {
			q := 1 / (1 + math.Exp(-s.learned.Score(s.rows[i])))
			curvature = max(q*(1-q), 1e-3)
		}
		d.noise, d.weight = append(d.noise, 1/curvature), append(d.weight, curvature*curvature)
	}
	// Products of rows less their mean, from distances: those of a row with
	// all, of all with each other.
	n := float64(len(all))
	means, total := make([]float64, len(all)), 0.
	for k, i := range all {
		for _, j := range all {
			means[k] += float64(s.distances[i][j]) / n
		}
		total += means[k] / n
	}
	for k, i := range all {
		row := make([]float64, len(all))
		for l, j := range all {
			row[l] = -prior / 2 * (float64(s.distances[i][j]) - means[k] - means[l] + total)
		}
		d.covariance = append(d.covariance, row)
	}
	for k := range newest {
		d.observe(k)
	}
	d.covariance = d.covariance[len(newest):]
	for k, row := range d.covariance {
		d.covariance[k] = row[len(newest):]
	}
	d.noise, d.weight = d.noise[len(newest):], d.weight[len(newest):]
	return d
}

// observe takes account of a rating of picture x, whatever it says.
func (d *design) observe(x int) {
	row := append([]float64(nil), d.covariance[x]...)
	total := row[x] + d.noise[x]
	for i, v := range row {
		share := v / total
		if share == 0 {
			continue
		}
		other := d.covariance[i]
		for j, w := range row {
			other[j] -= share * w
		}
	}
}

// told is by how much a rating of picture x would lower the expected squared
// error of the probabilities of all pictures together.
func (d *design) told(x int) (sum float64) {
	row := d.covariance[x]
	for j := range d.pictures {
		sum += d.weight[j] * row[j] * row[j]
	}
	return sum / (row[x] + d.noise[x])
}

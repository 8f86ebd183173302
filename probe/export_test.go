package probe

import (
	"context"

	"github.com/palate-art/palate"
)

// Objective gives the tests the function that Fit minimises and its gradient.
func Objective(s Samples, o FitOptions) (value func([]float64) float64, gradient func(grad, theta []float64)) {
	obj := newObjective(s, newFrame(s, o.Standardise), o)
	return obj.value, obj.gradient
}

// Kernels lets the tests hold the fast forms to the plain ones.
var Kernels = struct {
	Dot4, Dot4Plain           func(w []float64, a, b, c, d []float32) (s0, s1, s2, s3 float64)
	Add4, Add4Plain           func(g []float64, r0, r1, r2, r3 float64, a, b, c, d []float32)
	Products8, Products8Plain func(a, b, w, x, y, z []float32, out *[8]float32)
}{dot4, dot4Plain, add4, add4Plain, products8, products8Plain}

// GroupsWith gives the tests the first picture of each picture's group, as a
// search with these comparisons finds it.
func GroupsWith(ctx context.Context, examples []Example, c *Comparisons) (map[palate.ImageID]palate.ImageID, error) {
	s, err := collect(ctx, examples, c)
	if err != nil {
		return nil, err
	}
	first := make(map[int]palate.ImageID)
	out := make(map[palate.ImageID]palate.ImageID)
	for i, e := range s.examples {
		if _, seen := first[s.Group(i)]; !seen {
			first[s.Group(i)] = e.Image
		}
		out[e.Image] = first[s.Group(i)]
	}
	return out, nil
}

// Choose gives the tests the kind that auto takes, and the share of logistic
// regression in a blend.
func Choose(works int, beats func(k, other int) (difference, standardError float64)) (string, float64) {
	taken, share := choose(works, beats)
	return []string{Logistic.Name(), Centroid.Name(), Blend.Name(), KNN.Name()}[taken], share
}

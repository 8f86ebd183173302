package probe

// Objective gives the tests the function that Fit minimises and its gradient.
func Objective(s Samples, o FitOptions) (value func([]float64) float64, gradient func(grad, theta []float64)) {
	obj := newObjective(s, newFrame(s, o.Standardise), o)
	return obj.value, obj.gradient
}

// Kernels lets the tests hold the fast forms to the plain ones.
var Kernels = struct {
	Dot4, Dot4Plain func(w []float64, a, b, c, d []float32) (s0, s1, s2, s3 float64)
	Add4, Add4Plain func(g []float64, r0, r1, r2, r3 float64, a, b, c, d []float32)
}{dot4, dot4Plain, add4, add4Plain}

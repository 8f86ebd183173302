package probe

// Objective gives the tests the function that Fit minimises and its gradient.
func Objective(s Samples, o FitOptions) (value func([]float64) float64, gradient func(grad, theta []float64)) {
	obj := newObjective(s, newFrame(s, o.Standardise), o)
	return obj.value, obj.gradient
}

// Calibrate lets the tests choose a calibration by held-out scores.
var Calibrate = calibrate

package probe_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

func TestAPathReachesTheOptimumOfEveryStrengthInFewerSteps(t *testing.T) {
	s := balance(samplesOf(museum.draw(1, 300)))
	held := samplesOf(museum.draw(2, 100))
	strengths := []float64{.1, .3, 1, 3, 10, 30}
	for _, standardise := range []bool{false, true} {
		o := probe.FitOptions{Tolerance: 1e-12, Standardise: standardise, HeldOut: &held}
		path, err := probe.Path(t.Context(), s, strengths, o)
		if err != nil {
			t.Fatal(err)
		}
		var warm, cold int
		for i, c := range strengths {
			o.C = c
			alone, err := probe.Fit(t.Context(), s, o)
			if err != nil {
				t.Fatal(err)
			}
			if d := math.Abs(path[i].Objective-alone.Objective) / alone.Objective; d > 1e-10 {
				t.Errorf("standardise=%v C=%g: objective %v on the path, %v alone", standardise, c, path[i].Objective, alone.Objective)
			}
			if math.Abs(path[i].HeldOutLoss-alone.HeldOutLoss) > 1e-5 || path[i].HeldOutLoss == 0 {
				t.Errorf("standardise=%v C=%g: held-out loss %v on the path, %v alone", standardise, c, path[i].HeldOutLoss, alone.HeldOutLoss)
			}
			warm, cold = warm+path[i].Ran, cold+alone.Ran
		}
		if warm >= cold {
			t.Errorf("standardise=%v: %d iterations along the path, %d alone", standardise, warm, cold)
		}
	}
	for name, call := range map[string]func() error{
		"descending": func() error {
			_, err := probe.Path(t.Context(), s, []float64{3, 1}, probe.FitOptions{})
			return err
		},
		"none": func() error { _, err := probe.Path(t.Context(), s, nil, probe.FitOptions{}); return err },
		"patience": func() error {
			_, err := probe.Path(t.Context(), s, strengths, probe.FitOptions{HeldOut: &held, Patience: 3})
			return err
		},
	} {
		if err := call(); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
}

// Without patience the strengths are a path; it must choose as well.
func TestTrainWithoutPatience(t *testing.T) {
	c := settings()
	c.Patience = 0
	p, report := train(t, museum.draw(1, 120), c)
	if !p.Settings.Converged || report.AUC < .8 {
		t.Errorf("converged %v, AUC %.3f, want a converged probe of .8 or more", p.Settings.Converged, report.AUC)
	}
	for _, s := range report.Stops {
		if math.Abs(s.Gain) > 1e-6 {
			t.Errorf("stop %+v gains against convergence, at convergence", s)
		}
	}
	if !slices.IsSortedFunc(report.Strengths, func(a, b judge.StrengthLoss) int { return int(math.Copysign(1, a.Strength-b.Strength)) }) {
		t.Errorf("strengths %v out of order", report.Strengths)
	}
}

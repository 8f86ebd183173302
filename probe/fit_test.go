package probe_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/diff/fd"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe"
)

func samplesOf(examples []probe.Example) probe.Samples {
	var s probe.Samples
	for _, e := range examples {
		s.Rows, s.Liked = append(s.Rows, e.Embedding), append(s.Liked, e.Liked)
	}
	return s
}

func TestGradientIsThatOfTheObjective(t *testing.T) {
	w := world{dim: 13, styles: 4, liked: 2, spread: 1}
	for _, n := range []int{7, 600} { // one block, and several with a rest
		s := samplesOf(w.draw(3, n))
		s = weigh(s, 2, .5)
		for _, standardise := range []bool{false, true} {
			value, gradient := probe.Objective(s, probe.FitOptions{C: 3, Standardise: standardise, Parallelism: 2})
			random := rand.New(rand.NewPCG(4, 4))
			theta, got := make([]float64, w.dim+1), make([]float64, w.dim+1)
			for j := range theta {
				theta[j] = random.NormFloat64()
			}
			gradient(got, theta)
			want := fd.Gradient(nil, value, theta, &fd.Settings{Formula: fd.Central})
			for j := range want {
				if math.Abs(got[j]-want[j]) > 1e-5*(1+math.Abs(want[j])) {
					t.Errorf("n=%d standardise=%v: gradient %d is %v, want %v", n, standardise, j, got[j], want[j])
				}
			}
		}
	}
}

func TestEarlyStoppingKeepsTheBestState(t *testing.T) {
	w := world{dim: 200, styles: 8, liked: 3, spread: 2, flips: .2}
	train, held := samplesOf(w.draw(5, 80)), samplesOf(w.draw(6, 80))
	o := probe.FitOptions{C: 1000, Tolerance: 1e-14, HeldOut: &held}
	whole, err := probe.Fit(t.Context(), train, o)
	if err != nil {
		t.Fatal(err)
	}
	o.Patience = 5
	early, err := probe.Fit(t.Context(), train, o)
	if err != nil {
		t.Fatal(err)
	}
	if early.Ran >= whole.Ran {
		t.Errorf("stopped after %d iterations, convergence takes %d", early.Ran, whole.Ran)
	}
	if early.Ran != early.Iterations+5 {
		t.Errorf("ran %d iterations, want the best one (%d) and 5 more", early.Ran, early.Iterations)
	}
	if got, want := early.HeldOutLoss, slices.Min(early.HeldOutLosses); got != want || got >= whole.HeldOutLoss {
		t.Errorf("kept a held-out loss of %v, want the least, %v, and less than at convergence, %v", got, want, whole.HeldOutLoss)
	}
	var sum float64
	for i, row := range held.Rows {
		z := early.Logit(row)
		if !held.Liked[i] {
			z = -z
		}
		sum += math.Log1p(math.Exp(-z)) / float64(len(held.Rows))
	}
	if math.Abs(sum-early.HeldOutLoss) > 1e-9 {
		t.Errorf("the weights kept have the loss %v, want %v", sum, early.HeldOutLoss)
	}
}

// TestStrongRegularisationLeavesNothingUnfitted looks where the objective
// hardly feels the weights: how far they and the intercept are off their
// optimum, by its conditions, as a share of the largest weight.
func TestStrongRegularisationLeavesNothingUnfitted(t *testing.T) {
	w := world{dim: 128, styles: 6, liked: 2, spread: .5}
	s := weigh(samplesOf(w.draw(8, 500)), .1, 2.5)
	for _, c := range []float64{1e-5, 1e-4, 1e-3, 1e-2} {
		f, err := probe.Fit(t.Context(), s, probe.FitOptions{C: c, Tolerance: probe.DefaultConfig().Tolerance})
		if err != nil {
			t.Fatal(err)
		}
		want := make([]float64, w.dim) // w = C·Σ s·y·σ(-y·logit)·x
		var slope, curvature float64   // of the objective along the intercept
		for i, row := range s.Rows {
			sign := -1.
			if s.Liked[i] {
				sign = 1
			}
			wrong := 1 / (1 + math.Exp(sign*f.Logit(row)))
			slope += s.Weights[i] * sign * wrong
			curvature += s.Weights[i] * wrong * (1 - wrong)
			for j, x := range row {
				want[j] += c * s.Weights[i] * sign * wrong * float64(x)
			}
		}
		var largest float64
		worst := math.Abs(slope / curvature)
		for j, got := range f.Weights {
			largest, worst = max(largest, math.Abs(want[j])), max(worst, math.Abs(got-want[j]))
		}
		t.Logf("C=%g: %d iterations, off by %.2g of the largest weight", c, f.Ran, worst/largest)
		if !f.Converged || !(worst <= 1e-4*largest) {
			t.Errorf("C=%g: converged %v, off by %.2g of the largest weight, want 1e-4 at most", c, f.Converged, worst/largest)
		}
	}
}

func TestFitIsTheSameWhateverTheParallelism(t *testing.T) {
	s := samplesOf(museum.draw(7, 1500))
	var want *probe.Fitted
	for _, parallelism := range []int{1, 2, 7} {
		got, err := probe.Fit(t.Context(), s, probe.FitOptions{C: 10, Tolerance: 1e-10, Parallelism: parallelism})
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		} else if !slices.Equal(got.Weights, want.Weights) || got.Bias != want.Bias {
			t.Errorf("parallelism %d gives other weights than 1", parallelism)
		}
	}
}

// Fits that can only end by rounding do end, and at the optimum.
func TestFitEndsWhereRoundingEndsTheDescent(t *testing.T) {
	for seed := range uint64(20) {
		s := samplesOf(museum.draw(seed, 60))
		got, err := probe.Fit(t.Context(), s, probe.FitOptions{C: 1000, Tolerance: 0})
		if err != nil || !got.Converged {
			t.Errorf("seed %d: %+v, %v", seed, got, err)
		}
	}
}

func TestAConstantFeatureIsHarmless(t *testing.T) {
	s := samplesOf(museum.draw(8, 100))
	with := probe.Samples{Liked: s.Liked}
	for _, row := range s.Rows {
		with.Rows = append(with.Rows, append(slices.Clone(row), .3))
	}
	for _, standardise := range []bool{false, true} {
		o := probe.FitOptions{C: 1, Standardise: standardise, Tolerance: 1e-14}
		want, err := probe.Fit(t.Context(), s, o)
		if err != nil {
			t.Fatal(err)
		}
		got, err := probe.Fit(t.Context(), with, o)
		if err != nil {
			t.Fatal(err)
		}
		for i := range s.Rows {
			if a, b := got.Logit(with.Rows[i]), want.Logit(s.Rows[i]); math.Abs(a-b) > 1e-4*(1+math.Abs(b)) {
				t.Fatalf("standardise=%v: logit %d is %v with a constant feature, %v without", standardise, i, a, b)
			}
		}
	}
}

// asked is a context that is done once it has been asked some times, however
// fast the machine is.
type asked struct {
	context.Context
	left int
}

func (a *asked) Err() error {
	if a.left--; a.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestFitEndsWithItsContext(t *testing.T) {
	s := samplesOf(museum.draw(9, 2000))
	for _, times := range []int{0, 1, 5} {
		if _, err := probe.Fit(&asked{t.Context(), times}, s, probe.FitOptions{C: 1e6}); !errors.Is(err, context.Canceled) {
			t.Errorf("done when asked %d times: got %v, want the context's error", times, err)
		}
	}
}

func TestFitRefusesWhatItCantFit(t *testing.T) {
	nan := float32(math.NaN())
	two := []bool{true, false}
	for name, tt := range map[string]struct {
		s probe.Samples
		o probe.FitOptions
	}{
		"nothing":        {probe.Samples{}, probe.FitOptions{C: 1}},
		"one class":      {probe.Samples{Rows: [][]float32{{1}, {2}}, Liked: []bool{true, true}}, probe.FitOptions{C: 1}},
		"other lengths":  {probe.Samples{Rows: [][]float32{{1}, {2, 3}}, Liked: two}, probe.FitOptions{C: 1}},
		"NaN":            {probe.Samples{Rows: [][]float32{{1}, {nan}}, Liked: two}, probe.FitOptions{C: 1}},
		"labels missing": {probe.Samples{Rows: [][]float32{{1}, {2}}, Liked: two[:1]}, probe.FitOptions{C: 1}},
		"weight 0":       {probe.Samples{Rows: [][]float32{{1}, {2}}, Liked: two, Weights: []float64{1, 0}}, probe.FitOptions{C: 1}},
		"no strength":    {probe.Samples{Rows: [][]float32{{1}, {2}}, Liked: two}, probe.FitOptions{}},
		"no held-out":    {probe.Samples{Rows: [][]float32{{1}, {2}}, Liked: two}, probe.FitOptions{C: 1, Patience: 2}},
	} {
		if _, err := probe.Fit(t.Context(), tt.s, tt.o); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
}

func BenchmarkFit(b *testing.B) {
	w := world{dim: 768, styles: 8, liked: 3, spread: 2, flips: .08}
	for _, n := range []int{200, 2000} {
		s := balance(samplesOf(w.draw(1, n)))
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			for b.Loop() {
				if _, err := probe.Fit(b.Context(), s, probe.FitOptions{C: 10, Tolerance: 1e-9}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkTrain(b *testing.B) {
	w := world{dim: 768, styles: 8, liked: 3, spread: 2, flips: .08}
	for _, n := range []int{200, 2000} {
		examples := w.draw(1, n)
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			for b.Loop() {
				if _, _, err := probe.Train(b.Context(), examples, model, settings()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

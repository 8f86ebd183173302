package judge_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe/judge"
)

func TestSpearmanAveragesTies(t *testing.T) {
	for name, tt := range map[string]struct {
		a, b []float64
		want float64
	}{
		"the same order":  {[]float64{1, 2, 9}, []float64{-5, 0, .1}, 1},
		"the other order": {[]float64{1, 2, 9}, []float64{3, 2, 1}, -1},
		// Ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4: 4.5/√(4.5·5).
		"a tie": {[]float64{1, 2, 2, 3}, []float64{1, 2, 3, 4}, 4.5 / math.Sqrt(4.5*5)},
	} {
		got, err := judge.Spearman(tt.a, tt.b)
		if err != nil || math.Abs(got-tt.want) > 1e-12 {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, tt.want)
		}
	}
	for name, tt := range map[string]struct{ a, b []float64 }{
		"one value":        {[]float64{1}, []float64{1}},
		"lengths":          {[]float64{1, 2}, []float64{1, 2, 3}},
		"no order":         {[]float64{1, 2, 3}, []float64{4, 4, 4}},
		"what is no value": {[]float64{1, math.NaN(), 3}, []float64{1, 2, 3}},
	} {
		if _, err := judge.Spearman(tt.a, tt.b); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
	if _, _, _, err := judge.SpearmanInterval([]float64{1, 2, 3}, []float64{1, 2, 3}); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("three pairs: got %v, want ErrInvalid", err)
	}
}

// starred draws pairs of a score and of stars from 1 to 5 for it.
func starred(random *rand.Rand, n int, r float64) (scores, stars []float64) {
	for range n {
		x := random.NormFloat64()
		y := r*x + math.Sqrt(1-r*r)*random.NormFloat64()
		scores, stars = append(scores, x), append(stars, max(1, min(5, math.Round(3+1.2*y))))
	}
	return scores, stars
}

func TestTheIntervalOfRhoCoversIt(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, r := range []float64{0, .4, .8} {
		truth, err := judge.Spearman(starred(random, 100_000, r))
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{20, 150} {
			const worlds = 500
			covered := 0
			for range worlds {
				_, low, high, err := judge.SpearmanInterval(starred(random, n, r))
				if err != nil {
					t.Fatal(err)
				}
				if low <= truth && truth <= high {
					covered++
				}
			}
			share := float64(covered) / worlds
			t.Logf("r %v, n %d: rho %.3f is held by %.3f", r, n, truth, share)
			if share < .92 || share > .985 {
				t.Errorf("r %v, n %d: the interval holds rho in %.3f of the worlds, want .92 to .985", r, n, share)
			}
		}
	}
}

func TestTheIntervalOfFewRatersCoversTheMean(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{2, 3, 4, 14, 37} {
		const worlds = 4000
		covered := 0
		for range worlds {
			values := make([]float64, n)
			for i := range values {
				values[i] = .5 + .2*random.NormFloat64()
			}
			_, low, high, err := judge.MeanInterval(values)
			if err != nil {
				t.Fatal(err)
			}
			if low <= .5 && .5 <= high {
				covered++
			}
		}
		if share := float64(covered) / worlds; math.Abs(share-.95) > .014 {
			t.Errorf("%d raters: the interval holds the mean in %.3f of the worlds, want .95", n, share)
		}
	}
	if _, _, _, err := judge.MeanInterval([]float64{1}); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("one value: got %v, want ErrInvalid", err)
	}
}

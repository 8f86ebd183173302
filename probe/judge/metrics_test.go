package judge_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe/judge"
)

func TestTheIntervalOfTheAUCCoversIt(t *testing.T) {
	const truth = .83 // Φ(δ/√2) at δ = 1.35
	random := rand.New(rand.NewPCG(1, 1))
	covered := 0
	const rounds = 400
	for range rounds {
		var scores []float64
		var liked []bool
		for i := range 80 {
			like := i%3 == 0
			s := random.NormFloat64()
			if like {
				s += 1.35
			}
			scores, liked = append(scores, s), append(liked, like)
		}
		_, low, high, err := judge.AUCInterval(scores, liked)
		if err != nil {
			t.Fatal(err)
		}
		if low <= truth && truth <= high {
			covered++
		}
	}
	if share := float64(covered) / rounds; share < .92 || share > .98 {
		t.Errorf("%.3f of the 95 %% intervals contain the truth", share)
	}
}

func TestTheAUCOfSeparatedClassesIsNotCertain(t *testing.T) {
	for _, tt := range []struct {
		likes, dislikes int
		lowest, highest float64 // where the lower end may be
	}{{5, 5, .5, .8}, {1, 10, .2, .8}, {100, 100, .95, .995}} {
		var scores []float64
		var liked []bool
		for i := range tt.likes + tt.dislikes {
			scores, liked = append(scores, -float64(i)), append(liked, i < tt.likes)
		}
		auc, low, high, err := judge.AUCInterval(scores, liked)
		if err != nil || auc != 1 || high != 1 || low < tt.lowest || low > tt.highest {
			t.Errorf("%d and %d separated: %v [%v, %v] (%v), want 1 [%v to %v, 1]", tt.likes, tt.dislikes, auc, low, high, err, tt.lowest, tt.highest)
		}
	}
}

func TestMetricsRefuseWhatIsNotDefined(t *testing.T) {
	for name, metric := range map[string]func([]float64, []bool) error{
		"AUC":               func(s []float64, l []bool) error { _, err := judge.AUC(s, l); return err },
		"average precision": func(s []float64, l []bool) error { _, err := judge.AveragePrecision(s, l); return err },
	} {
		if err := metric([]float64{1, 2}, []bool{false, false}); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s without a like: got %v, want ErrInvalid", name, err)
		}
	}
	if _, err := judge.Brier([]float64{1.1}, []bool{true}); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("a probability of 1.1: got %v, want ErrInvalid", err)
	}
	if _, err := judge.LogLoss([]float64{math.NaN()}, []bool{true}); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("a probability that is NaN: got %v, want ErrInvalid", err)
	}
	if _, err := judge.NewIsotonic(nil, nil); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("isotonic regression of nothing: got %v, want ErrInvalid", err)
	}
}

func TestCalibrationErrorIsTheDistanceByBins(t *testing.T) {
	// Bin [.2, .3): mean probability .25, one like of two; bin [.9, 1]: .95,
	// none of two.
	got, err := judge.ExpectedCalibrationError([]float64{.2, .3 - 1e-12, .9, 1}, []bool{true, false, false, false}, 10)
	if want := (.25*2 + .95*2) / 4; err != nil || math.Abs(got-want) > 1e-9 {
		t.Errorf("got %v (%v), want %v", got, err, want)
	}
}

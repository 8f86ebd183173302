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

// The calibration error of what is calibrated is about 0 however few were
// judged, and of what is not, what it is off by.
func TestCalibrationErrorIsNotRaisedByChance(t *testing.T) {
	const works, draws = 200, 400
	random := rand.New(rand.NewPCG(7, 7))
	for _, off := range []float64{0, .1, .2} {
		var mean, squares, naive float64
		for range draws {
			probabilities, liked := make([]float64, works), make([]bool, works)
			for i := range probabilities {
				truth := .25 + random.Float64()/2
				liked[i] = random.Float64() < truth
				probabilities[i] = truth + off
			}
			got, err := judge.CalibrationError(probabilities, liked)
			if err != nil {
				t.Fatal(err)
			}
			mean += got / draws
			squares += got * got / draws
			naive += binned(probabilities, liked) / draws
		}
		t.Logf("off by %v: mean %.3f, root mean square %.3f, plain %.3f", off, mean, math.Sqrt(squares), naive)
		switch {
		case off > 0 && math.Abs(math.Sqrt(squares)-off) > .015:
			t.Errorf("off by %v: estimated as %.3f", off, math.Sqrt(squares))
		case off == 0 && mean > naive/2: // what comes out below 0 counts as 0, which leaves a little
			t.Errorf("off by nothing: estimated as %.3f in the mean, plainly as %.3f", mean, naive)
		}
	}
	if got, err := judge.CalibrationError([]float64{.5}, []bool{true}); err != nil || got != 0 {
		t.Errorf("of one work: %v (%v), want 0: nothing is known", got, err)
	}
}

// binned is the plain expected calibration error in ten bins of equal width.
func binned(probabilities []float64, liked []bool) (sum float64) {
	var excess [10]float64
	for i, p := range probabilities {
		bin := min(int(p*10), 9)
		excess[bin] += p
		if liked[i] {
			excess[bin]--
		}
	}
	for _, e := range excess {
		sum += math.Abs(e) / float64(len(liked))
	}
	return sum
}

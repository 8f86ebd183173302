package probe_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

func TestThresholdsByRule(t *testing.T) {
	w := world{dim: 48, styles: 10, liked: 3, spread: 2, flips: .05}
	truth := w
	truth.flips = 0
	examples, unseen := w.draw(1, 300), truth.draw(2, 1000)
	decide := func(rule string) (judge.Confusion, *probe.Probe, *judge.Report) {
		c := settings()
		var err error
		if c.Threshold, err = judge.ParseThreshold(rule); err != nil {
			t.Fatal(err)
		}
		p, report := train(t, examples, c)
		var scores []float64
		var liked []bool
		for _, e := range unseen {
			score := 0.
			if p.Liked(p.Score(e.Embedding)) {
				score = 1
			}
			scores, liked = append(scores, score), append(liked, e.Liked)
		}
		confusion, err := judge.NewConfusion(scores, liked, .5)
		if err != nil {
			t.Fatal(err)
		}
		return confusion, p, report
	}
	balanced, p, report := decide("balanced")
	if math.Abs(p.LogitAt(p.Threshold)) > 1e-6 || report.Threshold.Score != 0 || !report.Threshold.Met {
		t.Errorf("balanced: threshold at score %v, want 0", p.LogitAt(p.Threshold))
	}
	f1, _, f1Report := decide("f1")
	if f1.F1() < balanced.F1()-.03 || f1Report.F1 < report.F1-.04 {
		t.Errorf("F1 %.3f (held-out %.3f) where it is best, %.3f (%.3f) in the balance", f1.F1(), f1Report.F1, balanced.F1(), report.F1)
	}
	precise, _, preciseReport := decide("precision:0.93")
	if precise.Precision() < .88 || precise.Precision() <= balanced.Precision() {
		t.Errorf("precision %.3f where .93 was asked for, %.3f in the balance", precise.Precision(), balanced.Precision())
	}
	if got := preciseReport.Confusion.Precision(); !preciseReport.Threshold.Met || got < .8 {
		t.Errorf("met %v, held-out precision %.3f, want about .93", preciseReport.Threshold.Met, got)
	}
	top, _, _ := decide("top:10%")
	if share := float64(top.TrueLikes+top.FalseLikes) / 1000; share < .05 || share > .16 {
		t.Errorf("%.3f of the images count as liked where a tenth was asked for", share)
	}
	noise := world{dim: 10, styles: 3, flips: .5, spread: 3}.draw(3, 60)
	c := settings()
	c.Threshold = judge.ThresholdRule{For: judge.ThresholdPrecision, Value: 1}
	if _, report := train(t, noise, c); report.Threshold.Met && report.Confusion.Precision() < .5 {
		t.Logf("the highest score happened to be a like")
	}
}

func TestParseThreshold(t *testing.T) {
	for _, s := range []string{"balanced", "f1", "precision:0.9", "top:0.05"} {
		rule, err := judge.ParseThreshold(s)
		if err != nil || rule.String() != s {
			t.Errorf("%s: got %v, %v", s, rule, err)
		}
	}
	if rule, err := judge.ParseThreshold("top:5%"); err != nil || rule.Value != .05 {
		t.Errorf("top:5%%: got %v, %v", rule, err)
	}
	for _, s := range []string{"", "best", "precision", "precision:1.1", "precision:x", "top:0", "f1:3", "top:NaN"} {
		if _, err := judge.ParseThreshold(s); s != "" && !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%q: got %v, want ErrInvalid", s, err)
		}
	}
}

// What is better on held-out scores is taken: isotonic where Platt's shape
// does not fit, Platt where it does.
func TestTheBetterCalibrationWins(t *testing.T) {
	c := settings()
	c.Calibration = judge.IsotonicCalibration
	examples := museum.draw(1, 300)
	p, report := train(t, examples, c)
	if report.Calibration != judge.IsotonicCalibration || p.Calibration.Isotonic == nil {
		t.Fatalf("asked for isotonic, got %s", report.Calibration)
	}
	last := 0.
	for z := -18.; z <= 18; z += .05 {
		q := p.Probability(z)
		if q <= last || q >= 1 {
			t.Fatalf("probability %v at %v after %v: the order changes", q, z, last)
		}
		if back := p.LogitAt(q); math.Abs(p.Probability(back)-q) > 1e-9 || math.Abs(z) < 15 && math.Abs(back-z) > 1e-3*max(1, math.Abs(z)) {
			t.Fatalf("the logit of the probability at %v is %v, whose probability is off by %g", z, back, p.Probability(back)-q)
		}
		last = q
	}
	if p.LogitAt(0) != math.Inf(-1) || p.LogitAt(1) != math.Inf(1) {
		t.Errorf("logits of 0 and 1: %v and %v", p.LogitAt(0), p.LogitAt(1))
	}
	b, err := p.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var read probe.Probe
	if err := read.UnmarshalBinary(b); err != nil || read.Probability(.3) != p.Probability(.3) {
		t.Errorf("stored and read: %v, probability %v, want %v", err, read.Probability(.3), p.Probability(.3))
	}
	p.Calibration.Isotonic.Probabilities[0] = .99
	if _, err := p.MarshalBinary(); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("an isotonic calibration that falls: got %v, want ErrInvalid", err)
	}

	random := rand.New(rand.NewPCG(1, 1))
	methods := map[string]judge.CalibrationMethod{}
	for name, truth := range map[string]func(float64) float64{
		"a logistic curve": func(z float64) float64 { return 1 / (1 + math.Exp(-2*z)) },
		"two steps": func(z float64) float64 {
			if z < -1.2 {
				return .02
			} else if z < 1.2 {
				return .5
			}
			return .98
		},
	} {
		var scores []float64
		var liked []bool
		var part []int
		for i := range 1500 {
			z := 2 * random.NormFloat64()
			scores, liked, part = append(scores, z), append(liked, random.Float64() < truth(z)), append(part, i%5)
		}
		methods[name] = judge.Calibrate(scores, liked, part, 5, judge.BestCalibration).Method()
	}
	if methods["a logistic curve"] != judge.PlattCalibration || methods["two steps"] != judge.IsotonicCalibration {
		t.Errorf("got %v", methods)
	}
}

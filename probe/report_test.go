package probe_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe/judge"
)

// The metrics of the report are those of the plain functions on its
// out-of-fold predictions.
func TestTheReportAddsUp(t *testing.T) {
	_, report := train(t, museum.draw(5, 100), settings())
	var probabilities, decided []float64
	var liked []bool
	for _, p := range report.OutOfFold {
		d := 0.
		if p.Decided {
			d = 1
		}
		probabilities, decided, liked = append(probabilities, p.Probability), append(decided, d), append(liked, p.Liked)
	}
	c, err := judge.NewConfusion(decided, liked, .5)
	if err != nil || c != report.Confusion {
		t.Errorf("confusion %+v (%v), want %+v", report.Confusion, err, c)
	}
	want := map[string]float64{"auc": report.AUC, "balanced_accuracy": c.BalancedAccuracy(), "f1": c.F1(), "precision": c.Precision(),
		"recall": c.Recall(), "accuracy": c.Accuracy(), "mcc": c.MCC()}
	want["average_precision"], _ = judge.AveragePrecision(probabilities, liked)
	want["log_loss"], _ = judge.LogLoss(probabilities, liked)
	want["brier"], _ = judge.Brier(probabilities, liked)
	want["calibration_error"], _ = judge.CalibrationError(probabilities, liked)
	for _, m := range report.Metrics {
		if math.Abs(m.Value-want[m.Name]) > 1e-9 {
			t.Errorf("%s is %v, want %v", m.Name, m.Value, want[m.Name])
		}
		switch {
		case m.Name == "calibration_error":
			if m.Low != nil || m.High != nil {
				t.Errorf("%s has an interval", m.Name)
			}
		case m.Low == nil || m.High == nil || !(*m.Low < *m.High):
			t.Errorf("%s has no interval, or one from %v to %v", m.Name, m.Low, m.High)
		case m.Name == "auc" && (*m.Low != report.AUCLow || *m.High != report.AUCHigh):
			t.Errorf("the AUC has two intervals: [%v, %v] and [%v, %v]", *m.Low, *m.High, report.AUCLow, report.AUCHigh)
		}
		delete(want, m.Name)
	}
	if len(want) != 0 {
		t.Errorf("the report lacks %v", want)
	}
}

// Ratings said the wrong way round are found by what the others say.
func TestLabelFlipsAreFound(t *testing.T) {
	w := world{dim: 48, styles: 8, liked: 3, spread: 1.2}
	examples := w.draw(1, 160)
	flipped := map[palate.ImageID]bool{}
	for i := 0; i < 160; i += 20 {
		examples[i].Liked = !examples[i].Liked
		flipped[examples[i].Image] = true
	}
	_, report := train(t, examples, settings())
	found := 0
	list := judge.Mislabels(report.OutOfFold)
	for _, m := range list[:min(len(list), 10)] {
		if flipped[m.Image] {
			found++
		}
	}
	if found < 7 {
		t.Errorf("%d of the 8 flipped ratings are among the first 10 of %d doubted ones", found, len(list))
	}
	if !slices.IsSortedFunc(list, func(a, b judge.Mislabel) int { return int(math.Copysign(1, b.Doubt-a.Doubt)) }) {
		t.Error("the list does not begin with the likeliest mistakes")
	}
	if got := judge.Mislabels(report.OutOfFold[:0]); got != nil {
		t.Errorf("of nothing: %v", got)
	}
}

// The means are .7 of the likes and 1-.3 of the dislikes.
func TestWhatIsInDoubt(t *testing.T) {
	said := func(liked bool, probabilities ...float64) (out []judge.Prediction) {
		for _, p := range probabilities {
			out = append(out, judge.Prediction{Liked: liked, Probability: p})
		}
		return out
	}
	got := judge.Mislabels(append(said(true, .9, .95, .25, .7), said(false, .05, .05, 0, .8, .6)...))
	if len(got) != 3 || got[2].Probability != .6 || got[0].Probability != .8 || got[1].Probability != .25 || math.Abs(got[0].Doubt-.8) > 1e-9 || math.Abs(got[1].Doubt-.75) > 1e-9 {
		t.Errorf("got %+v, want the dislike at .8, the like at .25 and the dislike at .6", got)
	}
	// A timid probe: every probability is low, and so is the mean of the
	// likes, but .45 is still not what a dislike looks like.
	got = judge.Mislabels(append(said(true, .5, .3), said(false, .1, .1, .1, .45)...))
	if len(got) != 2 || !got[0].Liked || got[0].Probability != .3 || got[1].Liked {
		t.Errorf("got %+v, want the like at .3 and the dislike at .45", got)
	}
	// Where both are as usual, the likelier one counts.
	if got = judge.Mislabels(append(said(true, .4, .4), said(false, .45, .45)...)); len(got) != 2 || !got[0].Liked || !got[1].Liked {
		t.Errorf("got %+v, want the likes alone", got)
	}
}

func TestAShortcutShows(t *testing.T) {
	// The taste is for artists: who made a picture says all, what it shows
	// within one artist's works says nothing.
	random := museum.draw(2, 180)
	artist := func(i int) int { return i % 12 }
	for i := range random {
		base := museum.draw(uint64(1000+artist(i)), 1)[0].Embedding
		random[i].Artist, random[i].Site = fmt.Sprint("artist ", artist(i)), "one.example"
		random[i].Embedding = jitterBy(randomOf(i), base, .05)
		likes := artist(i) < 4
		random[i].Liked = likes != (i/12%9 == 0) // one in nine is off
	}
	_, report := train(t, random, settings())
	if len(report.Breakdowns) != 1 || report.Breakdowns[0].By != "artist" || len(report.Breakdowns[0].Groups) != 12 {
		t.Fatalf("breakdowns %+v, want one by 12 artists", report.Breakdowns)
	}
	b := report.Breakdowns[0]
	if report.AUC < .75 || b.AlikeAUC < .75 || b.WithinLow > .5 || b.WithinPairs < 20 {
		t.Errorf("AUC %.2f, %.2f from artists alone, %.2f [%.2f, %.2f] within artists on %d pairs", report.AUC, b.AlikeAUC, b.WithinAUC, b.WithinLow, b.WithinHigh, b.WithinPairs)
	}
	if !slices.ContainsFunc(report.Warnings, func(w string) bool { return strings.Contains(w, "learned the artist") }) {
		t.Errorf("warnings %q, want one of the artist", report.Warnings)
	}
	var works int
	for _, g := range b.Groups {
		works += g.Works
	}
	if works != report.Groups {
		t.Errorf("the breakdown has %d works, the report %d", works, report.Groups)
	}
	// A real taste shows no shortcut.
	real := museum.draw(3, 200)
	for i := range real {
		real[i].Artist = fmt.Sprint("artist ", i%10)
	}
	_, report = train(t, real, settings())
	if b := report.Breakdowns[0]; b.AlikeAUC > .65 || b.WithinAUC < .7 {
		t.Errorf("%.2f from artists alone, %.2f within", b.AlikeAUC, b.WithinAUC)
	}
}

func TestExploredRatingsAreMeasuredApart(t *testing.T) {
	examples := museum.draw(4, 160)
	for i := range examples {
		examples[i].Shown = palate.ShownQueueUncertain
		if i%3 == 0 {
			examples[i].Shown = palate.ShownQueueExplore
		}
	}
	_, report := train(t, examples, settings())
	if report.Explore == nil || report.Explore.Works != 54 || len(report.Explore.Metrics) != len(report.Metrics) {
		t.Fatalf("explored: %+v, want 54 works", report.Explore)
	}
	for i := range examples {
		examples[i].Shown = palate.ShownQueueTop
	}
	if _, report := train(t, examples, settings()); report.Explore != nil {
		t.Errorf("explored without exploring: %+v", report.Explore)
	}
}

func TestCompareIsPaired(t *testing.T) {
	c := settings()
	examples := museum.draw(6, 120)
	_, good := train(t, examples, c)
	for i := range examples {
		examples[i].Embedding = examples[i].Embedding[:0:0]
		examples[i].Embedding = append(examples[i].Embedding, museum.draw(7, 120)[i].Embedding...)
	}
	_, bad := train(t, examples, c)
	d := judge.Compare(good.OutOfFold, bad.OutOfFold)
	if d.Works != 120 || d.AUC < .1 || d.P > .01 || d.Low <= 0 {
		t.Errorf("a taste against noise: %+v", d)
	}
	if back := judge.Compare(bad.OutOfFold, good.OutOfFold); math.Abs(back.AUC+d.AUC) > 1e-12 || back.P != d.P {
		t.Errorf("the other way round: %+v", back)
	}
	if same := judge.Compare(good.OutOfFold, good.OutOfFold); same.AUC != 0 || same.P != 1 {
		t.Errorf("against itself: %+v", same)
	}
	if none := judge.Compare(good.OutOfFold, nil); none.Works != 0 || none.P != 1 {
		t.Errorf("against nothing: %+v", none)
	}
}

func TestTheHashIsOfTheData(t *testing.T) {
	examples := museum.draw(8, 60)
	_, a := train(t, examples, quick())
	slices.Reverse(examples)
	_, b := train(t, examples, quick())
	examples[3].Liked = !examples[3].Liked
	_, c := train(t, examples, quick())
	if a.Data != b.Data || a.Data == c.Data || len(a.Data) != 64 {
		t.Errorf("hashes %.8s, reversed %.8s, one flipped %.8s", a.Data, b.Data, c.Data)
	}
}

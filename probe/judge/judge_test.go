package judge_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe/judge"
)

func imageID(i int) palate.ImageID { return palate.ImageID{1, byte(i >> 8), byte(i)} }

// drawn is n examples of which about one in three is liked, in groups of one
// to largest.
func drawn(random *rand.Rand, n, largest int) []judge.Example {
	var examples []judge.Example
	for group := 0; len(examples) < n; group++ {
		liked := random.IntN(3) == 0
		for range 1 + random.IntN(largest) {
			// One in ten of a group is rated the other way.
			said := liked != (random.IntN(10) == 0)
			examples = append(examples, judge.Example{Image: imageID(len(examples)), Liked: said, Group: fmt.Sprint("work ", group)})
		}
	}
	return examples
}

func newSet(t *testing.T, examples []judge.Example) *judge.Set {
	t.Helper()
	s, err := judge.NewSet(examples)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func splits(t *testing.T, s *judge.Set, plan judge.Plan) []judge.Split {
	t.Helper()
	out, err := s.Splits(plan)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestGroupsNeverStraddleASplit(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		examples := drawn(random, 20+random.IntN(200), 1+random.IntN(12))
		for i := range examples {
			if random.IntN(8) == 0 {
				examples[i].Group = "" // a group of its own
			}
		}
		random.Shuffle(len(examples), func(i, j int) { examples[i], examples[j] = examples[j], examples[i] })
		set := newSet(t, examples)
		plan := judge.Plan{Folds: 2 + random.IntN(6), Repeats: 3, Seed: int64(seed)}
		divided, err := set.Splits(plan)
		if errors.Is(err, palate.ErrConflict) {
			continue // few large groups
		}
		if err != nil {
			t.Fatal(err)
		}
		ordered := set.Examples()
		for _, split := range divided {
			held := make([]int, set.Len())
			for fold := range split.Folds {
				trained := make(map[string]bool)
				for _, i := range split.Train(fold) {
					trained[ordered[i].Group] = true
				}
				for _, i := range split.Held(fold) {
					held[i]++
					if split.Fold(i) != fold || ordered[i].Group != "" && trained[ordered[i].Group] {
						t.Fatalf("seed %d: %q is held out of fold %d and trained on", seed, ordered[i].Group, fold)
					}
				}
				if len(split.Train(fold))+len(split.Held(fold)) != set.Len() {
					t.Fatalf("seed %d: fold %d has %d and %d of %d examples", seed, fold, len(split.Train(fold)), len(split.Held(fold)), set.Len())
				}
			}
			if slices.ContainsFunc(held, func(n int) bool { return n != 1 }) {
				t.Fatalf("seed %d: an example is not held out exactly once: %v", seed, held)
			}
		}
	}
}

func TestSplitsDoNotDependOnTheOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 1))
	examples := drawn(random, 90, 4)
	plan := judge.Plan{Folds: 5, Repeats: 2, Seed: 7}
	first := splits(t, newSet(t, examples), plan)
	random.Shuffle(len(examples), func(i, j int) { examples[i], examples[j] = examples[j], examples[i] })
	if again := splits(t, newSet(t, examples), plan); !reflect.DeepEqual(again, first) {
		t.Error("another order of the examples gives other splits")
	}
	plan.Seed++
	if other := splits(t, newSet(t, examples), plan); reflect.DeepEqual(other, first) {
		t.Error("another seed gives the same splits")
	}
}

// guess predicts with noise: the larger, the worse.
func guess(random *rand.Rand, set *judge.Set, divided []judge.Split, name string, noise float64) judge.Predictions {
	p := judge.Predictions{Method: name}
	own := make([]float64, set.Len())
	for i := range own {
		own[i] = noise * random.NormFloat64()
		if set.Liked(i) {
			own[i] += 5 // scores need no scale, and no zero
		} else {
			own[i] += 3
		}
	}
	for _, split := range divided {
		p.Rounds = append(p.Rounds, judge.Round{Split: split, Scores: own})
	}
	return p
}

func TestScoresOfAnyoneAreJudged(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 1))
	set := newSet(t, drawn(random, 400, 1))
	divided := splits(t, set, judge.Plan{Folds: 5, Repeats: 2, Seed: 1})
	config := judge.DefaultConfig()
	config.Resamples = 200
	config.Threshold = judge.ThresholdRule{For: judge.ThresholdF1}
	report, err := set.Judge(t.Context(), config, guess(random, set, divided, "good", 1), guess(random, set, divided, "bad", 20))
	if err != nil {
		t.Fatal(err)
	}
	// Φ(2/√2) = .921.
	if report.Kind != "good" || report.AUC < .88 || report.AUC > .96 || !(report.AUCLow < report.AUC && report.AUC < report.AUCHigh) {
		t.Errorf("%s: AUC %.3f [%.3f, %.3f], want about .92", report.Kind, report.AUC, report.AUCLow, report.AUCHigh)
	}
	if report.CalibrationError > .08 || report.BalancedAccuracy < .78 {
		t.Errorf("calibration error %.3f and balanced accuracy %.3f: scores alone are not calibrated", report.CalibrationError, report.BalancedAccuracy)
	}
	if b := report.Baselines; len(b) != 1 || b[0].Kind != "bad" || b[0].Difference.Low <= 0 || b[0].Difference.P > 1e-3 || len(b[0].OutOfFold) != set.Len() {
		t.Errorf("beside it: %+v", b)
	}
	if len(report.OutOfFold) != set.Len() || report.Likes+report.Dislikes != set.Len() || report.Folds != 5 || report.Repeats != 2 {
		t.Errorf("%d predictions of %d likes and %d dislikes on %d × %d folds", len(report.OutOfFold), report.Likes, report.Dislikes, report.Repeats, report.Folds)
	}
}

// What a fold's calibration and threshold are learned from must not contain
// the fold: labels without meaning can't be told from chance then.
func TestCalibrationDoesNotSeeTheFold(t *testing.T) {
	var over float64
	const seeds = 30
	for seed := range uint64(seeds) {
		random := rand.New(rand.NewPCG(seed, 9))
		examples := drawn(random, 60, 1)
		for i := range examples {
			examples[i].Liked = i%2 == 0
		}
		set := newSet(t, examples)
		divided := splits(t, set, judge.Plan{Folds: 5, Repeats: 1, Seed: int64(seed)})
		scores := make([]float64, set.Len())
		for i := range scores {
			scores[i] = random.NormFloat64()
		}
		config := judge.Config{Calibration: judge.IsotonicCalibration, Threshold: judge.ThresholdRule{For: judge.ThresholdF1}, Seed: 1}
		report, err := set.Judge(t.Context(), config, judge.Predictions{Method: "noise", Rounds: []judge.Round{{Split: divided[0], Scores: scores}}})
		if err != nil {
			t.Fatal(err)
		}
		over += (report.LogLoss - math.Ln2) / seeds
	}
	if over < .02 {
		t.Errorf("the log-loss of noise is %.3f over that of a coin on average: isotonic regression has seen what it predicts", over)
	}
}

func TestWhatCannotBeJudged(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 1))
	set := newSet(t, drawn(random, 60, 2))
	plan := judge.Plan{Folds: 3, Repeats: 1, Seed: 1}
	divided := splits(t, set, plan)
	plan.Seed++
	elsewhere := splits(t, set, plan)
	good := guess(random, set, divided, "good", 1)
	scores := func(change func([]float64) []float64) judge.Predictions {
		return judge.Predictions{Rounds: []judge.Round{{Split: divided[0], Scores: change(slices.Clone(good.Rounds[0].Scores))}}}
	}
	for name, p := range map[string]judge.Predictions{
		"no rounds":      {},
		"too few scores": scores(func(s []float64) []float64 { return s[1:] }),
		"NaN":            scores(func(s []float64) []float64 { s[3] = math.NaN(); return s }),
		"no split":       {Rounds: []judge.Round{{Scores: good.Rounds[0].Scores}}},
		"probability 2":  {Rounds: []judge.Round{{Split: divided[0], Scores: good.Rounds[0].Scores, Probabilities: slices.Repeat([]float64{2}, set.Len())}}},
	} {
		if _, err := set.Judge(t.Context(), judge.DefaultConfig(), p); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
	if _, err := set.Judge(t.Context(), judge.DefaultConfig(), good, guess(random, set, elsewhere, "elsewhere", 1)); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("other splits: got %v, want ErrInvalid", err)
	}
	if _, err := set.Judge(t.Context(), judge.Config{Calibration: "magic", Resamples: -1}, good); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("bad settings: got %v, want ErrInvalid", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := set.Judge(ctx, judge.DefaultConfig(), good); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
	one := newSet(t, []judge.Example{{Image: imageID(1), Liked: true}, {Image: imageID(2)}})
	if _, err := one.Splits(judge.Plan{Folds: 5, Repeats: 1}); !errors.Is(err, palate.ErrConflict) {
		t.Errorf("one of each: got %v, want ErrConflict", err)
	}
	if _, err := judge.NewSet([]judge.Example{{Image: imageID(1)}, {Image: imageID(1)}}); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("an image twice: got %v, want ErrInvalid", err)
	}
}

func TestReportsOfAllFormats(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 1))
	examples := drawn(random, 80, 1)
	for i := range examples[:40] {
		examples[i].Image, examples[i].Row = palate.ImageID{}, i
	}
	set := newSet(t, examples)
	report, err := set.Judge(t.Context(), judge.DefaultConfig(), guess(random, set, splits(t, set, judge.Plan{Folds: 5, Repeats: 1}), "any", 1))
	if err != nil {
		t.Fatal(err)
	}
	written, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	var read judge.Report
	if err := json.Unmarshal(written, &read); err != nil || !reflect.DeepEqual(&read, report) {
		t.Errorf("read again (%v): got %+v, want %+v", err, read, *report)
	}
	summary, err := json.Marshal(report.Summary())
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(summary, &read); err != nil || read.OutOfFold != nil || read.Metrics != nil || read.AUC != report.AUC || len(summary) > 2000 {
		t.Errorf("the summary (%v) has %d bytes: %s", err, len(summary), summary)
	}
	// As releases before wrote it: no format, and an image for each prediction.
	old := `{"model":"m","kind":"logistic","examples":2,"likes":1,"dislikes":1,"auc":0.7,"metrics":[{"name":"auc","value":0.7,"low":0.6,"high":0.8}],
		"threshold":{"for":"top","value":0.05,"score":1.5,"probability":0.8,"met":true},"calibration":"platt","out_of_fold":[{"image":"00000000-0000-8000-8000-000000000001","liked":true,"fold":1,"score":2,"probability":0.8,"decided":true}]}`
	if err := json.Unmarshal([]byte(old), &read); err != nil || read.Format != judge.Format || read.AUC != .7 || read.Threshold.Value != .05 || read.Threshold.Score != 1.5 || len(read.OutOfFold) != 1 || read.OutOfFold[0].Row != nil {
		t.Errorf("a report of format 1 (%v): %+v", err, read)
	}
	if err := json.Unmarshal([]byte(fmt.Sprintf(`{"format":%d}`, judge.Format+1)), &read); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("of a later release: got %v, want ErrInvalid", err)
	}
}

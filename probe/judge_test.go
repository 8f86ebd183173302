package probe_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/probe/judge"
)

func train(t *testing.T, examples []probe.Example, c probe.Config) (*probe.Probe, *judge.Report) {
	t.Helper()
	p, report, err := probe.Train(t.Context(), examples, model, c)
	if err != nil {
		t.Fatal(err)
	}
	return p, report
}

// Labels that mean nothing can't be predicted. Anything that leaks from what
// is held out (a choice of strength or of iterations made on it, say) would
// lift the mean above one half.
func TestLabelsWithoutMeaningAreNotPredicted(t *testing.T) {
	w := world{dim: 30, styles: 8, liked: 0, spread: 2, flips: .5}
	var sum float64
	covered := 0
	const seeds = 20
	for seed := range uint64(seeds) {
		_, report := train(t, w.draw(seed, 60), settings())
		sum += report.AUC / seeds
		if report.AUCLow <= .5 && .5 <= report.AUCHigh {
			covered++
		}
	}
	if sum < .43 || sum > .57 {
		t.Errorf("mean AUC %.3f over %d sets of random labels, want about .5", sum, seeds)
	}
	if covered < seeds*8/10 {
		t.Errorf("%d of %d intervals contain .5, want nearly all", covered, seeds)
	}
}

func TestGroupsNeverStraddleAFold(t *testing.T) {
	// Each picture comes five times: four crops under a group's name and a
	// copy with the same embedding. Labels mean nothing, so that whoever sees
	// a copy in training knows what nobody can know.
	random := rand.New(rand.NewPCG(1, 1))
	var examples []probe.Example
	groups := make(map[palate.ImageID]int)
	for g, e := range (world{dim: 40, styles: 4, spread: 2, flips: .5}).draw(1, 40) {
		for crop := range 5 {
			copied := e
			copied.Image, copied.Group = imageID(uint64(100+crop), g), fmt.Sprint("work ", g)
			if crop == 4 {
				copied.Group = "" // held by its embedding, which is that of crop 0
			} else if crop > 0 {
				copied.Embedding = jitter(random, e.Embedding)
			}
			groups[copied.Image] = g
			examples = append(examples, copied)
		}
	}
	_, report := train(t, examples, settings())
	if report.Groups != 40 {
		t.Errorf("%d groups, want 40", report.Groups)
	}
	folds := make(map[int]int)
	for _, p := range report.OutOfFold {
		g := groups[p.Image]
		if fold, seen := folds[g]; seen && fold != p.Fold {
			t.Fatalf("group %d is in folds %d and %d", g, fold, p.Fold)
		}
		folds[g] = p.Fold
	}
	if report.AUC > .75 {
		t.Errorf("AUC %.3f on labels without meaning: copies leak", report.AUC)
	}
}

func jitter(random *rand.Rand, e palate.Embedding) palate.Embedding {
	return jitterBy(random, e, .01)
}

func jitterBy(random *rand.Rand, e palate.Embedding, deviation float64) palate.Embedding {
	out := make(palate.Embedding, len(e))
	var square float64
	for j, v := range e {
		out[j] = v + float32(deviation*random.NormFloat64())
		square += float64(out[j]) * float64(out[j])
	}
	for j := range out {
		out[j] /= float32(math.Sqrt(square))
	}
	return out
}

func TestTrainingIsTheSameWhateverOrderAndParallelism(t *testing.T) {
	examples := museum.draw(3, 90)
	c := settings()
	c.Parallelism = 1
	wantProbe, wantReport := train(t, examples, c)
	slices.Reverse(examples)
	c.Parallelism = 5
	gotProbe, gotReport := train(t, examples, c)
	if !reflect.DeepEqual(gotProbe, wantProbe) || !reflect.DeepEqual(gotReport, wantReport) {
		t.Error("another order and parallelism give another probe or report")
	}
	c.Seed++
	if other, _ := train(t, examples, c); reflect.DeepEqual(other.Calibration, wantProbe.Calibration) {
		t.Error("another seed gives the same folds")
	}
}

// One like in eleven ratings: without weights nearly everything is disliked.
func TestBalancedWeightsFindRareLikes(t *testing.T) {
	w := world{dim: 48, styles: 11, liked: 1, spread: 2.5}
	examples := w.draw(4, 220)
	c := settings()
	_, balanced := train(t, examples, c)
	c.ClassWeights = probe.Unweighted()
	_, unweighted := train(t, examples, c)
	if balanced.BalancedAccuracy < unweighted.BalancedAccuracy+.03 || balanced.BalancedAccuracy < .8 {
		t.Errorf("balanced accuracy %.3f with balanced weights and %.3f without, want .8 and clearly more",
			balanced.BalancedAccuracy, unweighted.BalancedAccuracy)
	}
}

func TestTheReportIsOfEveryExampleAndValidJSON(t *testing.T) {
	examples := museum.draw(5, 100)
	p, report := train(t, examples, settings())
	if len(report.OutOfFold) != 100 || len(report.Stops) != 5 || len(report.Strengths) != 5 {
		t.Fatalf("%d predictions, %d stops, %d strengths, want 100, 5 and 5", len(report.OutOfFold), len(report.Stops), len(report.Strengths))
	}
	if report.Likes+report.Dislikes != 100 || p.Likes != report.Likes {
		t.Errorf("%d likes and %d dislikes of 100, %d in the probe", report.Likes, report.Dislikes, p.Likes)
	}
	if !(report.AUCLow < report.AUC && report.AUC < report.AUCHigh) {
		t.Errorf("AUC %v outside its interval [%v, %v]", report.AUC, report.AUCLow, report.AUCHigh)
	}
	for _, s := range report.Stops {
		if s.Ran < s.Iteration || s.Gain != s.LossAtConvergence-s.Loss || s.ConvergedAt == 0 {
			t.Errorf("stop %+v does not add up", s)
		}
	}
	b, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"likes", "dislikes", "auc", "auc_low", "auc_high", "average_precision", "balanced_accuracy"} {
		if !strings.Contains(string(b), `"`+key+`":`) {
			t.Errorf("the report's JSON has no %s", key)
		}
	}
}

func TestTrainRefuses(t *testing.T) {
	twelveAndThree := slices.Concat(world{dim: 8, styles: 1, liked: 1, spread: 1}.draw(1, 12), world{dim: 8, styles: 1, spread: 1}.draw(2, 3))
	_, _, err := probe.Train(t.Context(), twelveAndThree, model, settings())
	var missing *probe.NotEnoughError
	if !errors.As(err, &missing) || !errors.Is(err, palate.ErrConflict) {
		t.Fatalf("got %v, want a NotEnoughError that is ErrConflict", err)
	}
	if got, want := missing.Error(), "12 likes and 3 dislikes; 2 more dislikes are needed"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := probe.DefaultConfig().Enough(nil); err == nil || err.Error() != "0 likes and 0 dislikes; 5 more likes and 5 more dislikes are needed" {
		t.Errorf("without ratings: %v", err)
	}
	good := museum.draw(1, 60)
	for name, broken := range map[string]func(e []probe.Example) []probe.Example{
		"NaN":             func(e []probe.Example) []probe.Example { e[3].Embedding[0] = float32(math.NaN()); return e },
		"another length":  func(e []probe.Example) []probe.Example { e[3].Embedding = palate.Embedding{1}; return e },
		"norm 2":          func(e []probe.Example) []probe.Example { e[3].Embedding = make(palate.Embedding, museum.dim); return e },
		"twice the image": func(e []probe.Example) []probe.Example { return append(e, e[3]) },
		"weight":          func(e []probe.Example) []probe.Example { e[3].Weight = -1; return e },
	} {
		examples := slices.Clone(good)
		for i := range examples {
			examples[i].Embedding = slices.Clone(examples[i].Embedding)
		}
		if _, _, err := probe.Train(t.Context(), broken(examples), model, settings()); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
	err = probe.Config{}.Validate()
	for _, word := range []string{"ClassWeights", "Strengths", "Folds", "InnerFolds", "Repeats", "MaxIterations", "Tolerance", "MinPerClass"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("an empty Config: %v, want %s named", err, word)
		}
	}
}

func TestTrainEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, _, err := probe.Train(ctx, museum.draw(1, 3000), model, settings()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the context's error", err)
	}
}

// Whoever learns in another way is judged on the splits of Train.
func TestOthersAreJudgedOnTheSameSplits(t *testing.T) {
	examples := museum.draw(5, 100)
	for i := range 20 {
		examples[i].Group = fmt.Sprint("work ", i/4)
	}
	config := settings()
	_, report := train(t, examples, config)
	set, err := probe.Set(t.Context(), examples, config.NearDuplicates)
	if err != nil {
		t.Fatal(err)
	}
	divided, err := set.Splits(judge.Plan{Folds: config.Folds, Repeats: config.Repeats, Seed: config.Seed})
	if err != nil {
		t.Fatal(err)
	}
	theirs := judge.Predictions{Method: "the probe's scores"}
	for _, split := range divided {
		round := judge.Round{Split: split, Scores: make([]float64, set.Len())}
		for i, p := range report.OutOfFold {
			if set.Examples()[i].Image != p.Image || split.Round == 1 && split.Fold(i) != p.Fold {
				t.Fatalf("example %d of the set is %v in fold %d, of the report %v in fold %d", i, set.Examples()[i].Image, split.Fold(i), p.Image, p.Fold)
			}
			round.Scores[i] = p.Score
		}
		theirs.Rounds = append(theirs.Rounds, round)
	}
	other, err := set.Judge(t.Context(), judge.DefaultConfig(), theirs)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(other.AUC-report.AUC) > .02 || math.Abs(other.AUCLow-report.AUCLow) > .02 || other.Groups != report.Groups {
		t.Errorf("AUC %.4f over %d works, the probe's own report says %.4f over %d", other.AUC, other.Groups, report.AUC, report.Groups)
	}
}

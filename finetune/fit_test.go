package finetune_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/vit"
	"github.com/palate-art/palate/test/race"
)

// gratings are pictures of 28 × 28 pixels: liked ones have stripes of one
// wavelength, others of another, at any angle and phase, in noise. One in four
// is liked.
type gratings struct {
	pixels [][]float32
	liked  []bool
}

func (g *gratings) Pixels(_ context.Context, i int) ([]float32, error) { return g.pixels[i], nil }

const side = 28

func newGratings(n int) *gratings {
	random := rand.New(rand.NewPCG(5, 5))
	g := new(gratings)
	for i := range n {
		liked, wavelength := i%4 == 0, 4.
		if liked {
			wavelength = 9
		}
		angle, phase := 2*math.Pi*random.Float64(), 2*math.Pi*random.Float64()
		pixels := make([]float32, 3*side*side)
		for y := range side {
			for x := range side {
				v := math.Sin((float64(x)*math.Cos(angle)+float64(y)*math.Sin(angle))*2*math.Pi/wavelength + phase)
				for c := range 3 {
					pixels[(c*side+y)*side+x] = float32(v + .8*random.NormFloat64())
				}
			}
		}
		g.pixels, g.liked = append(g.pixels, pixels), append(g.liked, liked)
	}
	return g
}

func (g *gratings) data(fingerprint string) finetune.Data {
	d := finetune.Data{Pictures: g, Liked: g.liked, Fingerprint: fingerprint}
	for i := range g.pixels {
		if i%12 < 8 {
			d.Train = append(d.Train, i)
		} else {
			d.Held = append(d.Held, i)
		}
	}
	return d
}

func newTrainer(t testing.TB, change func(*finetune.Plan)) *finetune.Trainer {
	t.Helper()
	file := tensors(t, "testdata/model.safetensors")
	a, err := vit.Inspect(file, []byte(`{"architecture":"vit_small_patch14_dinov2","num_heads":2}`))
	must(t, err)
	model, err := vit.OpenTrainable(t.Context(), file, a, side, side)
	must(t, err)
	plan := finetune.DefaultPlan()
	plan.DropPath = true
	if change != nil {
		change(&plan)
	}
	trainer, err := finetune.NewTrainer(runtime(t), model, plan, finetune.Head{Weights: make([]float32, plan.Features(model))}, ort.DefaultSessionConfig())
	must(t, err)
	t.Cleanup(func() { must(t, trainer.Close()) })
	return trainer
}

func quick() finetune.Config {
	c := finetune.DefaultConfig()
	c.Epochs, c.BatchSize, c.LearningRate, c.Patience = 4, 16, 2e-3, 0
	return c
}

// The whole model learns an imbalanced taste that a head on the frozen body
// learns less of.
func TestTrainingEverythingLearnsWhatAHeadCannot(t *testing.T) {
	race.Long(t)
	g, config := newGratings(300), quick()
	config.Epochs = 12
	whole, err := newTrainer(t, nil).Fit(t.Context(), g.data(""), config, "", nil)
	must(t, err)
	if whole.Best.BalancedAccuracy < .9 {
		t.Errorf("trained, the balanced accuracy is %.3f, want .9: %+v", whole.Best.BalancedAccuracy, whole.History)
	}
	if whole.Begun.Number != 0 || whole.Begun.BalancedAccuracy != .5 || math.Abs(whole.Begun.HeldLoss-math.Ln2) > 1e-6 {
		t.Errorf("an empty head begins at %+v, want a chance of a half", whole.Begun)
	}
	frozen := newTrainer(t, func(p *finetune.Plan) { p.LastBlocks = 1; p.LayerDecay = 1e-9 })
	head, err := frozen.Fit(t.Context(), g.data(""), config, "", nil)
	must(t, err)
	if head.Best.BalancedAccuracy > whole.Best.BalancedAccuracy-.1 {
		t.Errorf("with the body frozen the balanced accuracy is %.3f, want at least .1 below %.3f", head.Best.BalancedAccuracy, whole.Best.BalancedAccuracy)
	}
}

// told forgets what depends on the clock.
func told(history []finetune.Epoch) []finetune.Epoch {
	out := append([]finetune.Epoch(nil), history...)
	for i := range out {
		out[i].Seconds = 0
	}
	return out
}

func TestAStoppedTrainingGoesOnWithTheSameLosses(t *testing.T) {
	race.Long(t)
	g, config := newGratings(60), quick()
	want, err := newTrainer(t, nil).Fit(t.Context(), g.data("x"), config, t.TempDir(), nil)
	must(t, err)
	for _, at := range []int{1, 6, 9} { // steps; three an epoch
		folder := t.TempDir()
		ctx, stop := context.WithCancel(t.Context())
		steps := 0
		_, err := newTrainer(t, nil).Fit(ctx, g.data("x"), config, folder, func(p finetune.Progress) {
			if p.Ended == nil {
				if steps++; steps == at {
					stop()
				}
			}
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped at step %d: got %v", at, err)
		}
		got, err := newTrainer(t, nil).Fit(t.Context(), g.data("x"), config, folder, nil)
		must(t, err)
		a, b := told(want.History), told(got.History)
		if len(a) != len(b) {
			t.Fatalf("stopped at step %d: %d epochs, want %d", at, len(b), len(a))
		}
		for i := range a {
			if a[i] != b[i] {
				t.Errorf("stopped at step %d: epoch %d is %+v, want %+v", at, i, b[i], a[i])
			}
		}
		if got.Best.Number != want.Best.Number {
			t.Errorf("stopped at step %d: the best is epoch %d, want %d", at, got.Best.Number, want.Best.Number)
		}
	}
}

func TestTheBestStateIsKept(t *testing.T) {
	g, config := newGratings(60), quick()
	config.LearningRate = .3 // far too large: it gets worse
	for where, folder := range map[string]string{"in memory": "", "in the checkpoint": t.TempDir()} {
		trainer := newTrainer(t, nil)
		before := slices.Clone(trainer.Parameter("blocks.1.mlp.fc1.weight"))
		fitted, err := trainer.Fit(t.Context(), g.data(""), config, folder, nil)
		must(t, err)
		if fitted.Best.Number != 0 {
			t.Fatalf("epoch %d was better than the beginning: %+v", fitted.Best.Number, fitted.History)
		}
		if off(trainer.Parameter("blocks.1.mlp.fc1.weight"), before) != 0 {
			t.Errorf("kept %s: no epoch was better than the beginning, and the trainer holds another state", where)
		}
	}
	config.Patience = 1
	stopped, err := newTrainer(t, nil).Fit(t.Context(), g.data(""), config, "", nil)
	must(t, err)
	if last := stopped.History[len(stopped.History)-1].Number; stopped.Stopped && last-stopped.Best.Number != 1 {
		t.Errorf("stopped after epoch %d, the best was %d: want one more", last, stopped.Best.Number)
	}
}

func TestWhatCannotBeTrainedIsRefused(t *testing.T) {
	g, config, folder := newGratings(60), quick(), t.TempDir()
	config.Epochs = 1
	oneClass := g.data("")
	oneClass.Held = []int{1, 2, 3}
	if _, err := newTrainer(t, nil).Fit(t.Context(), oneClass, config, "", nil); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("no like to judge by: got %v, want ErrInvalid", err)
	}
	bad := config
	bad.Epochs, bad.LearningRate = 0, -1
	if _, err := newTrainer(t, nil).Fit(t.Context(), g.data(""), bad, "", nil); !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), "epochs") || !strings.Contains(err.Error(), "learning rate") {
		t.Errorf("a bad recipe: got %v, want ErrInvalid that tells both", err)
	}
	_, err := newTrainer(t, nil).Fit(t.Context(), g.data("a"), config, folder, nil)
	must(t, err)
	if _, err := newTrainer(t, nil).Fit(t.Context(), g.data("b"), config, folder, nil); !errors.Is(err, palate.ErrConflict) {
		t.Errorf("a checkpoint of other data: got %v, want ErrConflict", err)
	}
	states, err := filepath.Glob(filepath.Join(folder, "epoch-*.safetensors"))
	must(t, err)
	for _, state := range states {
		must(t, os.Truncate(state, 1000))
	}
	if _, err := newTrainer(t, nil).Fit(t.Context(), g.data("a"), config, folder, nil); !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged checkpoint: got %v, want ErrInvalid that says so", err)
	}
}

func TestArtifactsRunAsTheirReadmeSays(t *testing.T) {
	g, _ := openGolden(t)
	folder := filepath.Join(t.TempDir(), "artifacts")
	plan := finetune.DefaultPlan()
	plan.Batch, plan.LastBlocks = 4, 2
	a, err := finetune.WriteArtifacts(t.Context(), folder, g.model, plan)
	must(t, err)
	for _, name := range a.Files {
		info, err := os.Stat(filepath.Join(folder, name))
		must(t, err)
		if strings.HasSuffix(name, ".onnx") && info.Size() > 1<<20 {
			t.Errorf("%s has %d bytes: parameters must be inputs", name, info.Size())
		}
	}
	if a.Trained == 0 || a.Frozen == 0 || len(a.FrozenTensors) == 0 {
		t.Errorf("%d numbers are trained, %d frozen, want both", a.Trained, a.Frozen)
	}
	readme, err := os.ReadFile(filepath.Join(folder, "README.md"))
	must(t, err)
	session, err := runtime(t).OpenSession(filepath.Join(folder, "training_model.onnx"), ort.DefaultSessionConfig())
	must(t, err)
	defer session.Close()
	checkpoint := tensors(t, filepath.Join(folder, "checkpoint.safetensors"))
	inputs := make(map[string]ort.Tensor)
	for _, in := range session.Inputs() {
		if tensor, found := checkpoint.Tensor(in.Name); found {
			inputs[in.Name] = ort.Tensor{Shape: tensor.Shape, Data: floats(t, checkpoint, in.Name)}
			continue
		}
		if !strings.Contains(string(readme), "`"+in.Name+"`") {
			t.Errorf("the README does not name the input %s", in.Name)
		}
		n := int64(1)
		for _, d := range in.Shape {
			n *= d
		}
		data := make([]float32, n)
		for i := range data {
			data[i] = 1
		}
		inputs[in.Name] = ort.Tensor{Shape: in.Shape, Data: data}
	}
	out, err := session.Run(t.Context(), inputs, nil)
	must(t, err)
	if loss := out["loss"].Data[0]; math.Abs(float64(loss)-4*math.Ln2) > 1e-5 {
		t.Errorf("with a head of zeros and a total weight of 1 the loss of four pictures is %v, want 4 ln 2", loss)
	}
	var c finetune.Checkpoint
	text, err := os.ReadFile(filepath.Join(folder, "checkpoint.json"))
	must(t, err)
	must(t, json.Unmarshal(text, &c))
	if c.Version != 1 || c.Plan != plan || c.State.File != "checkpoint.safetensors" {
		t.Errorf("checkpoint.json says %+v", c)
	}
	if _, err := finetune.WriteArtifacts(t.Context(), folder, g.model, plan); !errors.Is(err, palate.ErrConflict) {
		t.Errorf("over a training: got %v, want ErrConflict", err)
	}
	former := t.TempDir()
	must(t, os.WriteFile(filepath.Join(former, "training_model.onnx"), []byte("x"), 0o600))
	if _, err := finetune.WriteArtifacts(t.Context(), former, g.model, plan); !errors.Is(err, palate.ErrConflict) || !strings.Contains(err.Error(), "1.20") {
		t.Errorf("over ONNX Runtime's former artifacts: got %v, want ErrConflict that says what they are", err)
	}
}

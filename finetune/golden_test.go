package finetune_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/safetensors"
	"github.com/palate-art/palate/internal/vit"
	"github.com/palate-art/palate/test/race"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func tensors(t testing.TB, path string) *safetensors.File {
	t.Helper()
	f, err := safetensors.OpenFile(path)
	must(t, err)
	t.Cleanup(func() { must(t, f.Close()) })
	return f
}

func floats(t testing.TB, f *safetensors.File, name string) []float32 {
	t.Helper()
	values, err := f.Float32s(name)
	must(t, err)
	return values
}

func runtime(t testing.TB) *ort.Runtime {
	t.Helper()
	rt, err := ort.Load(context.Background(), ort.ConfigFromEnv())
	must(t, err)
	return rt
}

// goldenCase is testdata/case.json, see testdata/README.md.
type goldenCase struct {
	FirstLoss     float64    `json:"first_loss"`
	ClassWeights  [2]float64 `json:"class_weights"`
	Rate          float64    `json:"lr"`
	WeightDecay   float64    `json:"weight_decay"`
	Losses        []float64  `json:"losses"`
	GradientNorms []float64  `json:"gradient_norms"`
}

type golden struct {
	goldenCase
	model   *vit.Trainable
	classes finetune.ClassWeights
	steps   [][]finetune.Example
}

func openGolden(t testing.TB) (*golden, *safetensors.File) {
	t.Helper()
	g := new(golden)
	text, err := os.ReadFile("testdata/case.json")
	must(t, err)
	must(t, json.Unmarshal(text, &g.goldenCase))
	file := tensors(t, "testdata/model.safetensors")
	a, err := vit.Inspect(file, []byte(`{"architecture":"vit_small_patch14_dinov2","num_heads":2}`))
	must(t, err)
	g.model, err = vit.OpenTrainable(t.Context(), file, a, 56, 56)
	must(t, err)
	batches := tensors(t, "testdata/batches.safetensors")
	pixels, labels := floats(t, batches, "images"), labelsOf(t, batches)
	g.classes = finetune.ClassWeights{Dislike: g.ClassWeights[0], Like: g.ClassWeights[1]}
	const batch, size = 4, 3 * 56 * 56
	for step := range len(g.Losses) {
		var examples []finetune.Example
		for i := step * batch; i < (step+1)*batch; i++ {
			examples = append(examples, finetune.Example{Pixels: pixels[i*size : (i+1)*size], Liked: labels[i] == 1, Weight: 1})
		}
		g.steps = append(g.steps, examples)
	}
	return g, file
}

func (g *golden) trainer(t testing.TB, file *safetensors.File, change func(*finetune.Plan)) *finetune.Trainer {
	t.Helper()
	plan := finetune.DefaultPlan()
	plan.Batch, plan.Normalise, plan.WeightDecay, plan.LayerDecay, plan.Clip = 4, false, g.WeightDecay, 1, 1
	if change != nil {
		change(&plan)
	}
	trainer, err := finetune.NewTrainer(runtime(t), g.model, plan, finetune.Head{Weights: make([]float32, 64)}, ort.DefaultSessionConfig())
	must(t, err)
	t.Cleanup(func() { must(t, trainer.Close()) })
	trainer.Set(finetune.HeadWeight, floats(t, file, "head.weight"))
	trainer.Set(finetune.HeadBias, floats(t, file, "head.bias"))
	return trainer
}

// off is the largest difference as a share of the largest number wanted.
func off(got, want []float32) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	most, largest := 0., 0.
	for i, w := range want {
		most, largest = max(most, math.Abs(float64(got[i])-float64(w))), max(largest, math.Abs(float64(w)))
	}
	return most / max(largest, 1e-12)
}

// in changes a plan to a precision. Where a processor has no tiles products by
// them are computed plainly.
func in(p finetune.Precision) func(*finetune.Plan) {
	return func(plan *finetune.Plan) { plan.Precision = p }
}

func TestGradientsAreThoseOfAnotherFramework(t *testing.T) {
	g, file := openGolden(t)
	want := tensors(t, "testdata/gradients.safetensors")
	for _, c := range []struct {
		precision      finetune.Precision
		loss, gradient float64
	}{{finetune.Float32, 1e-6, 1e-4}, {finetune.Bfloat16x3, 2e-6, 1e-4}, {finetune.Bfloat16, 1e-2, .1}} {
		t.Run(string(c.precision), func(t *testing.T) {
			loss, gradients, err := g.trainer(t, file, in(c.precision)).Gradients(t.Context(), g.steps[0], g.classes)
			must(t, err)
			if math.Abs(loss-g.FirstLoss) > c.loss {
				t.Errorf("the loss is %.9f, want %.9f", loss, g.FirstLoss)
			}
			worst := 0.
			for _, tensor := range want.Tensors() {
				got, there := gradients[tensor.Name]
				if !there {
					t.Errorf("%s has no gradient", tensor.Name)
					continue
				}
				off := off(withoutKeys(tensor.Name, got), withoutKeys(tensor.Name, floats(t, want, tensor.Name)))
				if worst = max(worst, off); off > c.gradient {
					t.Errorf("gradient of %s: off by %.2g of its largest, want at most %.0g", tensor.Name, off, c.gradient)
				}
			}
			t.Logf("off by %.2g at most", worst)
			if len(gradients) != len(want.Tensors()) {
				t.Errorf("%d gradients, want %d", len(gradients), len(want.Tensors()))
			}
		})
	}
}

func TestTwentyStepsAreThoseOfAnotherFramework(t *testing.T) {
	for _, precision := range []finetune.Precision{finetune.Float32, finetune.Bfloat16x3} {
		t.Run(string(precision), func(t *testing.T) { twentySteps(t, precision) })
	}
}

func twentySteps(t *testing.T, precision finetune.Precision) {
	g, file := openGolden(t)
	trainer := g.trainer(t, file, in(precision))
	for i, examples := range g.steps {
		step, err := trainer.Step(t.Context(), examples, g.classes, g.Rate, 0, nil)
		must(t, err)
		if math.Abs(step.Loss-g.Losses[i]) > 1e-4*(1+g.Losses[i]) {
			t.Errorf("step %d: the loss is %.7f, want %.7f", i+1, step.Loss, g.Losses[i])
		}
		if math.Abs(step.Norm/g.GradientNorms[i]-1) > 1e-3 {
			t.Errorf("step %d: the gradients' norm is %.6f, want %.6f", i+1, step.Norm, g.GradientNorms[i])
		}
	}
	want, stepped := tensors(t, "testdata/after20.safetensors"), new(stepped)
	if precision == finetune.Bfloat16x3 {
		stepped.most = .02 // where the gradient is rounding alone, there is more of that
	}
	for _, tensor := range want.Tensors() {
		stepped.hold(t, tensor.Name, trainer.Parameter(tensor.Name), floats(t, want, tensor.Name))
	}
	stepped.check(t)
}

// stepped counts how many parameters after steps of AdamW are off by more than
// 1e-4 of their tensor's largest. AdamW divides by the gradient's own size:
// where that is rounding alone, rounding shows, in other numbers on another
// processor.
type stepped struct {
	beyond, all int
	most        float64 // that any may be off by; 5e-4 if it is 0
}

func (s *stepped) hold(t testing.TB, name string, got, want []float32) {
	t.Helper()
	got, want = withoutKeys(name, got), withoutKeys(name, want)
	most := max(s.most, 5e-4)
	if off := off(got, want); off > most {
		t.Errorf("%s: off by %.2g of its largest, want at most %.0g", name, off, most)
	}
	largest := 0.
	for _, w := range want {
		largest = max(largest, math.Abs(float64(w)))
	}
	for i, w := range want {
		if s.all++; math.Abs(float64(got[i])-float64(w)) > 1e-4*largest {
			s.beyond++
		}
	}
}

func (s *stepped) check(t testing.TB) {
	t.Helper()
	if s.beyond > s.all/10_000 || s.all == 0 {
		t.Errorf("%d of %d numbers are off by more than 1e-4 of their tensor's largest, want one in 10,000 at most", s.beyond, s.all)
	}
	t.Logf("%d of %d numbers are off by more than 1e-4", s.beyond, s.all)
}

// The optimizer's graph, which artifacts have, makes the trainer's steps.
func TestTheOptimizersGraphMakesTheTrainersSteps(t *testing.T) {
	g, file := openGolden(t)
	change := func(p *finetune.Plan) { p.LayerDecay, p.Clip = .7, .5 }
	trainer := g.trainer(t, file, change)
	plan := finetune.DefaultPlan()
	plan.Batch, plan.Normalise, plan.WeightDecay = 4, false, g.WeightDecay
	change(&plan)
	model, err := plan.OptimizerGraph(g.model)
	must(t, err)
	graph, err := model.Marshal()
	must(t, err)
	session, err := runtime(t).NewSession(graph, ort.DefaultSessionConfig())
	must(t, err)
	defer session.Close()
	state := make(map[string]ort.Tensor)
	for _, in := range session.Inputs() {
		if values := trainer.Parameter(in.Name); values != nil {
			state[in.Name] = ort.Tensor{Shape: in.Shape, Data: slices.Clone(values)}
		}
	}
	for i, examples := range g.steps[:3] {
		_, gradients, err := trainer.Gradients(t.Context(), examples, g.classes)
		must(t, err)
		inputs := maps.Clone(state)
		for name, value := range map[string]float32{"learning_rate": float32(g.Rate), "step": float32(i + 1), "loss_scale": 1} {
			inputs[name] = ort.Tensor{Shape: []int64{1}, Data: []float32{value}}
		}
		for name, values := range gradients {
			inputs[name+"_grad"] = ort.Tensor{Shape: state[name].Shape, Data: values}
		}
		out, err := session.Run(t.Context(), inputs, nil)
		must(t, err)
		step, err := trainer.Step(t.Context(), examples, g.classes, g.Rate, 0, nil)
		must(t, err)
		if norm := float64(out["gradient_norm"].Data[0]); math.Abs(norm-step.Norm) > 1e-5*norm || norm < plan.Clip {
			t.Errorf("step %d: the graph's norm is %v, the trainer's %v, want the same and above the bound of %v", i+1, norm, step.Norm, plan.Clip)
		}
		for name := range state {
			state[name] = out[name+".out"]
			if off := off(trainer.Parameter(name), state[name].Data); off > 2e-6 {
				t.Errorf("step %d: %s is off by %.2g of the graph's largest", i+1, name, off)
			}
		}
	}
}

// withoutKeys leaves out the biases of keys: their gradient is zero, since
// adding one number to all products changes no softmax, and AdamW makes steps
// of whatever rounding leaves of it.
func withoutKeys(name string, values []float32) []float32 {
	if !strings.HasSuffix(name, "attn.qkv.bias") {
		return values
	}
	third := len(values) / 3
	return append(slices.Clone(values[:third]), values[2*third:]...)
}

// Accumulated over smaller runs, the last of them not full, and with a batch
// that is larger than the examples, a step is what one batch gives.
func TestAccumulationIsOneLargeBatch(t *testing.T) {
	race.Long(t)
	g, file := openGolden(t)
	want := g.trainer(t, file, nil)
	for _, batch := range []int{1, 3, 7} {
		got := g.trainer(t, file, func(p *finetune.Plan) { p.Batch = batch })
		for i := range 2 {
			a, err := got.Step(t.Context(), g.steps[i], g.classes, g.Rate, 0, nil)
			must(t, err)
			if batch == 1 {
				_, err = want.Step(t.Context(), g.steps[i], g.classes, g.Rate, 0, nil)
				must(t, err)
			}
			if math.Abs(a.Loss-g.Losses[i]) > 1e-4*(1+g.Losses[i]) {
				t.Errorf("runs of %d, step %d: the loss is %.7f, want %.7f", batch, i+1, a.Loss, g.Losses[i])
			}
		}
		stepped := new(stepped)
		for _, p := range g.model.Parameters {
			stepped.hold(t, p.Name, got.Parameter(p.Name), want.Parameter(p.Name))
		}
		stepped.check(t)
	}
}

func TestWhatIsFrozenStays(t *testing.T) {
	g, file := openGolden(t)
	trainer := g.trainer(t, file, func(p *finetune.Plan) { p.LastBlocks = 1 })
	_, err := trainer.Step(t.Context(), g.steps[0], g.classes, g.Rate, 0, nil)
	must(t, err)
	for _, p := range g.model.Parameters {
		moved := off(trainer.Parameter(p.Name), p.Data) > 0
		if want := p.Layer >= 3; moved != want {
			t.Errorf("%s of layer %d: moved %v, want %v", p.Name, p.Layer, moved, want)
		}
	}
}

// What is not finite changes nothing and is counted.
func TestAStepWithoutFiniteGradientsIsSkipped(t *testing.T) {
	g, file := openGolden(t)
	trainer := g.trainer(t, file, nil)
	examples := append([]finetune.Example(nil), g.steps[0]...)
	examples[1].Pixels = append([]float32(nil), examples[1].Pixels...)
	examples[1].Pixels[7] = float32(math.Inf(1))
	step, err := trainer.Step(t.Context(), examples, g.classes, g.Rate, 0, nil)
	must(t, err)
	if !step.Skipped {
		t.Error("the step was made")
	}
	for _, p := range g.model.Parameters {
		if off(trainer.Parameter(p.Name), p.Data) != 0 {
			t.Errorf("%s has moved", p.Name)
		}
	}
}

// A head that is a probe gives the probe's logits: training begins at its loss.
func TestTrainingBeginsAtTheProbe(t *testing.T) {
	g, file := openGolden(t)
	plan := finetune.DefaultPlan()
	plan.Batch = 4
	head := finetune.Head{Weights: make([]float32, 64), Bias: -.3}
	for i := range head.Weights {
		head.Weights[i] = float32(math.Sin(float64(i)))
	}
	trainer, err := finetune.NewTrainer(runtime(t), g.model, plan, head, ort.DefaultSessionConfig())
	must(t, err)
	defer trainer.Close()
	var pictures [][]float32
	for _, e := range g.steps[0] {
		pictures = append(pictures, e.Pixels)
	}
	logits, err := trainer.Logits(t.Context(), pictures)
	must(t, err)

	built, err := vit.Build(t.Context(), file, g.model.Architecture, vit.Options{Width: 56, Height: 56, Fit: "stretch", Pool: vit.PoolClass})
	must(t, err)
	session, err := runtime(t).NewSession(built.Graph, ort.DefaultSessionConfig())
	must(t, err)
	defer session.Close()
	loss, total := 0., 0.
	for i, pixels := range pictures {
		out, err := session.Run(t.Context(), map[string]ort.Tensor{vit.PixelsName: {Shape: []int64{1, 3, 56, 56}, Data: pixels}}, nil)
		must(t, err)
		var dot, square float64
		for j, x := range out[vit.EmbeddingName].Data {
			dot, square = dot+float64(x)*float64(head.Weights[j]), square+float64(x)*float64(x)
		}
		want := dot/math.Sqrt(square) + head.Bias
		if math.Abs(logits[i]-want) > 1e-5 {
			t.Errorf("picture %d: the logit is %.7f, the probe's %.7f", i, logits[i], want)
		}
		sign, weight := -1., g.classes.Dislike
		if g.steps[0][i].Liked {
			sign, weight = 1, g.classes.Like
		}
		loss, total = loss+weight*math.Log1p(math.Exp(-sign*want)), total+weight
	}
	step, err := trainer.Step(t.Context(), g.steps[0], g.classes, 1e-5, 0, nil)
	must(t, err)
	if math.Abs(step.Loss-loss/total) > 1e-5 {
		t.Errorf("training begins at a loss of %.7f, the probe's is %.7f", step.Loss, loss/total)
	}
}

func TestNothingIsReadAfterItIsWritten(t *testing.T) {
	g, _ := openGolden(t)
	model, err := finetune.DefaultPlan().OptimizerGraph(g.model)
	must(t, err)
	graph := *model.Graph
	// A node that reads a parameter beside what makes its next value.
	graph.Op("Neg", "late", []string{"norm.weight"})
	if err := finetune.InPlace(&graph, "norm.weight", "norm.weight.out"); err == nil {
		t.Error("a reader that may run after the writer is not found")
	}
}

// labelsOf reads the labels, which are int64 and so none of the types that
// package safetensors gives as numbers.
func labelsOf(t testing.TB, batches *safetensors.File) []int64 {
	t.Helper()
	tensor, found := batches.Tensor("labels")
	file, err := os.ReadFile("testdata/batches.safetensors")
	must(t, err)
	if !found || tensor.Elements() == 0 {
		t.Fatal("no labels")
	}
	data := file[8+binary.LittleEndian.Uint64(file):] // they are the first
	labels := make([]int64, tensor.Elements())
	for i := range labels {
		labels[i] = int64(binary.LittleEndian.Uint64(data[8*i:]))
	}
	return labels
}

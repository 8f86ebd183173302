package finetune_test

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/vit"
	"github.com/palate-art/palate/probe"
	"github.com/palate-art/palate/test/race"
)

// planted is a taste that a head on a random body tells badly: pictures are
// stripes at any angle and phase in noise, and those of the longer wavelength,
// few of them, are liked. A line through random features of pixels tells
// brightness and places; to tell wavelengths at any angle, filters are needed.
type planted struct {
	pixels [][]float32
	liked  []bool
	held   int // numbers below it are held out
}

// plant makes n pictures, a third of them held out, of which one in rare is
// liked.
func plant(seed uint64, n, side, rare int, wavelengths [2]float64, noise float64) planted {
	random := rand.New(rand.NewPCG(seed, 77))
	p := planted{held: n / 3}
	for i := range n {
		liked := i%rare == 0
		wavelength := wavelengths[0]
		if liked {
			wavelength = wavelengths[1]
		}
		angle, phase := 2*math.Pi*random.Float64(), 2*math.Pi*random.Float64()
		pixels := make([]float32, 3*side*side)
		for y := range side {
			for x := range side {
				v := math.Sin((float64(x)*math.Cos(angle)+float64(y)*math.Sin(angle))*2*math.Pi/wavelength + phase)
				for c := range 3 {
					pixels[(c*side+y)*side+x] = float32(v + noise*random.NormFloat64())
				}
			}
		}
		p.pixels, p.liked = append(p.pixels, pixels), append(p.liked, liked)
	}
	return p
}

// judged are recall of the liked ones and balanced accuracy on those held out.
func (p planted) judged(logits []float64) (recall, balanced float64) {
	var right, all [2]float64
	for i, logit := range logits {
		class := 0
		if p.liked[i] {
			class = 1
		}
		if all[class]++; (logit > 0) == p.liked[i] {
			right[class]++
		}
	}
	return right[1] / all[1], (right[0]/all[0] + right[1]/all[1]) / 2
}

// balancedWeights give both classes the same weight.
func (p planted) balancedWeights() finetune.ClassWeights {
	likes := 0.
	for _, liked := range p.liked[p.held:] {
		if liked {
			likes++
		}
	}
	n := float64(len(p.liked) - p.held)
	return finetune.ClassWeights{Dislike: n / (2 * (n - likes)), Like: n / (2 * likes)}
}

// tinyOf opens a tiny model of another package's golden ones, at two patches
// a side.
func tinyOf(t *testing.T, folder string) (*vit.Trainable, vit.Pool) {
	t.Helper()
	folder = filepath.Join("../internal/vit/testdata", folder)
	file := tensors(t, filepath.Join(folder, "model.safetensors"))
	config, err := os.ReadFile(filepath.Join(folder, "config.json"))
	must(t, err)
	a, err := vit.Inspect(file, config)
	must(t, err)
	m, err := vit.OpenTrainable(t.Context(), file, a, 2*a.PatchSize, 2*a.PatchSize)
	must(t, err)
	return m, a.Pool
}

func trainerOf(t *testing.T, m *vit.Trainable, pool vit.Pool) *finetune.Trainer {
	t.Helper()
	plan := finetune.DefaultPlan()
	plan.Pool, plan.Batch = pool, 16
	return trainerWith(t, m, plan)
}

func trainerWith(t *testing.T, m *vit.Trainable, plan finetune.Plan) *finetune.Trainer {
	t.Helper()
	trainer, err := finetune.NewTrainer(runtime(t), copied(m), plan, finetune.Head{Weights: make([]float32, plan.Features(m))}, ort.DefaultSessionConfig())
	must(t, err)
	t.Cleanup(func() { must(t, trainer.Close()) })
	return trainer
}

// train makes passes at a rate that falls to nothing, and judges by the last.
func (p planted) train(t *testing.T, trainer *finetune.Trainer, classes finetune.ClassWeights, epochs int, rate float64, seed uint64) (recall, balanced float64) {
	t.Helper()
	const batch = 16
	order := make([]int, 0, len(p.liked))
	for i := p.held; i < len(p.liked); i++ {
		order = append(order, i)
	}
	random := rand.New(rand.NewPCG(seed, 5))
	steps, step := epochs*((len(order)+batch-1)/batch), 0
	for range epochs {
		random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for part := range slices.Chunk(order, batch) {
			var examples []finetune.Example
			for _, i := range part {
				examples = append(examples, finetune.Example{Pixels: p.pixels[i], Liked: p.liked[i], Weight: 1})
			}
			now := rate * (1 + math.Cos(math.Pi*float64(step)/float64(steps))) / 2
			_, err := trainer.Step(t.Context(), examples, classes, now, 0, nil)
			must(t, err)
			step++
		}
	}
	logits, err := trainer.Logits(t.Context(), p.pixels[:p.held])
	must(t, err)
	return p.judged(logits)
}

// probed learns a probe, with class weights, on the features of the model as it
// is.
func (p planted) probed(t *testing.T, trainer *finetune.Trainer) (balanced float64) {
	t.Helper()
	features, err := trainer.Features(t.Context(), p.pixels)
	must(t, err)
	examples := make([]probe.Example, 0, len(features))
	for i := p.held; i < len(features); i++ {
		examples = append(examples, probe.Example{Row: i, Embedding: features[i], Liked: p.liked[i]})
	}
	learned, _, err := probe.Train(t.Context(), examples, "m", probe.DefaultConfig())
	must(t, err)
	logits := make([]float64, p.held)
	for i := range logits {
		logits[i] = learned.Bias
		for k, w := range learned.Weights {
			logits[i] += float64(w) * float64(features[i][k])
		}
	}
	_, balanced = p.judged(logits)
	return balanced
}

// plantedModels are of every kind that can be fine-tuned, with the rate that
// suits it.
var plantedModels = []struct {
	folder string
	rate   float64
}{{"timm-dinov2", 2e-3}, {"hf-dinov2", 2e-3}, {"timm-dinov2-reg4", 2e-3}, {"timm-dinov2-swiglu", 2e-3}, {"timm-dino", 2e-3}, {"timm-eva02", 2e-3}}

// A tiny model with random weights of every kind that can be fine-tuned learns,
// trained whole, a planted and imbalanced taste; a probe on its frozen body
// learns at least a tenth less, on the same pictures. Without opt-in one model
// and one seed stand for all.
func TestEveryKindOfModelLearnsWhatAProbeCannot(t *testing.T) {
	race.Long(t)
	all, seeds := plantedModels, []uint64{1, 2, 3}
	if os.Getenv("PALATE_TEST_PLANTED") == "" {
		all, seeds = plantedModels[5:], seeds[:1]
	}
	for _, tc := range all {
		m, pool := tinyOf(t, tc.folder)
		for _, seed := range seeds {
			begun := time.Now()
			p := plant(seed, 450, 2*m.Architecture.PatchSize, 4, [2]float64{4, 9}, .6)
			trainer := trainerOf(t, m, pool)
			frozen := p.probed(t, trainer)
			_, trained := p.train(t, trainer, p.balancedWeights(), 14, tc.rate, seed)
			t.Logf("| %s | %d | %.3f | %.3f | %.1f s |", tc.folder, seed, frozen, trained, time.Since(begun).Seconds())
			if trained < .9 || frozen > trained-.1 {
				t.Errorf("%s, seed %d: trained %.3f, a probe on the frozen body %.3f, want at least .9 and at least .1 less", tc.folder, seed, trained, frozen)
			}
		}
	}
}

// With class weights more of the few liked pictures are found than without, in
// trainings that are the same but for them.
func TestClassWeightsRaiseTheRecallOfTheFew(t *testing.T) {
	race.Long(t)
	all, seeds := plantedModels, []uint64{1, 2, 3}
	if os.Getenv("PALATE_TEST_PLANTED") == "" {
		all, seeds = plantedModels[:1], seeds[:1]
	}
	var gains []float64
	for _, tc := range all {
		m, pool := tinyOf(t, tc.folder)
		for _, seed := range seeds {
			p := plant(seed, 300, 2*m.Architecture.PatchSize, 10, [2]float64{4, 9}, 1)
			without, _ := p.train(t, trainerOf(t, m, pool), finetune.ClassWeights{Dislike: 1, Like: 1}, 4, tc.rate, seed)
			with, _ := p.train(t, trainerOf(t, m, pool), p.balancedWeights(), 4, tc.rate, seed)
			t.Logf("| %s | %d | %.2f | %.2f |", tc.folder, seed, without, with)
			if with < without {
				t.Errorf("%s, seed %d: the recall is %.2f with class weights and %.2f without", tc.folder, seed, with, without)
			}
			gains = append(gains, with-without)
		}
	}
	var sum float64
	for _, g := range gains {
		sum += g
	}
	if mean := sum / float64(len(gains)); mean < .1 {
		t.Errorf("class weights raise the recall by %.2f on the average of %d pairs, want at least .1", mean, len(gains))
	}
}

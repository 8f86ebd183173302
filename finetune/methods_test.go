package finetune_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/safetensors"
	"github.com/palate-art/palate/internal/vit"
	"github.com/palate-art/palate/test/race"
)

// Training on tokens that are kept is training on pixels, but for their
// rounding to float16; how many are kept changes nothing.
func TestKeptTokensTrainAsPixelsDo(t *testing.T) {
	g, config := newGratings(60), quick()
	config.Epochs = 2
	last := func(tokens bool) *finetune.Trainer {
		return newTrainer(t, func(p *finetune.Plan) { p.LastBlocks, p.Tokens = 1, tokens })
	}
	pixels, err := last(false).Fit(t.Context(), g.data(""), config, "", nil)
	must(t, err)
	kept, err := last(true).Fit(t.Context(), g.data(""), config, "", nil)
	must(t, err)
	for i, want := range pixels.History {
		got := kept.History[i]
		if math.Abs(got.TrainLoss-want.TrainLoss) > 1e-3 || math.Abs(got.HeldLoss-want.HeldLoss) > 1e-3 {
			t.Errorf("epoch %d: on tokens %+v, on pixels %+v", i, got, want)
		}
	}
	if pixels.History[2].TrainLoss == pixels.History[1].TrainLoss {
		t.Error("nothing was learned at all")
	}
	for _, bound := range []int64{0, 100_000} {
		config.CacheBytes, config.Crop = bound, .6
		few, err := last(true).Fit(t.Context(), g.data(""), config, "", nil)
		must(t, err)
		config.CacheBytes = 1 << 30
		all, err := last(true).Fit(t.Context(), g.data(""), config, "", nil)
		must(t, err)
		a, b := told(few.History), told(all.History)
		for i := range a {
			if a[i] != b[i] {
				t.Errorf("%d bytes kept: epoch %d is %+v, want %+v", bound, i, a[i], b[i])
			}
		}
	}
}

// A change of low rank begins at nothing, leaves the model's own weights, and
// is the same after it was added to them.
func TestAChangeOfLowRankIsAddedToTheWeights(t *testing.T) {
	race.Long(t)
	g, config := newGratings(60), quick()
	config.Epochs, config.LearningRate = 2, 1e-2
	trainer := newTrainer(t, func(p *finetune.Plan) { p.Rank, p.LayerDecay = 3, 1 })
	plain := newTrainer(t, nil)
	pictures := g.pixels[:8]
	before, err := trainer.Features(t.Context(), pictures)
	must(t, err)
	published, err := plain.Features(t.Context(), pictures)
	must(t, err)
	for i := range before {
		if c := cosineOf(before[i], published[i]); c < 1-1e-9 {
			t.Errorf("picture %d: before training the cosine with the published model's feature is %v, want 1", i, c)
		}
	}
	own := append([]float32(nil), trainer.Parameter("blocks.1.attn.qkv.weight")...)
	fitted, err := trainer.Fit(t.Context(), g.data(""), config, "", nil)
	must(t, err)
	if off(trainer.Parameter("blocks.1.attn.qkv.weight"), own) != 0 {
		t.Error("a weight beside its change has moved")
	}
	if fitted.Best.Number == 0 {
		t.Fatalf("nothing was learned: %+v", fitted.History)
	}
	unmerged, err := trainer.Features(t.Context(), pictures)
	must(t, err)
	merged, err := reopened(t, trainer).Features(t.Context(), pictures)
	must(t, err)
	for i := range unmerged {
		if c := cosineOf(unmerged[i], merged[i]); c < .999999 {
			t.Errorf("picture %d: merged and unmerged have a cosine of %v", i, c)
		}
		if c := cosineOf(unmerged[i], published[i]); c > .9999 {
			t.Errorf("picture %d: the change changes nothing (cosine %v)", i, c)
		}
	}
}

// reopened writes the model and opens what was written.
func reopened(t *testing.T, trainer *finetune.Trainer) *finetune.Trainer {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.safetensors")
	var content bytes.Buffer
	must(t, safetensors.Write(&content, trainer.Export(), nil))
	must(t, os.WriteFile(path, content.Bytes(), 0o600))
	file := tensors(t, path)
	for _, tensor := range file.Tensors() {
		if strings.Contains(tensor.Name, "lora") || strings.Contains(tensor.Name, "head") {
			t.Errorf("%s was exported, which is none of the model's", tensor.Name)
		}
	}
	a, err := vit.Inspect(file, []byte(`{"architecture":"vit_small_patch14_dinov2","num_heads":2}`))
	must(t, err)
	model, err := vit.OpenTrainable(t.Context(), file, a, side, side)
	must(t, err)
	again, err := finetune.NewTrainer(runtime(t), model, finetune.DefaultPlan(), finetune.Head{Weights: make([]float32, 64)}, ort.DefaultSessionConfig())
	must(t, err)
	t.Cleanup(func() { must(t, again.Close()) })
	return again
}

func cosineOf(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab, aa, bb = ab+float64(a[i])*float64(b[i]), aa+float64(a[i])*float64(a[i]), bb+float64(b[i])*float64(b[i])
	}
	return ab / math.Sqrt(aa*bb)
}

package finetune_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/palate-art/palate/finetune"
	"github.com/palate-art/palate/internal/vit"
)

// Block by block, losses, gradients and three steps are those of the graph of
// everything, whatever is trained; what is dropped is the same too.
func TestBlockByBlockIsTheSameTraining(t *testing.T) {
	g := newGratings(24)
	for name, change := range map[string]func(*finetune.Plan){
		"everything":     func(*finetune.Plan) {},
		"no drop path":   func(p *finetune.Plan) { p.DropPath = false },
		"last block":     func(p *finetune.Plan) { p.LastBlocks = 1 },
		"on kept tokens": func(p *finetune.Plan) { p.LastBlocks, p.Tokens = 2, true },
		"low rank":       func(p *finetune.Plan) { p.Rank, p.LayerDecay = 2, 1 },
		"both pools":     func(p *finetune.Plan) { p.Pool, p.Normalise = vit.PoolBoth, false },
	} {
		t.Run(name, func(t *testing.T) {
			trainer := func(blocks bool) *finetune.Trainer {
				trainer := newTrainer(t, func(p *finetune.Plan) { change(p); p.CheckpointBlocks = blocks })
				head := finetune.Head{Weights: make([]float32, trainer.FeatureLength()), Bias: .1}
				for i := range head.Weights {
					head.Weights[i] = float32(i%5) - 2
				}
				must(t, trainer.SetHead(head))
				return trainer
			}
			whole, blocks := trainer(false), trainer(true)
			pictures := g.pixels
			if whole.KeepsTokens() {
				var err error
				pictures, err = whole.Tokens(t.Context(), pictures)
				must(t, err)
			}
			var examples []finetune.Example
			for i, pixels := range pictures[:12] { // more than one run, the last not full
				examples = append(examples, finetune.Example{Pixels: pixels, Liked: g.liked[i], Weight: 1 + float64(i%2)})
			}
			classes := finetune.ClassWeights{Dislike: .7, Like: 2}
			_, want, err := whole.Gradients(t.Context(), examples, classes)
			must(t, err)
			_, got, err := blocks.Gradients(t.Context(), examples, classes)
			must(t, err)
			if len(got) != len(want) || len(want) < 2 {
				t.Fatalf("got gradients of %d tensors, want %d", len(got), len(want))
			}
			for name := range want {
				if off := off(withoutKeys(name, got[name]), withoutKeys(name, want[name])); off > 1e-5 {
					t.Errorf("gradient of %s: off by %.2g of its largest", name, off)
				}
			}
			for step := range 3 {
				a, err := whole.Step(t.Context(), examples, classes, 1e-3, .5, rand.New(rand.NewPCG(1, uint64(step))))
				must(t, err)
				b, err := blocks.Step(t.Context(), examples, classes, 1e-3, .5, rand.New(rand.NewPCG(1, uint64(step))))
				must(t, err)
				if math.Abs(a.Loss-b.Loss) > 1e-5*(1+a.Loss) || math.Abs(a.Norm-b.Norm) > 1e-4*a.Norm {
					t.Errorf("step %d: got a loss of %.7f and a norm of %.7f, want %.7f and %.7f", step+1, b.Loss, b.Norm, a.Loss, a.Norm)
				}
			}
		})
	}
}

// Every kind of model that can be trained can be trained block by block, with
// less that is live at once.
func TestEveryKindOfModelGoesBlockByBlock(t *testing.T) {
	for _, kind := range plantedModels {
		m, pool := tinyOf(t, kind.folder)
		plan := finetune.DefaultPlan()
		plan.Pool, plan.Batch = pool, 16
		whole := plan.LiveBytes(m)
		if plan.CheckpointBlocks = true; plan.LiveBytes(m) >= whole {
			t.Errorf("%s: %d bytes live, of the whole %d", kind.folder, plan.LiveBytes(m), whole)
		}
		p := plant(1, 24, 2*m.Architecture.PatchSize, 4, [2]float64{4, 9}, .6)
		var losses [2][]float64
		for i, blocks := range []bool{false, true} {
			plan.CheckpointBlocks = blocks
			trainer := trainerWith(t, m, plan)
			for range 3 {
				var examples []finetune.Example
				for k, pixels := range p.pixels {
					examples = append(examples, finetune.Example{Pixels: pixels, Liked: p.liked[k], Weight: 1})
				}
				step, err := trainer.Step(t.Context(), examples, p.balancedWeights(), 1e-3, 0, nil)
				must(t, err)
				losses[i] = append(losses[i], step.Loss)
			}
		}
		for k, want := range losses[0] {
			if got := losses[1][k]; math.Abs(got-want) > 1e-4*(1+want) {
				t.Errorf("%s, step %d: the loss is %.7f, want %.7f", kind.folder, k+1, got, want)
			}
		}
	}
}

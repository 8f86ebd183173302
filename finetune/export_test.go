package finetune

import (
	"context"
	"slices"

	"github.com/palate-art/palate/internal/onnxgraph"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/simd"
	"github.com/palate-art/palate/internal/vit"
)

// InPlace is inPlace.
var InPlace = inPlace

// OptimizerGraph is optimizerGraph.
func (p Plan) OptimizerGraph(m *vit.Trainable) (*onnxgraph.Model, error) { return p.optimizerGraph(m) }

// Set replaces a parameter.
func (t *Trainer) Set(name string, data []float32) {
	tensor := t.state[name]
	tensor.Data = slices.Clone(data)
	t.state[name] = tensor
}

// KeepsTokens reports whether tokens are in the place of pixels.
func (t *Trainer) KeepsTokens() bool { return t.plan.Tokens }

// Parameter is a parameter as it stands.
func (t *Trainer) Parameter(name string) []float32 { return t.state[name].Data }

// Gradients are those of one run, by parameter.
func (t *Trainer) Gradients(ctx context.Context, examples []Example, classes ClassWeights) (loss float64, gradients map[string][]float32, err error) {
	result, err := t.gradients(ctx, examples, classes, 0, nil)
	if err != nil {
		return 0, nil, err
	}
	gradients = make(map[string][]float32)
	for _, p := range t.parameters {
		if g, there := t.sums[p.Name+gradientSuffix]; there {
			gradients[p.Name] = g.Data
		}
	}
	return result.Loss, gradients, nil
}

// OptimizerOf is a trainer of n numbers that has gradients and no graphs.
func OptimizerOf(n, threads int, kernel simd.Kernel) *Trainer {
	t := &Trainer{plan: DefaultPlan(), state: make(map[string]ort.Tensor), threads: threads, kernel: kernel}
	p := parameter{vit.Parameter{Name: "numbers", Shape: []int64{int64(n)}, Decay: true}, true, .7}
	t.parameters = append(t.parameters, p)
	t.put(p, make([]float32, n))
	t.sums = t.forGradients()
	for i := range n {
		t.state[p.Name].Data[i], t.sums[p.Name+gradientSuffix].Data[i] = float32(i%7), float32(i%5-2)*1e-2
	}
	return t
}

// Optimize makes a step on the gradients that are there.
func (t *Trainer) Optimize(rate float64) {
	t.step++
	t.update(t.adamW(t.norm(), rate, t.step))
}

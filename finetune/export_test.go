package finetune

import (
	"context"
	"slices"

	"github.com/palate-art/palate/internal/onnxgraph"
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

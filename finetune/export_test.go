package finetune

import (
	"context"

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
	tensor.Data = data
	t.state[name] = tensor
}

// Parameter is a parameter as it stands.
func (t *Trainer) Parameter(name string) []float32 { return t.state[name].Data }

// Gradients are those of one run, by parameter.
func (t *Trainer) Gradients(ctx context.Context, examples []Example, classes ClassWeights) (loss float64, gradients map[string][]float32, err error) {
	var total float64
	for _, e := range examples {
		total += e.Weight * classes.of(e.Liked)
	}
	inputs := t.inputs(t.training, examples, true)
	inputs[inClassWeights] = vector(classes.Dislike, classes.Like)
	inputs[inTotalWeight], inputs[inLossScale] = vector(total), vector(1)
	out, err := t.training.Run(ctx, inputs, nil)
	if err != nil {
		return 0, nil, err
	}
	gradients = make(map[string][]float32)
	for _, p := range t.parameters {
		if g, there := out[p.Name+gradientSuffix]; there {
			gradients[p.Name] = g.Data
		}
	}
	return float64(out[outLoss].Data[0]), gradients, nil
}

package finetune

import (
	"context"
	"errors"
	"strings"

	"github.com/palate-art/palate/internal/onnxgraph"
	"github.com/palate-art/palate/internal/ort"
)

// whole has one graph for the loss and the gradients of everything, and one
// for the optimizer.
type whole struct {
	*Trainer
	training, optimizer *ort.Session
}

func newWhole(t *Trainer, open func(*onnxgraph.Model) (*ort.Session, error)) (graphs, error) {
	optimizer, err := t.plan.optimizerGraph(t.model)
	if err != nil {
		return nil, err
	}
	w := &whole{Trainer: t}
	if w.training, err = open(t.plan.trainingGraph(t.model)); err == nil {
		w.optimizer, err = open(optimizer)
	}
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

func (w *whole) Close() error { return closeAll(w.training, w.optimizer) }

func (w *whole) gradients(ctx context.Context, batch map[string]ort.Tensor) (loss float64, gradients map[string]ort.Tensor, err error) {
	out, err := w.run(ctx, w.training, batch)
	if err != nil {
		return 0, nil, err
	}
	return float64(out[outLoss].Data[0]), out, nil
}

func (w *whole) update(ctx context.Context, gradients map[string]ort.Tensor, rate float64, step int, take func(name string, next ort.Tensor)) (norm float64, err error) {
	inputs := map[string]ort.Tensor{inLearningRate: vector(rate), inStep: vector(float64(step)), inLossScale: vector(1)}
	for _, p := range w.parameters {
		if p.trained {
			inputs[p.Name+gradientSuffix] = gradients[p.Name+gradientSuffix]
		}
	}
	out, err := w.run(ctx, w.optimizer, inputs)
	if err != nil {
		return 0, err
	}
	if norm = float64(out[outNorm].Data[0]); finite(norm) {
		for name, next := range out {
			if name, of := strings.CutSuffix(name, nextSuffix); of {
				take(name, next)
			}
		}
	}
	return norm, nil
}

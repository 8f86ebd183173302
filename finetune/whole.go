package finetune

import (
	"context"

	"github.com/palate-art/palate/internal/onnxgraph/autodiff"
	"github.com/palate-art/palate/internal/ort"
)

// whole has one graph for the loss and the gradients of everything.
type whole struct {
	*Trainer
	training *ort.Session
}

func newWhole(t *Trainer, open func(*autodiff.Tape) (*ort.Session, error)) (graphs, error) {
	training, err := open(t.plan.trainingTape(t.model))
	if err != nil {
		return nil, err
	}
	return &whole{t, training}, nil
}

func (w *whole) Close() error { return w.training.Close() }

func (w *whole) gradients(ctx context.Context, batch, into map[string]ort.Tensor) (loss float64, err error) {
	out, err := w.run(ctx, w.training, batch, into)
	if err != nil {
		return 0, err
	}
	return float64(out[outLoss].Data[0]), nil
}

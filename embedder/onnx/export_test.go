package onnx

import (
	"context"

	"github.com/palate-art/palate/internal/ort"
)

// Through puts run around every run of e's session, and lets e behave as on
// another device than the CPU: Pipeline then looks for a batch size.
func (e *Embedder) Through(run func(inputs map[string]ort.Tensor, run func() (map[string]ort.Tensor, error)) (map[string]ort.Tensor, error)) {
	e.session = wrapped{e.session, run}
	e.device.Kind = ort.DeviceCUDA
	e.batch.set(untunedBatch)
}

type wrapped struct {
	runner
	around func(inputs map[string]ort.Tensor, run func() (map[string]ort.Tensor, error)) (map[string]ort.Tensor, error)
}

func (w wrapped) Run(ctx context.Context, inputs map[string]ort.Tensor, outputs []string) (map[string]ort.Tensor, error) {
	return w.around(inputs, func() (map[string]ort.Tensor, error) { return w.runner.Run(ctx, inputs, outputs) })
}

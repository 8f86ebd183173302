package main

import (
	"context"

	"github.com/palate-art/palate/bench/dinov2"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/embedder/onnx"
	"github.com/palate-art/palate/internal/ort"
)

func openModel(ctx context.Context, runtime *ort.Runtime, m dinov2.Model) (*onnx.Embedder, error) {
	return onnx.OpenModel(ctx, runtime, embedder.Model{File: m.File, Description: m.Description}, onnx.DefaultConfig())
}

// inference is the contestant that embeds prepared pictures of noise.
func (b *bench) inference(ctx context.Context, m dinov2.Model) (*contestant, *onnx.Embedder, error) {
	e, err := openModel(ctx, b.runtime, m)
	if err != nil {
		return nil, nil, err
	}
	b.closers = append(b.closers, e.Close)
	in := []embedder.Input{dinov2.Noise(m.Side)}
	done, _ := m.Work()
	return newContestant(m.String(), done, func(ctx context.Context) error {
		_, err := e.Embed(ctx, in)
		return err
	}), e, nil
}

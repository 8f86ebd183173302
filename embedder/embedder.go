// Package embedder turns pictures into embeddings: what an embedder is, how a
// model is described, how a picture is prepared for it, and how many pictures
// flow through it at once.
//
// The implementations are in the folders below: embedder/onnx runs any ONNX
// image model, embedder/baseline writes the built-in one. All of them pass
// embedder/embeddertest.
package embedder

import (
	"context"
	"image"

	"github.com/palate-art/palate"
)

// Input is one picture prepared for a model: planar, [Channels, Height,
// Width] row-major. It is as large as the model's input, not as the picture.
type Input struct {
	Channels, Height, Width int
	Pixels                  []float32
}

// Embedder maps images to embeddings with one fixed model.
// It is safe for concurrent use.
type Embedder interface {
	// Prepare turns one upright picture into the model's input on the CPU.
	// A picture that the model can't take is palate.ErrInvalid.
	Prepare(img image.Image) (Input, error)

	// Embed returns one embedding per input, in input order, each of
	// length Dim and L2 norm 1±1e-5. On error it returns no embeddings.
	// No inputs give no embeddings and no error. An input that Prepare did
	// not make (another shape, a NaN) is palate.ErrInvalid. It returns
	// promptly with ctx's error once ctx is done.
	Embed(ctx context.Context, inputs []Input) ([]palate.Embedding, error)

	// Dim is the length of every embedding.
	Dim() int

	// Model fingerprints the function, see palate.ModelID.
	Model() palate.ModelID

	// Name is what people call the model, such as "baseline".
	Name() string

	// Provider says what computes it, such as "cpu" or "cuda:0". It is no
	// part of the fingerprint.
	Provider() string
}

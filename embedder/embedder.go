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
	"github.com/palate-art/palate/internal/picture"
)

// Input is one picture prepared for a model: planar, [Channels, Height,
// Width] row-major. It is as large as the model's input, not as the picture.
type Input struct {
	Channels, Height, Width int
	Pixels                  []float32
	// Shown is the part of the upright picture that the input shows. It goes
	// beyond the picture where the input was filled.
	Shown Area
}

// Area is a rectangle of an upright picture, in fractions of its sides from
// the top left: all of it is from 0 to 1.
type Area struct{ MinX, MinY, MaxX, MaxY float64 }

// Embedder maps images to embeddings with one fixed model.
// It is safe for concurrent use.
type Embedder interface {
	// Prepare turns one upright picture into the model's input on the CPU.
	// A picture that the model can't take is palate.ErrInvalid.
	Prepare(img image.Image) (Input, error)

	// Embed returns one embedding per input, in input order, each of
	// length Dim and L2 norm 1±1e-5. Inputs may differ in shape as far as
	// Prepare makes them. On error it returns no embeddings.
	// No inputs give no embeddings and no error. An input that Prepare did
	// not make (another shape, a NaN) is palate.ErrInvalid. It returns
	// promptly with ctx's error once ctx is done.
	Embed(ctx context.Context, inputs []Input) ([]palate.Embedding, error)

	// Reading says how picture files are to be read for Prepare
	// (picture.Read): by which rules, beyond which length of the shorter
	// side more detail changes nothing much, and, if it has a Window, to which
	// part they may be reduced as they come. A model whose Prepare is not a
	// Description's leaves the Window out.
	Reading() picture.Reading

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

// Patches are the tokens of one picture's patches, row by row from the top
// left, each of the model's width and not normalised.
type Patches struct {
	Columns, Rows int
	Tokens        [][]float32 // Rows × Columns
	Shown         Area        // what all of them cover
}

// Area is the part of the upright picture that a patch covers.
func (p Patches) Area(column, row int) Area {
	w, h := (p.Shown.MaxX-p.Shown.MinX)/float64(p.Columns), (p.Shown.MaxY-p.Shown.MinY)/float64(p.Rows)
	return Area{
		MinX: p.Shown.MinX + float64(column)*w, MinY: p.Shown.MinY + float64(row)*h,
		MaxX: p.Shown.MinX + float64(column+1)*w, MaxY: p.Shown.MinY + float64(row+1)*h,
	}
}

// PatchEmbedder is an Embedder that can also tell where in a picture it sees
// what.
type PatchEmbedder interface {
	Embedder

	// EmbedPatches returns the tokens of each input's patches, in input
	// order. A model that has none, and inputs that Embed would refuse, are
	// palate.ErrInvalid.
	EmbedPatches(ctx context.Context, inputs []Input) ([]Patches, error)
}

package embedder

import (
	"context"
	"fmt"
	"image"
	"io"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
)

// Limits bound what a file may ask for while it is decoded.
type Limits = picture.Limits

// Reading says how a picture file is read for a model, and Rules by which
// rules: they are part of what a ModelID stands for. Empty rules are those that
// new collections are read by.
type (
	Reading = picture.Reading
	Rules   = picture.Rules
)

// DecodeIfAsked is called first thing in main by a program that reads HEIC and
// AVIF: it lets such pictures be decoded by processes of the same program,
// four times as fast as without, and killed when they take too long.
func DecodeIfAsked() { picture.DecodeIfAsked() }

// DefaultLimits are what palate holds every picture to.
func DefaultLimits() Limits { return picture.DefaultLimits() }

// Decode reads a JPEG, PNG, GIF, WebP, BMP, TIFF, Netpbm, TGA, HEIC or AVIF file as palate sees it:
// upright by its orientation, transparency over white, the first frame.
// It gives the whole picture, for showing. image.Decode gives another one:
// what is embedded goes through Read or EmbedPicture, else its vector is not
// comparable with those of a collection although the ModelID is the same.
//
// What is no picture of these formats, is damaged or exceeds the limits is
// palate.ErrInvalid.
func Decode(r io.Reader, limits Limits) (image.Image, error) {
	m, _, err := picture.Decode(r, limits)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Read decodes a picture as far as a model needs it and prepares it. Errors
// are those of Decode and of the model's Prepare.
func Read(e Embedder, r io.Reader, limits Limits) (Input, error) {
	m, _, err := picture.Read(r, limits, e.Reading())
	if err != nil {
		return Input{}, err
	}
	return e.Prepare(m)
}

// EmbedPicture reads one picture and embeds it: the vector that palate itself
// would store for that file, bit for bit on the same device. For many
// pictures Pipeline is faster.
func EmbedPicture(ctx context.Context, e Embedder, r io.Reader, limits Limits) (palate.Embedding, error) {
	embedding, _, err := EmbedDecoded(ctx, e, func(use func(image.Image) error) error {
		m, _, err := picture.Read(r, limits, e.Reading())
		if err != nil {
			return err
		}
		return use(m)
	})
	return embedding, err
}

// EmbedDecoded embeds the one picture that decode hands to use, read as
// e.Reading says; the picture is not held beyond that call. It gives the input
// that was made of it beside the embedding. Errors are decode's and the model's.
func EmbedDecoded(ctx context.Context, e Embedder, decode func(use func(image.Image) error) error) (palate.Embedding, Input, error) {
	var input Input
	err := decode(func(m image.Image) (err error) {
		input, err = e.Prepare(m)
		return err
	})
	if err != nil {
		return nil, Input{}, err
	}
	embeddings, err := e.Embed(ctx, []Input{input})
	if err != nil {
		return nil, Input{}, err
	}
	if len(embeddings) != 1 {
		return nil, Input{}, fmt.Errorf("embedder: %s gave %d embeddings of one picture: %w", e.Name(), len(embeddings), palate.ErrInvalid)
	}
	return embeddings[0], input, nil
}

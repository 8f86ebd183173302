package collection

import (
	"context"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/regular"
)

// EmbedFile gives the embedding of a picture file.
func (l *Loader) EmbedFile(ctx context.Context, e embedder.Embedder, name string) (palate.Embedding, error) {
	file, err := regular.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var input embedder.Input
	_, err = l.decoding.Decode(ctx, file, ownPicture(e), func(m *picture.RGB, _ picture.Info) (err error) {
		input, err = e.Prepare(m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	vector, err := embedInput(ctx, e, input)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return vector, nil
}

// ownPicture are the terms of a file that whoever runs the program named.
func ownPicture(e embedder.Embedder) picture.Terms {
	return picture.Terms{Limits: picture.DefaultLimits(), Reading: e.Reading(), Alone: true}
}

func embedInput(ctx context.Context, e embedder.Embedder, input embedder.Input) (palate.Embedding, error) {
	embeddings, err := e.Embed(ctx, []embedder.Input{input})
	if err != nil {
		return nil, err
	}
	return embeddings[0], nil
}

package collection

import (
	"context"
	"fmt"
	"image"

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
	embedding, _, err := embedder.EmbedDecoded(ctx, e, func(use func(image.Image) error) error {
		_, err := l.decoding.Decode(ctx, file, ownPicture(e), func(m *picture.RGB, _ picture.Info) error { return use(m) })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return embedding, nil
}

// ownPicture are the terms of a file that whoever runs the program named.
func ownPicture(e embedder.Embedder) picture.Terms {
	return picture.Terms{Limits: picture.DefaultLimits(), Reading: e.Reading(), Alone: true}
}

// ImagesNamed is ImageNamed for several: all of them, or an error.
func (c *Collection) ImagesNamed(ctx context.Context, names []string) ([]palate.ImageID, error) {
	ids := make([]palate.ImageID, len(names))
	for i, name := range names {
		var err error
		if ids[i], err = c.ImageNamed(ctx, name); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

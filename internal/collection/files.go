package collection

import (
	"context"
	"errors"
	"fmt"
	"image"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/regular"
)

// EmbedFile gives the embedding of a picture file.
func (l *Loader) EmbedFile(ctx context.Context, m *Loaded, name string) (palate.Embedding, error) {
	file, err := regular.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	e, err := m.running(ctx)
	if err != nil {
		return nil, err
	}
	terms, err := l.ownPicture(e)
	if err != nil {
		return nil, err
	}
	embedding, _, err := embedder.EmbedDecoded(ctx, e, func(use func(image.Image) error) error {
		_, err := l.decoding.Decode(ctx, file, terms, func(m *picture.RGB, _ picture.Info) error { return use(m) })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, ingest.Liftable(err))
	}
	return embedding, nil
}

// FileEmbedding is the embedding of a file.
type FileEmbedding struct {
	File    string           `json:"file"`
	Model   string           `json:"model"`
	ModelID palate.ModelID   `json:"model_id"`
	Vector  palate.Embedding `json:"vector"`
}

// EmbedFiles gives the embeddings of picture files as soon as each is made; an
// error of told ends it. The model is that of the collection whose models are
// used, so that they can be compared, unless another is asked for. Files that
// can't be embedded are passed by and told together in the error.
func (l *Loader) EmbedFiles(ctx context.Context, used []Used, files []string, told func(FileEmbedding) error) error {
	e, err := l.Load(ctx, used, true)
	if err != nil {
		return err
	}
	if err := e.Tell(ctx, l.tell); err != nil {
		return errors.Join(err, e.Close())
	}
	if err := l.TellInt8OfFiles(ctx, e, files); err != nil {
		return errors.Join(err, e.Close())
	}
	var errs []error
	for _, name := range files {
		vector, err := l.EmbedFile(ctx, e, name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if err := told(FileEmbedding{name, e.Name(), e.Model(), vector}); err != nil {
			return errors.Join(err, e.Close())
		}
	}
	return errors.Join(errors.Join(errs...), e.Close())
}

// ownPicture are the terms of a file that whoever runs the program named.
func (l *Loader) ownPicture(e embedder.Embedder) (picture.Terms, error) {
	limits, err := ingest.OwnLimits(l.config.MaxPixels)
	return picture.Terms{Limits: limits, Reading: e.Reading(), Alone: true}, err
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

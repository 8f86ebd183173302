package collection

import (
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"image/png"
	"io"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/atomicfile"
	"github.com/palate-art/palate/internal/report"
	"github.com/palate-art/palate/internal/taste"
)

// Patches gives the collection's model in a form that tells its patches, which
// is loaded at the first call and closed with the model. A model that has
// none is palate.ErrConflict.
func (m *Model) Patches(ctx context.Context) (embedder.PatchEmbedder, error) {
	m.opening.Lock()
	defer m.opening.Unlock()
	if m.seeing != nil {
		return m.seeing, nil
	}
	loaded := m.Embedder
	out := loaded.Description().Output
	if out.Patches.Name != "" || out.Pooling == embedder.PoolMeanPatches {
		m.seeing = loaded
		return m.seeing, nil
	}
	if loaded.choice.settings.Size == 0 { // not made from a transformer's weights
		return nil, fmt.Errorf("heat map: %s sees the picture as one and tells nothing of its patches, as DINOv2 does: palate embed --model dinov2-small: %w", loaded.Name(), palate.ErrConflict)
	}
	e, _, err := m.Loader.run(ctx, chosen(loaded.choice.settings), true)
	if err != nil {
		return nil, fmt.Errorf("heat map: %w", err)
	}
	if e.Model() != loaded.Model() {
		return nil, errors.Join(fmt.Errorf("heat map: the weights of %s are others now than when it was opened: start again: %w", loaded.Name(), palate.ErrConflict), e.Close())
	}
	m.closers = append(m.closers, e.Close)
	m.seeing = e
	return m.seeing, nil
}

// TellsPatches reports whether Patches gives a model.
func (m *Model) TellsPatches() bool {
	out := m.Embedder.Description().Output
	return out.Patches.Name != "" || out.Pooling == embedder.PoolMeanPatches || m.Embedder.choice.settings.Size != 0
}

// Heat says where in an image the profile's score comes from.
func (m *Model) Heat(ctx context.Context, profile palate.Profile, id palate.ImageID) (taste.Heat, error) {
	version, err := m.Tastes.Current(ctx, profile)
	if err != nil {
		return taste.Heat{}, err
	}
	model, err := m.Patches(ctx)
	if err != nil {
		return taste.Heat{}, err
	}
	embedding, patches, err := m.Pictures.Patches(ctx, model, id)
	if err != nil {
		return taste.Heat{}, err
	}
	return version.Heat(id, embedding, patches)
}

// WriteHeatMap draws the heat over the image into a PNG file, and leaves no
// half of one.
func (m *Model) WriteHeatMap(ctx context.Context, path string, heat taste.Heat, id palate.ImageID) error {
	small, err := m.Pictures.Thumbnail(ctx, id, heatMapWidth)
	if err != nil {
		return err
	}
	thumbnail, err := jpeg.Decode(small)
	if err = errors.Join(err, small.Close()); err != nil {
		return fmt.Errorf("heat map of %s: %w", id, err)
	}
	return atomicfile.Write(path, 0o644, func(w io.Writer) error { return png.Encode(w, report.HeatMap(thumbnail, heat)) })
}

// heatMapWidth is what a heat map has at most, in pixels: as the page shows
// one picture.
const heatMapWidth = 1280

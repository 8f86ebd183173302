package main

import (
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"image/png"
	"io"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/report"
	"github.com/palate-art/palate/internal/taste"
)

// patches gives the collection's model in a form that tells its patches, which
// is loaded at the first call and closed with the collection. A model that has
// none is palate.ErrConflict.
func (h *home) patches(ctx context.Context) (embedder.PatchEmbedder, error) {
	h.opening.Lock()
	defer h.opening.Unlock()
	if h.seeing != nil {
		return h.seeing, nil
	}
	m := h.embedder
	out := m.Description().Output
	if out.Patches.Name != "" || out.Pooling == embedder.PoolMeanPatches {
		h.seeing = m
		return h.seeing, nil
	}
	if m.choice.settings.Size == 0 { // not made from a transformer's weights
		return nil, fmt.Errorf("heat map: %s sees the picture as one and tells nothing of its patches, as DINOv2 does: palate embed --model dinov2-small: %w", m.Name(), palate.ErrConflict)
	}
	e, _, err := h.session.open(ctx, m.runtime, m.choice.settings, m.device, m.config, true)
	if err != nil {
		return nil, fmt.Errorf("heat map: %w", err)
	}
	if e.Model() != m.Model() {
		return nil, errors.Join(fmt.Errorf("heat map: the weights of %s are others now than when it was opened: start again: %w", m.Name(), palate.ErrConflict), e.Close())
	}
	h.closers = append(h.closers, e.Close)
	h.seeing = e
	return h.seeing, nil
}

// heat says where in an image the profile's score comes from.
func (h *home) heat(ctx context.Context, profile palate.Profile, id palate.ImageID) (taste.Heat, error) {
	version, err := h.tastes.Current(ctx, profile)
	if err != nil {
		return taste.Heat{}, err
	}
	model, err := h.patches(ctx)
	if err != nil {
		return taste.Heat{}, err
	}
	embedding, patches, err := h.collection.Patches(ctx, model, id)
	if err != nil {
		return taste.Heat{}, err
	}
	return version.Heat(embedding, patches)
}

// writeHeatMap draws the heat over the image into a PNG file, and leaves no
// half of one.
func (h *home) writeHeatMap(ctx context.Context, path string, heat taste.Heat, id palate.ImageID) error {
	small, err := h.collection.Thumbnail(ctx, id, heatMapWidth)
	if err != nil {
		return err
	}
	m, err := jpeg.Decode(small)
	if err = errors.Join(err, small.Close()); err != nil {
		return fmt.Errorf("heat map of %s: %w", id, err)
	}
	return replaceFile(path, func(w io.Writer) error { return png.Encode(w, report.HeatMap(m, heat)) })
}

// heatMapWidth is what a heat map has at most, in pixels: as the page shows
// one picture.
const heatMapWidth = 1280

package ingest

import (
	"context"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
)

// hashDetail is the shorter side that perceptual hashes are taken from, at
// least: many times what they look at.
const hashDetail = 256

// Hashes gives the perceptual hashes of an image (picture.Hashes). It decodes
// the file: tens of milliseconds at most.
func (c *Collection) Hashes(ctx context.Context, id palate.ImageID) (hashes []uint64, err error) {
	err = c.open(ctx, id, picture.Reading{Rules: picture.Former, Short: hashDetail}, 0, func(m *picture.RGB) (err error) {
		hashes, err = picture.Hashes(m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("hashes of %s: %w", id, err)
	}
	return hashes, nil
}

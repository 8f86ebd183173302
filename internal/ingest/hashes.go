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
func (c *Collection) Hashes(ctx context.Context, id palate.ImageID) ([]uint64, error) {
	m, err := c.open(ctx, id, picture.Reading{Rules: picture.Former, Short: hashDetail})
	if err != nil {
		return nil, fmt.Errorf("hashes of %s: %w", id, err)
	}
	return picture.Hashes(m)
}

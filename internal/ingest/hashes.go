package ingest

import (
	"context"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
)

// Hashes gives the perceptual hashes of an image (picture.Hashes). It decodes
// the file: a few tens of milliseconds.
func (c *Collection) Hashes(ctx context.Context, id palate.ImageID) ([]uint64, error) {
	m, err := c.open(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("hashes of %s: %w", id, err)
	}
	return picture.Hashes(m)
}

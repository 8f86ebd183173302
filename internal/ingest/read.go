package ingest

import (
	"context"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
)

// Read decodes the upright picture of an image and hands it to use, which must
// not keep it. It waits for memory as long as it takes. palate.ErrNotFound if
// its file is not there.
func (c *Collection) Read(ctx context.Context, id palate.ImageID, reading picture.Reading, use func(*picture.RGB) error) error {
	if err := c.open(ctx, id, reading, 0, use); err != nil {
		return fmt.Errorf("picture %s: %w", id, err)
	}
	return nil
}

package catalog

import (
	"context"

	"github.com/palate-art/palate"
)

// Sketches keep what images look like in small (package sketch). They can be
// made anew from the images, and no change tells of them.
type Sketches interface {
	// PutSketches keeps sketches of a version, in one commit, in place of what
	// there was. Images that are gone are passed over. A sketch without bytes
	// is palate.ErrInvalid.
	PutSketches(ctx context.Context, version int, sketches map[palate.ImageID][]byte) error

	// SketchOf returns the sketch of an image that was put with that version;
	// else palate.ErrNotFound.
	SketchOf(ctx context.Context, version int, id palate.ImageID) ([]byte, error)
}

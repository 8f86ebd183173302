package catalog

import (
	"context"

	"github.com/palate-art/palate"
)

// Copies keep which images show one work, as a search for copies found it
// (package works). They can be found anew, and no change tells of them. What a
// search of another version put is as if it were not there. An image that is
// deleted leaves its work; one that is restored was not looked at.
type Copies interface {
	// PutCopies records in one commit that images were looked at, and pairs of
	// images that show one work: all that are of one work with either are of one
	// work from then on. An image of a pair need not have been looked at. Images
	// that are gone are passed over, with their pairs. An image that is looked at
	// again stays with its work.
	PutCopies(ctx context.Context, version int, looked []palate.ImageID, pairs [][2]palate.ImageID) error

	// NotLookedAt returns images that a model has embedded and that were not
	// looked at, with IDs above after, in the order of IDs. Of a model that was
	// never put there are none.
	NotLookedAt(ctx context.Context, version int, m palate.ModelID, after palate.ImageID, limit int) ([]palate.ImageID, error)

	// Works returns the images of every work that has more than one, in the
	// order of IDs; the works are in the order of their first.
	Works(ctx context.Context, version int) ([][]palate.ImageID, error)

	// CopiesOf returns the other images of the work of one, in the order of IDs;
	// palate.ErrNotFound if there is no such image.
	CopiesOf(ctx context.Context, version int, id palate.ImageID) ([]palate.ImageID, error)

	// CountCopies counts what was looked at and what was found.
	CountCopies(ctx context.Context, version int) (CopyCounts, error)
}

// CopyCounts say how far copies are known.
type CopyCounts struct {
	LookedAt    int // images
	NotLookedAt int // images, also those that are not embedded
	Works       int // that have more than one image
	Images      int // of these works
	Former      int // images that a search of another version looked at, and none of this
}

package ingest

import (
	"errors"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
)

// maxUploadPixels bounds a picture that comes through the API, from whoever
// may use it, where the owner says nothing else.
const maxUploadPixels = 50_000_000

// maxOwnPixels is what an owner may allow: a JPEG's sides can't be longer.
const maxOwnPixels = 1 << 32

// maxOwnBytes bounds a file of an owner who allows large pictures.
const maxOwnBytes = 2 << 30

// ownLimits are the limits of one collection.
type ownLimits struct {
	imported picture.Limits // of files that the owner names
	uploaded picture.Limits // of what comes through the API
	stored   picture.Limits // of what is in the collection, which one of these let in
}

func newOwnLimits(limits picture.Limits) ownLimits {
	own := ownLimits{imported: limits, uploaded: limits, stored: limits}
	own.uploaded.MaxPixels = min(limits.MaxPixels, maxUploadPixels)
	// Whoever let it in may have allowed more than this process is told to.
	own.stored.MaxPixels, own.stored.MaxBytes = max(limits.MaxPixels, maxOwnPixels), max(limits.MaxBytes, maxOwnBytes)
	return own
}

// OwnLimits are the limits of a picture file that its owner names: so many pixels
// at most, and files of three bytes a pixel; 0 is picture.DefaultLimits. Less
// than 0 and more than 2³² is palate.ErrInvalid.
func OwnLimits(pixels int64) (picture.Limits, error) {
	return ownLimitsOver(picture.DefaultLimits(), pixels)
}

func ownLimitsOver(limits picture.Limits, pixels int64) (picture.Limits, error) {
	switch {
	case pixels == 0:
		return limits, nil
	case pixels < 0 || pixels > maxOwnPixels:
		return limits, fmt.Errorf("a picture may have up to %d megapixels, want 1 to %d (--max-pixels): %w", pixels/1_000_000, int64(maxOwnPixels)/1_000_000, palate.ErrInvalid)
	}
	limits.MaxPixels, limits.MaxBytes = pixels, max(limits.MaxBytes, min(3*pixels, maxOwnBytes))
	return limits, nil
}

// UpTo makes a new collection take pictures of so many pixels at most, and
// files of three bytes a pixel, whether they are imported or uploaded. 0 leaves
// it as it is: the limits that it was given, and 50 megapixels for uploads. What
// is in the collection is read whatever is said here. Less than 0 and more than
// 2³² is palate.ErrInvalid.
func (c *Collection) UpTo(pixels int64) (*Collection, error) {
	limits, err := ownLimitsOver(c.limits.imported, pixels)
	if err != nil {
		return nil, err
	}
	if pixels != 0 {
		c.limits.imported, c.limits.uploaded = limits, limits
	}
	return c, nil
}

// Liftable says of a picture that is too large what allows larger ones.
func Liftable(err error) error {
	var limit *picture.LimitError
	if !errors.As(err, &limit) {
		return err
	}
	switch limit.Lift() {
	case picture.LiftPixels:
		return fmt.Errorf("%w; the option --max-pixels MEGAPIXELS allows more", err)
	case picture.LiftMemory:
		return fmt.Errorf("%w; the option --decode-memory MIB allows more", err)
	}
	return err
}

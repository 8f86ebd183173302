package picture

import (
	"errors"
	"fmt"
	"math"

	"github.com/palate-art/palate"
)

// Limits bound what one file may cost. Decoding holds at most the file, the
// RGB picture (3 bytes a pixel) unless it is reduced as it comes (Reading.Window),
// and what the format's decoder needs: up to 4
// bytes a pixel, for 16-bit files 8, and for a progressive JPEG 15.
type Limits struct {
	MaxBytes  int64 // size of the file
	MaxPixels int64 // width × height as the header says it
	MinSide   int   // shorter side in pixels, at least 1
}

// DefaultLimits allow 64 MiB, 200 megapixels and any side from one pixel.
func DefaultLimits() Limits {
	return Limits{MaxBytes: 64 << 20, MaxPixels: 200_000_000, MinSide: 1}
}

// Validate reports all limits that make no sense. Its error is
// palate.ErrInvalid.
func (l Limits) Validate() error {
	var errs []error
	if l.MaxBytes < 1 || l.MaxBytes == math.MaxInt64 {
		errs = append(errs, fmt.Errorf("picture: MaxBytes is %d, want 1 to %d: %w", l.MaxBytes, int64(math.MaxInt64-1), palate.ErrInvalid))
	}
	if l.MaxPixels < 1 || l.MaxPixels > math.MaxInt/16 {
		errs = append(errs, fmt.Errorf("picture: MaxPixels is %d, want 1 to %d: %w", l.MaxPixels, math.MaxInt/16, palate.ErrInvalid))
	}
	if l.MinSide < 1 {
		errs = append(errs, fmt.Errorf("picture: MinSide is %d, want at least 1: %w", l.MinSide, palate.ErrInvalid))
	}
	return errors.Join(errs...)
}

// check holds a header's size against the limits.
func (l Limits) check(format string, width, height int) error {
	if width <= 0 || height <= 0 {
		return &CorruptError{Format: format, Err: errZeroSize}
	}
	// Every format's sides fit 32 bits, so the product may overflow; the
	// division can't.
	if int64(width) > l.MaxPixels/int64(height) {
		pixels := float64(width) * float64(height)
		return &LimitError{What: pixelsLimit, Got: int64(min(pixels, math.MaxInt64/2)), Limit: l.MaxPixels}
	}
	if side := min(width, height); side < l.MinSide {
		return &LimitError{What: sideLimit, Got: int64(side), Limit: int64(l.MinSide)}
	}
	return nil
}

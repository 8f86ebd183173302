package picture

import (
	"errors"
	"fmt"

	"github.com/palate-art/palate"
)

// UnsupportedError says that the file is, or claims to be, of a kind that
// can't be read here. Kind is short and from a closed set ("JPEG XL", "SVG",
// "JPEG in HEIF", "HTML" …), so that losses can be counted by it.
type UnsupportedError struct {
	Kind string
}

// Error names the kind and says what helps.
func (e *UnsupportedError) Error() string {
	switch {
	case e.Kind == "unknown":
		return "it is no picture of a kind that palate knows"
	case notImages[e.Kind]:
		return "it is no picture but " + e.Kind
	}
	return "palate does not read this kind (" + e.Kind + "); saved as PNG or JPEG it can be added"
}

// Unwrap gives palate.ErrInvalid.
func (e *UnsupportedError) Unwrap() error { return palate.ErrInvalid }

// LimitError says that a file is outside the caller's Limits.
type LimitError struct {
	What  string // "bytes", "pixels", "shorter side", "bytes of memory" or "seconds"
	Got   int64  // for bytes a lower bound: reading stops at the limit
	Limit int64
}

// Error gives both numbers.
func (e *LimitError) Error() string {
	switch e.What {
	case sideLimit:
		return fmt.Sprintf("the picture is too small: its shorter side is %d pixels, at least %d are wanted", e.Got, e.Limit)
	case memoryLimit:
		return fmt.Sprintf("the picture is too large: decoding it takes up to %d MiB of memory, %d MiB are allowed", (e.Got+1<<20-1)>>20, e.Limit>>20)
	case timeLimit:
		return fmt.Sprintf("decoding the picture was ended after %d seconds", e.Limit)
	case pixelsLimit:
		return fmt.Sprintf("the picture is too large: it has %s, at most %s are allowed", pixelsText(e.Got), pixelsText(e.Limit))
	}
	return fmt.Sprintf("the file is too large: at least %d bytes, at most %d are allowed", e.Got, e.Limit)
}

func pixelsText(n int64) string {
	if n < 1e6 {
		return fmt.Sprintf("%d pixels", n)
	}
	return fmt.Sprintf("%.1f megapixels", float64(n)/1e6)
}

// Lift is which of the owner's limits stands in the way of a picture.
type Lift int

// The limits that an owner can lift.
const (
	LiftNothing Lift = iota
	LiftPixels
	LiftMemory
)

// Lift gives the limit that allows this picture if it is lifted.
func (e *LimitError) Lift() Lift {
	switch e.What {
	case pixelsLimit, bytesLimit:
		return LiftPixels
	case memoryLimit:
		return LiftMemory
	}
	return LiftNothing
}

// TooLarge is false for a picture that is too small.
func (e *LimitError) TooLarge() bool { return e.What != sideLimit }

// Unwrap gives palate.ErrInvalid.
func (e *LimitError) Unwrap() error { return palate.ErrInvalid }

const (
	bytesLimit  = "bytes"
	pixelsLimit = "pixels"
	sideLimit   = "shorter side"
	memoryLimit = "bytes of memory"
	timeLimit   = "seconds"
)

// CorruptError says that a file of a kind that is read here is broken: cut
// short, of zero size, or against its format.
type CorruptError struct {
	Format string // as in Info.Format, empty where no format was recognised
	Err    error
}

// Error says what is wrong with the file.
func (e *CorruptError) Error() string {
	if e.Format == "" {
		return e.Err.Error()
	}
	return "the " + formatNames[e.Format] + " file is broken: " + e.Err.Error()
}

// Unwrap gives palate.ErrInvalid and the decoder's own error.
func (e *CorruptError) Unwrap() []error { return []error{palate.ErrInvalid, e.Err} }

var (
	errTruncated = errors.New("it is cut short")
	errZeroSize  = errors.New("its width or height is zero")
	errEmpty     = errors.New("the file is empty")
)

func corrupt(format, text string, args ...any) error {
	return &CorruptError{Format: format, Err: fmt.Errorf(text, args...)}
}

func truncated(format string) error { return &CorruptError{Format: format, Err: errTruncated} }

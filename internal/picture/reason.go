package picture

import (
	"errors"
	"strings"
)

// notImages are the kinds that are no picture at all, whatever their name
// promised.
var notImages = map[string]bool{
	"HTML": true, "XML": true, "JSON": true, "text": true, "unknown": true, "PDF": true, "PostScript": true,
	"video": true, "audio": true, "ZIP": true, "gzip": true, "7z": true, "RAR": true,
}

// Reason gives an error of this package as a short word to count losses by:
// "not_an_image", "unsupported_svg" and the like by kind, "too_large" (the
// file), "too_many_pixels" (or more memory than there is for decoding), "too_small", "too_slow" (to decode),
// "broken". Any other error gives "".
func Reason(err error) string {
	var unsupported *UnsupportedError
	var limit *LimitError
	var corrupt *CorruptError
	switch {
	case errors.As(err, &unsupported):
		if notImages[unsupported.Kind] {
			return "not_an_image"
		}
		return "unsupported_" + strings.ReplaceAll(strings.ToLower(unsupported.Kind), " ", "_")
	case errors.As(err, &limit):
		switch limit.What {
		case pixelsLimit, memoryLimit:
			return "too_many_pixels"
		case timeLimit:
			return "too_slow"
		case sideLimit:
			return "too_small"
		}
		return "too_large"
	case errors.As(err, &corrupt):
		if corrupt.Format == "" {
			return "not_an_image"
		}
		return "broken"
	}
	return ""
}

package picture

import (
	"fmt"
	"image"
	"image/jpeg"
	"io"

	"github.com/palate-art/palate"
)

// EncodeJPEG writes the picture as a baseline JPEG file of quality 1 to 100.
// A size that JPEG can't hold (a side of 0 or above 65,535) or another
// quality is palate.ErrInvalid.
func EncodeJPEG(w io.Writer, img *RGB, quality int) error {
	const maxSide = 1<<16 - 1
	if quality < 1 || quality > 100 {
		return fmt.Errorf("picture: JPEG quality is %d, want 1 to 100: %w", quality, palate.ErrInvalid)
	}
	if img.Width < 1 || img.Height < 1 || img.Width > maxSide || img.Height > maxSide {
		return fmt.Errorf("picture: a JPEG file can't be %d×%d: %w", img.Width, img.Height, palate.ErrInvalid)
	}
	// The encoder has a fast path for this type only.
	rgba := image.NewRGBA(img.Bounds())
	for i, j := 0, 0; j < len(rgba.Pix); i, j = i+3, j+4 {
		p := img.Pix[i : i+3 : i+3]
		q := rgba.Pix[j : j+4 : j+4]
		q[0], q[1], q[2], q[3] = p[0], p[1], p[2], 255
	}
	if err := jpeg.Encode(w, rgba, &jpeg.Options{Quality: quality}); err != nil {
		return fmt.Errorf("picture: encode JPEG: %w", err)
	}
	return nil
}

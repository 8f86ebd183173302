package picture

import (
	"fmt"
	"image"
	"math"

	"github.com/palate-art/palate"
)

// ShortSize gives the size at which the shorter side is short and the longer
// one int(short·longer/shorter), truncated, as torchvision's Resize has it.
func ShortSize(width, height, short int) (w, h int) {
	if width <= height {
		return short, int(int64(short) * int64(height) / int64(width))
	}
	return int(int64(short) * int64(width) / int64(height)), short
}

// ResizeShort resizes so that the shorter side is short and the sides keep
// their ratio. Errors are those of Resize.
func ResizeShort(img *RGB, short int) (*RGB, error) {
	if err := checkResize(img, short, short); err != nil {
		return nil, err
	}
	w, h := ShortSize(img.Width, img.Height, short)
	return Resize(img, w, h)
}

// CropWindow gives the size × size square in the middle of width × height;
// an odd margin is halved to the even number, as Python's round does.
func CropWindow(width, height, size int) image.Rectangle {
	left := int(math.RoundToEven(float64(width-size) / 2))
	top := int(math.RoundToEven(float64(height-size) / 2))
	return image.Rect(left, top, left+size, top+size)
}

// CenterCrop gives the size × size square in the middle. The error is
// palate.ErrInvalid when the picture is smaller than that.
func CenterCrop(img *RGB, size int) (*RGB, error) {
	if size < 1 || size > img.Width || size > img.Height {
		return nil, fmt.Errorf("picture: crop %d×%d out of %d×%d: %w", size, size, img.Width, img.Height, palate.ErrInvalid)
	}
	return cut(img, CropWindow(img.Width, img.Height, size)), nil
}

// ResizeCrop is timm's evaluation transform: ResizeShort, then CenterCrop,
// to the same bytes. It computes only the square, so its cost does not grow
// with the ratio of the sides. crop is at most short. Errors are those of
// both.
func ResizeCrop(img *RGB, short, crop int) (*RGB, error) {
	if err := checkResize(img, short, short); err != nil {
		return nil, err
	}
	if crop < 1 || crop > short || 3*int64(crop)*int64(crop) > maxResizedBytes {
		return nil, fmt.Errorf("picture: crop %d×%d out of shorter side %d: %w", crop, crop, short, palate.ErrInvalid)
	}
	w, h := ShortSize(img.Width, img.Height, short)
	if err := checkResize(img, w, h); err != nil {
		return nil, err
	}
	return resample(img, w, h, CropWindow(w, h, crop), Bicubic), nil
}

// Thumbnail shrinks the picture to fit maxSide × maxSide, keeping the ratio
// of its sides, each at least one pixel. A picture that fits is returned as
// it is. The error is palate.ErrInvalid.
func Thumbnail(img *RGB, maxSide int) (*RGB, error) {
	if err := checkResize(img, maxSide, maxSide); err != nil {
		return nil, err
	}
	if img.Width <= maxSide && img.Height <= maxSide {
		return img, nil
	}
	scale := float64(maxSide) / float64(max(img.Width, img.Height))
	w := max(1, int(math.Round(float64(img.Width)*scale)))
	h := max(1, int(math.Round(float64(img.Height)*scale)))
	return Resize(img, w, h)
}

// cut copies out a part, or gives the whole picture itself.
func cut(img *RGB, part image.Rectangle) *RGB {
	if part == img.Bounds() {
		return img
	}
	out := NewRGB(part.Dx(), part.Dy())
	for y := range out.Height {
		copy(out.Row(y), img.Row(part.Min.Y + y)[3*part.Min.X:3*part.Max.X])
	}
	return out
}

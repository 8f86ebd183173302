package picture

import (
	"fmt"
	"image"
	"math"
	"slices"

	"github.com/palate-art/palate"
)

// Filter is an interpolation, named as timm and Pillow name it. All but
// Nearest are antialiased: they widen where the picture shrinks.
type Filter string

// The filters, with the arithmetic of Pillow's Image.resize to the byte.
const (
	Bicubic  Filter = "bicubic"
	Bilinear Filter = "bilinear"
	Lanczos  Filter = "lanczos"
	Box      Filter = "box"
	Hamming  Filter = "hamming"
	Nearest  Filter = "nearest"
)

// Filters lists all.
func Filters() []Filter { return []Filter{Bicubic, Bilinear, Lanczos, Box, Hamming, Nearest} }

// filterShape is a filter's kernel, zero from support on.
type filterShape struct {
	support float64
	at      func(x float64) float64
}

var shapes = map[Filter]filterShape{
	Bicubic:  {2, cubic},
	Bilinear: {1, func(x float64) float64 { return max(0, 1-math.Abs(x)) }},
	Box: {.5, func(x float64) float64 {
		if x > -.5 && x <= .5 {
			return 1
		}
		return 0
	}},
	Hamming: {1, func(x float64) float64 {
		x = math.Abs(x)
		if x == 0 {
			return 1
		}
		if x >= 1 {
			return 0
		}
		x *= math.Pi
		return float64(math.Sin(x)/x) * float64(.54+float64(.46*math.Cos(x)))
	}},
	Lanczos: {3, func(x float64) float64 {
		if x >= -3 && x < 3 {
			return float64(sinc(x) * sinc(x/3))
		}
		return 0
	}},
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	x *= math.Pi
	return math.Sin(x) / x
}

// nearestPixels takes for each output pixel the input pixel under its middle. The
// middles are summed up as Pillow does, with its rounding.
func nearestPixels(img *RGB, width, height int, crop image.Rectangle) *RGB {
	if width == img.Width && height == img.Height {
		return cut(img, crop)
	}
	places := func(in, out int) []int {
		all, scale := make([]int, out), float64(in)/float64(out)
		at := scale * .5
		for i := range all {
			all[i] = min(int(at), in-1)
			at += scale
		}
		return all
	}
	columns, rows := places(img.Width, width), places(img.Height, height)
	out := NewRGB(crop.Dx(), crop.Dy())
	for y := range out.Height {
		from, to := img.Row(rows[crop.Min.Y+y]), out.Row(y)
		for x := range out.Width {
			copy(to[3*x:3*x+3], from[3*columns[crop.Min.X+x]:])
		}
	}
	return out
}

// ResizeWindow resizes to width × height by a filter and gives the
// cropWidth × cropHeight in the middle of that, computing no more. Errors are
// those of Resize; a window larger than the whole is palate.ErrInvalid too.
func ResizeWindow(img *RGB, width, height, cropWidth, cropHeight int, filter Filter) (*RGB, error) {
	if err := checkResize(img, width, height); err != nil {
		return nil, err
	}
	switch {
	case !slices.Contains(Filters(), filter):
		return nil, fmt.Errorf("picture: the interpolation %q is none of %q: %w", filter, Filters(), palate.ErrInvalid)
	case cropWidth < 1 || cropHeight < 1 || cropWidth > width || cropHeight > height || 3*int64(cropWidth)*int64(cropHeight) > maxResizedBytes:
		return nil, fmt.Errorf("picture: crop %d×%d out of %d×%d: %w", cropWidth, cropHeight, width, height, palate.ErrInvalid)
	}
	left := int(math.RoundToEven(float64(width-cropWidth) / 2))
	top := int(math.RoundToEven(float64(height-cropHeight) / 2))
	return resample(img, width, height, image.Rect(left, top, left+cropWidth, top+cropHeight), filter), nil
}

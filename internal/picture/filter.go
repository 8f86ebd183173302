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
// cropWidth × cropHeight in the middle of that, computing no more. A picture that
// was reduced to just that while it was decoded (Reading.Window) is given as it
// is. Errors are those of Resize; a window larger than the whole is
// palate.ErrInvalid too, and so is another one of a reduced picture.
func ResizeWindow(img *RGB, width, height, cropWidth, cropHeight int, filter Filter) (*RGB, error) {
	w := CenterWindow(width, height, cropWidth, cropHeight, filter)
	if img.reducedTo != nil {
		if *img.reducedTo != w {
			return nil, fmt.Errorf("picture: a picture that was reduced to %v is asked for %v: %w", *img.reducedTo, w, palate.ErrInvalid)
		}
		return img, nil
	}
	if err := w.check(img.Width, img.Height); err != nil {
		return nil, err
	}
	return resample(img, width, height, w.Part, filter), nil
}

// CenterWindow is the cropWidth × cropHeight in the middle of a picture that is
// resized to width × height; an odd margin is halved to the even number.
func CenterWindow(width, height, cropWidth, cropHeight int, filter Filter) Window {
	left := int(math.RoundToEven(float64(width-cropWidth) / 2))
	top := int(math.RoundToEven(float64(height-cropHeight) / 2))
	return Window{width, height, image.Rectangle{image.Pt(left, top), image.Pt(left+cropWidth, top+cropHeight)}, filter}
}

// check refuses what can't be made of a picture of width × height.
func (w Window) check(width, height int) error {
	if err := checkSizes(width, height, w.Width, w.Height); err != nil {
		return err
	}
	part := w.Part
	switch {
	case !slices.Contains(Filters(), w.Filter):
		return fmt.Errorf("picture: the interpolation %q is none of %q: %w", w.Filter, Filters(), palate.ErrInvalid)
	case part.Empty() || !part.In(image.Rect(0, 0, w.Width, w.Height)) || 3*int64(part.Dx())*int64(part.Dy()) > maxResizedBytes:
		return fmt.Errorf("picture: crop %d×%d out of %d×%d: %w", part.Dx(), part.Dy(), w.Width, w.Height, palate.ErrInvalid)
	}
	return nil
}

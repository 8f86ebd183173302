package picture

import (
	"fmt"
	"image"
	"math"

	"github.com/palate-art/palate"
)

// maxResizedBytes bounds the result of a resize: one row of pixels brought
// to a shorter side of 518 would otherwise be gigabytes long.
const maxResizedBytes = 1 << 30

// Resize gives the picture at width × height pixels by antialiased bicubic
// interpolation (a = -0.5; R. Keys, "Cubic Convolution Interpolation for
// Digital Image Processing", 1981), with the arithmetic of Pillow's
// Image.resize to the byte: coefficients of 22 fractional bits, first
// horizontally, then vertically, rounded to eight bits in between, and no
// pass along a side that keeps its length. (Pillow 13 goes vertically first
// for some pictures that shrink much in height; the models here were trained
// with its older, fixed order.) The picture given is not changed; it is
// returned itself when nothing is to be done.
//
// The error is palate.ErrInvalid: a side below 1, an empty picture, or a
// result above 1 GiB.
func Resize(img *RGB, width, height int) (*RGB, error) {
	if err := checkResize(img, width, height); err != nil {
		return nil, err
	}
	if 3*int64(width)*int64(height) > maxResizedBytes {
		return nil, fmt.Errorf("picture: resize to %d×%d: above %d bytes: %w", width, height, maxResizedBytes, palate.ErrInvalid)
	}
	return resample(img, width, height, image.Rect(0, 0, width, height), Bicubic), nil
}

func checkResize(img *RGB, width, height int) error {
	if width < 1 || height < 1 || width > math.MaxInt32 || height > math.MaxInt32 {
		return fmt.Errorf("picture: resize to %d×%d: %w", width, height, palate.ErrInvalid)
	}
	if img.Width < 1 || img.Height < 1 {
		return fmt.Errorf("picture: resize a picture of %d×%d: %w", img.Width, img.Height, palate.ErrInvalid)
	}
	return nil
}

// resample gives the part crop of img resized to width × height. Only what
// the part depends on is computed.
func resample(img *RGB, width, height int, crop image.Rectangle, filter Filter) *RGB {
	if filter == Nearest {
		return nearestPixels(img, width, height, crop)
	}
	shape := shapes[filter]
	if width == img.Width && height == img.Height {
		return cut(img, crop)
	}
	if width == img.Width {
		return vertical(img, newKernels(shape, img.Height, height, crop.Min.Y, crop.Max.Y), crop.Min.X, crop.Max.X)
	}
	columns := newKernels(shape, img.Width, width, crop.Min.X, crop.Max.X)
	if height == img.Height {
		return horizontal(img, columns, crop.Min.Y, crop.Max.Y)
	}
	rows := newKernels(shape, img.Height, height, crop.Min.Y, crop.Max.Y)
	first, last := rows.span()
	narrow := horizontal(img, columns, first, last)
	rows.shift(-first)
	return vertical(narrow, rows, 0, narrow.Width)
}

// precision is the number of fractional bits of a coefficient: what 32 bits
// leave beside an 8-bit sample and two bits of overshoot.
const precision = 32 - 8 - 2

// kernels hold for each output place which input samples it mixes, and how.
type kernels struct {
	start   []int   // first input sample of each output
	taps    []int   // number of input samples of each output
	weights []int32 // size weights for each output, zero past its taps
	size    int     // a multiple of 4
}

// newKernels gives the kernels of the outputs from ≤ i < to, of the out that
// in samples become.
func newKernels(shape filterShape, in, out, from, to int) *kernels {
	scale := float64(in) / float64(out)
	stretch := max(scale, 1) // shrinking widens the filter, which antialiases
	support := shape.support * stretch
	k := &kernels{start: make([]int, to-from), taps: make([]int, to-from)}
	k.size = (int(math.Ceil(support))*2 + 1 + 3) &^ 3
	k.weights = make([]int32, (to-from)*k.size)
	weight := make([]float64, k.size)
	inverse := 1 / stretch
	for i := range k.start {
		// The conversions keep the compiler from fusing a product with a sum,
		// which would round otherwise on some processors.
		centre := float64((float64(from+i) + 0.5) * scale)
		low := max(int(centre-support+0.5), 0)
		high := min(int(centre+support+0.5), in)
		n := high - low
		var sum float64
		for j := range n {
			weight[j] = shape.at(float64((float64(low+j) - centre + 0.5) * inverse))
			sum += weight[j]
		}
		fixed := k.weights[i*k.size:][:n]
		for j := range fixed {
			if sum != 0 {
				weight[j] /= sum
			}
			fixed[j] = int32(math.Copysign(0.5, weight[j]) + float64(weight[j]*(1<<precision)))
		}
		k.start[i], k.taps[i] = low, n
	}
	return k
}

// span is the range of input samples that the kernels touch.
func (k *kernels) span() (first, last int) {
	first = k.start[0]
	for i, s := range k.start {
		last = max(last, s+k.taps[i])
	}
	return first, last
}

func (k *kernels) shift(by int) {
	for i := range k.start {
		k.start[i] += by
	}
}

// cubic is Keys' kernel with a = -0.5.
func cubic(x float64) float64 {
	const a = -0.5
	x = math.Abs(x)
	switch {
	case x < 1:
		return float64(float64((float64((a+2)*x)-(a+3))*x)*x) + 1
	case x < 2:
		return (float64((float64((x-5)*x)+8)*x) - 4) * a
	}
	return 0
}

// clip8 takes the integer part of a fixed-point sum, held to eight bits.
func clip8(v int32) byte {
	v >>= precision
	if uint32(v) > 255 {
		return byte(^(v >> 31))
	}
	return byte(v)
}

const half = 1 << (precision - 1)

// horizontal resizes the rows y0 ≤ y < y1 of src along x. It takes two rows
// at a time, one in each half of a 64-bit word: the sums of both fit 32 bits
// with sign, so one multiplication serves two samples.
func horizontal(src *RGB, k *kernels, y0, y1 int) *RGB {
	dst := NewRGB(len(k.start), y1-y0)
	first, last := k.span()
	pairs := make([]int64, 3*(last-first))
	weights := make([]int64, len(k.weights))
	for i, w := range k.weights {
		weights[i] = int64(w)
	}
	for y := y0; y < y1; y += 2 {
		other := min(y+1, y1-1) // the last of an odd number is done twice
		upper, lower := src.Row(y)[3*first:3*last], src.Row(other)[3*first:3*last]
		for i := range pairs {
			pairs[i] = int64(upper[i]) | int64(lower[i])<<32
		}
		toUpper, toLower := dst.Row(y-y0), dst.Row(other-y0)
		for x, start := range k.start {
			r, g, b := mixPairs(pairs[3*(start-first):], weights[x*k.size:][:k.taps[x]])
			out := toUpper[3*x:][:3:3]
			out[0], out[1], out[2] = clip8(int32(r)), clip8(int32(g)), clip8(int32(b))
			out = toLower[3*x:][:3:3]
			out[0], out[1], out[2] = clip8(upperHalf(r)), clip8(upperHalf(g)), clip8(upperHalf(b))
		}
	}
	return dst
}

func mixPairs(pairs, weights []int64) (r, g, b int64) {
	r, g, b = half|half<<32, half|half<<32, half|half<<32
	pairs = pairs[:3*len(weights)]
	for len(weights) >= 2 && len(pairs) >= 6 {
		w, v := weights[0], weights[1]
		r += pairs[0]*w + pairs[3]*v
		g += pairs[1]*w + pairs[4]*v
		b += pairs[2]*w + pairs[5]*v
		pairs, weights = pairs[6:], weights[2:]
	}
	if len(weights) == 1 && len(pairs) >= 3 {
		w := weights[0]
		r += pairs[0] * w
		g += pairs[1] * w
		b += pairs[2] * w
	}
	return r, g, b
}

// upperHalf takes back what a negative lower half borrowed.
func upperHalf(v int64) int32 { return int32((v - int64(int32(v))) >> 32) }

// vertical resizes the columns x0 ≤ x < x1 of src along y.
func vertical(src *RGB, k *kernels, x0, x1 int) *RGB {
	dst := NewRGB(x1-x0, len(k.start))
	sums := make([]int32, 3*(x1-x0))
	row := func(y int) []byte {
		// Past a kernel's taps the weight is zero and any row will do.
		return src.Row(min(y, src.Height-1))[3*x0 : 3*x1]
	}
	for y, start := range k.start {
		for i := range sums {
			sums[i] = half
		}
		weights := k.weights[y*k.size:][:k.size]
		for j := 0; j < k.taps[y]; j += 4 {
			add4(sums, row(start+j), row(start+j+1), row(start+j+2), row(start+j+3), weights[j:j+4])
		}
		out := dst.Row(y)
		for i, v := range sums[:len(out)] {
			out[i] = clip8(v)
		}
	}
	return dst
}

// add4 adds four weighted rows to the sums; one pass over the sums for four
// rows is what makes it fast.
func add4(sums []int32, a, b, c, d []byte, w []int32) {
	w0, w1, w2, w3 := w[0], w[1], w[2], w[3]
	a, b, c, d = a[:len(sums)], b[:len(sums)], c[:len(sums)], d[:len(sums)]
	for i := range sums {
		sums[i] += int32(a[i])*w0 + int32(b[i])*w1 + int32(c[i])*w2 + int32(d[i])*w3
	}
}

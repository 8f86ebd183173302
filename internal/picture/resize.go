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
	return checkSizes(img.Width, img.Height, width, height)
}

func checkSizes(fromWidth, fromHeight, width, height int) error {
	if width < 1 || height < 1 || width > math.MaxInt32 || height > math.MaxInt32 {
		return fmt.Errorf("picture: resize to %d×%d: %w", width, height, palate.ErrInvalid)
	}
	if fromWidth < 1 || fromHeight < 1 {
		return fmt.Errorf("picture: resize a picture of %d×%d: %w", fromWidth, fromHeight, palate.ErrInvalid)
	}
	return nil
}

// resample gives the part crop of img resized to width × height. Only what
// the part depends on is computed.
func resample(img *RGB, width, height int, crop image.Rectangle, filter Filter) *RGB {
	if filter == Nearest {
		return nearestPixels(img, width, height, crop)
	}
	if width == img.Width && height == img.Height {
		return cut(img, crop)
	}
	r := newReduction(img.Width, img.Height, 1, Window{width, height, crop, filter})
	for y := range img.Height {
		r.take(y, img.Row(y))
	}
	return r.finish()
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

// mixPairs gives the sums of two rows at a time, one in each half of a 64-bit
// word: the sums of both fit 32 bits with sign, so one multiplication serves two
// samples.
func mixPairs(pairs []int64, weights []int32) (r, g, b int64) {
	r, g, b = half|half<<32, half|half<<32, half|half<<32
	pairs = pairs[:3*len(weights)]
	for len(weights) >= 2 && len(pairs) >= 6 {
		w, v := int64(weights[0]), int64(weights[1])
		r += pairs[0]*w + pairs[3]*v
		g += pairs[1]*w + pairs[4]*v
		b += pairs[2]*w + pairs[5]*v
		pairs, weights = pairs[6:], weights[2:]
	}
	if len(weights) == 1 && len(pairs) >= 3 {
		w := int64(weights[0])
		r += pairs[0] * w
		g += pairs[1] * w
		b += pairs[2] * w
	}
	return r, g, b
}

// upperHalf takes back what a negative lower half borrowed.
func upperHalf(v int64) int32 { return int32((v - int64(int32(v))) >> 32) }

// add4 adds four weighted rows to the sums; one pass over the sums for four
// rows is what makes it fast.
func add4(sums []int32, a, b, c, d []byte, w []int32) {
	w0, w1, w2, w3 := w[0], w[1], w[2], w[3]
	a, b, c, d = a[:len(sums)], b[:len(sums)], c[:len(sums)], d[:len(sums)]
	for i := range sums {
		sums[i] += int32(a[i])*w0 + int32(b[i])*w1 + int32(c[i])*w2 + int32(d[i])*w3
	}
}

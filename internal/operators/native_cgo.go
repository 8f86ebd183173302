//go:build cgo && !purego

package operators

/*
#cgo CFLAGS: -O3
#include <stdlib.h>
#include "kernel.h"

static void here(void *context, palate_work work, size_t n, void *state)
{
	(void)context;
	for (size_t i = 0; i < n; i++)
		work(state, i);
}

static int multiply_here(const float *a, const float *b, const float *bias, float *c, size_t batch, size_t m, size_t n, size_t k, int turn_a, int turn_b, int terms)
{
	palate_product p = {.a = a, .b = b, .bias = bias, .c = c, .batch = batch, .m = m, .n = n, .k = k, .turn_a = turn_a, .turn_b = turn_b, .terms = terms};
	palate_scratch *scratch = palate_scratch_new();
	int wrong = !scratch || palate_multiply(&p, scratch, here, NULL);
	palate_scratch_free(scratch);
	return wrong;
}

static void gelu_here(const float *d, const float *x, float *out, size_t n) { palate_gelu_gradient(d, x, out, n, here, NULL); }

static void softmax_here(const float *d, const float *y, float *out, size_t rows, size_t width) { palate_softmax_gradient(d, y, out, rows, width, here, NULL); }

static void norm_here(const float *d, const float *x, const float *scale, const float *mean, const float *inverse, float *out, size_t rows, size_t width)
{
	palate_norm_gradient(d, x, scale, mean, inverse, out, rows, width, here, NULL);
}

static int norm_sums_here(const float *d, const float *x, const float *mean, const float *inverse, float *scales, float *shifts, size_t rows, size_t width)
{
	return palate_norm_sums(d, x, mean, inverse, scales, shifts, rows, width, here, NULL);
}
*/
import "C"

import (
	"errors"
	"unsafe"
)

// There reports whether there are operators: they are C.
func There() bool { return true }

// Tiles reports whether the processor has tiles and the system lets this
// process use them. Where not, products are computed plainly: right, and far
// slower than ONNX Runtime's own.
func Tiles() bool { return C.palate_tiles() != 0 }

// Multiply computes the product on this thread; bias may be nil. What does not
// fit the shape is palate.ErrInvalid.
func (p Product) Multiply(a, b, bias, c []float32) error {
	if err := p.check(a, b, bias, c); err != nil {
		return err
	}
	flag := map[bool]C.int{true: 1}
	if C.multiply_here(floats(a), floats(b), floats(bias), floats(c), C.size_t(p.Batch), C.size_t(p.Rows), C.size_t(p.Columns), C.size_t(p.Depth),
		flag[p.TurnA], flag[p.TurnB], C.int(p.Terms)) != 0 {
		return errNoMemory
	}
	return nil
}

// Operators are what sessions need to run nodes of Domain.
type Operators struct{ handle unsafe.Pointer }

// Add makes the operators known to the sessions that are made with options, an
// OrtSessionOptions of the library whose OrtApi of that version api is. What it
// gives must be closed, after the last of these sessions.
func Add(api unsafe.Pointer, version int, options unsafe.Pointer) (*Operators, error) {
	var o Operators
	if problem := C.palate_operators_add((*unsafe.Pointer)(api), C.uint32_t(version), options, &o.handle); problem != nil {
		defer C.free(unsafe.Pointer(problem))
		return nil, errors.New(C.GoString(problem))
	}
	return &o, nil
}

// Close frees them.
func (o *Operators) Close() {
	if o != nil && o.handle != nil {
		C.palate_operators_close(o.handle)
		o.handle = nil
	}
}

// GeluGradient writes the gradient of x·Φ(x).
func GeluGradient(gradient, x, out []float32) {
	C.gelu_here(floats(gradient), floats(x), floats(out), C.size_t(len(out)))
}

// SoftmaxGradient writes the gradient of what a softmax gave, y [rows, width].
func SoftmaxGradient(gradient, y, out []float32, width int) {
	C.softmax_here(floats(gradient), floats(y), floats(out), C.size_t(len(out)/width), C.size_t(width))
}

// NormGradient writes the gradient of x [rows, width], which a layer norm took;
// mean and inverse [rows] are what it found.
func NormGradient(gradient, x, scale, mean, inverse, out []float32) {
	C.norm_here(floats(gradient), floats(x), floats(scale), floats(mean), floats(inverse), floats(out), C.size_t(len(mean)), C.size_t(len(scale)))
}

// NormSums writes the gradients of a layer norm's scale and shift, [width].
func NormSums(gradient, x, mean, inverse, scales, shifts []float32) error {
	if C.norm_sums_here(floats(gradient), floats(x), floats(mean), floats(inverse), floats(scales), floats(shifts), C.size_t(len(mean)), C.size_t(len(scales))) != 0 {
		return errNoMemory
	}
	return nil
}

func floats(s []float32) *C.float { return (*C.float)(unsafe.Pointer(unsafe.SliceData(s))) }

var errNoMemory = errors.New("not enough memory for an operator")

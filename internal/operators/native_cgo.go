//go:build cgo && !purego

package operators

/*
#cgo CFLAGS: -O3
#cgo !windows LDFLAGS: -lm
#include <stdlib.h>
#include "kernel.h"

static void here(void *context, palate_work work, size_t n, void *state)
{
	(void)context;
	for (size_t i = 0; i < n; i++)
		work(state, i);
}

static int multiply_here(const float *a, const float *b, const float *bias, float *c, float *sums, size_t batch, size_t m, size_t n, size_t k, int turn_a, int turn_b, int terms)
{
	palate_product p = {.a = a, .b = b, .bias = bias, .c = c, .sums = sums, .batch = batch, .m = m, .n = n, .k = k, .turn_a = turn_a, .turn_b = turn_b, .terms = terms};
	palate_scratch *scratch = palate_scratch_new();
	int wrong = !scratch || palate_multiply(&p, scratch, here, NULL);
	palate_scratch_free(scratch);
	return wrong;
}

static palate_attention packed(const float *qkv, float *mixed, float *logs, size_t batch, size_t tokens, size_t heads, size_t width, int terms)
{
	size_t row = heads * width;
	return (palate_attention){.q = qkv, .k = qkv + row, .v = qkv + 2 * row, .stride = 3 * row, .batch = batch, .heads = heads, .tokens = tokens, .width = width,
		.terms = terms, .mixed = mixed, .logs = logs};
}

static int attend_here(const float *qkv, float *mixed, float *logs, size_t batch, size_t tokens, size_t heads, size_t width, int terms)
{
	palate_attention a = packed(qkv, mixed, logs, batch, tokens, heads, width, terms);
	palate_scratch *scratch = palate_scratch_new();
	int wrong = !scratch || palate_attend(&a, scratch, here, NULL);
	palate_scratch_free(scratch);
	return wrong;
}

static int attend_gradient_here(const float *gradient, const float *qkv, float *mixed, float *logs, float *dqkv,
	size_t batch, size_t tokens, size_t heads, size_t width, int terms)
{
	palate_attention a = packed(qkv, mixed, logs, batch, tokens, heads, width, terms);
	a.gradient = gradient;
	a.dq = dqkv;
	a.dk = dqkv + heads * width;
	a.dv = dqkv + 2 * heads * width;
	palate_scratch *scratch = palate_scratch_new();
	int wrong = !scratch || palate_attend_gradient(&a, scratch, here, NULL);
	palate_scratch_free(scratch);
	return wrong;
}

static void gelu_here(const float *x, float *out, size_t n) { palate_gelu(x, out, n, here, NULL); }

static void gelu_gradient_here(const float *d, const float *x, float *out, size_t n) { palate_gelu_gradient(d, x, out, n, here, NULL); }

static void softmax_here(const float *d, const float *y, float *out, size_t rows, size_t width) { palate_softmax_gradient(d, y, out, rows, width, here, NULL); }

static void norm_here(const float *x, const float *scale, const float *shift, float epsilon, float *out, float *means, float *inverses, size_t rows, size_t width)
{
	palate_norm(x, scale, shift, epsilon, out, means, inverses, rows, width, here, NULL);
}

static int norm_gradient_here(const float *d, const float *x, const float *scale, const float *mean, const float *inverse, float *out, float *scales, float *shifts, size_t rows, size_t width)
{
	return palate_norm_gradient(d, x, scale, mean, inverse, out, scales, shifts, rows, width, here, NULL);
}

static int scale_gradient_here(const float *d, const float *x, const float *scale, float *out, float *scales, size_t rows, size_t width)
{
	return palate_scale_gradient(d, x, scale, out, scales, rows, width, here, NULL);
}
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/palate-art/palate"
)

// There reports whether there are operators: they are C.
func There() bool { return true }

// Tiles reports whether the processor has tiles and the system lets this
// process use them. Where not, products are computed plainly: right, and far
// slower than ONNX Runtime's own.
func Tiles() bool { return C.palate_tiles() != 0 }

// Multiply computes the product on this thread; bias may be nil. What does not
// fit the shape is palate.ErrInvalid.
func (p Product) Multiply(a, b, bias, c []float32) error { return p.multiply(a, b, bias, c, nil) }

// MultiplyAndSum computes the sums of the rows of op(a) as well, of a batch of
// one.
func (p Product) MultiplyAndSum(a, b, bias, c, sums []float32) error {
	if p.Batch != 1 || len(sums) != p.Rows {
		return fmt.Errorf("%d sums of the product %+v: %w", len(sums), p, palate.ErrInvalid)
	}
	return p.multiply(a, b, bias, c, sums)
}

func (p Product) multiply(a, b, bias, c, sums []float32) error {
	if err := p.check(a, b, bias, c); err != nil {
		return err
	}
	flag := map[bool]C.int{true: 1}
	if C.multiply_here(floats(a), floats(b), floats(bias), floats(c), floats(sums), C.size_t(p.Batch), C.size_t(p.Rows), C.size_t(p.Columns), C.size_t(p.Depth),
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

// Attend computes the attention of qkv on this thread. What does not fit the
// shape is palate.ErrInvalid.
func (a Attention) Attend(qkv, mixed, logs []float32) error {
	if err := a.check(qkv, mixed, logs); err != nil {
		return err
	}
	if C.attend_here(floats(qkv), floats(mixed), floats(logs), C.size_t(a.Batch), C.size_t(a.Tokens), C.size_t(a.Heads), C.size_t(a.Width), C.int(a.Terms)) != 0 {
		return errNoMemory
	}
	return nil
}

// Gradient computes that of qkv on this thread, from that of mixed and from what
// Attend gave.
func (a Attention) Gradient(gradient, qkv, mixed, logs, dqkv []float32) error {
	if err := errors.Join(a.check(qkv, mixed, logs), a.check(dqkv, gradient, logs)); err != nil {
		return err
	}
	if C.attend_gradient_here(floats(gradient), floats(qkv), floats(mixed), floats(logs), floats(dqkv),
		C.size_t(a.Batch), C.size_t(a.Tokens), C.size_t(a.Heads), C.size_t(a.Width), C.int(a.Terms)) != 0 {
		return errNoMemory
	}
	return nil
}

// Gelu writes x·Φ(x).
func Gelu(x, out []float32) { C.gelu_here(floats(x), floats(out), C.size_t(len(out))) }

// GeluGradient writes the gradient of x·Φ(x).
func GeluGradient(gradient, x, out []float32) {
	C.gelu_gradient_here(floats(gradient), floats(x), floats(out), C.size_t(len(out)))
}

// SoftmaxGradient writes the gradient of what a softmax gave, y [rows, width].
func SoftmaxGradient(gradient, y, out []float32, width int) {
	C.softmax_here(floats(gradient), floats(y), floats(out), C.size_t(len(out)/width), C.size_t(width))
}

// Norm writes the layer norm of x [rows, width], and the mean and inverse deviation
// of each row.
func Norm(x, scale, shift []float32, epsilon float32, out, means, inverses []float32) {
	C.norm_here(floats(x), floats(scale), floats(shift), C.float(epsilon), floats(out), floats(means), floats(inverses), C.size_t(len(means)), C.size_t(len(scale)))
}

// NormGradients writes those of x [rows, width], which a layer norm took, and of
// its scale and shift [width]; mean and inverse [rows] are what it found. out, or
// both of scales and shifts, may be nil.
func NormGradients(gradient, x, scale, mean, inverse, out, scales, shifts []float32) error {
	if C.norm_gradient_here(floats(gradient), floats(x), floats(scale), floats(mean), floats(inverse), floats(out), floats(scales), floats(shifts),
		C.size_t(len(mean)), C.size_t(len(scale))) != 0 {
		return errNoMemory
	}
	return nil
}

// ScaleGradients writes those of x [rows, width] and of scale [width], of x·scale.
func ScaleGradients(gradient, x, scale, out, scales []float32) error {
	if C.scale_gradient_here(floats(gradient), floats(x), floats(scale), floats(out), floats(scales), C.size_t(len(x)/max(1, len(scale))), C.size_t(len(scale))) != 0 {
		return errNoMemory
	}
	return nil
}

func floats(s []float32) *C.float { return (*C.float)(unsafe.Pointer(unsafe.SliceData(s))) }

var errNoMemory = errors.New("not enough memory for an operator")

#ifndef PALATE_OPERATORS_KERNEL_H
#define PALATE_OPERATORS_KERNEL_H

#include <stddef.h>
#include <stdint.h>

// What the functions compute is written in doc.go and product.go.

typedef struct {
	const float *a, *b, *bias; // bias: [n], or NULL
	float *c;                  // [batch, m, n]
	float *sums;               // [m], those of the rows of op(a), or NULL; of a batch of one
	int gelu;                  // 1: c is that of each number
	const float *scale, *onto; // [n], and as c: each number is multiplied by its column's scale and added to onto's, or NULL
	float *before;             // as c: the numbers before Gelu or scale, or NULL
	const float *x;            // as c: what a Gelu took, whose slope each number is multiplied by, or NULL
	size_t batch, m, n, k;
	int turn_a, turn_b; // a is [batch, k, m] and b [batch, n, k], instead of [batch, m, k] and [batch, k, n]
	int terms;          // 3, or 1: what is left of the numbers is lost
} palate_product;

// palate_share calls work(state, i) for every i below n, on several threads or
// one, and returns when all are done.
typedef void (*palate_work)(void *state, size_t i);
typedef void (*palate_share)(void *context, palate_work work, size_t n, void *state);

// Memory that is kept from one product to the next. Two products at once do
// not share it: one of them takes and frees its own.
typedef struct palate_scratch palate_scratch;
palate_scratch *palate_scratch_new(void);
void palate_scratch_free(palate_scratch *scratch);

// An attention's number w of token t of head h of item i is, of q, k and v and
// their gradients, number ((i·tokens + t)·stride + h·width + w): stride is
// heads·width, or 3·heads·width where the three lie in one.
typedef struct {
	const float *q, *k, *v;
	size_t stride, batch, heads, tokens, width;
	int terms;
	float *mixed; // [batch, tokens, heads, width]
	float *logs;  // [batch, heads, tokens], the logarithms of what softmax divides by; NULL where there is no way back

	// Of the way back, where mixed and logs are read.
	const float *gradient; // of mixed
	float *dq, *dk, *dv;
} palate_attention;

// palate_tiles is 1 where the processor multiplies tiles and the system lets
// this process.
int palate_tiles(void);

// palate_multiply is 0, or 1 where there is not enough memory. Without tiles
// it is a plain loop, so that all else can be tested anywhere.
int palate_multiply(const palate_product *product, palate_scratch *scratch, palate_share share, void *context);

// Both are 0, or 1 where there is not enough memory.
int palate_attend(const palate_attention *attention, palate_scratch *scratch, palate_share share, void *context);
int palate_attend_gradient(const palate_attention *attention, palate_scratch *scratch, palate_share share, void *context);

// Each is of [rows, width], or of n numbers.
void palate_gelu(const float *x, float *out, size_t n, palate_share share, void *context);
void palate_gelu_gradient(const float *gradient, const float *x, float *out, size_t n, palate_share share, void *context);
void palate_softmax_gradient(const float *gradient, const float *y, float *out, size_t rows, size_t width, palate_share share, void *context);
// means and inverses, [rows], may be NULL.
void palate_norm(const float *x, const float *scale, const float *shift, float epsilon, float *out, float *means, float *inverses, size_t rows, size_t width,
	palate_share share, void *context);

// These are 0, or 1 where there is not enough memory. out, or both of scales and
// shifts, which are [width], may be NULL.
int palate_norm_gradient(const float *gradient, const float *x, const float *scale, const float *mean, const float *inverse, float *out, float *scales, float *shifts,
	size_t rows, size_t width, palate_share share, void *context);
int palate_scale_gradient(const float *gradient, const float *x, const float *scale, float *out, float *scales, size_t rows, size_t width, palate_share share, void *context);

// palate_operators_add makes the operators known to the sessions of options, by
// the functions of ONNX Runtime's api. It is NULL, or what went wrong, to be
// freed. handle is to be closed after the last of the sessions.
char *palate_operators_add(const void *const *api, uint32_t version, void *options, void **handle);
void palate_operators_close(void *handle);

#endif

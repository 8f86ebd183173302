//go:build cgo && !purego

// The loops are plain C that compilers turn into vector code, and are compiled
// for several processors. What they compute is written in doc.go.

#include "kernel.h"
#include "loops.h"

#include <stdlib.h>

// target_clones needs ifunc: glibc on x86-64. On arm64 the default target has
// NEON.
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

enum { CHUNK = 1 << 14 };

typedef struct {
	const float *gradient, *x, *scale, *shift, *mean, *inverse;
	float *out, *scales, *shifts, *means, *inverses;
	size_t rows, width;
	float epsilon;
} rows_of;

CLONES static void gelu_chunk(const float *restrict d, const float *restrict x, float *restrict out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = d[i] * slope(x[i]);
}

CLONES static void gelu_forward_chunk(const float *restrict x, float *restrict out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = gelu(x[i]);
}

static void gelu_part(void *state, size_t part)
{
	rows_of *r = state;
	size_t from = part * CHUNK, n = least(CHUNK, r->width - from);
	if (r->gradient)
		gelu_chunk(r->gradient + from, r->x + from, r->out + from, n);
	else
		gelu_forward_chunk(r->x + from, r->out + from, n);
}

static void share_gelu(rows_of r, palate_share share, void *context)
{
	if (r.width)
		share(context, gelu_part, up(r.width, CHUNK), &r);
}

void palate_gelu(const float *x, float *out, size_t n, palate_share share, void *context)
{
	share_gelu((rows_of){.x = x, .out = out, .width = n}, share, context);
}

void palate_gelu_gradient(const float *gradient, const float *x, float *out, size_t n, palate_share share, void *context)
{
	share_gelu((rows_of){.gradient = gradient, .x = x, .out = out, .width = n}, share, context);
}

CLONES static void softmax_rows(const float *restrict d, const float *restrict y, float *restrict out, size_t rows, size_t n)
{
	for (size_t row = 0; row < rows; row++, d += n, y += n, out += n) {
		float sum = dot(d, y, n);
		for (size_t i = 0; i < n; i++)
			out[i] = y[i] * (d[i] - sum);
	}
}

// some is how many rows a thread takes at a time.
static size_t some(const rows_of *r) { return r->width < CHUNK ? CHUNK / r->width : 1; }

static size_t left(const rows_of *r, size_t from) { return r->rows - from < some(r) ? r->rows - from : some(r); }

static void share_rows(rows_of *r, palate_work work, palate_share share, void *context)
{
	if (r->rows && r->width)
		share(context, work, (r->rows + some(r) - 1) / some(r), r);
}

static void softmax_part(void *state, size_t part)
{
	rows_of *r = state;
	size_t from = part * some(r), place = from * r->width;
	softmax_rows(r->gradient + place, r->x + place, r->out + place, left(r, from), r->width);
}

void palate_softmax_gradient(const float *gradient, const float *y, float *out, size_t rows, size_t width, palate_share share, void *context)
{
	rows_of r = {.gradient = gradient, .x = y, .out = out, .rows = rows, .width = width};
	share_rows(&r, softmax_part, share, context);
}

// distances adds up those of numbers from a point, and their squares, in lanes.
INLINE void distances(const float *x, size_t n, float from, float *sum, float *squares)
{
	float plain[LANES] = {0}, square[LANES] = {0};
	size_t i = 0;
	for (; i + LANES <= n; i += LANES)
		for (int l = 0; l < LANES; l++) {
			float d = x[i + l] - from;
			plain[l] += d;
			square[l] += d * d;
		}
	for (; i < n; i++) {
		plain[0] += x[i] - from;
		square[0] += (x[i] - from) * (x[i] - from);
	}
	*sum = *squares = 0;
	for (int l = 0; l < LANES; l++) {
		*sum += plain[l];
		*squares += square[l];
	}
}

CLONES static void norm_forward_rows(const float *restrict x, const float *restrict scale, const float *restrict shift, float epsilon,
	float *restrict out, float *means, float *inverses, size_t rows, size_t n)
{
	for (size_t row = 0; row < rows; row++, x += n, out += n) {
		// The distances from a mean that was rounded say how far it is off.
		float sum, squares;
		distances(x, n, 0, &sum, &squares);
		float mean = sum / (float)n;
		distances(x, n, mean, &sum, &squares);
		float off = sum / (float)n, inverse = 1 / sqrtf(squares / (float)n - off * off + epsilon);
		mean += off;
		for (size_t i = 0; i < n; i++)
			out[i] = (x[i] - mean) * inverse * scale[i] + shift[i];
		if (means)
			means[row] = mean;
		if (inverses)
			inverses[row] = inverse;
	}
}

static void norm_forward_part(void *state, size_t part)
{
	rows_of *r = state;
	size_t from = part * some(r), place = from * r->width;
	norm_forward_rows(r->x + place, r->scale, r->shift, r->epsilon, r->out + place,
		r->means ? r->means + from : NULL, r->inverses ? r->inverses + from : NULL, left(r, from), r->width);
}

void palate_norm(const float *x, const float *scale, const float *shift, float epsilon, float *out, float *means, float *inverses, size_t rows, size_t width,
	palate_share share, void *context)
{
	rows_of r = {.x = x, .scale = scale, .shift = shift, .epsilon = epsilon, .out = out, .means = means, .inverses = inverses, .rows = rows, .width = width};
	share_rows(&r, norm_forward_part, share, context);
}

CLONES static void norm_row(const float *restrict d, const float *restrict x, const float *restrict scale, float mean, float inverse, float *restrict out, size_t n)
{
	float plain[LANES] = {0}, normal[LANES] = {0}, sum = 0, product = 0;
	size_t i = 0;
	for (; i + LANES <= n; i += LANES)
		for (int l = 0; l < LANES; l++) {
			float h = d[i + l] * scale[i + l];
			plain[l] += h;
			normal[l] += h * ((x[i + l] - mean) * inverse);
		}
	for (int l = 0; l < LANES; l++) {
		sum += plain[l];
		product += normal[l];
	}
	for (; i < n; i++) {
		float h = d[i] * scale[i];
		sum += h;
		product += h * ((x[i] - mean) * inverse);
	}
	sum /= (float)n;
	product /= (float)n;
	for (i = 0; i < n; i++)
		out[i] = (d[i] * scale[i] - sum - (x[i] - mean) * inverse * product) * inverse;
}

CLONES static void sum_row(const float *restrict d, const float *restrict x, float mean, float inverse, float *restrict scales, float *restrict shifts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		scales[i] += d[i] * ((x[i] - mean) * inverse);
		shifts[i] += d[i];
	}
}

enum { PARTS = 64 }; // the same on any number of threads, and so are the sums

// rows_of_part are a part's, from one to below another.
static void rows_of_part(const rows_of *r, size_t part, size_t *from, size_t *to)
{
	size_t each = up(r->rows, PARTS);
	*from = least(part * each, r->rows);
	*to = least(*from + each, r->rows);
}

// share_parts does the work in parts, each of which adds up to its own rows of
// scales and shifts, and adds these up; what is NULL is not wanted.
static int share_parts(rows_of *r, palate_work work, float *scales, float *shifts, palate_share share, void *context)
{
	float *sums[] = {scales, shifts}, **of[] = {&r->scales, &r->shifts};
	float *parts = scales || shifts ? calloc(2 * PARTS * r->width + 1, sizeof *parts) : NULL;
	if ((scales || shifts) && !parts)
		return 1;
	for (int n = 0; n < 2; n++)
		*of[n] = sums[n] ? parts + n * PARTS * r->width : NULL;
	share(context, work, PARTS, r);
	for (int n = 0; n < 2; n++)
		for (size_t i = 0; sums[n] && i < r->width; i++) {
			sums[n][i] = 0;
			for (size_t part = 0; part < PARTS; part++)
				sums[n][i] += (*of[n])[part * r->width + i];
		}
	free(parts);
	return 0;
}

static void norm_part(void *state, size_t part)
{
	rows_of *r = state;
	size_t from, to;
	for (rows_of_part(r, part, &from, &to); from < to; from++) {
		size_t place = from * r->width;
		if (r->out)
			norm_row(r->gradient + place, r->x + place, r->scale, r->mean[from], r->inverse[from], r->out + place, r->width);
		if (r->scales)
			sum_row(r->gradient + place, r->x + place, r->mean[from], r->inverse[from], r->scales + part * r->width, r->shifts + part * r->width, r->width);
	}
}

int palate_norm_gradient(const float *gradient, const float *x, const float *scale, const float *mean, const float *inverse, float *out, float *scales, float *shifts,
	size_t rows, size_t width, palate_share share, void *context)
{
	rows_of r = {.gradient = gradient, .x = x, .scale = scale, .mean = mean, .inverse = inverse, .out = out, .rows = rows, .width = width};
	return share_parts(&r, norm_part, scales, shifts, share, context);
}

CLONES static void scale_row(const float *restrict d, const float *restrict x, const float *restrict scale, float *restrict out, float *restrict scales, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		out[i] = d[i] * scale[i];
		scales[i] += d[i] * x[i];
	}
}

static void scale_part(void *state, size_t part)
{
	rows_of *r = state;
	size_t from, to;
	for (rows_of_part(r, part, &from, &to); from < to; from++) {
		size_t place = from * r->width;
		scale_row(r->gradient + place, r->x + place, r->scale, r->out + place, r->scales + part * r->width, r->width);
	}
}

int palate_scale_gradient(const float *gradient, const float *x, const float *scale, float *out, float *scales, size_t rows, size_t width, palate_share share, void *context)
{
	rows_of r = {.gradient = gradient, .x = x, .scale = scale, .out = out, .rows = rows, .width = width};
	return share_parts(&r, scale_part, scales, NULL, share, context);
}

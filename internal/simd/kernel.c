//go:build cgo && !purego

// The loops are plain C that compilers turn into vector code; a function that
// is compiled for several processors is marked CLONES. What the functions
// compute is written in kernel.go.

#include "kernel.h"

#include <math.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
#endif

// target_clones needs ifunc: glibc on x86-64. On arm64 the default target has
// NEON.
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#elif defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define CLONES __attribute__((target_clones("avx2", "default")))
#else
#define CLONES
#endif

#if defined(__x86_64__) && defined(__GNUC__)
#define HAVE_VNNI 1
#define VNNI __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx512vnni")))
#endif

// SAME lets a product and a sum be two operations on every processor, as they
// are in Go.
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#define SAME
#elif defined(__GNUC__)
#define SAME __attribute__((optimize("fp-contract=off")))
#else
#define SAME
#endif

#define INLINE static inline __attribute__((always_inline))

enum { GROUP = 128, LANES = 16, AHEAD = 8 };

// A group of rows is summed first and looked at afterwards, so that both
// loops are simple enough to become vector code.
INLINE int keep(const int32_t *sums, const float *scale, const float *residual, int n, int32_t first, int32_t offset,
	float unit, float slope, float base, float least, int32_t *rows, float *estimates)
{
	float upper[GROUP], estimate[GROUP];
	int any = 0, found = 0;
	for (int i = 0; i < n; i++) {
		estimate[i] = (float)(sums[i] - offset) * (scale[i] * unit);
		upper[i] = estimate[i] + (slope * residual[i] + base);
		any |= upper[i] >= least;
	}
	if (!any)
		return 0;
	for (int i = 0; i < n; i++) {
		rows[found] = first + i;
		estimates[found] = estimate[i];
		found += upper[i] >= least;
	}
	return found;
}

INLINE int32_t sum_wide(const uint8_t *x, const int16_t *q, size_t stride)
{
	int32_t s = 0;
	for (size_t j = 0; j < stride; j++)
		s += (int16_t)x[j] * q[j];
	return s;
}

INLINE int32_t sum_narrow(const uint8_t *x, const int8_t *q, size_t stride)
{
	int32_t high = 0, low = 0;
	const int8_t *r = q + stride;
	for (size_t j = 0; j < stride; j++) {
		high += x[j] * q[j];
		low += x[j] * r[j];
	}
	return 128 * high + low;
}

#define SCAN(name, target, sum, query_type)                                                                        \
	target static int name(const uint8_t *codes, size_t stride, const float *scale, const float *residual, int n, \
		const query_type *q, int32_t offset, float unit, float slope, float base, float least, int32_t *rows,     \
		float *estimates)                                                                                          \
	{                                                                                                              \
		int32_t sums[GROUP];                                                                                       \
		int found = 0;                                                                                             \
		stride &= ~(size_t)63;                                                                                     \
		for (int first = 0; first < n; first += GROUP) {                                                           \
			int m = n - first < GROUP ? n - first : GROUP;                                                         \
			for (int i = 0; i < m; i++)                                                                            \
				sums[i] = sum(codes + (size_t)(first + i) * stride, q, stride);                                    \
			found += keep(sums, scale + first, residual + first, m, first, offset, unit, slope, base, least,       \
				rows + found, estimates + found);                                                                  \
		}                                                                                                          \
		return found;                                                                                              \
	}

#define GATHER(name, target, sum, query_type)                                                                      \
	target static int name(const uint8_t *codes, size_t stride, const float *scale, const float *residual, int n, \
		const int32_t *list, const query_type *q, int32_t offset, float unit, float slope, float base, float least, \
		int32_t *rows, float *estimates)                                                                           \
	{                                                                                                              \
		int found = 0;                                                                                             \
		stride &= ~(size_t)63;                                                                                     \
		for (int i = 0; i < n; i++) {                                                                              \
			if (i + AHEAD < n)                                                                                     \
				for (size_t j = 0; j < stride; j += 64)                                                            \
					__builtin_prefetch(codes + (size_t)list[i + AHEAD] * stride + j);                              \
			int32_t row = list[i];                                                                                 \
			float estimate = (float)(sum(codes + (size_t)row * stride, q, stride) - offset) * (scale[row] * unit); \
			rows[found] = row;                                                                                     \
			estimates[found] = estimate;                                                                           \
			found += estimate + (slope * residual[row] + base) >= least;                                           \
		}                                                                                                          \
		return found;                                                                                              \
	}

SCAN(scan_wide, CLONES, sum_wide, int16_t)
GATHER(gather_wide, CLONES, sum_wide, int16_t)
#ifdef HAVE_VNNI
SCAN(scan_narrow, VNNI, sum_narrow, int8_t)
GATHER(gather_narrow, VNNI, sum_narrow, int8_t)
#endif

int palate_has_vnni(void)
{
#ifdef HAVE_VNNI
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni");
#else
	return 0;
#endif
}

int palate_scan(int vnni, const uint8_t *codes, size_t stride, const float *scale, const float *residual, int n,
	const int32_t *list, const int16_t *wide, const int8_t *narrow, int32_t offset, float unit, float slope, float base,
	float least, int32_t *rows, float *estimates)
{
#ifdef HAVE_VNNI
	if (vnni && list)
		return gather_narrow(codes, stride, scale, residual, n, list, narrow, offset, unit, slope, base, least, rows, estimates);
	if (vnni)
		return scan_narrow(codes, stride, scale, residual, n, narrow, offset, unit, slope, base, least, rows, estimates);
#endif
	if (list)
		return gather_wide(codes, stride, scale, residual, n, list, wide, offset, unit, slope, base, least, rows, estimates);
	return scan_wide(codes, stride, scale, residual, n, wide, offset, unit, slope, base, least, rows, estimates);
}

CLONES void palate_quantise(const float *x, int n, int dim, size_t stride, uint8_t *codes, float *scale, float *residual)
{
	for (int i = 0; i < n; i++, x += dim, codes += stride) {
		float lanes[LANES] = {0}, most = 0, sum = 0;
		int j = 0;
		for (; j + LANES <= dim; j += LANES)
			for (int k = 0; k < LANES; k++) {
				float a = fabsf(x[j + k]);
				lanes[k] = a > lanes[k] ? a : lanes[k];
			}
		for (; j < dim; j++)
			lanes[0] = fabsf(x[j]) > lanes[0] ? fabsf(x[j]) : lanes[0];
		for (int k = 0; k < LANES; k++)
			most = lanes[k] > most ? lanes[k] : most;
		float step = most / 127, inverse = most > 0 ? 127 / most : 0;
		memset(lanes, 0, sizeof lanes);
		for (j = 0; j + LANES <= dim; j += LANES)
			for (int k = 0; k < LANES; k++) {
				float v = x[j + k] * inverse;
				int32_t c = (int32_t)(v + (v < 0 ? -.5f : .5f));
				float rest = x[j + k] - step * (float)c;
				lanes[k] += rest * rest;
				codes[j + k] = (uint8_t)(c + 128);
			}
		for (; j < dim; j++) {
			float v = x[j] * inverse;
			int32_t c = (int32_t)(v + (v < 0 ? -.5f : .5f));
			float rest = x[j] - step * (float)c;
			lanes[0] += rest * rest;
			codes[j] = (uint8_t)(c + 128);
		}
		memset(codes + dim, 128, stride - (size_t)dim);
		for (int k = 0; k < LANES; k++)
			sum += lanes[k];
		scale[i] = step;
		residual[i] = sqrtf(sum);
	}
}

// A product of two float32 is exact in double, so that a fused multiply-add
// gives the same bits as two operations.
CLONES void palate_dots(const float *x, int dim, const int32_t *list, int n, const double *q, double *out)
{
	for (int i = 0; i < n; i++) {
		if (i + 2 < n)
			for (int j = 0; j < dim; j += 16)
				__builtin_prefetch(x + (size_t)list[i + 2] * (size_t)dim + j);
		const float *row = x + (size_t)list[i] * (size_t)dim;
		double lanes[LANES] = {0};
		int j = 0;
		for (; j + LANES <= dim; j += LANES)
			for (int k = 0; k < LANES; k++)
				lanes[k] += (double)row[j + k] * q[j + k];
		for (int k = 0; j + k < dim; k++)
			lanes[k] += (double)row[j + k] * q[j + k];
		for (int half = LANES / 2; half > 0; half /= 2)
			for (int k = 0; k < half; k++)
				lanes[k] += lanes[k + half];
		out[i] = lanes[0];
	}
}

// Compilers make no vector code of sqrtf, which may set errno. A wider vector
// than four takes processors as much longer.
INLINE void roots(const float *x, float *out)
{
#if defined(__SSE2__)
	_mm_storeu_ps(out, _mm_sqrt_ps(_mm_loadu_ps(x)));
#elif defined(__ARM_NEON) && defined(__aarch64__)
	vst1q_f32(out, vsqrtq_f32(vld1q_f32(x)));
#else
	for (int k = 0; k < 4; k++)
		out[k] = sqrtf(x[k]);
#endif
}

CLONES SAME void palate_adamw(float moment, float gradient, float square, float share, float keep, float rate, float epsilon,
	float *restrict values, const float *restrict gradients, float *restrict moments, float *restrict squares, size_t n)
{
	float root[GROUP];
	for (size_t i = 0; i < n; i += GROUP) {
		size_t m = n - i < GROUP ? n - i : GROUP, k = 0;
		const float *own = gradients + i;
		float *x = values + i, *first = moments + i, *second = squares + i;
		for (k = 0; k < m; k++) {
			float g = own[k] * gradient;
			first[k] = moment * first[k] + g;
			second[k] = square * second[k] + share * g * g;
		}
		for (k = 0; k + 4 <= m; k += 4)
			roots(second + k, root + k);
		for (; k < m; k++)
			root[k] = sqrtf(second[k]);
		for (k = 0; k < m; k++)
			x[k] = keep * x[k] - rate * first[k] / (root[k] + epsilon);
	}
}

CLONES void palate_add(float *restrict sum, const float *restrict part, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum[i] += part[i];
}

// The square of a float32 is exact in double.
CLONES double palate_squares(const float *x, size_t n)
{
	double lanes[LANES] = {0};
	size_t i = 0;
	for (; i + LANES <= n; i += LANES)
		for (int k = 0; k < LANES; k++)
			lanes[k] += (double)x[i + (size_t)k] * x[i + (size_t)k];
	for (int k = 0; i + (size_t)k < n; k++)
		lanes[k] += (double)x[i + (size_t)k] * x[i + (size_t)k];
	for (int half = LANES / 2; half > 0; half /= 2)
		for (int k = 0; k < half; k++)
			lanes[k] += lanes[k + half];
	return lanes[0];
}

CLONES uint64_t palate_read(const uint8_t *p, size_t n)
{
	uint64_t lanes[32] = {0}, all = 0;
	for (size_t i = 0; i + sizeof lanes <= n; i += sizeof lanes) {
		uint64_t block[32];
		memcpy(block, p + i, sizeof block);
		for (int k = 0; k < 32; k++)
			lanes[k] |= block[k];
	}
	for (int k = 0; k < 32; k++)
		all |= lanes[k];
	return all;
}

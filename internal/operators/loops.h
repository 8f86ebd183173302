#ifndef PALATE_OPERATORS_LOOPS_H
#define PALATE_OPERATORS_LOOPS_H

// What loops over numbers share.

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum { LANES = 16 }; // numbers of float32 in the longest vectors, and rows of a tile

INLINE size_t up(size_t x, size_t y) { return (x + y - 1) / y; }
INLINE size_t least(size_t x, size_t y) { return x < y ? x : y; }

// exponential is e to the power of x, which is at most 0, to 2e-7: 2 to the
// whole part of x/ln 2, in the bits of a number, times a series of the rest.
INLINE float exponential(float x)
{
	x = x < -87 ? -87 : x; // below is what float32 has no ordinary numbers for
	float shifted = x * 1.44269504f + 12582912.0f; // rounds: beyond 2^23 there are no fractions
	float whole = shifted - 12582912.0f;
	float r = x - whole * 0.693359375f + whole * 2.12194440e-4f;
	float y = 1 + r * (1 + r * (0.5f + r * (0.166666667f + r * (0.0416666418f + r * (0.00833345205f + r * 0.00138908170f)))));
	int32_t bits;
	memcpy(&bits, &y, sizeof bits);
	bits += (int32_t)whole * (1 << 23);
	memcpy(&y, &bits, sizeof y);
	return y;
}

INLINE float bell(float x) { return exponential(-0.5f * x * x); }

// share_below is Φ(x), where bell is that of x. The error function is Abramowitz
// and Stegun's 7.1.26, to 1.5e-7.
INLINE float share_below(float x, float bell)
{
	float t = 1 / (1 + 0.3275911f * 0.707106781f * fabsf(x));
	float tail = 0.5f * t * (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f)))) * bell;
	return x < 0 ? tail : 1 - tail;
}

// gelu is x·Φ(x).
INLINE float gelu(float x) { return x * share_below(x, bell(x)); }

// slope is Φ(x) + x·φ(x), gelu's.
INLINE float slope(float x)
{
	float e = bell(x);
	return share_below(x, e) + x * e * 0.398942280f;
}

// dot adds up products in lanes, so that any compiler may keep them in a
// vector.
INLINE float dot(const float *x, const float *y, size_t n)
{
	float lanes[LANES] = {0}, sum = 0;
	size_t i = 0;
	for (; i + LANES <= n; i += LANES)
		for (int l = 0; l < LANES; l++)
			lanes[l] += x[i + l] * y[i + l];
	for (int l = 0; l < LANES; l++)
		sum += lanes[l];
	for (; i < n; i++)
		sum += x[i] * y[i];
	return sum;
}

#endif

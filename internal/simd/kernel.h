#ifndef PALATE_SIMD_KERNEL_H
#define PALATE_SIMD_KERNEL_H

#include <stddef.h>
#include <stdint.h>

// What the functions compute is written in kernel.go and training.go.

int palate_has_vnni(void);

int palate_scan(int vnni, const uint8_t *codes, size_t stride, const float *scale, const float *residual, int n,
	const int32_t *list, const int16_t *wide, const int8_t *narrow, int32_t offset, float unit, float slope, float base,
	float least, int32_t *rows, float *estimates);

void palate_quantise(const float *x, int n, int dim, size_t stride, uint8_t *codes, float *scale, float *residual);

void palate_dots(const float *x, int dim, const int32_t *list, int n, const double *q, double *out);

void palate_adamw(float moment, float gradient, float square, float share, float keep, float rate, float epsilon,
	float *restrict values, const float *restrict gradients, float *restrict moments, float *restrict squares, size_t n);

void palate_add(float *restrict sum, const float *restrict part, size_t n);

double palate_squares(const float *x, size_t n);

uint64_t palate_read(const uint8_t *p, size_t n);

#endif

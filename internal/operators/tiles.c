//go:build cgo && !purego

#include "tiles.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

// The scratch has one place: who multiplies takes the memory out of it, and
// puts back what it has. Memory begins with its size, so that the two can't be
// those of different products.
struct palate_scratch {
	_Atomic(void *) memory;
};

palate_scratch *palate_scratch_new(void) { return calloc(1, sizeof(palate_scratch)); }

void palate_scratch_free(palate_scratch *scratch)
{
	if (scratch)
		free(atomic_load(&scratch->memory));
	free(scratch);
}

size_t palate_threads(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	return processors > 0 ? (size_t)processors : 1;
}

#ifdef HAVE_TILES

#include <immintrin.h>
#include <sys/mman.h>
#include <sys/syscall.h>

// low_half has numbers rounded to bfloat16 in the low halves of lanes.
INLINE TILES __m512i low_half(__m512 v) { return _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(v)); }

// rest is what rounding took away.
INLINE TILES __m512 rest(__m512 v, __m512i kept) { return _mm512_sub_ps(v, _mm512_castsi512_ps(_mm512_slli_epi32(kept, 16))); }

// across reads lanes that lie side by side, [depth, lanes]: row p of a tile has
// the pairs 2p and 2p + 1 of every lane. Numbers are the sums of two of bfloat16,
// which keep 16 of their 24 digits; with one term low is not written.
INLINE TILES void across(const float *x, size_t stride, size_t depth, size_t lanes, int terms, __m512i high[LANES], __m512i low[LANES])
{
	__mmask16 mask = lanes >= LANES ? 0xffff : (1u << lanes) - 1;
	for (size_t p = 0; p < LANES; p++) {
		__builtin_prefetch(x + 2 * p * stride + 2 * STRIP, 0, 2);
		__builtin_prefetch(x + (2 * p + 1) * stride + 2 * STRIP, 0, 2);
		__m512 v0 = 2 * p < depth ? _mm512_maskz_loadu_ps(mask, x + 2 * p * stride) : _mm512_setzero_ps();
		__m512 v1 = 2 * p + 1 < depth ? _mm512_maskz_loadu_ps(mask, x + (2 * p + 1) * stride) : _mm512_setzero_ps();
		__m512i h0 = low_half(v0), h1 = low_half(v1);
		high[p] = _mm512_or_si512(h0, _mm512_slli_epi32(h1, 16));
		if (terms > 1)
			low[p] = _mm512_or_si512(low_half(rest(v0, h0)), _mm512_slli_epi32(low_half(rest(v1, h1)), 16));
	}
}

// along reads lanes that lie one behind the other, [lanes, depth]: row r of a
// tile is lane r.
INLINE TILES void along(const float *x, size_t stride, size_t depth, size_t lanes, int terms, __m512i high[LANES], __m512i low[LANES])
{
	uint32_t mask = depth >= DEPTH ? 0xffffffffu : (1u << depth) - 1;
	for (size_t r = 0; r < LANES; r++) {
		__builtin_prefetch(x + (r + LANES) * stride, 0, 2);
		__builtin_prefetch(x + (r + LANES) * stride + LANES, 0, 2);
		high[r] = low[r] = _mm512_setzero_si512();
		if (r >= lanes)
			continue;
		__m512 v0 = _mm512_maskz_loadu_ps(mask & 0xffff, x + r * stride), v1 = _mm512_maskz_loadu_ps(mask >> 16, x + r * stride + LANES);
		high[r] = (__m512i)_mm512_cvtne2ps_pbh(v1, v0);
		if (terms == 1)
			continue;
		__m512i first = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(high[r])), second = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(high[r], 1));
		low[r] = (__m512i)_mm512_cvtne2ps_pbh(rest(v1, second), rest(v0, first));
	}
}

// turn transposes 16 × 16 pairs.
INLINE TILES void turn(__m512i r[LANES])
{
	__m512i t[LANES];
	for (int i = 0; i < 8; i++) {
		t[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
		t[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
	}
	for (int i = 0; i < 4; i++) {
		r[4 * i] = _mm512_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
		r[4 * i + 1] = _mm512_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
		r[4 * i + 2] = _mm512_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
		r[4 * i + 3] = _mm512_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
	}
	for (int i = 0; i < 4; i++) {
		t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
		t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
		t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
		t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
	}
	for (int i = 0; i < 8; i++) {
		r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
		r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
	}
}

INLINE TILES void put(uint8_t *to, const __m512i tile[LANES])
{
	for (int i = 0; i < LANES; i++)
		_mm512_store_si512(to + 64 * i, tile[i]);
}

INLINE TILES void pack(uint8_t *to, const palate_side *s, size_t lane, size_t k, size_t depth, int terms)
{
	for (size_t d = 0; d < depth; d += DEPTH, to += CELL)
		for (size_t half = 0; half < 2; half++) {
			__m512i high[LANES], low[LANES];
			size_t first = lane + half * LANES, lanes = first < s->lanes ? least(LANES, s->lanes - first) : 0;
			if (lanes == 0) {
				memset(to + half * TILE, 0, TILE);
				memset(to + (2 + half) * TILE, 0, TILE);
				continue;
			}
			if (s->flat)
				along(s->x + first * s->stride + k + d, s->stride, depth - d, lanes, terms, high, low);
			else
				across(s->x + (k + d) * s->stride + first, s->stride, depth - d, lanes, terms, high, low);
			if (s->flat != s->by_lane)
				turn(high);
			put(to + half * TILE, high);
			if (terms == 1)
				continue;
			if (s->flat != s->by_lane)
				turn(low);
			put(to + (2 + half) * TILE, low);
		}
}

TILES void palate_pack(uint8_t *to, const palate_side *s, size_t lane, size_t k, size_t depth)
{
	if (s->terms == 1)
		pack(to, s, lane, k, depth, 1);
	else
		pack(to, s, lane, k, depth, 3);
}

TILES void palate_tiles_open(void)
{
	struct {
		uint8_t palette, start, zero[14];
		uint16_t bytes[16];
		uint8_t rows[16];
	} __attribute__((aligned(64))) c = {.palette = 1};
	for (int i = 0; i < 8; i++) {
		c.bytes[i] = 64;
		c.rows[i] = LANES;
	}
	// To some compilers the instruction reads the first 8 bytes alone.
	__asm__ volatile("" : : "r"(&c) : "memory");
	_tile_loadconfig(&c);
}

TILES void palate_tiles_close(void) { _tile_release(); }

// add_products adds to the sums, tiles 0 to 3, what cells of a and b give. Of
// three terms those of the rests of a come first and of b last, so that no tile
// is loaded twice.
INLINE TILES void add_products(const uint8_t *a, const uint8_t *b, size_t cells, int terms, const palate_beside *beside)
{
	for (size_t i = 0, row = 0, rows = up(STRIP, cells); i < cells; i++, a += CELL, b += CELL) {
		_tile_loadd(6, b, 64);
		if (terms > 1) {
			_tile_loadd(4, a + 2 * TILE, 64);
			_tile_dpbf16ps(0, 4, 6);
			_tile_loadd(7, b + TILE, 64);
			_tile_dpbf16ps(1, 4, 7);
			_tile_loadd(5, a + 3 * TILE, 64);
			_tile_dpbf16ps(2, 5, 6);
			_tile_dpbf16ps(3, 5, 7);
		} else
			_tile_loadd(7, b + TILE, 64);
		_tile_loadd(4, a, 64);
		_tile_dpbf16ps(0, 4, 6);
		_tile_dpbf16ps(1, 4, 7);
		_tile_loadd(5, a + TILE, 64);
		_tile_dpbf16ps(2, 5, 6);
		_tile_dpbf16ps(3, 5, 7);
		if (terms > 1) {
			_tile_loadd(6, b + 2 * TILE, 64);
			_tile_dpbf16ps(0, 4, 6);
			_tile_loadd(7, b + 3 * TILE, 64);
			_tile_dpbf16ps(1, 4, 7);
			_tile_dpbf16ps(2, 5, 6);
			_tile_dpbf16ps(3, 5, 7);
		}
		if (beside && row < STRIP) {
			beside->work(beside->state, row, least(row + rows, STRIP));
			row += rows;
		}
	}
}

TILES void palate_block(float *c, size_t stride, const uint8_t *a, const uint8_t *b, size_t cells, int terms, int first, const palate_beside *beside)
{
	size_t step = stride * sizeof(float);
	if (first) {
		_tile_zero(0);
		_tile_zero(1);
		_tile_zero(2);
		_tile_zero(3);
	} else {
		_tile_loadd(0, c, step);
		_tile_loadd(1, c + LANES, step);
		_tile_loadd(2, c + LANES * stride, step);
		_tile_loadd(3, c + LANES * stride + LANES, step);
	}
	if (terms == 1)
		add_products(a, b, cells, 1, beside);
	else
		add_products(a, b, cells, 3, beside);
	_tile_stored(0, c, step);
	_tile_stored(1, c + LANES, step);
	_tile_stored(2, c + LANES * stride, step);
	_tile_stored(3, c + LANES * stride + LANES, step);
}

enum { HUGE_PAGE = 2 << 20 };

// Memory begins with its size, in a cell of its own.
void *palate_take(palate_scratch *scratch, size_t size)
{
	size_t *memory = atomic_exchange(&scratch->memory, NULL);
	size = up(CELL + size, HUGE_PAGE) * HUGE_PAGE;
	if (!memory || *memory < size) {
		free(memory);
		if (!(memory = aligned_alloc(HUGE_PAGE, size)))
			return NULL;
		madvise(memory, size, MADV_HUGEPAGE); // what it does not get, it does without
		*memory = size;
	}
	return (uint8_t *)memory + CELL;
}

void palate_give_back(palate_scratch *scratch, void *taken)
{
	void *none = NULL, *memory = (uint8_t *)taken - CELL;
	if (!atomic_compare_exchange_strong(&scratch->memory, &none, memory))
		free(memory);
}

#define ARCH_REQ_XCOMP_PERM 0x1023
#define XTILEDATA 18

int palate_tiles(void)
{
	static _Atomic(int) known; // 0: not asked yet, 1: no, 2: yes
	int is = atomic_load(&known);
	if (!is) {
		__builtin_cpu_init();
		unsigned a, b, c, d;
		// Leaf 7: bits 22 and 24 of edx are AMX's bfloat16 and tiles; of its
		// second part, bit 5 of eax is AVX-512's bfloat16.
		__asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(7), "c"(0));
		int tiles = (d >> 22 & 1) && (d >> 24 & 1) && a >= 1;
		__asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(7), "c"(1));
		tiles = tiles && (a >> 5 & 1) && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
		is = tiles && syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XTILEDATA) == 0 ? 2 : 1;
		atomic_store(&known, is);
	}
	return is == 2;
}

#else

int palate_tiles(void) { return 0; }

#endif

//go:build cgo && !purego

#include "kernel.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// The instructions are Intel's AMX: a tile is 16 rows of 64 bytes, and one
// instruction adds to 16 × 16 sums the products of 16 × 32 and 32 × 16 numbers
// of bfloat16. Linux hands the tiles' state out on request.
#if defined(__x86_64__) && defined(__linux__) && ((defined(__clang__) && __clang_major__ >= 13) || (!defined(__clang__) && defined(__GNUC__) && __GNUC__ >= 12))
#define HAVE_TILES 1
#endif

static size_t up(size_t x, size_t y) { return (x + y - 1) / y; }
static size_t least(size_t x, size_t y) { return x < y ? x : y; }

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

#ifdef HAVE_TILES

#include <immintrin.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TILES __attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))
#define INLINE static inline __attribute__((always_inline))

enum {
	LANES = 16,              // rows of a tile
	DEPTH = 32,              // numbers of bfloat16 in a row
	STRIP = 2 * LANES,       // rows or columns of a block of 2 × 2 tiles of sums
	TILE = 1024,             // bytes
	CELL = 4 * TILE,         // a strip, DEPTH deep: two tiles of what is kept of the numbers, and two of the rest
	INNER = 768,             // as deep as sums stay in tiles
	OUTER = 2 * INNER,       // as deep as all of b is packed at a time
	AREA = 192 * CELL,       // of a thread, for its rows of a: less than half of its cache
	HUGE_PAGE = 2 << 20,
};

// split gives a number as the sum of two of bfloat16, in the low halves of
// lanes: 16 of its 24 digits.
INLINE TILES void split(__m512 v, __m512i *high, __m512i *low)
{
	*high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(v));
	__m512 kept = _mm512_castsi512_ps(_mm512_slli_epi32(*high, 16));
	*low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_sub_ps(v, kept)));
}

// across reads lanes that lie side by side, [depth, lanes]: row p of a tile has
// the pairs 2p and 2p + 1 of every lane.
INLINE TILES void across(const float *x, size_t stride, size_t depth, size_t lanes, __m512i high[LANES], __m512i low[LANES])
{
	__mmask16 mask = lanes >= LANES ? 0xffff : (1u << lanes) - 1;
	for (size_t p = 0; p < LANES; p++) {
		__m512i h0, l0, h1, l1;
		split(2 * p < depth ? _mm512_maskz_loadu_ps(mask, x + 2 * p * stride) : _mm512_setzero_ps(), &h0, &l0);
		split(2 * p + 1 < depth ? _mm512_maskz_loadu_ps(mask, x + (2 * p + 1) * stride) : _mm512_setzero_ps(), &h1, &l1);
		high[p] = _mm512_or_si512(h0, _mm512_slli_epi32(h1, 16));
		low[p] = _mm512_or_si512(l0, _mm512_slli_epi32(l1, 16));
	}
}

// along reads lanes that lie one behind the other, [lanes, depth]: row r of a
// tile is lane r.
INLINE TILES void along(const float *x, size_t stride, size_t depth, size_t lanes, __m512i high[LANES], __m512i low[LANES])
{
	uint32_t mask = depth >= DEPTH ? 0xffffffffu : (1u << depth) - 1;
	for (size_t r = 0; r < LANES; r++) {
		high[r] = low[r] = _mm512_setzero_si512();
		if (r >= lanes)
			continue;
		__m512 v0 = _mm512_maskz_loadu_ps(mask & 0xffff, x + r * stride), v1 = _mm512_maskz_loadu_ps(mask >> 16, x + r * stride + LANES);
		high[r] = (__m512i)_mm512_cvtne2ps_pbh(v1, v0);
		__m512i first = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(high[r])), second = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(high[r], 1));
		v0 = _mm512_sub_ps(v0, _mm512_castsi512_ps(_mm512_slli_epi32(first, 16)));
		v1 = _mm512_sub_ps(v1, _mm512_castsi512_ps(_mm512_slli_epi32(second, 16)));
		low[r] = (__m512i)_mm512_cvtne2ps_pbh(v1, v0);
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

// side is one of the two matrices: lanes are rows of a or columns of b.
typedef struct {
	const float *x;
	size_t stride, lanes;
	int flat;    // lanes lie one behind the other
	int by_lane; // rows of its tiles are lanes, as of a; of b they are pairs
} side;

// pack brings a strip of lanes, from k on and depth deep, into cells, filled
// up with zeros.
TILES static void pack(uint8_t *to, const side *s, size_t lane, size_t k, size_t depth)
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
				along(s->x + first * s->stride + k + d, s->stride, depth - d, lanes, high, low);
			else
				across(s->x + (k + d) * s->stride + first, s->stride, depth - d, lanes, high, low);
			if (s->flat != s->by_lane) {
				turn(high);
				turn(low);
			}
			put(to + half * TILE, high);
			put(to + (2 + half) * TILE, low);
		}
}

INLINE TILES void configure(void)
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
	_tile_loadconfig(&c);
}

// add_products adds to the sums, tiles 0 to 3, what cells of a and b give.
INLINE TILES void add_products(const uint8_t *a, const uint8_t *b, size_t cells, int terms)
{
	for (size_t i = 0; i < cells; i++, a += CELL, b += CELL) {
		_tile_loadd(4, a, 64);
		_tile_loadd(6, b, 64);
		_tile_dpbf16ps(0, 4, 6);
		_tile_loadd(7, b + TILE, 64);
		_tile_dpbf16ps(1, 4, 7);
		_tile_loadd(5, a + TILE, 64);
		_tile_dpbf16ps(2, 5, 6);
		_tile_dpbf16ps(3, 5, 7);
		if (terms == 1)
			continue;
		_tile_loadd(4, a + 2 * TILE, 64);
		_tile_dpbf16ps(0, 4, 6);
		_tile_dpbf16ps(1, 4, 7);
		_tile_loadd(5, a + 3 * TILE, 64);
		_tile_dpbf16ps(2, 5, 6);
		_tile_dpbf16ps(3, 5, 7);
		_tile_loadd(4, a, 64);
		_tile_loadd(6, b + 2 * TILE, 64);
		_tile_dpbf16ps(0, 4, 6);
		_tile_loadd(7, b + 3 * TILE, 64);
		_tile_dpbf16ps(1, 4, 7);
		_tile_loadd(5, a + TILE, 64);
		_tile_dpbf16ps(2, 5, 6);
		_tile_dpbf16ps(3, 5, 7);
	}
}

// block computes up to 32 × 32 sums: from the bias or zero if they are the
// first of these numbers, else on top of what is in c.
TILES static void block(float *c, size_t stride, size_t rows, size_t columns, const uint8_t *a, const uint8_t *b, size_t cells, int terms, const float *bias, int first)
{
	float part[STRIP][STRIP] __attribute__((aligned(64)));
	int whole = rows >= STRIP && columns >= STRIP;
	float *to = whole ? c : part[0];
	size_t step = whole ? stride : STRIP;
	rows = least(rows, STRIP);
	columns = least(columns, STRIP);
	if (first && !bias) {
		_tile_zero(0);
		_tile_zero(1);
		_tile_zero(2);
		_tile_zero(3);
	} else if (first) {
		float row[STRIP] = {0};
		memcpy(row, bias, columns * sizeof(float));
		_tile_loadd(0, row, 0);
		_tile_loadd(1, row + LANES, 0);
		_tile_loadd(2, row, 0);
		_tile_loadd(3, row + LANES, 0);
	} else {
		if (!whole) {
			memset(part, 0, sizeof part);
			for (size_t r = 0; r < rows; r++)
				memcpy(part[r], c + r * stride, columns * sizeof(float));
		}
		_tile_loadd(0, to, step * sizeof(float));
		_tile_loadd(1, to + LANES, step * sizeof(float));
		_tile_loadd(2, to + LANES * step, step * sizeof(float));
		_tile_loadd(3, to + LANES * step + LANES, step * sizeof(float));
	}
	if (terms == 1)
		add_products(a, b, cells, 1);
	else
		add_products(a, b, cells, 3);
	_tile_stored(0, to, step * sizeof(float));
	_tile_stored(1, to + LANES, step * sizeof(float));
	_tile_stored(2, to + LANES * step, step * sizeof(float));
	_tile_stored(3, to + LANES * step + LANES, step * sizeof(float));
	if (!whole)
		for (size_t r = 0; r < rows; r++)
			memcpy(c + r * stride, part[r], columns * sizeof(float));
}

static side side_a(const palate_product *p, size_t item)
{
	return (side){p->a + item * p->m * p->k, p->turn_a ? p->m : p->k, p->m, !p->turn_a, 1};
}

static side side_b(const palate_product *p, size_t item)
{
	return (side){p->b + item * p->k * p->n, p->turn_b ? p->k : p->n, p->n, p->turn_b, 0};
}

// most_rows is how many rows one thread computes at a time, at the most: for
// each it goes through all of b.
static size_t most_rows(const palate_product *p) { return AREA / (up(least(p->k, INNER), DEPTH) * CELL) * STRIP; }

// rows computes rows of c, from one to below another, with what is packed of
// b: from k on, depth deep.
TILES static void rows(const palate_product *p, size_t item, size_t from, size_t to, const uint8_t *packed, size_t k, size_t depth, uint8_t *area)
{
	side a = side_a(p, item);
	float *c = p->c + item * p->m * p->n;
	size_t deep = up(depth, DEPTH);
	for (size_t d = 0; d < depth; d += INNER) {
		size_t inner = least(INNER, depth - d), cells = up(inner, DEPTH);
		for (size_t i = from; i < to; i += STRIP)
			pack(area + (i - from) / STRIP * cells * CELL, &a, i, k + d, inner);
		for (size_t j = 0; j < p->n; j += STRIP)
			for (size_t i = from; i < to; i += STRIP)
				block(c + i * p->n + j, p->n, to - i, p->n - j, area + (i - from) / STRIP * cells * CELL, packed + (j / STRIP * deep + d / DEPTH) * CELL,
					cells, p->terms, p->bias ? p->bias + j : NULL, k + d == 0);
	}
}

// job is what threads share.
typedef struct {
	const palate_product *p;
	uint8_t *packed, *areas;
	size_t k, depth, area, rows;
	_Atomic(size_t) next;
} job;

static void pack_b(void *state, size_t i)
{
	job *j = state;
	side b = side_b(j->p, 0);
	pack(j->packed + i * up(j->depth, DEPTH) * CELL, &b, i * STRIP, j->k, j->depth);
}

TILES static void multiply_rows(void *state, size_t i)
{
	job *j = state;
	size_t m = j->p->m, blocks = up(m, j->rows), n = atomic_fetch_add(&j->next, 1);
	if (n >= blocks)
		return;
	configure();
	for (; n < blocks; n = atomic_fetch_add(&j->next, 1))
		rows(j->p, 0, n * j->rows, least((n + 1) * j->rows, m), j->packed, j->k, j->depth, j->areas + i * j->area);
	_tile_release();
}

// multiply_items computes whole products of the batch.
TILES static void multiply_items(void *state, size_t i)
{
	job *j = state;
	const palate_product *p = j->p;
	uint8_t *area = j->areas + i * j->area, *packed = area + AREA;
	size_t item = atomic_fetch_add(&j->next, 1);
	if (item >= p->batch)
		return;
	configure();
	for (; item < p->batch; item = atomic_fetch_add(&j->next, 1)) {
		side b = side_b(p, item);
		for (size_t k = 0; k < p->k; k += OUTER) {
			size_t depth = least(OUTER, p->k - k);
			for (size_t strip = 0; strip * STRIP < p->n; strip++)
				pack(packed + strip * up(depth, DEPTH) * CELL, &b, strip * STRIP, k, depth);
			for (size_t from = 0; from < p->m; from += j->rows)
				rows(p, item, from, least(from + j->rows, p->m), packed, k, depth, area);
		}
	}
	_tile_release();
}

// take gives memory of which size bytes from CELL on are free.
static void *take(palate_scratch *scratch, size_t size)
{
	size_t *memory = atomic_exchange(&scratch->memory, NULL);
	size = up(CELL + size, HUGE_PAGE) * HUGE_PAGE;
	if (memory && *memory >= size)
		return memory;
	free(memory);
	if ((memory = aligned_alloc(HUGE_PAGE, size))) {
		madvise(memory, size, MADV_HUGEPAGE); // what it does not get, it does without
		*memory = size;
	}
	return memory;
}

static void give_back(palate_scratch *scratch, void *memory)
{
	void *none = NULL;
	if (!atomic_compare_exchange_strong(&scratch->memory, &none, memory))
		free(memory);
}

static int multiply_tiles(const palate_product *p, palate_scratch *scratch, palate_share share, void *context)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t threads = processors > 0 ? processors : 1, strips = up(p->n, STRIP);
	size_t whole = strips * up(least(p->k, OUTER), DEPTH) * CELL; // of b
	job j = {.p = p, .area = AREA, .rows = most_rows(p)};
	if (p->batch == 1) { // as many blocks for each thread
		size_t blocks = up(up(p->m, j.rows), threads) * threads;
		j.rows = up(up(p->m, blocks), STRIP) * STRIP;
	}
	size_t workers = least(threads, up(p->m, j.rows)), size = whole + workers * AREA;
	if (p->batch > 1) {
		workers = least(threads, p->batch);
		j.area = AREA + whole;
		size = workers * j.area;
	}
	void *memory = take(scratch, size);
	if (!memory)
		return 1;
	uint8_t *free_part = (uint8_t *)memory + CELL;
	if (p->batch > 1) {
		j.areas = free_part;
		share(context, multiply_items, workers, &j);
	} else {
		j.packed = free_part;
		j.areas = free_part + whole;
		for (j.k = 0; j.k < p->k; j.k += OUTER) {
			j.depth = least(OUTER, p->k - j.k);
			share(context, pack_b, strips, &j);
			atomic_store(&j.next, 0);
			share(context, multiply_rows, workers, &j);
		}
	}
	give_back(scratch, memory);
	return 0;
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

// plain computes one row of c.
static void plain(void *state, size_t i)
{
	const palate_product *p = state;
	size_t item = i / p->m, row = i % p->m;
	const float *a = p->a + item * p->m * p->k, *b = p->b + item * p->k * p->n;
	float *c = p->c + i * p->n;
	for (size_t j = 0; j < p->n; j++) {
		double sum = p->bias ? p->bias[j] : 0;
		for (size_t k = 0; k < p->k; k++)
			sum += (double)(p->turn_a ? a[k * p->m + row] : a[row * p->k + k]) * (p->turn_b ? b[j * p->k + k] : b[k * p->n + j]);
		c[j] = sum;
	}
}

int palate_multiply(const palate_product *p, palate_scratch *scratch, palate_share share, void *context)
{
	if (p->m == 0 || p->n == 0 || p->batch == 0)
		return 0;
#ifdef HAVE_TILES
	if (palate_tiles() && p->k > 0)
		return multiply_tiles(p, scratch, share, context);
#endif
	share(context, plain, p->batch * p->m, (void *)p);
	return 0;
}

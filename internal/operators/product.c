//go:build cgo && !purego

#include "tiles.h"

#include <stdatomic.h>
#include <string.h>

#ifdef HAVE_TILES
#include <immintrin.h>
#endif

#ifdef HAVE_TILES

enum {
	INNER = 768,       // as deep as sums stay in tiles
	OUTER = 2 * INNER, // as deep as all of b is packed at a time
	LINE = 64,         // bytes of a cache
	AREA = 192 * CELL, // of a thread, for its rows of a: less than half of its cache
};

static palate_side side_a(const palate_product *p, size_t item)
{
	return (palate_side){p->a + item * p->m * p->k, p->turn_a ? p->m : p->k, p->m, !p->turn_a, 1, p->terms};
}

static palate_side side_b(const palate_product *p, size_t item)
{
	return (palate_side){p->b + item * p->k * p->n, p->turn_b ? p->k : p->n, p->n, p->turn_b, 0, p->terms};
}

// most_rows is how many rows one thread computes at a time, at the most: for
// each it goes through all of b.
static size_t most_rows(const palate_product *p) { return AREA / (up(least(p->k, INNER), DEPTH) * CELL) * STRIP; }

// add_up adds to the sums of a strip's rows of op(a) their numbers from k on,
// depth many: they have just been read.
TILES static void add_up(const palate_side *a, size_t from, size_t rows, size_t k, size_t depth, float *sums)
{
	float part[STRIP] = {0}; // of few numbers, so that little is rounded away
	for (size_t d = 0; d < depth; d++)
		for (size_t i = 0; i < rows; i++)
			part[i] += a->flat ? a->x[(from + i) * a->stride + k + d] : a->x[(k + d) * a->stride + from + i];
	for (size_t i = 0; i < rows; i++)
		sums[from + i] = (k == 0 ? 0 : sums[from + i]) + part[i];
}

// block is one of 32 × 32 sums, or less at an edge.
typedef struct {
	float *c;             // where it begins
	size_t at;            // how far that is from the first of the product
	const float *bias, *scale; // for its columns, or NULL
	size_t rows, columns; // no rows: nothing to do
	int first, last;      // what is added up now
} block;

// finishing is what comes after the sums of a block, while those of the next are
// computed: numbers are near, and a processor's vectors have nothing else to do.
typedef struct {
	const palate_product *p;
	block done, next;
	float *sums;          // of the block that is done
	const uint8_t *ahead; // what will be read of b,
	size_t each;          // and how many lines of it to ask for with a row
} finishing;

// finish_rows writes rows of the block that is done, and asks for what will be
// written and read of the next.
TILES static void finish_rows(void *state, size_t from, size_t to)
{
	finishing *f = state;
	const palate_product *p = f->p;
	const block *b = &f->done, *next = &f->next;
	for (size_t l = from * f->each; l < to * f->each; l++)
		__builtin_prefetch(f->ahead + l * LINE, 0, 2);
	for (size_t r = from; r < least(to, next->rows); r++) {
		size_t row = r * p->n;
		for (size_t n = 0; n < next->columns; n += LANES) {
			__builtin_prefetch(next->c + row + n, 1);
			if (next->last && p->before)
				__builtin_prefetch(p->before + next->at + row + n, 1);
			if (next->last && p->x)
				__builtin_prefetch(p->x + next->at + row + n);
			if (next->last && p->onto)
				__builtin_prefetch(p->onto + next->at + row + n);
		}
	}
	for (size_t r = from; r < least(to, b->rows); r++)
		for (size_t n = 0; n < b->columns; n += LANES) {
			size_t at = r * p->n + n;
			float *sums = f->sums + r * STRIP + n;
			__mmask16 mask = left(b->columns - n);
			__m512 v = _mm512_load_ps(sums);
			if (!b->first)
				v = _mm512_add_ps(v, _mm512_maskz_loadu_ps(mask, b->c + at));
			else if (b->bias)
				v = _mm512_add_ps(v, _mm512_maskz_loadu_ps(mask, b->bias + n));
			if (b->last && p->before)
				_mm512_mask_storeu_ps(p->before + b->at + at, mask, v);
			if (b->last && p->gelu) {
				_mm512_store_ps(sums, v);
				for (int l = 0; l < LANES; l++)
					sums[l] = gelu(sums[l]);
				v = _mm512_load_ps(sums);
			}
			if (b->last && p->x) {
				_mm512_store_ps(sums, _mm512_maskz_loadu_ps(mask, p->x + b->at + at));
				for (int l = 0; l < LANES; l++)
					sums[l] = slope(sums[l]);
				v = _mm512_mul_ps(v, _mm512_load_ps(sums));
			}
			if (b->last && p->onto)
				v = _mm512_fmadd_ps(v, _mm512_maskz_loadu_ps(mask, b->scale + n), _mm512_maskz_loadu_ps(mask, p->onto + b->at + at));
			_mm512_mask_storeu_ps(b->c + at, mask, v);
		}
}

// rows computes rows of c, from one to below another, with what is packed of
// b: from k on, depth deep.
TILES static void rows(const palate_product *p, size_t item, size_t from, size_t to, const uint8_t *packed, size_t k, size_t depth, uint8_t *area)
{
	palate_side a = side_a(p, item);
	float *c = p->c + item * p->m * p->n, sums[2][STRIP * STRIP] __attribute__((aligned(64)));
	size_t deep = up(depth, DEPTH);
	for (size_t d = 0; d < depth; d += INNER) {
		size_t inner = least(INNER, depth - d), cells = up(inner, DEPTH);
		size_t step = a.flat ? inner : DEPTH; // in the order in which they lie in memory
		for (size_t e = d; e < d + inner; e += step)
			for (size_t i = from; i < to; i += STRIP) {
				size_t deep = least(step, d + inner - e);
				palate_pack(area + ((i - from) / STRIP * cells + (e - d) / DEPTH) * CELL, &a, i, k + e, deep);
				if (p->sums)
					add_up(&a, i, least(STRIP, to - i), k + e, deep, p->sums);
			}
		finishing f = {.p = p};
		palate_beside beside = {finish_rows, &f};
		int turn = 0;
		size_t lines = up(cells * CELL / LINE, up(to - from, STRIP)); // of the next strip of b, with each block
		f.each = up(lines, STRIP);
		for (size_t j = 0; j < p->n; j += STRIP)
			for (size_t i = from; i < to; i += STRIP, turn = !turn) {
				f.next = (block){.c = c + i * p->n + j, .at = i * p->n + j, .bias = p->bias ? p->bias + j : NULL, .scale = p->scale ? p->scale + j : NULL, .rows = least(STRIP, to - i),
					.columns = least(STRIP, p->n - j), .first = k + d == 0, .last = k + d + inner == p->k};
				f.ahead = packed + ((j / STRIP + 1) * deep + d / DEPTH) * CELL + (i - from) / STRIP * lines * LINE;
				palate_block(sums[turn], STRIP, area + (i - from) / STRIP * cells * CELL, packed + (j / STRIP * deep + d / DEPTH) * CELL, cells, p->terms, 1, &beside);
				f.done = f.next;
				f.sums = sums[turn];
			}
		f.next.rows = f.each = 0;
		finish_rows(&f, 0, STRIP);
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
	palate_side b = side_b(j->p, 0);
	size_t deep = up(j->depth, DEPTH);
	if (b.flat)
		palate_pack(j->packed + i * deep * CELL, &b, i * STRIP, j->k, j->depth);
	else
		for (size_t s = 0; s * STRIP < b.lanes; s++)
			palate_pack(j->packed + (s * deep + i) * CELL, &b, s * STRIP, j->k + i * DEPTH, least(DEPTH, j->depth - i * DEPTH));
}

TILES static void multiply_rows(void *state, size_t i)
{
	job *j = state;
	size_t m = j->p->m, blocks = up(m, j->rows), n = atomic_fetch_add(&j->next, 1);
	if (n >= blocks)
		return;
	palate_tiles_open();
	for (; n < blocks; n = atomic_fetch_add(&j->next, 1))
		rows(j->p, 0, n * j->rows, least((n + 1) * j->rows, m), j->packed, j->k, j->depth, j->areas + i * j->area);
	palate_tiles_close();
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
	palate_tiles_open();
	for (; item < p->batch; item = atomic_fetch_add(&j->next, 1)) {
		palate_side b = side_b(p, item);
		for (size_t k = 0; k < p->k; k += OUTER) {
			size_t depth = least(OUTER, p->k - k);
			for (size_t strip = 0; strip * STRIP < p->n; strip++)
				palate_pack(packed + strip * up(depth, DEPTH) * CELL, &b, strip * STRIP, k, depth);
			for (size_t from = 0; from < p->m; from += j->rows)
				rows(p, item, from, least(from + j->rows, p->m), packed, k, depth, area);
		}
	}
	palate_tiles_close();
}

static int multiply_tiles(const palate_product *p, palate_scratch *scratch, palate_share share, void *context)
{
	size_t threads = palate_threads(), strips = up(p->n, STRIP);
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
	void *memory = palate_take(scratch, size);
	if (!memory)
		return 1;
	if (p->batch > 1) {
		j.areas = (uint8_t *)memory;
		share(context, multiply_items, workers, &j);
	} else {
		j.packed = (uint8_t *)memory;
		j.areas = (uint8_t *)memory + whole;
		for (j.k = 0; j.k < p->k; j.k += OUTER) {
			j.depth = least(OUTER, p->k - j.k);
			share(context, pack_b, p->turn_b ? strips : up(j.depth, DEPTH), &j);
			atomic_store(&j.next, 0);
			share(context, multiply_rows, workers, &j);
		}
	}
	palate_give_back(scratch, memory);
	return 0;
}

#endif

// plain computes one row of c.
static void plain(void *state, size_t i)
{
	const palate_product *p = state;
	size_t item = i / p->m, row = i % p->m;
	if (p->sums) {
		double sum = 0;
		for (size_t k = 0; k < p->k; k++)
			sum += p->turn_a ? p->a[k * p->m + row] : p->a[row * p->k + k];
		p->sums[row] = sum;
	}
	const float *a = p->a + item * p->m * p->k, *b = p->b + item * p->k * p->n;
	float *c = p->c + i * p->n;
	for (size_t j = 0; j < p->n; j++) {
		double sum = p->bias ? p->bias[j] : 0;
		for (size_t k = 0; k < p->k; k++)
			sum += (double)(p->turn_a ? a[k * p->m + row] : a[row * p->k + k]) * (p->turn_b ? b[j * p->k + k] : b[k * p->n + j]);
		c[j] = sum;
		if (p->before)
			p->before[i * p->n + j] = c[j];
		if (p->gelu)
			c[j] = gelu(c[j]);
		if (p->x)
			c[j] *= slope(p->x[i * p->n + j]);
		if (p->onto)
			c[j] = p->onto[i * p->n + j] + p->scale[j] * c[j];
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

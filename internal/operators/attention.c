//go:build cgo && !purego

#include "tiles.h"

#include <stdatomic.h>

#ifdef HAVE_TILES
#include <immintrin.h>
#endif

// place is where the first number of an item's head is.
static size_t place(const palate_attention *a, size_t item) { return item / a->heads * a->tokens * a->stride + item % a->heads * a->width; }

// mixed_place is where it is of mixed and its gradient.
static size_t mixed_place(const palate_attention *a, size_t item) { return (item / a->heads * a->tokens * a->heads + item % a->heads) * a->width; }

#ifdef HAVE_TILES

// A head of an item is computed whole by one thread. Its scores, which would be
// most of what an attention writes and reads, are there for some rows at a time
// (Dao, FlashAttention-2, 2023): on the way forward for one strip of queries and
// all keys, on the way back for GROUP strips of queries and up to KEYS of keys,
// so that all of it stays in the cache of a processor.
enum { GROUP = 3, KEYS = 9 };

// sizes are those of a head in strips and cells.
typedef struct {
	size_t strips; // of tokens, and as many cells where tokens are the depth
	size_t wide;   // strips, or cells, of a head's width
	size_t keys;   // strips of keys at a time
} sizes;

static sizes sizes_of(const palate_attention *a)
{
	sizes s = {.strips = up(a->tokens, STRIP), .wide = up(a->width, STRIP)};
	s.keys = up(s.strips, up(s.strips, KEYS));
	return s;
}

// by_token is a side whose lanes are tokens and whose depth is a head's width;
// as_rows says that it is the first of two that are multiplied. by_width is the
// second of two, as deep as there are tokens.
static palate_side by_token(const float *x, size_t stride, size_t tokens, int as_rows, int terms) { return (palate_side){x, stride, tokens, 1, as_rows, terms}; }
static palate_side by_width(const float *x, size_t stride, size_t width, int terms) { return (palate_side){x, stride, width, 0, 0, terms}; }

// pack_all packs all strips of a side.
static uint8_t *pack_all(uint8_t *to, palate_side side, size_t strips, size_t depth)
{
	for (size_t i = 0; i < strips; i++, to += up(depth, DEPTH) * CELL)
		palate_pack(to, &side, i * STRIP, 0, depth);
	return to;
}

// softmax_rows makes scores their shares of 1, but for a factor of each row, and
// gives the logarithms of what they would be divided by.
TILES static void softmax_rows(float *x, size_t stride, size_t rows, size_t n, float scale, float *logs, float *factors)
{
	for (size_t r = 0; r < rows; r++, x += stride) {
		__m512 most = _mm512_set1_ps(-INFINITY), sum = _mm512_setzero_ps();
		for (size_t i = 0; i < n; i += LANES)
			most = _mm512_max_ps(most, _mm512_mask_loadu_ps(most, left(n - i), x + i));
		float highest = _mm512_reduce_max_ps(most);
		for (size_t i = 0; i < n; i++)
			x[i] = exponential((x[i] - highest) * scale);
		for (size_t i = 0; i < n; i += LANES)
			sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(left(n - i), x + i));
		float whole = _mm512_reduce_add_ps(sum);
		factors[r] = 1 / whole;
		if (logs)
			logs[r] = highest * scale + logf(whole);
	}
}

// write_rows writes numbers of a strip, each row by a factor if there are any.
TILES static void write_rows(float *to, size_t stride, const float *from, size_t step, size_t rows, size_t width, const float *factors)
{
	for (size_t r = 0; r < rows; r++)
		for (size_t w = 0; w < width; w++)
			to[r * stride + w] = from[r * step + w] * (factors ? factors[r] : 1);
}

static size_t forward_bytes(sizes s)
{
	size_t shares = s.strips * CELL, sums = s.wide * CELL; // a strip of tokens, and one of results
	return 3 * s.strips * s.wide * CELL + 2 * shares + sums;
}

static void forward(const palate_attention *a, size_t item, uint8_t *area)
{
	sizes s = sizes_of(a);
	size_t at = place(a, item), tokens = a->tokens, row = s.strips * STRIP, sum_row = s.wide * STRIP;
	uint8_t *q = area, *k = pack_all(q, by_token(a->q + at, a->stride, tokens, 1, a->terms), s.strips, a->width);
	uint8_t *v = pack_all(k, by_token(a->k + at, a->stride, tokens, 0, a->terms), s.strips, a->width);
	uint8_t *shares = pack_all(v, by_width(a->v + at, a->stride, a->width, a->terms), s.wide, tokens);
	float *scores = (float *)(shares + s.strips * CELL), *sums = scores + STRIP * row, factors[STRIP];
	for (size_t i = 0; i < s.strips; i++) {
		size_t from = i * STRIP, rows = least(STRIP, tokens - from);
		for (size_t j = 0; j < s.strips; j++)
			palate_block(scores + j * STRIP, row, q + i * s.wide * CELL, k + j * s.wide * CELL, s.wide, a->terms, 1, NULL);
		softmax_rows(scores, row, rows, tokens, 1 / sqrtf(a->width), a->logs ? a->logs + item * tokens + from : NULL, factors);
		palate_side share = by_token(scores, row, rows, 1, a->terms);
		palate_pack(shares, &share, 0, 0, tokens);
		for (size_t w = 0; w < s.wide; w++)
			palate_block(sums + w * STRIP, sum_row, shares, v + w * s.strips * CELL, s.strips, a->terms, 1, NULL);
		write_rows(a->mixed + mixed_place(a, item) + from * a->heads * a->width, a->heads * a->width, sums, sum_row, rows, a->width, factors);
	}
}

// slopes_of makes scores their shares of 1, and gradients of shares those of
// scores.
TILES static void slopes_of(float *scores, float *slopes, size_t stride, size_t rows, size_t n, float scale, const float *logs, const float *means)
{
	for (size_t r = 0; r < rows; r++, scores += stride, slopes += stride)
		for (size_t i = 0; i < n; i++) {
			scores[i] = exponential(scores[i] * scale - logs[r]);
			slopes[i] = scores[i] * (slopes[i] - means[r]) * scale;
		}
}

// means_of gives, for each token, Σ gradient·mixed: the mean of its shares'
// gradients.
TILES static void means_of(const float *gradient, const float *mixed, size_t stride, size_t tokens, size_t width, float *means)
{
	for (size_t t = 0; t < tokens; t++)
		means[t] = dot(gradient + t * stride, mixed + t * stride, width);
}

static size_t back_bytes(sizes s)
{
	size_t packed = s.strips * s.wide * CELL, scores = GROUP * s.keys * CELL, sums = packed + 2 * s.keys * s.wide * CELL;
	return 7 * packed + 5 * scores + sums + s.strips * STRIP * sizeof(float);
}

static void back(const palate_attention *a, size_t item, uint8_t *area)
{
	sizes s = sizes_of(a);
	size_t at = place(a, item), out = mixed_place(a, item), tokens = a->tokens, width = a->width, out_stride = a->heads * width;
	size_t row = s.keys * STRIP, sum_row = s.wide * STRIP, strip = s.wide * CELL;
	// In the order of what they are multiplied for: scores, gradients of shares,
	// and those of q, k and v.
	uint8_t *q = area, *k = pack_all(q, by_token(a->q + at, a->stride, tokens, 1, a->terms), s.strips, width);
	uint8_t *d = pack_all(k, by_token(a->k + at, a->stride, tokens, 0, a->terms), s.strips, width);
	uint8_t *v = pack_all(d, by_token(a->gradient + out, out_stride, tokens, 1, a->terms), s.strips, width);
	uint8_t *k_deep = pack_all(v, by_token(a->v + at, a->stride, tokens, 0, a->terms), s.strips, width);
	uint8_t *q_deep = pack_all(k_deep, by_width(a->k + at, a->stride, width, a->terms), s.wide, tokens);
	uint8_t *d_deep = pack_all(q_deep, by_width(a->q + at, a->stride, width, a->terms), s.wide, tokens);
	uint8_t *packed = pack_all(d_deep, by_width(a->gradient + out, out_stride, width, a->terms), s.wide, tokens);
	float *scores = (float *)(packed + GROUP * s.keys * CELL), *slopes = scores + GROUP * STRIP * row;
	float *dq = slopes + GROUP * STRIP * row, *dk = dq + s.strips * STRIP * sum_row, *dv = dk + row * sum_row, *means = dv + row * sum_row;
	float scale = 1 / sqrtf(width);
	means_of(a->gradient + out, a->mixed + out, out_stride, tokens, width, means);
	for (size_t j0 = 0; j0 < s.strips; j0 += s.keys) {
		size_t keys = least(s.keys, s.strips - j0), key = j0 * STRIP, columns = least(keys * STRIP, tokens - key);
		for (size_t i0 = 0; i0 < s.strips; i0 += GROUP) {
			size_t queries = least(GROUP, s.strips - i0), from = i0 * STRIP, rows = least(queries * STRIP, tokens - from);
			for (size_t i = 0; i < queries; i++)
				for (size_t j = 0; j < keys; j++) {
					size_t to = i * STRIP * row + j * STRIP;
					palate_block(scores + to, row, q + (i0 + i) * strip, k + (j0 + j) * strip, s.wide, a->terms, 1, NULL);
					palate_block(slopes + to, row, d + (i0 + i) * strip, v + (j0 + j) * strip, s.wide, a->terms, 1, NULL);
				}
			slopes_of(scores, slopes, row, rows, columns, scale, a->logs + item * tokens + from, means + from);
			pack_all(packed, by_token(slopes, row, rows, 1, a->terms), queries, columns);
			for (size_t i = 0; i < queries; i++)
				for (size_t w = 0; w < s.wide; w++)
					palate_block(dq + (i0 + i) * STRIP * sum_row + w * STRIP, sum_row, packed + i * up(columns, DEPTH) * CELL,
						k_deep + (w * s.strips + j0) * CELL, up(columns, DEPTH), a->terms, j0 == 0, NULL);
			const struct { const float *x; const uint8_t *by; float *sums; } turned[] = {{scores, d_deep, dv}, {slopes, q_deep, dk}};
			for (int n = 0; n < 2; n++) {
				pack_all(packed, (palate_side){turned[n].x, row, columns, 0, 1, a->terms}, keys, rows);
				for (size_t j = 0; j < keys; j++)
					for (size_t w = 0; w < s.wide; w++)
						palate_block(turned[n].sums + j * STRIP * sum_row + w * STRIP, sum_row, packed + j * up(rows, DEPTH) * CELL,
							turned[n].by + (w * s.strips + i0) * CELL, up(rows, DEPTH), a->terms, i0 == 0, NULL);
			}
		}
		write_rows(a->dk + at + key * a->stride, a->stride, dk, sum_row, columns, width, NULL);
		write_rows(a->dv + at + key * a->stride, a->stride, dv, sum_row, columns, width, NULL);
	}
	write_rows(a->dq + at, a->stride, dq, sum_row, tokens, width, NULL);
}

// heads is what threads share.
typedef struct {
	const palate_attention *a;
	void (*one)(const palate_attention *a, size_t item, uint8_t *area);
	uint8_t *areas;
	size_t area;
	_Atomic(size_t) next;
} heads;

static void some_heads(void *state, size_t worker)
{
	heads *h = state;
	size_t n = h->a->batch * h->a->heads, item = atomic_fetch_add(&h->next, 1);
	if (item >= n)
		return;
	palate_tiles_open();
	for (; item < n; item = atomic_fetch_add(&h->next, 1))
		h->one(h->a, item, h->areas + worker * h->area);
	palate_tiles_close();
}

static int by_tiles(heads *h, palate_scratch *scratch, palate_share share, void *context)
{
	size_t workers = least(palate_threads(), h->a->batch * h->a->heads);
	h->area = up(h->area, CELL) * CELL;
	if (!(h->areas = palate_take(scratch, workers * h->area)))
		return 1;
	share(context, some_heads, workers, h);
	palate_give_back(scratch, h->areas);
	return 0;
}

#endif

// score is one of a head's, of a query and a key.
static double score(const palate_attention *a, size_t at, size_t query, size_t key)
{
	double sum = 0;
	for (size_t w = 0; w < a->width; w++)
		sum += (double)a->q[at + query * a->stride + w] * a->k[at + key * a->stride + w];
	return sum / sqrt((double)a->width);
}

static void plain_forward(void *state, size_t item)
{
	const palate_attention *a = state;
	size_t at = place(a, item), out = mixed_place(a, item);
	for (size_t i = 0; i < a->tokens; i++) {
		double most = -INFINITY, sum = 0;
		for (size_t j = 0; j < a->tokens; j++)
			most = fmax(most, score(a, at, i, j));
		for (size_t j = 0; j < a->tokens; j++)
			sum += exp(score(a, at, i, j) - most);
		double log_sum = most + log(sum);
		if (a->logs)
			a->logs[item * a->tokens + i] = log_sum;
		for (size_t w = 0; w < a->width; w++) {
			sum = 0;
			for (size_t j = 0; j < a->tokens; j++)
				sum += exp(score(a, at, i, j) - log_sum) * a->v[at + j * a->stride + w];
			a->mixed[out + i * a->heads * a->width + w] = sum;
		}
	}
}

static void plain_back(void *state, size_t item)
{
	const palate_attention *a = state;
	size_t at = place(a, item), out = mixed_place(a, item), step = a->heads * a->width;
	for (size_t t = 0; t < a->tokens; t++)
		for (size_t w = 0; w < a->width; w++)
			a->dq[at + t * a->stride + w] = a->dk[at + t * a->stride + w] = a->dv[at + t * a->stride + w] = 0;
	for (size_t i = 0; i < a->tokens; i++) {
		const float *d = a->gradient + out + i * step, *mixed = a->mixed + out + i * step;
		double mean = 0;
		for (size_t w = 0; w < a->width; w++)
			mean += (double)d[w] * mixed[w];
		for (size_t j = 0; j < a->tokens; j++) {
			double share = exp(score(a, at, i, j) - a->logs[item * a->tokens + i]), slope = -mean;
			for (size_t w = 0; w < a->width; w++)
				slope += (double)d[w] * a->v[at + j * a->stride + w];
			slope *= share / sqrt((double)a->width);
			for (size_t w = 0; w < a->width; w++) {
				a->dq[at + i * a->stride + w] += slope * a->k[at + j * a->stride + w];
				a->dk[at + j * a->stride + w] += slope * a->q[at + i * a->stride + w];
				a->dv[at + j * a->stride + w] += share * d[w];
			}
		}
	}
}

int palate_attend(const palate_attention *a, palate_scratch *scratch, palate_share share, void *context)
{
	if (a->batch * a->heads * a->tokens * a->width == 0)
		return 0;
#ifdef HAVE_TILES
	if (palate_tiles())
		return by_tiles(&(heads){.a = a, .one = forward, .area = forward_bytes(sizes_of(a))}, scratch, share, context);
#endif
	share(context, plain_forward, a->batch * a->heads, (void *)a);
	return 0;
}

int palate_attend_gradient(const palate_attention *a, palate_scratch *scratch, palate_share share, void *context)
{
	if (a->batch * a->heads * a->tokens * a->width == 0)
		return 0;
#ifdef HAVE_TILES
	if (palate_tiles())
		return by_tiles(&(heads){.a = a, .one = back, .area = back_bytes(sizes_of(a))}, scratch, share, context);
#endif
	share(context, plain_back, a->batch * a->heads, (void *)a);
	return 0;
}

#ifndef PALATE_OPERATORS_TILES_H
#define PALATE_OPERATORS_TILES_H

// What products by tiles are made of.

#include "kernel.h"
#include "loops.h"

// The instructions are Intel's AMX: a tile is 16 rows of 64 bytes, and one
// instruction adds to 16 × 16 sums the products of 16 × 32 and 32 × 16 numbers
// of bfloat16. Linux hands the tiles' state out on request.
#if defined(__x86_64__) && defined(__linux__) && ((defined(__clang__) && __clang_major__ >= 13) || (!defined(__clang__) && defined(__GNUC__) && __GNUC__ >= 12))
#define HAVE_TILES 1
#endif

#ifdef HAVE_TILES

#define TILES __attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))

enum {
	DEPTH = 32,        // numbers of bfloat16 in a row of a tile
	STRIP = 2 * LANES, // rows or columns of a block of 2 × 2 tiles of sums
	TILE = 1024,       // bytes
	CELL = 4 * TILE,   // a strip, DEPTH deep: two tiles of what is kept of the numbers, and two of the rest
};

// side is one of the two matrices: lanes are rows of a or columns of b.
typedef struct {
	const float *x;
	size_t stride, lanes;
	int flat;    // lanes lie one behind the other
	int by_lane; // rows of its tiles are lanes, as of a; of b they are pairs
	int terms;   // of 1 the rest of the numbers is not needed
} palate_side;

// palate_pack brings a strip of lanes, from k on and depth deep, into cells,
// filled up with zeros.
void palate_pack(uint8_t *to, const palate_side *side, size_t lane, size_t k, size_t depth);

// palate_beside is work for a processor's vectors while its tiles multiply: for
// the numbers of a block's rows from one to below another.
typedef struct {
	void (*work)(void *state, size_t from, size_t to);
	void *state;
} palate_beside;

// palate_block computes 32 × 32 sums of what cells of a and b give: on top of what
// is in c, unless they are the first of these numbers. beside, which may be NULL, is
// called for all rows of a block, some for each cell. The tiles must be open.
void palate_block(float *c, size_t stride, const uint8_t *a, const uint8_t *b, size_t cells, int terms, int first, const palate_beside *beside);

// left are the lanes of a vector that are among n numbers.
INLINE uint16_t left(size_t n) { return n >= LANES ? 0xffff : (1u << n) - 1; }

// near asks for the rows of a block, of which there are all.
INLINE void near(const float *x, size_t stride, int write)
{
	for (size_t r = 0; r < STRIP; r++)
		for (size_t i = 0; i < STRIP; i += LANES)
			write ? __builtin_prefetch(x + r * stride + i, 1) : __builtin_prefetch(x + r * stride + i, 0);
}

void palate_tiles_open(void);  // for this thread
void palate_tiles_close(void);

#endif

// palate_threads is how many there are at the most.
size_t palate_threads(void);

// palate_take gives memory of size bytes, at a multiple of CELL, or NULL;
// palate_give_back takes it.
void *palate_take(palate_scratch *scratch, size_t size);
void palate_give_back(palate_scratch *scratch, void *memory);

#endif

// Package simd holds the inner loops of searching vectors, scoring vectors
// rounded to 8 bits with a proven bound on the error and exact inner products,
// and those of an optimizer's step (training.go).
//
// A vector x is kept as codes c of −127…127 and a step s, so that x ≈ s·c, and
// the norm ρ of what is left, x − s·c. A query q is rounded likewise, q ≈ t·d,
// with codes of up to 15 bits and a rest r. Then
//
//	q·x = s·t·(c·d) + q·(x − s·c) + r·(s·c),
//
// and by Cauchy and Schwarz the last two terms are at most ‖q‖·ρ + ‖r‖·‖s·c‖.
// c·d is an integer below 2³¹ and exact.
//
// The loops are plain C, compiled for several processors where the platform
// can choose among them when the program starts (target_clones: glibc on
// x86-64), once more for AVX-512 VNNI, and with NEON on arm64. The same loops
// in Go serve builds without cgo or with the tag purego, and whoever asks for
// Go. Exact products are the same bits in all of them: a product of two
// float32 is exact in float64, and the order of the additions is fixed. So are
// the optimizer's, whose loops round after every operation.
package simd

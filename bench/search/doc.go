// Command search measures index/flat beside what its speed is held against, in
// one interleaved run: the machine's read bandwidth, a naive loop, gonum, and
// with --peers vek32, sqlite-vec and chromem (a module of their own, in
// peers/, built and asked over a pipe).
//
//	go run ./bench/search --json
//	go run ./bench/search --points 1000000 --dim 384 --peers vek32,sqlite-vec
//	go run ./bench/search --data nested --qdrant qdrant://127.0.0.1:6334/bench
//
// Contenders take turns, query by query, so that what else the machine does
// hits all of them; ratios are medians over turns of ratios within a turn.
package main

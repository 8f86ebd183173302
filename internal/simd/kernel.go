package simd

import (
	"fmt"
	"math"
)

// Kernel is one compilation of the loops.
type Kernel struct {
	name     string
	scan     func(rows Rows, list []int32, q *Query, least float32, found *Found)
	quantise func(x []float32, dim int, rows Rows)
	dots     func(x []float32, dim int, list []int32, q []float64, out []float64)
	adamW    func(a AdamW, values, gradients, moments, squares []float32)
	add      func(sum, part []float32)
	squares  func(x []float32) float64
}

// Name says which compilation it is: "go", "c" or "c avx512vnni".
func (k Kernel) Name() string { return k.name }

// Best is the fastest kernel that this machine runs.
func Best() Kernel {
	all := All()
	return all[len(all)-1]
}

// Go is the kernel written in Go.
func Go() Kernel { return Kernel{"go", scanGo, quantiseGo, dotsGo, adamWGo, addGo, squaresGo} }

// All lists the kernels that this machine runs, the slowest first.
func All() []Kernel { return append([]Kernel{Go()}, native()...) }

// Stride is the number of bytes between the codes of two rows: a multiple of
// 64, so that loops have no remainder. Codes beyond the dimension stand for 0.
func Stride(dim int) int { return (dim + 63) &^ 63 }

// Rows are quantised vectors, one after the other.
type Rows struct {
	Stride   int
	Codes    []byte    // Stride each, as c+128
	Scale    []float32 // s
	Residual []float32 // ρ, as float32 arithmetic finds it: see Slack
}

// Slice gives rows from ≤ i < to; they share memory.
func (r Rows) Slice(from, to int) Rows {
	return Rows{r.Stride, r.Codes[from*r.Stride : to*r.Stride : to*r.Stride], r.Scale[from:to:to], r.Residual[from:to:to]}
}

// Len is the number of rows.
func (r Rows) Len() int { return len(r.Scale) }

// MakeRows returns n rows of zeros.
func MakeRows(n, dim int) Rows {
	stride := Stride(dim)
	return Rows{stride, make([]byte, n*stride), make([]float32, n), make([]float32, n)}
}

// Slack is what rounding in float32 may add to the error of an estimate, for
// embeddings whose norm is at most 1.001. The
// terms are at most 1.01 in all, and fewer than ten operations of relative
// error 2⁻²⁴ touch each.
const Slack = 2e-6

// Quantise rounds row after row of x, len(x)/dim of them, into rows.
func (k Kernel) Quantise(x []float32, dim int, rows Rows) {
	if len(x) != dim*rows.Len() || rows.Stride != Stride(dim) {
		panic(fmt.Sprintf("simd: %d values for %d rows of %d", len(x), rows.Len(), dim))
	}
	if len(x) > 0 {
		k.quantise(x, dim, rows)
	}
}

// Query is a query vector made ready. Estimates and margins are those of the
// vector scaled to norm 1, so that they neither overflow nor vanish.
type Query struct {
	Vector []float64 // as given
	Norm   float64   // of Vector

	wide   []int16 // d, padded to the stride
	narrow []int8  // d = 128·narrow[j] + narrow[stride+j]
	offset int32   // 128·Σd, which the codes' own offset adds to every sum
	unit   float32 // t
	slope  float32 // an estimate's error is at most slope·ρ + base
	base   float32
}

const (
	// MaxDim is the largest dimension that leaves a query some precision.
	MaxDim = 1 << 15
	// maxLevel is the largest d: both its halves fit into a byte.
	maxLevel = 127*128 + 63
	// maxSum bounds Σ|d| so that sums of bytes times d stay below 2³¹ in
	// every order of adding; 128 times the upper half of d is up to 64
	// larger than d.
	maxSum = math.MaxInt32 / 255
)

// NewQuery makes a vector of finite values that are not all zero ready.
func NewQuery(vector []float32) *Query {
	q := &Query{}
	q.Set(vector)
	return q
}

// Set makes the query one of another vector, in the same memory where that is
// as long.
func (q *Query) Set(vector []float32) {
	stride := Stride(len(vector))
	if len(q.Vector) != len(vector) {
		q.Vector, q.wide, q.narrow = make([]float64, len(vector)), make([]int16, stride), make([]int8, 2*stride)
	}
	var most, sum, squares float64
	for i, v := range vector {
		f := float64(v)
		q.Vector[i] = f
		most = max(most, math.Abs(f))
		sum += math.Abs(f)
		squares += f * f
	}
	q.Norm = math.Sqrt(squares)
	t := most / min(maxLevel, (maxSum-65*float64(stride))/(sum/most))
	var total int32
	var left float64
	for i, f := range q.Vector {
		d := int32(math.RoundToEven(f / t)) // of all roundings the one that is an instruction
		q.wide[i] = int16(d)
		high := (d + 64) >> 7
		q.narrow[i], q.narrow[stride+i] = int8(high), int8(d-128*high)
		total += d
		left += (f - t*float64(d)) * (f - t*float64(d))
	}
	r := math.Sqrt(left) / q.Norm
	q.offset = 128 * total
	q.unit = float32(t / q.Norm)
	// ‖s·c‖ ≤ ‖x‖ + ρ; the rounding of ρ is in 1.0002, all other in Slack.
	q.slope = float32((1 + r) * 1.0002)
	q.base = float32(r*1.002 + Slack)
}

// Least turns a score into what Scan compares with: a row of at least that
// score passes.
func (q *Query) Least(score float64) float32 {
	least := float32(score / q.Norm)
	return math.Nextafter32(least, float32(math.Inf(-1)))
}

// Most is Least from the other side: a row whose estimate less its margin is
// above it has more than that score.
func (q *Query) Most(score float64) float32 {
	most := float32(score / q.Norm)
	return math.Nextafter32(most, float32(math.Inf(1)))
}

// Margin is the most by which the estimate of a row with that residual is off.
func (q *Query) Margin(residual float32) float32 { return q.slope*residual + q.base }

// Found holds rows that a scan has found.
type Found struct {
	Rows      []int32
	Estimates []float32
}

// MakeFound returns room for n rows.
func MakeFound(n int) *Found { return &Found{make([]int32, 0, n), make([]float32, 0, n)} }

// Scan finds the rows whose score may be at least least: those with estimate +
// margin ≥ least. list, if not nil, names the rows to look at. What was found
// before is forgotten; there must be room for all rows that are looked at.
func (k Kernel) Scan(rows Rows, list []int32, q *Query, least float32, found *Found) {
	n := rows.Len()
	if list != nil {
		n = len(list)
	}
	if rows.Stride != len(q.wide) || cap(found.Rows) < n || cap(found.Estimates) < n {
		panic(fmt.Sprintf("simd: stride %d of rows and %d of the query, room for %d of %d", rows.Stride, len(q.wide), cap(found.Rows), n))
	}
	found.Rows, found.Estimates = found.Rows[:0], found.Estimates[:0]
	if n > 0 {
		k.scan(rows, list, q, least, found)
	}
}

// Dots computes the inner products of the query with the listed rows of x,
// dim values each: in float64, and the same bits with every kernel.
func (k Kernel) Dots(x []float32, dim int, list []int32, q *Query, out []float64) {
	if len(q.Vector) != dim || len(out) < len(list) {
		panic(fmt.Sprintf("simd: %d values in the query and %d in a row, room for %d of %d", len(q.Vector), dim, len(out), len(list)))
	}
	if len(list) > 0 {
		k.dots(x, dim, list, q.Vector, out)
	}
}

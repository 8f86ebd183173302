//go:build cgo && !purego

package simd

/*
#cgo CFLAGS: -O3
#cgo LDFLAGS: -lm
#cgo noescape palate_scan
#cgo nocallback palate_scan
#cgo noescape palate_quantise
#cgo nocallback palate_quantise
#cgo noescape palate_dots
#cgo nocallback palate_dots
#cgo noescape palate_adamw
#cgo nocallback palate_adamw
#cgo noescape palate_add
#cgo nocallback palate_add
#cgo noescape palate_squares
#cgo nocallback palate_squares
#cgo noescape palate_read
#cgo nocallback palate_read
#include "kernel.h"
*/
import "C"

import "unsafe"

func native() []Kernel {
	kernels := []Kernel{{"c", scanC(0), quantiseC, dotsC, adamWC, addC, squaresC}}
	if C.palate_has_vnni() != 0 {
		kernels = append(kernels, Kernel{"c avx512vnni", scanC(1), quantiseC, dotsC, adamWC, addC, squaresC})
	}
	return kernels
}

func floats(s []float32) *C.float   { return (*C.float)(unsafe.Pointer(unsafe.SliceData(s))) }
func ints(s []int32) *C.int32_t     { return (*C.int32_t)(unsafe.Pointer(unsafe.SliceData(s))) }
func doubles(s []float64) *C.double { return (*C.double)(unsafe.Pointer(unsafe.SliceData(s))) }
func bytes(s []byte) *C.uint8_t     { return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(s))) }

func scanC(vnni C.int) func(Rows, []int32, *Query, float32, *Found) {
	return func(rows Rows, list []int32, q *Query, least float32, found *Found) {
		n := rows.Len()
		if list != nil {
			n = len(list)
		}
		count := int(C.palate_scan(vnni, bytes(rows.Codes), C.size_t(rows.Stride), floats(rows.Scale), floats(rows.Residual), C.int(n), ints(list),
			(*C.int16_t)(unsafe.Pointer(unsafe.SliceData(q.wide))), (*C.int8_t)(unsafe.Pointer(unsafe.SliceData(q.narrow))),
			C.int32_t(q.offset), C.float(q.unit), C.float(q.slope), C.float(q.base), C.float(least),
			ints(found.Rows[:cap(found.Rows)]), floats(found.Estimates[:cap(found.Estimates)])))
		found.Rows, found.Estimates = found.Rows[:count], found.Estimates[:count]
	}
}

func quantiseC(x []float32, dim int, rows Rows) {
	C.palate_quantise(floats(x), C.int(rows.Len()), C.int(dim), C.size_t(rows.Stride), bytes(rows.Codes), floats(rows.Scale), floats(rows.Residual))
}

func dotsC(x []float32, dim int, list []int32, q []float64, out []float64) {
	C.palate_dots(floats(x), C.int(dim), ints(list), C.int(len(list)), doubles(q), doubles(out))
}

func adamWC(a AdamW, values, gradients, moments, squares []float32) {
	C.palate_adamw(C.float(a.Moment), C.float(a.Gradient), C.float(a.Square), C.float(a.Share), C.float(a.Keep), C.float(a.Rate), C.float(a.Epsilon),
		floats(values), floats(gradients), floats(moments), floats(squares), C.size_t(len(values)))
}

func addC(sum, part []float32) { C.palate_add(floats(sum), floats(part), C.size_t(len(sum))) }

func squaresC(x []float32) float64 { return float64(C.palate_squares(floats(x), C.size_t(len(x)))) }

// Read reads memory as fast as it comes, and returns its words or'ed: what a
// scan is measured against.
func Read(memory []byte) uint64 {
	return uint64(C.palate_read(bytes(memory), C.size_t(len(memory))))
}

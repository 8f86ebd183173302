package finetune

import (
	"syscall"
	"unsafe"
)

const (
	largePage = 2 << 20
	collapse  = 25 // MADV_COLLAPSE, since Linux 6.1: at once, of what is in small pages already
)

// inLargePages asks the system to hold numbers in large pages: what goes through
// all of them then looks up 512 times fewer. Where it can't, all is as it was.
func inLargePages(numbers []float32) {
	memory := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(numbers))), 4*len(numbers))
	first := int(-uintptr(unsafe.Pointer(unsafe.SliceData(numbers))) % largePage)
	if whole := (len(memory) - first) / largePage * largePage; whole > 0 {
		memory = memory[first : first+whole]
		_ = syscall.Madvise(memory, syscall.MADV_HUGEPAGE)
		_ = syscall.Madvise(memory, collapse)
	}
}

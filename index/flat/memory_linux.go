package flat

import "syscall"

// adviseHuge asks for large pages, which let the processor read on across
// what would be the borders of small ones. It is a hint: failing is no error.
func adviseHuge(memory []byte) {
	if len(memory) >= 4<<20 {
		_ = syscall.Madvise(memory[:len(memory)&^4095], syscall.MADV_HUGEPAGE)
	}
}

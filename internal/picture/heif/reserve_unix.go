//go:build unix

package heif

import "syscall"

// reserve gives memory whose pages come when they are touched and go at
// release.
func reserve(size int) (bytes []byte, release func()) {
	bytes, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, nil
	}
	return bytes[:0:size], func() { _ = syscall.Munmap(bytes[:size]) }
}

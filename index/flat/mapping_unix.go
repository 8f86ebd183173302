//go:build linux || darwin || freebsd || netbsd || openbsd

package flat

import (
	"os"
	"runtime"
	"syscall"
)

// mapping is a file in memory, read-only. It stays mapped for as long as
// something refers to it.
type mapping struct{ bytes []byte }

func mapFile(f *os.File, size int64) (*mapping, error) {
	bytes, err := syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	m := &mapping{bytes}
	runtime.AddCleanup(m, func(bytes []byte) { _ = syscall.Munmap(bytes) }, bytes)
	return m, nil
}

//go:build !unix

package main

import "runtime"

// usedByThis tells what this process has used: here only the heap.
func usedByThis() used {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return used{heap: int64(memory.HeapAlloc)}
}

//go:build !cgo || purego

package simd

import "encoding/binary"

func native() []Kernel { return nil }

// Read reads memory as fast as it comes, and returns its words or'ed: what a
// scan is measured against.
func Read(memory []byte) uint64 {
	var all uint64
	for ; len(memory) >= 32; memory = memory[32:] {
		all |= binary.LittleEndian.Uint64(memory) | binary.LittleEndian.Uint64(memory[8:]) |
			binary.LittleEndian.Uint64(memory[16:]) | binary.LittleEndian.Uint64(memory[24:])
	}
	return all
}

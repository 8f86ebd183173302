//go:build !linux

package main

func hugeBytes(n int) []byte {
	memory := make([]byte, n)
	for i := 0; i < n; i += 64 {
		memory[i] = byte(i >> 6)
	}
	return memory
}

func residentMB() (own, files float64) { return 0, 0 }

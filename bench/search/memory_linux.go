package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// hugeBytes is memory in large pages, touched.
func hugeBytes(n int) []byte {
	memory := make([]byte, n)
	if n >= 4<<20 {
		_ = syscall.Madvise(memory[:n&^4095], syscall.MADV_HUGEPAGE)
	}
	for i := 0; i < n; i += 64 {
		memory[i] = byte(i >> 6)
	}
	return memory
}

// residentMB is how much memory of the process is in use: its own, and mapped
// files.
func residentMB() (own, files float64) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		kB, _ := strconv.ParseFloat(fields[1], 64)
		switch fields[0] {
		case "RssAnon:":
			own = kB / 1000
		case "RssFile:":
			files = kB / 1000
		}
	}
	return own, files
}
